//! Traces in Redis or Valkey, as OSProfiler's own driver keeps them.
//!
//! ```text
//! redis://[[user]:password@]host[:6379][/db][?option=value…]
//! rediss://…                                                            the same with TLS
//! redissentinel://[[user]:password@]host[:26379][,host…][/db][?…]       the master that these sentinels name
//! redis-cluster://[[user]:password@]host[:6379][,host…][?…]             the cluster that these nodes belong to
//! rediss-cluster://…                                                    the same with TLS
//! ```
//!
//! `valkey` and `valkeys` may stand for `redis` and `rediss` in each of them.
//!
//! # What is kept where
//! A trace is the list `osprofiler_opt:<base id>`, newest point first. Traces of OSProfiler before 2.8 (2019), one
//! key `osprofiler:<base id>_<trace id>_<timestamp>` a point, are read, listed and purged as well, never written.
//! With `filter_error_trace=true` the last exception of a trace is noted in `osprofiler_error:<base id>`; the notes
//! that others made are listed without the option too. Nothing expires by itself: purge now and then.
//!
//! To know that there are no keys of the old form, the whole keyspace is scanned at the first read, and again at a
//! read more than a minute later. In a database of its own that takes milliseconds.
//!
//! # What a list tells
//! The oldest and the newest entry of each trace, without reading what lies between: its time, name, service and
//! project are those of the point that arrived first, its duration ends with the point that arrived last. Where
//! points arrive out of order these are off by as much. With a filter by service or name, and before anything is
//! purged, the traces in question are read whole and all of it is exact.
//!
//! # Options
//! | option | meaning |
//! |---|---|
//! | `db` | the database, before the one in the path |
//! | `socket_connect_timeout` | seconds to reach the server and log in, 5 unless given |
//! | `socket_timeout` | seconds to wait for one answer, 20 unless given |
//! | `client_name` | what `CLIENT LIST` shows |
//! | `filter_error_trace` | keep OSProfiler's error records |
//! | `ssl_ca_certs` | file with the authorities to trust in place of the system's |
//! | `ssl_certfile`, `ssl_keyfile` | certificate and key of this client; the key may be in the first file |
//! | `ssl_cert_reqs` | `required` (default) or `none`: take any certificate |
//! | `ssl_check_hostname` | `false`: take the certificate of another host |
//! | `sentinel_service_name` | what the sentinels call the master, `mymaster` unless given |
//! | `sentinel_password` | password of the sentinels; the one before the `@` is the master's |
//!
//! The other options of redis-py that say how its own connections and texts work are taken and change nothing.
//!
//! # Outages
//! A lost connection costs the operations that were on it
//! [`Unavailable`](nephoscope_telemetry::ErrorKind::Unavailable), and so does a server that is loading, out of
//! memory, or a replica since a fail-over. The next operation connects anew, and asks the sentinels anew who is the
//! master. Nothing is sent twice: whoever tries again decides that.
//!
//! # Clusters
//! Each key is one trace's, so a trace is on one node. What is asked of many traces is sent to all nodes at once. A slot
//! that moved is followed, and after a lost connection the nodes are asked anew who has which keys.
//!
//! Not supported: Unix sockets, TLS to sentinels.

mod cluster;
mod config;
mod connection;
mod driver;
mod failure;
mod keys;
mod legacy;
mod list;
mod map;
mod node;
mod outline;
mod purge;
mod read;
mod sentinel;
mod slot;
mod survey;
mod tls;
mod write;

use std::sync::Arc;

use nephoscope_telemetry::{Connecting, ConnectionString, Driver};

use config::Settings;
use connection::Connection;
use driver::Redis;

/// Connects `redis://` and its kin.
pub(crate) fn connect(to: &ConnectionString) -> Connecting<'_> {
    Box::pin(async move {
        let settings = Settings::read(to)?;
        let filter_error_trace = to.flag("filter_error_trace")?;
        let connection = Connection::open(settings).await?;
        Ok(Arc::new(Redis::new(connection, filter_error_trace)) as Arc<dyn Driver>)
    })
}
