//! Reading a range of a keyspace around damage.

use std::ops::Range;

use fjall::{Iter, Keyspace, KvPair, Readable, Snapshot};

use super::keys::TIME;

/// What lies between two times in a keyspace whose keys are a fixed beginning, eight bytes that tell the time, and
/// something else; in order.
///
/// When a block cannot be read the engine ends the table there, with one error. A walk gives that error, and goes on at
/// the next time from which the engine can read: what is lost is the block, and at most two entries beside it.
pub(super) struct Walk<'a> {
    snapshot: &'a Snapshot,
    keyspace: &'a Keyspace,
    beginning: Vec<u8>,
    until: u64,
    /// The time of what was read last.
    at: u64,
    entries: Option<Iter>,
}

/// All times that a point can have.
pub(super) const ALWAYS: Range<u64> = 0..u64::MAX;

impl<'a> Walk<'a> {
    /// From a time on, until before another one.
    pub(super) fn new(
        snapshot: &'a Snapshot,
        keyspace: &'a Keyspace,
        beginning: &[u8],
        times: Range<u64>,
    ) -> Self {
        let mut walk = Self {
            snapshot,
            keyspace,
            beginning: beginning.into(),
            until: times.end,
            at: times.start,
            entries: None,
        };
        walk.entries = Some(walk.from(times.start));
        walk
    }

    fn from(&self, from: u64) -> Iter {
        let key = |time: u64| [self.beginning.as_slice(), &time.to_be_bytes()].concat();
        self.snapshot.range(self.keyspace, key(from)..key(self.until))
    }

    /// Whether something can be read from here on, or nothing is there.
    fn is_readable(&self, from: u64) -> bool {
        self.from(from).next().is_none_or(|entry| entry.into_inner().is_ok())
    }

    /// The first time found, behind what was read last, from which can be read again.
    fn behind_damage(&self) -> Option<u64> {
        let mut damaged = self.at;
        let mut step = 1_u64;
        let mut readable = loop {
            let next = self.at.checked_add(step).filter(|next| *next < self.until)?;
            if self.is_readable(next) {
                break next;
            }
            damaged = next;
            step = step.checked_mul(2)?;
        };
        while readable - damaged > 1 {
            let middle = damaged + (readable - damaged) / 2;
            if self.is_readable(middle) {
                readable = middle;
            } else {
                damaged = middle;
            }
        }
        Some(readable)
    }
}

impl Iterator for Walk<'_> {
    type Item = fjall::Result<KvPair>;

    fn next(&mut self) -> Option<Self::Item> {
        let entry = self.entries.as_mut()?.next()?.into_inner();
        match &entry {
            Ok((key, _)) => {
                if let Some(time) = key.get(self.beginning.len()..).and_then(<[u8]>::first_chunk::<TIME>) {
                    self.at = u64::from_be_bytes(*time);
                }
            }
            Err(_) => {
                let next = self.behind_damage();
                self.entries = next.map(|next| self.from(next));
                self.at = next.unwrap_or(self.at);
            }
        }
        Some(entry)
    }
}
