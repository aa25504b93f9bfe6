//! The trace drivers: each is a folder that knows its backend and `nephoscope-telemetry`, and nothing else.
//!
//! [`registry`] is the only place that knows them all.

#[cfg(feature = "ceilometer")]
mod ceilometer;
#[cfg(feature = "clickhouse")]
mod clickhouse;
#[cfg(feature = "elasticsearch")]
mod elasticsearch;
#[cfg(feature = "embedded")]
mod embedded;
pub mod guard;
#[cfg(feature = "influxdb")]
mod influxdb;
#[cfg(feature = "jaeger")]
mod jaeger;
#[cfg(feature = "loginsight")]
mod loginsight;
mod memory;
#[cfg(feature = "messaging")]
mod messaging;
#[cfg(feature = "mongodb")]
mod mongodb;
#[cfg(feature = "nephoscope")]
mod nephoscope;
#[cfg(feature = "otlp")]
mod otlp;
#[cfg(feature = "redis")]
mod redis;
#[cfg(feature = "sql")]
mod sql;

use nephoscope_telemetry::{Entry, Registry};

/// Registers the schemes of a driver, or that its feature was left out.
macro_rules! register {
    ($registry:ident, $feature:literal, $module:ident, [$($scheme:literal),+]) => {
        #[cfg(feature = $feature)]
        let entry = Entry::Built($module::connect);
        #[cfg(not(feature = $feature))]
        let entry = Entry::LeftOut { feature: $feature };
        $($registry.register($scheme, entry);)+
    };
}

/// All drivers, by every spelling of their schemes.
pub fn registry() -> Registry {
    let mut registry = Registry::default();
    registry.register("memory", Entry::Built(memory::connect));
    register!(registry, "ceilometer", ceilometer, ["ceilometer", "ceilometer+https"]);
    register!(registry, "clickhouse", clickhouse, ["clickhouse", "clickhouse+https"]);
    register!(
        registry,
        "elasticsearch",
        elasticsearch,
        ["elasticsearch", "elasticsearch+https", "opensearch", "opensearch+https"]
    );
    register!(registry, "embedded", embedded, ["embedded"]);
    register!(
        registry,
        "influxdb",
        influxdb,
        ["influxdb", "influxdb+https", "influxdb2", "influxdb2+https", "influxdb3", "influxdb3+https"]
    );
    register!(registry, "jaeger", jaeger, ["jaeger", "jaeger+https"]);
    register!(registry, "loginsight", loginsight, ["loginsight"]);
    register!(registry, "messaging", messaging, ["messaging", "rabbit", "amqp"]);
    register!(registry, "mongodb", mongodb, ["mongodb", "mongodb+srv"]);
    register!(registry, "nephoscope", nephoscope, ["http", "https"]);
    register!(registry, "otlp", otlp, ["otlp", "otlp+https", "otlp+grpc", "otlp+grpcs"]);
    register!(
        registry,
        "redis",
        redis,
        [
            "redis",
            "rediss",
            "redissentinel",
            "redis-cluster",
            "rediss-cluster",
            "valkey",
            "valkeys",
            "valkeysentinel",
            "valkey-cluster",
            "valkeys-cluster"
        ]
    );
    register!(
        registry,
        "sql",
        sql,
        [
            "sqlite",
            "sqlite+pysqlite",
            "mysql",
            "mysql+pymysql",
            "mysql+mysqldb",
            "mysql+mysqlconnector",
            "mariadb",
            "mariadb+pymysql",
            "postgresql",
            "postgresql+psycopg2",
            "postgresql+psycopg",
            "postgresql+asyncpg",
            "postgres"
        ]
    );
    registry
}
