//! Traces in Elasticsearch or OpenSearch: `elasticsearch://`, `opensearch://`, and with TLS `elasticsearch+https://`,
//! `opensearch+https://`.
//!
//! ```text
//! elasticsearch://[user:password@]host[:9200][,host…][/prefix]?option=value
//! ```
//!
//! | option | meaning |
//! |---|---|
//! | `index` | the index, or an alias with one index to write to; `osprofiler-notifications` |
//! | `api_key` | instead of a user: the encoded form of a key |
//! | `filter_error_trace` | keep OSProfiler's record of every trace with an exception, in the index `…-error` |
//! | `es_doc_type` | Elasticsearch 6 and 7: the type of the documents of a new index, `notification` |
//! | `timeout`, `connect_timeout`, `cacert`, `cert`, `key`, `insecure` | see [`nephoscope_http`] |
//!
//! # What is stored
//!
//! A document for each point: the notification as OSProfiler's driver stores it, byte for byte. Its id is a hash of
//! it, so a point that is stored again is there once. What the server cannot take so (`NaN`, a key twice, a time
//! before 1970 or in another spelling, an exception that is no text) is shown as far as possible and kept as exact
//! text beside; see [`document`].
//!
//! The index is made with a mapping of its own: ids, name, project, service, time, host and exception are indexed,
//! the rest of `info` is only kept. So no two services contradict each other, and fields do not multiply. An index
//! that OSProfiler had made by the server (texts with a `.keyword` beside) is read, listed and written as well; there
//! times are known to the millisecond, and ids of more than 256 characters are not listed.
//!
//! # When a point is seen
//!
//! `notify` returns when the server has the points in its log on disk. Every read asks for a refresh first, so it sees
//! whatever was acknowledged to anybody. A user who may not refresh sees it within `index.refresh_interval`, a second.
//!
//! # What it asks for
//!
//! `create_index`, `view_index_metadata`, `read`, `write`, `delete` and `maintenance` on the index; `GET /`. No
//! script, no stored context: a trace is read in pages by sequence number, which needs neither a scroll nor a point
//! in time.

mod bulk;
mod config;
mod document;
mod driver;
mod hits;
mod index;
mod list;
mod purge;
mod read;
mod summary;

use std::sync::Arc;

use nephoscope_telemetry::{Connecting, ConnectionString, Driver};

use self::config::Config;
use self::driver::Elasticsearch;

/// Connects, and asks what kind of server is there.
pub(crate) fn connect(to: &ConnectionString) -> Connecting<'_> {
    Box::pin(async move {
        let driver = Elasticsearch::connect(Config::read(to)?).await?;
        Ok(Arc::new(driver) as Arc<dyn Driver>)
    })
}

#[cfg(test)]
mod tests;
