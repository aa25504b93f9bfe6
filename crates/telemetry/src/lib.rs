//! The vocabulary of Nephoscope.
//!
//! A [`TracePoint`] is what OSProfiler emits; all points of one base id are a trace; a [`Report`] is the tree
//! with timings that `osprofiler trace show --json` prints. A [`ConnectionString`] names a backend, and a
//! [`Driver`] found by its scheme in a [`Registry`] writes traces to it and reads them back. A [`Sample`] is one value that
//! Ceilometer metered, an [`Event`] what a service told of itself.
//!
//! Nothing here does I/O, reads a clock or keeps global state.

mod bad_record;
mod batch;
mod connection_string;
mod dispatcher;
mod driver;
mod error;
mod event;
mod halves;
mod id;
pub mod json;
mod points;
mod registry;
pub mod report;
mod sample;
mod summary;
mod timestamp;
mod trace_point;

pub use bad_record::BadRecord;
pub use batch::{Batch, Place};
pub use connection_string::{ConnectionString, Host, InvalidConnectionString};
pub use dispatcher::{Dispatcher, Refused};
pub use driver::{BoxFuture, Capabilities, Driver, Purged};
pub use error::{Error, ErrorKind, Result};
pub use event::{Event, Trait};
pub use halves::in_halves;
pub use id::Id;
pub use json::Json;
pub use points::{BadPoints, Points};
pub use registry::{Connecting, Entry, Registry};
pub use report::Report;
pub use sample::{Sample, SampleForm, SampleText};
pub use summary::{TraceFilter, TraceSummary};
pub use timestamp::{InvalidTimestamp, Timestamp};
pub use trace_point::TracePoint;
