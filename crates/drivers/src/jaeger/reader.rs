//! Reading, as a driver that writes nothing.

use std::time::{SystemTime, UNIX_EPOCH};

use nephoscope_telemetry::{
    BoxFuture, Capabilities, Driver, Error, ErrorKind, Id, Points, Purged, Result, Timestamp, TraceFilter,
    TracePoint, TraceSummary,
};

use super::list::Search;
use super::query::Query;

/// What Jaeger holds.
#[derive(Debug)]
pub(super) struct Reader {
    query: Query,
}

impl Reader {
    pub(super) fn new(query: Query) -> Self {
        Self { query }
    }

    fn search<'a>(
        &'a self,
        operation: &'static str,
        filter: &'a TraceFilter,
        wanted: fn(&TracePoint) -> bool,
    ) -> BoxFuture<'a, Result<Vec<TraceSummary>>> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = Timestamp::from_micros(i64::try_from(now.as_micros()).unwrap_or(i64::MAX));
        Box::pin(Search { query: &self.query, operation, filter, wanted }.run(now))
    }
}

fn unsupported<T>(operation: &'static str, message: &str) -> Result<T> {
    Err(Error::new(ErrorKind::Unsupported, operation, message))
}

impl Driver for Reader {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            read: true,
            list: true,
            indexed_list: true,
            search_errors: true,
            // Not in Jaeger, but in what is read.
            deduplicates: true,
            ..Capabilities::default()
        }
    }

    fn notify<'a>(&'a self, _: &'a [TracePoint]) -> BoxFuture<'a, Result<()>> {
        Box::pin(async { unsupported("store trace points", "Jaeger's query API only reads") })
    }

    fn points<'a>(&'a self, base_id: &'a Id) -> BoxFuture<'a, Result<Points>> {
        Box::pin(self.query.trace(base_id))
    }

    fn list<'a>(&'a self, filter: &'a TraceFilter) -> BoxFuture<'a, Result<Vec<TraceSummary>>> {
        self.search("list traces", filter, |_| true)
    }

    fn list_errors<'a>(&'a self, filter: &'a TraceFilter) -> BoxFuture<'a, Result<Vec<TraceSummary>>> {
        self.search("list traces with errors", filter, TracePoint::is_error)
    }

    fn purge(&self, _: Timestamp) -> BoxFuture<'_, Result<Purged>> {
        Box::pin(async { unsupported("purge traces", "Jaeger deletes traces itself, when its store says") })
    }
}
