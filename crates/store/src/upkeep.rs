//! What a store does by itself: it takes away what is left of deleted metrics, and what is older than it shall be.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nephoscope_gnocchi::{Error, Result, Timestamp};

use crate::index::Revisions;
use crate::store::Inner;

/// How long between two rounds: Gnocchi's own janitor takes as long.
const PERIOD: Duration = Duration::from_secs(300);
/// How much is done at a time: requests wait for no more.
const METRICS_AT_ONCE: usize = 1000;
const RESOURCES_AT_ONCE: usize = 20;
const REVISIONS_AT_ONCE: usize = 1000;

/// The thread. It ends when this is dropped.
pub(crate) struct Upkeep {
    /// Ends the thread when it is dropped.
    stop: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Upkeep {
    /// Starts the thread. Its first round comes at once.
    pub(crate) fn start(store: Arc<Inner>) -> Result<Self> {
        let (stop, stopped) = sync_channel(1);
        let thread = thread::Builder::new().name("metric store upkeep".into()).spawn(move || {
            loop {
                if let Err(error) = round(&store, || goes_on(&stopped)) {
                    tracing::warn!("the upkeep of the metric store failed, and is tried again: {error}");
                }
                if stopped.recv_timeout(PERIOD) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
            }
        });
        let thread = thread.map_err(|error| Error::Internal {
            message: "no thread can be started".into(),
            source: Some(Box::new(error)),
        })?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Upkeep {
    fn drop(&mut self) {
        drop(self.stop.take());
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the upkeep of the metric store panicked");
        }
    }
}

fn goes_on(stopped: &Receiver<()>) -> bool {
    stopped.try_recv() == Err(TryRecvError::Empty)
}

/// One round, in steps, with room for requests in between.
pub(crate) fn round(store: &Inner, goes_on: impl Fn() -> bool) -> Result<()> {
    if let Some(age) = store.options.purge_ended_resources {
        let mut purged = 0;
        while goes_on() {
            let step = store.index.purge_ended(before(age), RESOURCES_AT_ONCE)?;
            purged += step;
            if step < RESOURCES_AT_ONCE {
                break;
            }
        }
        tell(purged, "resources that ended long ago were deleted");
    }
    if let Some(age) = store.options.purge_revisions {
        let mut revisions = Revisions::default();
        while !revisions.is_done && goes_on() {
            revisions = store.index.purge_revisions(before(age), REVISIONS_AT_ONCE, &revisions)?;
        }
        tell(revisions.purged, "old revisions of resources were taken away");
    }
    let mut expunged = 0;
    while goes_on() {
        let keys = store.index.deleted_metrics(METRICS_AT_ONCE);
        if keys.is_empty() {
            break;
        }
        expunged += keys.len();
        store.series().forget(&keys);
        store.index.expunge(&keys)?;
    }
    tell(expunged, "deleted metrics were expunged");
    Ok(())
}

fn tell(count: usize, what: &str) {
    if count > 0 {
        tracing::info!("{count} {what}");
    }
}

fn before(age: Duration) -> Timestamp {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let nanos = |time: Duration| i64::try_from(time.as_nanos()).unwrap_or(i64::MAX);
    Timestamp::from_nanos(nanos(now).saturating_sub(nanos(age)))
}
