//! The driver.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use futures_util::{StreamExt, TryStreamExt, stream};
use nephoscope_telemetry::{
    BoxFuture, Capabilities, Driver, Error, ErrorKind, Id, Points, Purged, Result, Timestamp, TraceFilter,
    TracePoint, TraceSummary,
};

use super::held::Held;
use super::sender::Sender;

/// So many traces of which something is held are looked up at a time.
const AT_A_TIME: usize = 8;

/// Sends points as spans, and reads them where they are kept.
#[derive(Debug)]
pub(crate) struct Otlp {
    sender: Sender,
    /// A plain lock: it is never held across an await.
    held: Mutex<Held>,
    read_back: Option<Arc<dyn Driver>>,
}

impl Otlp {
    pub(crate) fn new(sender: Sender, read_back: Option<Arc<dyn Driver>>) -> Self {
        Self { sender, held: Mutex::default(), read_back }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reader(&self, operation: &'static str) -> Result<&dyn Driver> {
        self.read_back.as_deref().ok_or_else(|| {
            let message = "OTLP only writes; name the backend that keeps the traces with the option `query`";
            Error::new(ErrorKind::Unsupported, operation, message)
        })
    }

    async fn store(&self, points: &[TracePoint]) -> Result<()> {
        let sorted = self.held().sort(points, Instant::now());
        let sent = self.sender.send(&sorted.ready).await;
        // What was rejected for good is not to be sent again.
        if sent.as_ref().err().is_none_or(|error| error.kind() == ErrorKind::Invalid) {
            self.held().done(sorted, Instant::now());
        }
        sent
    }

    /// Ends all that is held.
    async fn flush(&self) -> Result<()> {
        let sorted = self.held().all();
        self.sender.send(&sorted.ready).await?;
        self.held().done(sorted, Instant::now());
        Ok(())
    }

    /// All points of a trace: those that were sent, and those that are held behind them.
    async fn read(&self, reader: &dyn Driver, base_id: &Id) -> Result<Points> {
        let held = self.held().of(base_id);
        let mut points = reader.points(base_id).await?;
        points.good.extend(held.into_iter().filter(|start| !points.good.contains(start)).collect::<Vec<_>>());
        Ok(points)
    }

    /// Mends a list of the reader: it knows nothing of what is held here.
    async fn with_held(
        &self,
        reader: &dyn Driver,
        filter: &TraceFilter,
        mut list: Vec<TraceSummary>,
        wanted: fn(&TracePoint) -> bool,
    ) -> Result<Vec<TraceSummary>> {
        let traces: BTreeSet<Id> = self.held().traces();
        if traces.is_empty() {
            return Ok(list);
        }
        list.retain(|summary| !traces.contains(&summary.base_id));
        let read = |id| async move { self.read(reader, &id).await };
        let whole: Vec<Points> = stream::iter(traces).map(read).buffered(AT_A_TIME).try_collect().await?;
        let taken = whole.iter().map(|points| &points.good);
        let taken = taken.filter(|points| filter.takes(points) && points.iter().any(wanted));
        list.extend(taken.filter_map(|points| TraceSummary::of(points)));
        filter.order(&mut list);
        Ok(list)
    }
}

impl Driver for Otlp {
    fn capabilities(&self) -> Capabilities {
        let reader = self.read_back.as_ref().map(|reader| reader.capabilities()).unwrap_or_default();
        Capabilities { error_records: false, purge: false, durable: false, ..reader }
    }

    fn notify<'a>(&'a self, points: &'a [TracePoint]) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.store(points))
    }

    fn points<'a>(&'a self, base_id: &'a Id) -> BoxFuture<'a, Result<Points>> {
        Box::pin(async move { self.read(self.reader("read a trace")?, base_id).await })
    }

    fn list<'a>(&'a self, filter: &'a TraceFilter) -> BoxFuture<'a, Result<Vec<TraceSummary>>> {
        Box::pin(async move {
            let reader = self.reader("list traces")?;
            let list = reader.list(filter).await?;
            self.with_held(reader, filter, list, |_| true).await
        })
    }

    fn list_errors<'a>(&'a self, filter: &'a TraceFilter) -> BoxFuture<'a, Result<Vec<TraceSummary>>> {
        Box::pin(async move {
            let reader = self.reader("list traces with errors")?;
            let list = reader.list_errors(filter).await?;
            self.with_held(reader, filter, list, TracePoint::is_error).await
        })
    }

    fn purge(&self, _: Timestamp) -> BoxFuture<'_, Result<Purged>> {
        const MESSAGE: &str =
            "what was sent over OTLP is deleted where it is kept, by the rules of that place";
        Box::pin(async { Err(Error::new(ErrorKind::Unsupported, "purge traces", MESSAGE)) })
    }

    fn close(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let flushed = self.flush().await;
            match &self.read_back {
                Some(reader) => flushed.and(reader.close().await),
                None => flushed,
            }
        })
    }
}
