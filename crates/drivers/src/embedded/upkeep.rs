//! What the store does by itself: it opens itself again after a failure, and deletes what is older than its retention.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nephoscope_telemetry::{Error, ErrorKind, Purged, Result, Timestamp};
use tokio::sync::oneshot;

use super::failure::{OPEN, PURGE};
use super::purge::Purge;
use super::writer::{Job, Jobs};

/// How long between two rounds: a trace outlives its retention by no more.
const PERIOD: Duration = Duration::from_secs(60);

/// Ends the thread when it is dropped.
pub(super) type Stop = SyncSender<()>;

/// Starts the thread. Its first round comes at once.
pub(super) fn start(jobs: Jobs, retention: Option<Duration>) -> Result<(Stop, JoinHandle<()>)> {
    let (stop, stopped) = sync_channel(1);
    let thread = thread::Builder::new().name("trace store upkeep".into()).spawn(move || {
        loop {
            if let Err(error) = round(&jobs, retention, &stopped) {
                tracing::warn!("the upkeep of the trace store failed, and is tried again: {error}");
            }
            if stopped.recv_timeout(PERIOD) != Err(RecvTimeoutError::Timeout) {
                return;
            }
        }
    });
    let failed = |error| Error::new(ErrorKind::Other, OPEN, "no thread can be started").with_source(error);
    thread.map(|thread| (stop, thread)).map_err(failed)
}

fn round(jobs: &Jobs, retention: Option<Duration>, stopped: &Receiver<()>) -> Result<()> {
    ask(jobs, Job::Check)?;
    let Some(retention) = retention else { return Ok(()) };
    let mut purge = Purge::new(before(SystemTime::now(), retention));
    while !purge.is_done && !is_stopped(stopped) {
        purge = ask(jobs, |done| Job::Purge(purge, done))?;
    }
    if purge.traces > 0 {
        tracing::info!("{} traces older than the retention were deleted", purge.traces);
    }
    Ok(())
}

fn is_stopped(stopped: &Receiver<()>) -> bool {
    stopped.try_recv() == Err(std::sync::mpsc::TryRecvError::Disconnected)
}

fn before(now: SystemTime, retention: Duration) -> Timestamp {
    let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let micros = |time: Duration| i64::try_from(time.as_micros()).unwrap_or(i64::MAX);
    Timestamp::from_micros(micros(now).saturating_sub(micros(retention)))
}

fn ask<T>(jobs: &Jobs, job: impl FnOnce(oneshot::Sender<Result<T>>) -> Job) -> Result<T> {
    let (done, answer) = oneshot::channel();
    jobs.blocking_send(job(done)).map_err(|_| closed(PURGE))?;
    answer.blocking_recv().map_err(|_| closed(PURGE))?
}

/// The error of whoever comes after the store was closed.
pub(super) fn closed(operation: &'static str) -> Error {
    Error::new(ErrorKind::Other, operation, "the trace store is closed")
}

/// Deletes everything older, step by step, with room for writes in between.
pub(super) async fn purge(jobs: &Jobs, older_than: Timestamp) -> Result<Purged> {
    let mut purge = Purge::new(older_than);
    while !purge.is_done {
        let (done, answer) = oneshot::channel();
        jobs.send(Job::Purge(purge, done)).await.map_err(|_| closed(PURGE))?;
        purge = answer.await.map_err(|_| closed(PURGE))??;
    }
    Ok(Purged { traces: purge.traces })
}
