//! Traces in VMware's Log Insight, today Aria Operations for Logs, over its REST API.
//!
//! ```text
//! loginsight://user:password@host:9543
//! ```
//!
//! | option | meaning |
//! |---|---|
//! | `tls=false` | plain HTTP, on port 9000 unless another is given; by default all is TLS and the certificate is verified |
//! | `filter_error_trace` | taken and ignored: errors are found in the points |
//! | `cacert`, `cert`, `key`, `insecure`, `timeout`, `connect_timeout` | as every HTTP backend takes them |
//!
//! A point is an event with the fields that OSProfiler's driver gives it, the whole notification in `trace`. A field holds
//! 16 KiB: a longer point is refused, the rest of its batch is stored. A point that is stored twice is two events, and
//! read once. The server has no index by trace: a list reads all of its events. How long it keeps them, and deleting, is
//! its own affair; so is how soon a search finds what was just sent.

mod api;
mod driver;

use std::sync::Arc;

use nephoscope_telemetry::{Connecting, ConnectionString, Driver};

use self::driver::LogInsight;

/// Logs in.
pub(crate) fn connect(to: &ConnectionString) -> Connecting<'_> {
    Box::pin(async move { Ok(Arc::new(LogInsight::connect(to).await?) as Arc<dyn Driver>) })
}
