//! Traces in ClickHouse, over its HTTP interface: for those who outgrow one machine.
//!
//! ```text
//! clickhouse://user:password@host:8123/database?retention=30d
//! clickhouse+https://user:password@host:8443/database?cacert=/etc/ssl/ca.pem
//! ```
//!
//! | option | meaning |
//! |---|---|
//! | `retention` | how long points are kept, such as `30d`; without it the tables stay as they are |
//! | `filter_error_trace` | taken and ignored: errors are found in the points |
//! | `cacert`, `cert`, `key`, `insecure`, `timeout`, `connect_timeout` | as every HTTP backend takes them |
//!
//! # Tables
//!
//! Made when missing, in a database that is there:
//!
//! - `trace_points`, a `ReplacingMergeTree` with a partition a day: the columns that people ask for, and in `point` the
//!   exact JSON, which alone is read back. Its key ends in a hash of that text, so a point stored twice is one.
//! - `trace_summaries`, an `AggregatingMergeTree` with a row for each hour in which a trace has points. Every one of its
//!   aggregates stays what it is when a point is stored twice, so that a batch may be tried again. Lists read it from
//!   the newest hour down; how many points and errors a trace has is counted in `trace_points` for the listed ones.
//! - `trace_summaries_of_points`, the materialised view that fills it from what is inserted, by whomever.
//!
//! Texts go to the server in hexadecimal and numbers as numbers, as parameters of the query: nothing has to be quoted.

mod binary;
mod driver;
mod list;
mod refusal;
mod row;
mod server;
mod tables;

use std::sync::Arc;

use nephoscope_telemetry::{Connecting, ConnectionString, Driver};

use self::driver::Clickhouse;

/// Connects to the server and makes sure of the tables.
pub(crate) fn connect(to: &ConnectionString) -> Connecting<'_> {
    Box::pin(async move { Ok(Arc::new(Clickhouse::connect(to).await?) as Arc<dyn Driver>) })
}

#[cfg(test)]
mod tests;
