//! The one thread that writes: it gathers what comes in at the same time, and brings it to disk with one sync.

use std::error::Error as _;
use std::slice;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use nephoscope_telemetry::{Error, ErrorKind, Result};
use tokio::sync::{mpsc, oneshot};

use super::batch::Batch;
use super::engine::Engine;
use super::failure::{OPEN, PURGE, STORE};
use super::hot::Hot;
use super::incoming::Incoming;
use super::purge::Purge;
use super::store::Store;

/// How many jobs may wait: enough for one sync to serve them all, few enough to slow down whoever brings them.
const QUEUE: usize = 64;
/// How much is written at a time: far above what a sync costs, far below what memory holds.
const GROUP_BYTES: usize = 8 << 20;
/// How long to leave a store alone that failed, before it is opened again.
const REOPEN_PAUSE: Duration = Duration::from_secs(1);

/// Work for the thread, with where its answer goes.
pub(super) enum Job {
    /// To store points.
    Store(Vec<Incoming>, oneshot::Sender<Result<()>>),
    /// To do a step of a purge.
    Purge(Purge, oneshot::Sender<Result<Purge>>),
    /// To open the engine again if it has failed.
    Check(oneshot::Sender<Result<()>>),
}

/// The way to the thread.
pub(super) type Jobs = mpsc::Sender<Job>;

/// Starts the thread. It ends when nobody can send it work any more.
pub(super) fn start(store: Arc<Store>) -> Result<(Jobs, JoinHandle<()>)> {
    let (jobs, queue) = mpsc::channel(QUEUE);
    let writer = Writer { store, hot: Hot::default(), reopened: None };
    let thread = thread::Builder::new().name("trace store".into()).spawn(move || writer.run(queue));
    let failed = |error| Error::new(ErrorKind::Other, OPEN, "no thread can be started").with_source(error);
    thread.map(|thread| (jobs, thread)).map_err(failed)
}

struct Writer {
    store: Arc<Store>,
    hot: Hot,
    /// When the store was opened again the last time.
    reopened: Option<Instant>,
}

type Waiting = (Vec<Incoming>, oneshot::Sender<Result<()>>);

impl Writer {
    fn run(mut self, mut queue: mpsc::Receiver<Job>) {
        let mut next = queue.blocking_recv();
        while let Some(job) = next.take() {
            match job {
                Job::Store(points, done) => next = self.store_group((points, done), &mut queue),
                Job::Purge(mut purge, done) => {
                    let step = self.work(PURGE, |engine, hot| purge.step(engine, hot));
                    answer(done, step.map(|()| purge));
                }
                Job::Check(done) => answer(done, self.work(OPEN, |engine, _| engine.check())),
            }
            next = next.or_else(|| queue.blocking_recv());
        }
    }

    /// Stores this and what waits behind it, as far as that is to be stored too; gives back the job that is not.
    fn store_group(&mut self, first: Waiting, queue: &mut mpsc::Receiver<Job>) -> Option<Job> {
        let mut bytes = size(&first.0);
        let mut group = vec![first];
        let mut other = None;
        while bytes < GROUP_BYTES && other.is_none() {
            match queue.try_recv() {
                Ok(Job::Store(points, done)) => {
                    bytes += size(&points);
                    group.push((points, done));
                }
                Ok(job) => other = Some(job),
                Err(_) => break,
            }
        }
        let stored = self.store(&group);
        // Damage in the way of one batch is no reason to refuse the others.
        let is_damaged = stored.as_ref().is_err_and(|error| error.kind() == ErrorKind::Corrupt);
        for waiting in group {
            let stored = if is_damaged {
                self.store(slice::from_ref(&waiting))
            } else {
                stored.as_ref().copied().map_err(same)
            };
            answer(waiting.1, stored);
        }
        other
    }

    fn store(&mut self, group: &[Waiting]) -> Result<()> {
        self.work(STORE, |engine, hot| {
            let mut batch = Batch::new(engine, hot);
            group.iter().flat_map(|(points, _)| points).try_for_each(|point| batch.add(point))?;
            batch.commit()
        })
    }

    /// Does some work, in a store that is opened again when it takes nothing more since an earlier failure.
    fn work(
        &mut self,
        operation: &'static str,
        mut work: impl FnMut(&Engine, &mut Hot) -> fjall::Result<()>,
    ) -> Result<()> {
        let usable = self.store.with(operation, Engine::check);
        if usable.is_err() {
            if self.reopened.is_some_and(|at| at.elapsed() < REOPEN_PAUSE) {
                return usable;
            }
            self.hot.clear();
            self.reopened = Some(Instant::now());
            self.store.reopen(operation)?;
        }
        let done = self.store.with(operation, |engine| work(engine, &mut self.hot));
        if done.is_err() {
            self.hot.clear();
        }
        done
    }
}

fn size(points: &[Incoming]) -> usize {
    points.iter().map(|point| point.body.len()).sum()
}

/// Whoever asked may have given up waiting.
fn answer<T>(done: oneshot::Sender<T>, result: T) {
    let _nobody_waits = done.send(result);
}

/// The same failure, for one of those that it concerns.
fn same(error: &Error) -> Error {
    let same = Error::new(error.kind(), error.operation(), error.message());
    match error.source() {
        Some(source) => same.with_source(source.to_string()),
        None => same,
    }
}
