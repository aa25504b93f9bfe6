//! Real servers, and how each side calls a place on them.

use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, OnceLock};

use nephoscope_testkit::server::Missing;
#[cfg(feature = "messaging")]
use nephoscope_testkit::server::RabbitmqServer;
#[cfg(feature = "elasticsearch")]
use nephoscope_testkit::server::{ElasticsearchServer, SearchServer};
#[cfg(feature = "mongodb")]
use nephoscope_testkit::server::{FerretdbServer, Mongod};
#[cfg(feature = "sql")]
use nephoscope_testkit::server::{MariadbServer, PostgresServer};
#[cfg(feature = "loginsight")]
use nephoscope_testkit::server::{PASSWORD_ENCODED, USER};
#[cfg(feature = "redis")]
use nephoscope_testkit::server::{RedisOptions, RedisServer, SentinelGroup};

use super::Shared;
#[cfg(feature = "loginsight")]
use super::loginsight_double;

/// One place for traces.
pub(super) struct Place {
    /// Our connection string.
    pub(super) ours: String,
    /// That of the real driver.
    pub(super) theirs: String,
}

/// How a backend keeps traces: in this the backends differ for OSProfiler.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Elasticsearch,
    LogInsight,
    Messaging,
    Mongodb,
    Redis,
    Sql,
}

pub(super) trait Backend: Send + Sync {
    fn name(&self) -> &'static str;
    fn kind(&self) -> Kind;
    /// A new and empty place.
    fn place(&self) -> Result<Place, Missing>;
}

pub(super) fn all() -> Vec<Shared> {
    let all: Vec<Shared> = vec![
        #[cfg(feature = "elasticsearch")]
        Arc::new(Elasticsearch(Server::default())),
        #[cfg(feature = "loginsight")]
        Arc::new(LogInsight),
        #[cfg(feature = "messaging")]
        Arc::new(Messaging { server: Server::default(), name: "rabbit", option: "" }),
        #[cfg(feature = "messaging")]
        Arc::new(Messaging {
            server: Server::default(),
            name: "rabbit+quorum",
            option: "?rabbit_quorum_queue=true",
        }),
        #[cfg(feature = "mongodb")]
        Arc::new(Mongodb(Server::default())),
        #[cfg(feature = "redis")]
        Arc::new(Redis(Server::default())),
        #[cfg(feature = "redis")]
        Arc::new(Sentinel(Server::default())),
        #[cfg(feature = "sql")]
        Arc::new(Postgres(Server::default())),
        #[cfg(feature = "sql")]
        Arc::new(Mysql(Server::default())),
    ];
    #[cfg(feature = "mongodb")]
    let all = [all, Mongod::named().map(|server| Arc::new(server) as Shared).into_iter().collect()].concat();
    all
}

/// A server that is started when it is first asked for, and counts its places.
struct Server<T> {
    started: OnceLock<Result<T, Missing>>,
    places: AtomicU16,
}

impl<T> Default for Server<T> {
    fn default() -> Self {
        Self { started: OnceLock::new(), places: AtomicU16::new(0) }
    }
}

impl<T> Server<T> {
    fn next_place(&self, start: impl FnOnce() -> Result<T, Missing>) -> Result<(&T, u16), Missing> {
        let server = self.started.get_or_init(start).as_ref().map_err(|missing| *missing)?;
        Ok((server, self.places.fetch_add(1, Ordering::Relaxed)))
    }
}

/// FerretDB.
#[cfg(feature = "mongodb")]
struct Mongodb(Server<FerretdbServer>);

#[cfg(feature = "mongodb")]
impl Backend for Mongodb {
    fn name(&self) -> &'static str {
        "mongodb"
    }

    fn kind(&self) -> Kind {
        Kind::Mongodb
    }

    fn place(&self) -> Result<Place, Missing> {
        let (server, number) = self.0.next_place(FerretdbServer::start)?;
        let url = server.database_url(&format!("osp_{number}"));
        Ok(Place { ours: url.clone(), theirs: url })
    }
}

#[cfg(feature = "mongodb")]
impl Backend for Mongod {
    fn name(&self) -> &'static str {
        "mongod"
    }

    fn kind(&self) -> Kind {
        Kind::Mongodb
    }

    fn place(&self) -> Result<Place, Missing> {
        let url = self.fresh_url();
        Ok(Place { ours: url.clone(), theirs: url })
    }
}

#[cfg(feature = "redis")]
const PROTECTED: RedisOptions =
    RedisOptions { password: true, tls: false, durable: false, ..RedisOptions::NONE };

#[cfg(feature = "redis")]
struct Redis(Server<RedisServer>);

#[cfg(feature = "redis")]
impl Backend for Redis {
    fn name(&self) -> &'static str {
        "redis"
    }

    fn kind(&self) -> Kind {
        Kind::Redis
    }

    fn place(&self) -> Result<Place, Missing> {
        let (server, number) = self.0.next_place(|| RedisServer::start_with(PROTECTED))?;
        let url = server.database_url(number);
        Ok(Place { ours: url.clone(), theirs: url })
    }
}

#[cfg(feature = "redis")]
struct Sentinel(Server<SentinelGroup>);

#[cfg(feature = "redis")]
impl Backend for Sentinel {
    fn name(&self) -> &'static str {
        "redissentinel"
    }

    fn kind(&self) -> Kind {
        Kind::Redis
    }

    fn place(&self) -> Result<Place, Missing> {
        let (group, number) = self.0.next_place(|| SentinelGroup::start_with(PROTECTED))?;
        Ok(Place { ours: format!("{}/{number}", group.url()), theirs: group.master().database_url(number) })
    }
}

#[cfg(feature = "sql")]
struct Postgres(Server<PostgresServer>);

#[cfg(feature = "sql")]
impl Backend for Postgres {
    fn name(&self) -> &'static str {
        "postgresql"
    }

    fn kind(&self) -> Kind {
        Kind::Sql
    }

    fn place(&self) -> Result<Place, Missing> {
        let (server, number) = self.0.next_place(PostgresServer::start)?;
        let database = format!("osp_{number}");
        server.create_database(&database);
        let url = server.database_url(&database).replacen("postgresql:", "postgresql+psycopg2:", 1);
        Ok(Place { ours: url.clone(), theirs: url })
    }
}

#[cfg(feature = "sql")]
struct Mysql(Server<MariadbServer>);

#[cfg(feature = "sql")]
impl Backend for Mysql {
    fn name(&self) -> &'static str {
        "mysql"
    }

    fn kind(&self) -> Kind {
        Kind::Sql
    }

    fn place(&self) -> Result<Place, Missing> {
        let (server, number) = self.0.next_place(MariadbServer::start)?;
        let database = format!("osp_{number}");
        server.create_database(&database);
        let url = server.database_url(&database).replacen("mysql:", "mysql+pymysql:", 1);
        Ok(Place { ours: url.clone(), theirs: url })
    }
}

/// The last version whose documents can have a type, without which OSProfiler's driver does nothing.
#[cfg(feature = "elasticsearch")]
struct Elasticsearch(Server<ElasticsearchServer>);

#[cfg(feature = "elasticsearch")]
impl Backend for Elasticsearch {
    fn name(&self) -> &'static str {
        "elasticsearch"
    }

    fn kind(&self) -> Kind {
        Kind::Elasticsearch
    }

    fn place(&self) -> Result<Place, Missing> {
        let start = || ElasticsearchServer::start(SearchServer::Elasticsearch7);
        let (server, number) = self.0.next_place(start)?;
        let url = server.url(&format!("traces-{number}"));
        Ok(Place { ours: url.clone(), theirs: url })
    }
}

/// A double: no server can be had.
#[cfg(feature = "loginsight")]
struct LogInsight;

#[cfg(feature = "loginsight")]
impl Backend for LogInsight {
    fn name(&self) -> &'static str {
        "loginsight_double"
    }

    fn kind(&self) -> Kind {
        Kind::LogInsight
    }

    fn place(&self) -> Result<Place, Missing> {
        let theirs =
            format!("loginsight://{USER}:{PASSWORD_ENCODED}@127.0.0.1:{}", loginsight_double::start().port());
        Ok(Place { ours: format!("{theirs}?tls=false"), theirs })
    }
}

/// A virtual host for each place: OSProfiler knows one topic only.
#[cfg(feature = "messaging")]
struct Messaging {
    server: Server<RabbitmqServer>,
    name: &'static str,
    option: &'static str,
}

#[cfg(feature = "messaging")]
impl Backend for Messaging {
    fn name(&self) -> &'static str {
        self.name
    }

    fn kind(&self) -> Kind {
        Kind::Messaging
    }

    fn place(&self) -> Result<Place, Missing> {
        let (server, number) = self.server.next_place(RabbitmqServer::start)?;
        let virtual_host = format!("osp_{number}");
        server.create_virtual_host(&virtual_host);
        // oslo.messaging cannot log in with a password that has a slash.
        server.control(&["add_user", &virtual_host, "plain"]);
        server.control(&["set_permissions", "--vhost", &virtual_host, &virtual_host, ".*", ".*", ".*"]);
        let port = server.port();
        let theirs = format!("rabbit://{virtual_host}:plain@127.0.0.1:{port}/{virtual_host}{}", self.option);
        Ok(Place { ours: format!("{}{virtual_host}{}", server.url(), self.option), theirs })
    }
}
