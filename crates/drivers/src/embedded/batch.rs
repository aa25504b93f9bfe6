//! One atomic write of points, with what the store knows about their traces.

use std::collections::{HashMap, HashSet};

use fjall::OwnedWriteBatch;
use nephoscope_telemetry::Timestamp;
use xxhash_rust::xxh3::xxh3_64;

use super::engine::Engine;
use super::hot::{Hot, Known};
use super::incoming::Incoming;
use super::pack::{PACK_BYTES, Packing};
use super::summary::Summary;
use super::{keys, record, trace};

/// How many points of a trace are packed at most. To find out whether a point is among them all hashes are read, once for as
/// long as the trace is hot: less than a millisecond. Each point of a larger trace has a key of its own to be found by.
const PACKED_POINTS: u64 = 2048;

/// Points on their way to disk.
pub(super) struct Batch<'a> {
    engine: &'a Engine,
    hot: &'a mut Hot,
    writes: OwnedWriteBatch,
    changed: Vec<Changed<'a>>,
    /// Where a trace is in `changed`.
    by_trace: HashMap<&'a [u8], usize>,
    /// The bodies of the points of this batch, by where their traces are, their times and their hashes.
    pending: HashMap<(usize, Timestamp, u32), &'a [u8]>,
}

/// A trace of which there is a point in the batch.
struct Changed<'a> {
    trace: &'a [u8],
    /// Where the trace stands in the indexes by time, and whether in that of errors; nothing when it is a new one.
    indexed: Option<(Timestamp, bool)>,
    /// How many points it had before.
    points: u64,
    /// Whether some of those are in no pack.
    has_singles: bool,
    known: Known,
    /// Times and bodies of the points in packs, once one was looked for.
    packed: Option<HashSet<(Timestamp, Vec<u8>)>>,
    /// The points that the store does not have, each with the hash for its key.
    new: Vec<(u32, &'a Incoming)>,
}

impl<'a> Batch<'a> {
    pub(super) fn new(engine: &'a Engine, hot: &'a mut Hot) -> Self {
        let writes = engine.batch();
        Self { engine, hot, writes, changed: Vec::new(), by_trace: HashMap::new(), pending: HashMap::new() }
    }

    /// Adds a point, unless the store has it.
    pub(super) fn add(&mut self, point: &'a Incoming) -> fjall::Result<()> {
        let at = self.changed(point)?;
        let Some(hash) = self.free_hash(at, point)? else { return Ok(()) };
        let changed = &mut self.changed[at];
        if changed.is_packed(self.engine, point)? {
            return Ok(());
        }
        self.pending.insert((at, point.time, hash), &point.body);
        changed.known.summary.add(point);
        changed.new.push((hash, point));
        Ok(())
    }

    /// Writes everything, after which it is on disk.
    pub(super) fn commit(mut self) -> fjall::Result<()> {
        for changed in &mut self.changed {
            if !changed.new.is_empty() {
                changed.write_points(self.engine, &mut self.writes);
                changed.write_summary(self.engine, &mut self.writes);
            }
        }
        if !self.writes.is_empty() {
            self.engine.wait_for_room()?;
            self.writes.commit()?;
        }
        for changed in self.changed {
            self.hot.keep(changed.trace, changed.known);
        }
        Ok(())
    }

    /// Where the trace of a point is among those of the batch.
    fn changed(&mut self, point: &'a Incoming) -> fjall::Result<usize> {
        // Most points are of the trace that the point before them is of.
        let last = self.changed.last().filter(|last| last.trace == point.trace);
        if last.is_some() {
            return Ok(self.changed.len() - 1);
        }
        if let Some(at) = self.by_trace.get(&*point.trace) {
            return Ok(*at);
        }
        let changed = self.known(point)?;
        self.changed.push(changed);
        self.by_trace.insert(&point.trace, self.changed.len() - 1);
        Ok(self.changed.len() - 1)
    }

    /// What is known about the trace of a point before this batch.
    fn known(&mut self, point: &'a Incoming) -> fjall::Result<Changed<'a>> {
        let known = match self.hot.take(&point.trace) {
            Some(known) => Some(known),
            None => trace::known(self.engine, &self.engine.snapshot(), &point.trace)?,
        };
        let is_new = known.is_none();
        let known = known.unwrap_or_else(|| Known { summary: Summary::empty(point), hashes: Vec::new() });
        let summary = &known.summary;
        Ok(Changed {
            trace: &point.trace,
            indexed: (!is_new).then_some((summary.first, summary.errors > 0)),
            points: summary.points,
            has_singles: summary.points > summary.packed,
            known,
            packed: None,
            new: Vec::new(),
        })
    }

    /// The hash of a point for its key; nothing when the point is in the batch or in the store, apart from packs. Of a trace
    /// without such points the engine is not asked: to look in all its tables for what is in none of them is a large part
    /// of the work.
    fn free_hash(&self, at: usize, point: &Incoming) -> fjall::Result<Option<u32>> {
        let mut hash = point.hash;
        loop {
            let is_same = match self.pending.get(&(at, point.time, hash)) {
                Some(body) => *body == point.body,
                None if !self.changed[at].has_singles => return Ok(Some(hash)),
                None => match self.engine.points.get(keys::point_key(&point.trace, point.time, hash))? {
                    Some(record) => record::body_of(&record) == Some(&point.body),
                    None => return Ok(Some(hash)),
                },
            };
            if is_same {
                return Ok(None);
            }
            hash = hash.wrapping_add(1);
        }
    }
}

impl<'a> Changed<'a> {
    /// Whether a point is in a pack of the trace.
    fn is_packed(&mut self, engine: &Engine, point: &Incoming) -> fjall::Result<bool> {
        if !self.known.hashes.contains(&point.hash) {
            return Ok(false);
        }
        let packed = match &mut self.packed {
            Some(packed) => packed,
            packed => packed.insert(trace::packed(engine, &engine.snapshot(), self.trace)?),
        };
        Ok(packed.contains(&(point.time, point.body.clone())))
    }

    /// Writes the new points: in packs, unless it is only one, or there are enough, or it is as large as a pack.
    fn write_points(&mut self, engine: &Engine, writes: &mut OwnedWriteBatch) {
        let is_one = self.new.len() == 1;
        let mut packing = Packing::default();
        for (place, (hash, point)) in (self.points..).zip(std::mem::take(&mut self.new)) {
            if is_one || self.known.summary.packed >= PACKED_POINTS || point.body.len() >= PACK_BYTES {
                write_pack(engine, writes, self.trace, &mut packing);
                let key = keys::point_key(self.trace, point.time, hash);
                writes.insert(&engine.points, key, record::encode(place, &point.body));
                continue;
            }
            packing.add(place, point.time, point.hash, &point.body);
            self.known.hashes.push(point.hash);
            self.known.summary.packed += 1;
            if packing.is_full() {
                write_pack(engine, writes, self.trace, &mut packing);
            }
        }
        write_pack(engine, writes, self.trace, &mut packing);
    }

    fn write_summary(&self, engine: &Engine, writes: &mut OwnedWriteBatch) {
        let Known { summary, .. } = &self.known;
        writes.insert(&engine.traces, self.trace, summary.encode());
        let now = (summary.first, summary.errors > 0);
        if self.indexed == Some(now) {
            return;
        }
        if let Some((first, has_errors)) = self.indexed
            && first != now.0
        {
            writes.remove(&engine.by_time, keys::index_key(first, self.trace));
            if has_errors {
                writes.remove(&engine.errors_by_time, keys::index_key(first, self.trace));
            }
        }
        writes.insert(&engine.by_time, keys::index_key(now.0, self.trace), []);
        if now.1 {
            writes.insert(&engine.errors_by_time, keys::index_key(now.0, self.trace), []);
        }
    }
}

/// Writes what was packed, if anything was.
fn write_pack(engine: &Engine, writes: &mut OwnedWriteBatch, trace: &[u8], packing: &mut Packing<'_>) {
    let Some((place, record)) = std::mem::take(packing).finish() else { return };
    let [_, _, _, _, hash @ ..] = xxh3_64(&record).to_be_bytes();
    writes.insert(&engine.points, keys::pack_key(trace, place, u32::from_be_bytes(hash)), record);
}
