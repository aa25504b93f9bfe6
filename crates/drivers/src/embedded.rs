//! Traces in a directory of this machine: `embedded:///path/of/a/directory`, or `embedded://path` from where the
//! process was started. The directory is made when it is missing.
//!
//! | option | meaning |
//! |---|---|
//! | `retention=30d` | traces whose latest point is older are deleted, at the start and then once a minute; units `s`, `m`, `h`, `d`, `w` |
//! | `filter_error_trace` | taken and without effect: traces with an exception are always found by an index of their own |
//!
//! What was acknowledged is on disk (`fdatasync`), and there after the process is killed. Batches that come at the
//! same time share one sync. One process has a store open at a time; others go through its HTTP API. A point is kept
//! once, however often it comes, and a trace is read in the order in which its points came.
//!
//! When the disk is full writes fail as unavailable, reads go on, and writes work again when there is room, without a
//! restart. When files are damaged what can be read is read: the points known to be lost are among the bad ones of
//! their trace. How the directory is made up is told in `docs/trace-store.md`.

mod batch;
mod engine;
mod failure;
mod hot;
mod incoming;
mod keys;
mod list;
mod options;
mod pack;
mod purge;
mod record;
mod store;
mod summary;
mod trace;
mod upkeep;
mod walk;
mod writer;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use nephoscope_telemetry::{
    BoxFuture, Capabilities, Connecting, ConnectionString, Driver, Error, ErrorKind, Id, Points, Purged,
    Result, Timestamp, TraceFilter, TracePoint, TraceSummary,
};
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;

use engine::Engine;
use failure::{CLOSE, LIST, OPEN, PURGE, READ, STORE};
use incoming::Incoming;
use options::Options;
use store::Store;
use upkeep::{Stop, closed};
use writer::{Job, Jobs};

/// Opens `embedded://`.
pub(crate) fn connect(to: &ConnectionString) -> Connecting<'_> {
    Box::pin(async move {
        let options = Options::read(to)?;
        let driver = blocking(OPEN, move || Embedded::open(&options)).await?;
        Ok(Arc::new(driver) as Arc<dyn Driver>)
    })
}

/// A store that is open. It is closed when it is dropped, or before by [`close`](Driver::close).
struct Embedded {
    store: Arc<Store>,
    /// Until it is closed. A plain lock: it is never held across an await.
    threads: Mutex<Option<Threads>>,
}

/// The threads that work for a store.
struct Threads {
    jobs: Jobs,
    writer: JoinHandle<()>,
    stop_upkeep: Stop,
    upkeep: JoinHandle<()>,
}

impl Threads {
    /// Ends the threads when they have done what they were given.
    fn end(self) {
        drop((self.stop_upkeep, self.jobs));
        for thread in [self.upkeep, self.writer] {
            if thread.join().is_err() {
                tracing::error!("a thread of the trace store panicked");
            }
        }
    }
}

impl Embedded {
    fn open(options: &Options) -> Result<Self> {
        let store = Arc::new(Store::open(&options.path)?);
        let (jobs, writer) = writer::start(store.clone())?;
        let (stop_upkeep, upkeep) = upkeep::start(jobs.clone(), options.retention)?;
        Ok(Self { store, threads: Mutex::new(Some(Threads { jobs, writer, stop_upkeep, upkeep })) })
    }

    fn jobs(&self, operation: &'static str) -> Result<Jobs> {
        let threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        threads.as_ref().map(|threads| threads.jobs.clone()).ok_or_else(|| closed(operation))
    }

    fn end_threads(&self) -> Option<Threads> {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    async fn store(&self, points: &[TracePoint]) -> Result<()> {
        let jobs = self.jobs(STORE)?;
        let incoming: Vec<_> = points.iter().filter_map(Incoming::new).collect();
        let too_long = points.len() - incoming.len();
        let (done, answer) = oneshot::channel();
        jobs.send(Job::Store(incoming, done)).await.map_err(|_| closed(STORE))?;
        answer.await.map_err(|_| closed(STORE))??;
        if too_long > 0 {
            let message = format!(
                "{too_long} point(s) have a base id of more than {} bytes; the others are stored",
                keys::LONGEST_TRACE_KEY
            );
            return Err(Error::new(ErrorKind::Invalid, STORE, message));
        }
        Ok(())
    }

    /// Reads off the threads that run futures.
    async fn read<T: Send + 'static>(
        &self,
        operation: &'static str,
        read: impl FnOnce(&Engine) -> fjall::Result<T> + Send + 'static,
    ) -> Result<T> {
        let store = self.store.clone();
        blocking(operation, move || store.with(operation, read)).await
    }

    async fn purge(&self, older_than: Timestamp) -> Result<Purged> {
        let purged = upkeep::purge(&self.jobs(PURGE)?, older_than).await?;
        if purged.traces > 0 {
            self.read(PURGE, Engine::compact).await?;
        }
        Ok(purged)
    }
}

impl Driver for Embedded {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            read: true,
            list: true,
            indexed_list: true,
            search_errors: true,
            deduplicates: true,
            purge: true,
            durable: true,
            error_records: false,
        }
    }

    fn notify<'a>(&'a self, points: &'a [TracePoint]) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.store(points))
    }

    fn points<'a>(&'a self, base_id: &'a Id) -> BoxFuture<'a, Result<Points>> {
        let base_id = base_id.clone();
        Box::pin(self.read(READ, move |engine| trace::points(engine, &engine.snapshot(), &base_id)))
    }

    fn list<'a>(&'a self, filter: &'a TraceFilter) -> BoxFuture<'a, Result<Vec<TraceSummary>>> {
        let filter = filter.clone();
        Box::pin(self.read(LIST, move |engine| list::list(engine, |engine| &engine.by_time, &filter)))
    }

    fn list_errors<'a>(&'a self, filter: &'a TraceFilter) -> BoxFuture<'a, Result<Vec<TraceSummary>>> {
        let filter = filter.clone();
        Box::pin(self.read(LIST, move |engine| list::list(engine, |engine| &engine.errors_by_time, &filter)))
    }

    fn purge(&self, older_than: Timestamp) -> BoxFuture<'_, Result<Purged>> {
        Box::pin(self.purge(older_than))
    }

    fn close(&self) -> BoxFuture<'_, Result<()>> {
        let (threads, store) = (self.end_threads(), self.store.clone());
        Box::pin(blocking(CLOSE, move || {
            if let Some(threads) = threads {
                threads.end();
            }
            store.close()
        }))
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        if let Some(threads) = self.end_threads() {
            threads.end();
        }
        if let Err(error) = self.store.close() {
            tracing::warn!("{error}");
        }
    }
}

impl fmt::Debug for Embedded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Embedded").field(&self.store).finish()
    }
}

/// Does what may wait for the disk on a thread for such work.
async fn blocking<T: Send + 'static>(
    operation: &'static str,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    spawn_blocking(work).await.unwrap_or_else(|panic| {
        Err(Error::new(ErrorKind::Corrupt, operation, "the store holds what cannot be read")
            .with_source(panic))
    })
}
