//! Traces in InfluxDB: `influxdb://` (1.x), `influxdb2://` and `influxdb3://`; with `+https` over TLS.
//!
//! OSProfiler never had a driver for InfluxDB, so what is stored is ours. A **row** of the measurement
//! `osprofiler_traces` is what one batch tells of one trace:
//!
//! | | what | for |
//! |---|---|---|
//! | time | the second in which it begins, and in place of nanoseconds a hash of what it holds | lists; storing it again is storing it once |
//! | tag `bucket` | a hash of the base id, `000` to `3ff` | finding a trace among a thousandth of the rows |
//! | `base_id` | the trace | |
//! | `start_us`, `end_us` | its earliest and latest point, microseconds since 1970 | lists |
//! | `points`, `errors` | how many it holds, and how many of them report an exception | lists |
//! | `name`, `service`, `project`, `stop` | of the earliest point; whether that is a stop | lists |
//! | `names`, `services` | all of them, as JSON arrays | filters |
//! | `text` | the points as OSProfiler writes them, a JSON object a line | reports |
//! | `batch`, `piece`, `pieces`, `stored` | a hash of the text; which part of how many of a text that is too long for a field; when it was stored, nanoseconds | putting it together in the order in which it came |
//!
//! So there are 1024 series however many traces, and InfluxDB keeps fields apart: a list reads no text.
//!
//! 1.x is tested on a real server, 2 on recorded exchanges and by hand on a real one, 3 on what its documents say alone.

mod config;
mod csv;
mod driver;
mod flux;
mod influxql;
mod line;
mod list;
mod one;
mod part;
mod place;
mod purge;
mod question;
mod read;
mod refusal;
mod row;
mod server;
mod sql;
mod summary;
mod three;
mod two;
mod word;
mod write;

use std::sync::Arc;

use nephoscope_telemetry::{Connecting, ConnectionString, Driver};

use config::Config;
use driver::InfluxDb;

/// Connects `influxdb://` and its other spellings.
pub(crate) fn connect(to: &ConnectionString) -> Connecting<'_> {
    Box::pin(async move { Ok(Arc::new(InfluxDb::connect(Config::of(to)?).await?) as Arc<dyn Driver>) })
}

#[cfg(test)]
mod tests;
