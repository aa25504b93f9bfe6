//! Every driver, held to the promises of the trait: `testkit`'s conformance suite.
//!
//! A subject is a driver and one way to use it. What a backend cannot do is an excuse beside its subject, with the
//! reason, and shows as ignored; so does a subject whose server is not installed.

#[cfg(feature = "clickhouse")]
mod clickhouse;
#[cfg(feature = "clickhouse")]
mod clickhouse_tables;
#[cfg(feature = "elasticsearch")]
mod elasticsearch;
#[cfg(feature = "embedded")]
mod embedded;
#[cfg(feature = "redis")]
mod failover;
#[cfg(feature = "influxdb")]
mod influxdb;
#[cfg(feature = "influxdb")]
mod influxdb2;
#[cfg(feature = "influxdb")]
mod influxdb_rows;
#[cfg(feature = "jaeger")]
mod jaeger;
#[cfg(feature = "loginsight")]
mod loginsight;
#[cfg(feature = "loginsight")]
#[path = "../doubles/loginsight.rs"]
mod loginsight_double;
mod memory;
#[cfg(feature = "messaging")]
mod messaging;
#[cfg(feature = "messaging")]
mod messaging_queue;
#[cfg(feature = "mongodb")]
mod mongodb;
#[cfg(feature = "mongodb")]
mod mongodb_documents;
#[cfg(feature = "redis")]
mod redis;
#[cfg(feature = "redis")]
mod redis_keys;
#[cfg(feature = "sql")]
mod sql;

use std::process::ExitCode;
use std::sync::Arc;

use nephoscope_testkit::Excuse;
use nephoscope_testkit::conformance::{Subject, copies, trials};
use nephoscope_testkit::{Trial, conclude};

/// Subjects of one driver.
type Subjects = Vec<Arc<dyn Subject>>;

fn main() -> ExitCode {
    let subjects = [
        #[cfg(feature = "loginsight")]
        loginsight::subjects(),
        memory::subjects(),
        #[cfg(feature = "clickhouse")]
        clickhouse::subjects(),
        #[cfg(feature = "elasticsearch")]
        elasticsearch::subjects(),
        #[cfg(feature = "messaging")]
        messaging::subjects(),
        #[cfg(feature = "embedded")]
        embedded::subjects(),
        #[cfg(feature = "influxdb")]
        influxdb::subjects(),
        #[cfg(feature = "influxdb")]
        influxdb2::subjects(),
        #[cfg(feature = "jaeger")]
        jaeger::subjects(),
        #[cfg(feature = "mongodb")]
        mongodb::subjects(),
        #[cfg(feature = "redis")]
        redis::subjects(),
        #[cfg(feature = "sql")]
        sql::subjects(),
    ];
    let promised_by_one: &[fn() -> Vec<Trial>] = &[
        #[cfg(feature = "clickhouse")]
        clickhouse_tables::trials,
        #[cfg(feature = "loginsight")]
        loginsight::trials,
        #[cfg(feature = "messaging")]
        messaging_queue::trials,
        #[cfg(feature = "mongodb")]
        mongodb_documents::trials,
        #[cfg(feature = "redis")]
        failover::trials,
        #[cfg(feature = "influxdb")]
        influxdb_rows::trials,
        #[cfg(feature = "redis")]
        redis_keys::trials,
    ];
    let registry = nephoscope_drivers::registry();
    let one_of_each: Vec<_> = subjects.iter().filter_map(|subjects| subjects.first().cloned()).collect();
    let mut all: Vec<Trial> = promised_by_one.iter().flat_map(|trials| trials()).collect();
    all.extend(trials(&registry, &subjects.concat()));
    all.extend(copies(&registry, &one_of_each));
    conclude(all)
}

/// One reason for several cases.
const fn excuse(case: &'static str, reason: &'static str) -> Excuse {
    Excuse { case, reason }
}
