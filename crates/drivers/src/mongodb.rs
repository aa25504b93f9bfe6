//! Traces in MongoDB, in the collection of OSProfiler's `mongodb` driver.
//!
//! ```text
//! mongodb://[user:password@]host[:27017][,host…][/authSource][?option=value&…]
//! mongodb+srv://[user:password@]name[/authSource][?option=value&…]
//! ```
//!
//! MongoDB's own options mean what they mean everywhere; see `config.rs` for those that are read. As for OSProfiler the
//! path is where the user is looked up, and the database is `osprofiler` unless `database=` names another one;
//! `collection=` does the same for `profiler`.
//!
//! # The documents
//!
//! A notification is a document, as OSProfiler writes it. What differs:
//!
//! - Its `_id` is a hash of its text, so that a point that is stored again meets itself.
//! - What BSON does not hold exactly (integers beyond 64 bits, half surrogate pairs, unusual spellings of numbers, of
//!   white space or of the time) is there as the text of the notification, in `exact_json`, besides the fields. Where
//!   the server refuses the fields, or both do not fit into the 16 MiB of a document, `info` has only `etype` and
//!   `host`.
//!
//! Error records (`filter_error_trace=true`) are in the collection `profiler_error`: OSProfiler reads them. Here errors
//! are found in the points.
//!
//! # Durability
//!
//! Acknowledged is what the majority of a replica set has in its journals (`w=majority`, `journal=true`), unless the
//! connection string asks for less. It is seen by the next read of the primary.
//!
//! # Lists
//!
//! A list walks the index on `timestamp` from the newest point down, reads the points of the traces it meets a page at
//! a time, and stops when no later one can belong to it. One aggregation could sum up a page on the server; but
//! FerretDB 1 has neither `$min` nor `$first`, and what cannot be tested is not written.

mod config;
mod decode;
mod document;
mod driver;
mod encode;
mod failure;
mod indexes;
mod list;
mod outline;
mod purge;
mod write;

use std::sync::Arc;

use nephoscope_telemetry::{Connecting, ConnectionString, Driver};

use self::config::Settings;
use self::driver::Mongo;

/// Connects to the servers.
pub(crate) fn connect(to: &ConnectionString) -> Connecting<'_> {
    Box::pin(async move {
        let driver = Mongo::connect(Settings::read(to).await?, to).await?;
        Ok(Arc::new(driver) as Arc<dyn Driver>)
    })
}
