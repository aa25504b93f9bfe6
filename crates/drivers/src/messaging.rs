//! Traces on the message bus, as OSProfiler's own driver sends them: `messaging://`, `rabbit://` and `amqp://`.
//!
//! ```text
//! rabbit://[user:password@]host[:5672][,[user:password@]host…][/virtual_host][?option=value…]
//! messaging://?transport_url=…                                          the same as one option, percent-encoded
//! ```
//!
//! # What is where
//! A point is a notification `profiler.<service>` of oslo.messaging, priority INFO, in an envelope of version 2.0, on the
//! topic exchange `openstack`, for the queue `profiler.info`. Exchange and queue are declared as oslo.messaging does, and
//! used as they are when they exist. The broker confirms what is stored; after a restart it has what was in a durable or
//! a quorum queue.
//!
//! # What a read shows
//! What waits in the queue, and leaves it there: see [`Browser`]. OSProfiler's own reader empties it. A point that is
//! there twice, as after a retry, is shown once. What a consumer such as `nephoscope serve` has taken is not there any
//! more, and nothing is deleted by age: for that, give the queue a `message-ttl` by policy.
//!
//! # Options
//! | option | meaning |
//! |---|---|
//! | `topic`, `control_exchange` | in place of `profiler` and `openstack` |
//! | `idle_timeout` | seconds after which a read ends though messages are missing, 1 unless given |
//! | `transport_url` | the whole transport URL of oslo.messaging |
//! | `ssl`, `ssl_ca_file`, `ssl_cert_file`, `ssl_key_file` | TLS, checked by this authority and those of the system |
//! | `amqp_durable_queues`, `amqp_auto_delete`, `rabbit_ha_queues`, `rabbit_quorum_queue`, `rabbit_quorum_delivery_limit`, `rabbit_quorum_max_memory_length`, `rabbit_quorum_max_memory_bytes` | how a queue is declared that is not there, as oslo.messaging means them |

mod config;
mod driver;
mod list;

use std::sync::Arc;

use nephoscope_messaging::Browser;
use nephoscope_telemetry::{Connecting, ConnectionString, Driver};

use config::Settings;
use driver::Messaging;

/// Connects `messaging://`, `rabbit://` and `amqp://`.
pub(crate) fn connect(to: &ConnectionString) -> Connecting<'_> {
    Box::pin(async move {
        let Settings { transport, destination, idle } = Settings::read(to)?;
        let (publisher, browser) = nephoscope_messaging::connect(transport, destination, idle);
        Browser::check(&browser, "connect").await?;
        Ok(Arc::new(Messaging::new(publisher, browser)) as Arc<dyn Driver>)
    })
}
