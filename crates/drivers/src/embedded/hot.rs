//! What the store knows of the traces that are being written, so that it need not look.

use std::collections::HashMap;
use std::mem;

use super::summary::Summary;

/// How many traces are kept at least, of those that were written last, and up to twice as many: as many as are at work in
/// a busy cloud at a time, some hundred bytes each.
const TRACES: usize = 4096;
/// How many hashes are kept at least, once traces are that large: 4 MiB.
const HASHES: usize = 1 << 20;

/// A trace as it is on disk.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) summary: Summary,
    /// The hashes of the points that are in packs.
    pub(super) hashes: Vec<u32>,
}

/// The traces that were written last: when `recent` is full it takes the place of `earlier`.
#[derive(Debug, Default)]
pub(super) struct Hot {
    recent: HashMap<Vec<u8>, Known>,
    earlier: HashMap<Vec<u8>, Known>,
    /// How many hashes `recent` holds.
    hashes: usize,
}

impl Hot {
    /// What is known of a trace, which is then to be given back as it is on disk, or forgotten.
    pub(super) fn take(&mut self, trace: &[u8]) -> Option<Known> {
        let Some(known) = self.recent.remove(trace) else { return self.earlier.remove(trace) };
        self.hashes -= known.hashes.len();
        Some(known)
    }

    pub(super) fn keep(&mut self, trace: &[u8], known: Known) {
        self.hashes += known.hashes.len();
        self.recent.insert(trace.to_vec(), known);
        if self.recent.len() >= TRACES || self.hashes >= HASHES {
            self.earlier = mem::take(&mut self.recent);
            self.hashes = 0;
        }
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}
