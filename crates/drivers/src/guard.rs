//! Time limits, retries and meters around any driver, once for all of them.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use nephoscope_telemetry::{
    BoxFuture, Capabilities, Driver, Error, ErrorKind, Id, Points, Purged, Result, Timestamp, TraceFilter,
    TracePoint, TraceSummary,
};

/// How long storing one batch may take with all its tries: long enough for a busy server, short enough for whoever waits for the answer.
pub const NOTIFY_TIME_LIMIT: Duration = Duration::from_secs(30);
/// How long a read, a list or a purge may take: some backends have to look at everything they hold.
pub const READ_TIME_LIMIT: Duration = Duration::from_secs(600);
/// How often an operation is tried in all, when the backend is [`ErrorKind::Unavailable`].
const TRIES: u32 = 3;
/// The pause before the second try; each later one is four times as long.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// A driver whose operations end in time, are tried again while the backend is unavailable, and are counted.
///
/// Every operation of a [`Driver`] may be tried again: storing a point twice is harmless by contract.
#[derive(Debug)]
pub struct Guarded {
    inner: Arc<dyn Driver>,
    meter: Arc<Meter>,
}

/// What happened in the operations of one driver since it was connected.
#[derive(Debug, Default)]
pub struct Meter {
    /// Storing batches.
    pub notify: OperationMeter,
    /// Reading traces.
    pub points: OperationMeter,
    /// Listing traces, those with errors included.
    pub list: OperationMeter,
    /// Deleting old traces.
    pub purge: OperationMeter,
}

/// Counts of one operation.
#[derive(Debug, Default)]
pub struct OperationMeter {
    /// How often it ended well.
    pub done: AtomicU64,
    /// How often it failed for good.
    pub failed: AtomicU64,
    /// How often it was tried again.
    pub retried: AtomicU64,
    /// Time spent in it, in microseconds.
    pub micros: AtomicU64,
}

impl Guarded {
    /// Guards a driver.
    pub fn new(inner: Arc<dyn Driver>) -> Self {
        Self { inner, meter: Arc::default() }
    }

    /// The counts, which go on changing.
    pub fn meter(&self) -> Arc<Meter> {
        self.meter.clone()
    }
}

/// Runs an operation until it succeeds, fails for good, was tried often enough, or its time is over.
async fn run<'a, T>(
    operation: &'static str,
    limit: Duration,
    meter: &OperationMeter,
    start: impl Fn() -> BoxFuture<'a, Result<T>>,
) -> Result<T> {
    let began = Instant::now();
    let tries = retry(operation, meter, start);
    let result = tokio::time::timeout(limit, tries).await.unwrap_or_else(|_| Err(too_slow(operation, limit)));
    let outcome = if result.is_ok() { &meter.done } else { &meter.failed };
    outcome.fetch_add(1, Ordering::Relaxed);
    meter.micros.fetch_add(u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
    result
}

async fn retry<'a, T>(
    operation: &'static str,
    meter: &OperationMeter,
    start: impl Fn() -> BoxFuture<'a, Result<T>>,
) -> Result<T> {
    let mut pause = FIRST_PAUSE;
    for tried in 1..TRIES {
        match start().await {
            Err(error) if error.kind() == ErrorKind::Unavailable => {
                tracing::debug!(operation, tried, error = &error as &dyn std::error::Error, "trying again");
                meter.retried.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(pause).await;
                pause *= 4;
            }
            result => return result,
        }
    }
    start().await
}

fn too_slow(operation: &'static str, limit: Duration) -> Error {
    Error::new(
        ErrorKind::Unavailable,
        operation,
        format!("the backend did not answer within {} s", limit.as_secs()),
    )
}

impl Driver for Guarded {
    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    fn notify<'a>(&'a self, points: &'a [TracePoint]) -> BoxFuture<'a, Result<()>> {
        Box::pin(run("store trace points", NOTIFY_TIME_LIMIT, &self.meter.notify, || {
            self.inner.notify(points)
        }))
    }

    fn points<'a>(&'a self, base_id: &'a Id) -> BoxFuture<'a, Result<Points>> {
        Box::pin(run("read a trace", READ_TIME_LIMIT, &self.meter.points, || self.inner.points(base_id)))
    }

    fn list<'a>(&'a self, filter: &'a TraceFilter) -> BoxFuture<'a, Result<Vec<TraceSummary>>> {
        Box::pin(run("list traces", READ_TIME_LIMIT, &self.meter.list, || self.inner.list(filter)))
    }

    fn list_errors<'a>(&'a self, filter: &'a TraceFilter) -> BoxFuture<'a, Result<Vec<TraceSummary>>> {
        Box::pin(run("list traces with errors", READ_TIME_LIMIT, &self.meter.list, || {
            self.inner.list_errors(filter)
        }))
    }

    fn purge(&self, older_than: Timestamp) -> BoxFuture<'_, Result<Purged>> {
        Box::pin(run("purge traces", READ_TIME_LIMIT, &self.meter.purge, move || {
            self.inner.purge(older_than)
        }))
    }

    fn close(&self) -> BoxFuture<'_, Result<()>> {
        self.inner.close()
    }
}

impl fmt::Display for OperationMeter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        write!(f, "{} done, {} failed, {} retried", read(&self.done), read(&self.failed), read(&self.retried))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// Fails with what it is told, in turn, then succeeds; hangs on `None`.
    #[derive(Debug)]
    struct Faulty(Mutex<Vec<Option<ErrorKind>>>);

    impl Faulty {
        fn guarded(faults: &[Option<ErrorKind>]) -> Guarded {
            let faults = faults.iter().rev().copied().collect();
            Guarded::new(Arc::new(Self(Mutex::new(faults))))
        }

        async fn answer(&self) -> Result<()> {
            let fault = self.0.lock().unwrap().pop();
            match fault {
                None => Ok(()),
                Some(None) => std::future::pending().await,
                Some(Some(kind)) => Err(Error::new(kind, "test", "told to fail")),
            }
        }
    }

    impl Driver for Faulty {
        fn capabilities(&self) -> Capabilities {
            Capabilities::default()
        }
        fn notify<'a>(&'a self, _: &'a [TracePoint]) -> BoxFuture<'a, Result<()>> {
            Box::pin(self.answer())
        }
        fn points<'a>(&'a self, _: &'a Id) -> BoxFuture<'a, Result<Points>> {
            Box::pin(async { self.answer().await.map(|()| Points::default()) })
        }
        fn list<'a>(&'a self, _: &'a TraceFilter) -> BoxFuture<'a, Result<Vec<TraceSummary>>> {
            Box::pin(async { self.answer().await.map(|()| Vec::new()) })
        }
        fn list_errors<'a>(&'a self, filter: &'a TraceFilter) -> BoxFuture<'a, Result<Vec<TraceSummary>>> {
            self.list(filter)
        }
        fn purge(&self, _: Timestamp) -> BoxFuture<'_, Result<Purged>> {
            Box::pin(async { self.answer().await.map(|()| Purged::default()) })
        }
    }

    const AWAY: Option<ErrorKind> = Some(ErrorKind::Unavailable);

    #[tokio::test(start_paused = true)]
    async fn an_outage_shorter_than_the_tries_is_not_seen() {
        let guarded = Faulty::guarded(&[AWAY, AWAY]);
        guarded.notify(&[]).await.unwrap();
        assert_eq!(guarded.meter().notify.to_string(), "1 done, 0 failed, 2 retried");
    }

    #[tokio::test(start_paused = true)]
    async fn a_longer_outage_is_unavailable() {
        let guarded = Faulty::guarded(&[AWAY; 3]);
        assert_eq!(guarded.points(&"x".into()).await.unwrap_err().kind(), ErrorKind::Unavailable);
        assert_eq!(guarded.meter().points.to_string(), "0 done, 1 failed, 2 retried");
    }

    #[tokio::test(start_paused = true)]
    async fn no_other_kind_is_tried_again() {
        let guarded = Faulty::guarded(&[Some(ErrorKind::Config)]);
        assert_eq!(guarded.purge(Timestamp::from_micros(0)).await.unwrap_err().kind(), ErrorKind::Config);
        assert_eq!(guarded.meter().purge.to_string(), "0 done, 1 failed, 0 retried");
    }

    #[tokio::test(start_paused = true)]
    async fn a_backend_that_hangs_is_given_up() {
        let guarded = Faulty::guarded(&[None; 3]);
        let error = guarded.list(&TraceFilter::default()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(error.to_string().contains("600 s"), "{error}");
    }
}
