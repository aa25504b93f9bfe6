//! What every trace backend does.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use crate::{Id, Points, Result, Timestamp, TraceFilter, TracePoint, TraceSummary};

/// A future that a trait object can return.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Writes traces to one backend and reads them back.
///
/// Every promise here is a case of the conformance suite. What a backend cannot do at all it does not claim in its
/// [`Capabilities`], and answers with [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported), never with an empty
/// list. An outage is [`ErrorKind::Unavailable`](crate::ErrorKind::Unavailable), and the driver works again when the
/// backend does. Drivers neither retry nor set time limits: a wrapper around the trait does that for all.
pub trait Driver: fmt::Debug + Send + Sync {
    /// What this driver can do. Constant.
    fn capabilities(&self) -> Capabilities;

    /// Stores points, of one trace or of many. `Ok` means they are as durable as the backend makes them and seen by
    /// the next read. After an error some of them may be stored: storing a point again does no harm to any report.
    ///
    /// A point that the backend cannot hold costs that point: the others are stored, and the error is
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid). An empty batch is stored at once.
    fn notify<'a>(&'a self, points: &'a [TracePoint]) -> BoxFuture<'a, Result<()>>;

    /// All points of a trace, in the order in which they came where the backend knows it. The id is taken literally,
    /// whatever characters it has. An unknown id gives no points.
    fn points<'a>(&'a self, base_id: &'a Id) -> BoxFuture<'a, Result<Points>>;

    /// The traces that the filter takes, newest first.
    fn list<'a>(&'a self, filter: &'a TraceFilter) -> BoxFuture<'a, Result<Vec<TraceSummary>>>;

    /// The traces with an exception that the filter takes, newest first: found in the points where the backend can
    /// search, and in OSProfiler's error records where it keeps them (`filter_error_trace=true`).
    fn list_errors<'a>(&'a self, filter: &'a TraceFilter) -> BoxFuture<'a, Result<Vec<TraceSummary>>>;

    /// Deletes the traces whose latest point is before this time, with their error records.
    fn purge(&self, older_than: Timestamp) -> BoxFuture<'_, Result<Purged>>;

    /// Ends the work in hand and lets go of the backend. Nothing acknowledged waits for this.
    fn close(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async { Ok(()) })
    }
}

/// What a [`Driver`] can do. The default claims nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// Reads the points of a trace back.
    pub read: bool,
    /// Lists traces.
    pub list: bool,
    /// Lists without reading every trace: an index by time.
    pub indexed_list: bool,
    /// Finds traces with an exception from the points themselves, without error records.
    pub search_errors: bool,
    /// Keeps OSProfiler's error records when `filter_error_trace=true`.
    pub error_records: bool,
    /// Keeps a point once, however often it is stored.
    pub deduplicates: bool,
    /// Deletes old traces.
    pub purge: bool,
    /// What was acknowledged is there after this process is killed.
    pub durable: bool,
}

/// What [`Driver::purge`] deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Purged {
    /// How many traces.
    pub traces: u64,
}
