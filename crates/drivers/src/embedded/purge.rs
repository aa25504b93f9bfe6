//! Deleting old traces, a bounded step at a time.

use nephoscope_telemetry::Timestamp;

use super::engine::Engine;
use super::failure::is_damage;
use super::hot::Hot;
use super::walk::{ALWAYS, Walk};
use super::{keys, trace};

/// How many deletions are written at a time: some milliseconds of work.
const DELETIONS: usize = 5_000;
/// How many traces a step looks at, most of which may have to stay.
const TRACES: usize = 2_000;

/// Where a purge is.
#[derive(Clone, Debug)]
pub(super) struct Purge {
    older_than: Timestamp,
    /// The entry of the index by time at which the last step ended.
    at: Vec<u8>,
    pub(super) traces: u64,
    pub(super) is_done: bool,
}

impl Purge {
    pub(super) fn new(older_than: Timestamp) -> Self {
        Self { older_than, at: Vec::new(), traces: 0, is_done: false }
    }

    /// Deletes some traces whose latest point is too old, each as a whole.
    ///
    /// A trace that is larger than a step is deleted in several writes, its summary and index entries with the last:
    /// cut short in between, the next purge finds it again.
    pub(super) fn step(&mut self, engine: &Engine, hot: &mut Hot) -> fjall::Result<()> {
        let snapshot = engine.snapshot();
        let start = keys::split_index_key(&self.at).map_or(self.older_than, |(time, _)| time);
        // Of the entries of the time at which the last step ended some may be left.
        let start = keys::descending(start) + u64::from(self.at.is_empty());
        let mut writes = engine.batch();
        let mut looked_at = 0;
        for entry in Walk::new(&snapshot, &engine.by_time, &[], start..ALWAYS.end) {
            let key = match entry {
                Ok((key, _)) => key,
                Err(error) if is_damage(&error) => continue,
                Err(error) => return Err(error),
            };
            if *key <= *self.at {
                continue;
            }
            let Some((time, id)) = keys::split_index_key(&key) else { continue };
            let summary = trace::summary(engine, &snapshot, id)?;
            if summary.as_ref().is_none_or(|summary| summary.last < self.older_than) {
                let _deleted = hot.take(id);
                for point in Walk::new(&snapshot, &engine.points, id, ALWAYS) {
                    let Ok((point, _)) = point else { continue };
                    writes.remove(&engine.points, point);
                    if writes.len() >= DELETIONS {
                        engine.wait_for_room()?;
                        std::mem::replace(&mut writes, engine.batch()).commit()?;
                    }
                }
                writes.remove(&engine.traces, id);
                writes.remove(&engine.by_time, keys::index_key(time, id));
                writes.remove(&engine.errors_by_time, keys::index_key(time, id));
                self.traces += u64::from(summary.is_some());
            }
            self.at = key.to_vec();
            looked_at += 1;
            if looked_at >= TRACES || writes.len() >= DELETIONS {
                return commit(engine, writes);
            }
        }
        self.is_done = true;
        commit(engine, writes)
    }
}

fn commit(engine: &Engine, writes: fjall::OwnedWriteBatch) -> fjall::Result<()> {
    engine.wait_for_room()?;
    writes.commit()
}
