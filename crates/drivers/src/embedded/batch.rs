//! One atomic write of points, with what the store knows about their traces.

use std::collections::HashMap;

use fjall::OwnedWriteBatch;
use nephoscope_telemetry::Timestamp;

use super::engine::Engine;
use super::incoming::Incoming;
use super::summary::Summary;
use super::{keys, record, trace};

/// The summaries that were written last. As many as are at work in a busy cloud at a time, some hundred bytes each.
const HOT_TRACES: usize = 4096;

/// Summaries of traces that are being written, as they are on disk.
#[derive(Debug, Default)]
pub(super) struct Hot(HashMap<Vec<u8>, Summary>);

impl Hot {
    pub(super) fn forget(&mut self, trace: &[u8]) {
        self.0.remove(trace);
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

/// Points on their way to disk.
pub(super) struct Batch<'a> {
    engine: &'a Engine,
    hot: &'a mut Hot,
    writes: OwnedWriteBatch,
    /// The bodies of the points of this batch by their keys: the engine does not find them yet.
    pending: HashMap<Vec<u8>, &'a [u8]>,
    changed: HashMap<&'a [u8], Changed>,
}

struct Changed {
    /// Where the trace stands in the indexes by time, and whether in that of errors; nothing when it is a new one.
    indexed: Option<(Timestamp, bool)>,
    /// How many points it had before.
    points: u64,
    summary: Summary,
}

impl<'a> Batch<'a> {
    pub(super) fn new(engine: &'a Engine, hot: &'a mut Hot) -> Self {
        Self { engine, hot, writes: engine.batch(), pending: HashMap::new(), changed: HashMap::new() }
    }

    /// Adds a point, unless the store has it.
    pub(super) fn add(&mut self, point: &'a Incoming) -> fjall::Result<()> {
        let is_new = match self.changed.get(&*point.trace) {
            Some(changed) => changed.indexed.is_none(),
            None => {
                let known = self.known(point)?;
                let is_new = known.indexed.is_none();
                self.changed.insert(&point.trace, known);
                is_new
            }
        };
        let Some(key) = self.free_key(point, is_new)? else { return Ok(()) };
        let summary = &mut self.changed.get_mut(&*point.trace).expect("it was inserted above").summary;
        let record = record::encode(summary.points, &point.body);
        summary.add(point);
        self.writes.insert(&self.engine.points, key.as_slice(), record);
        self.pending.insert(key, &point.body);
        Ok(())
    }

    /// Writes everything, after which it is on disk.
    pub(super) fn commit(mut self) -> fjall::Result<()> {
        self.changed.retain(|_, changed| changed.summary.points > changed.points);
        for (trace, changed) in &self.changed {
            changed.write(self.engine, &mut self.writes, trace);
        }
        if self.writes.is_empty() {
            return Ok(());
        }
        self.engine.wait_for_room()?;
        self.writes.commit()?;
        if self.hot.0.len() + self.changed.len() > HOT_TRACES {
            self.hot.clear();
        }
        let written = self.changed.into_iter();
        self.hot.0.extend(written.map(|(trace, changed)| (trace.to_vec(), changed.summary)));
        Ok(())
    }

    /// Where a point goes; nothing when it is there already. Of a new trace the engine has no point, and is not asked: to
    /// look in all its tables for what is in none of them is a large part of the work.
    fn free_key(&self, point: &Incoming, is_new: bool) -> fjall::Result<Option<Vec<u8>>> {
        let mut hash = point.hash;
        loop {
            let key = keys::point_key(&point.trace, point.time, hash);
            let is_same = match self.pending.get(&key) {
                Some(body) => *body == point.body,
                None if is_new => return Ok(Some(key)),
                None => match self.engine.points.get(&key)? {
                    Some(record) => record::body_of(&record) == Some(&point.body),
                    None => return Ok(Some(key)),
                },
            };
            if is_same {
                return Ok(None);
            }
            hash = hash.wrapping_add(1);
        }
    }

    /// What is known about the trace of a point before this batch.
    fn known(&self, point: &Incoming) -> fjall::Result<Changed> {
        let summary = match self.hot.0.get(&point.trace) {
            Some(summary) => Some(summary.clone()),
            None => trace::summary(self.engine, &self.engine.snapshot(), &point.trace)?,
        };
        Ok(match summary {
            Some(summary) => Changed {
                indexed: Some((summary.first, summary.errors > 0)),
                points: summary.points,
                summary,
            },
            None => Changed { indexed: None, points: 0, summary: Summary::empty(point) },
        })
    }
}

impl Changed {
    fn write(&self, engine: &Engine, writes: &mut OwnedWriteBatch, trace: &[u8]) {
        writes.insert(&engine.traces, trace, self.summary.encode());
        let now = (self.summary.first, self.summary.errors > 0);
        if self.indexed == Some(now) {
            return;
        }
        if let Some((first, has_errors)) = self.indexed
            && first != now.0
        {
            writes.remove(&engine.by_time, keys::index_key(first, trace));
            if has_errors {
                writes.remove(&engine.errors_by_time, keys::index_key(first, trace));
            }
        }
        writes.insert(&engine.by_time, keys::index_key(now.0, trace), []);
        if now.1 {
            writes.insert(&engine.errors_by_time, keys::index_key(now.0, trace), []);
        }
    }
}
