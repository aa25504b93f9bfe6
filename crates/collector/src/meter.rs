//! What a source has done.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts of one source, which go on changing.
#[derive(Debug, Default)]
pub struct Meter {
    /// Messages that were delivered, again ones included.
    pub taken: AtomicU64,
    /// Messages whose contents were spooled or stored.
    pub stored: AtomicU64,
    /// Messages with nothing that can be.
    pub refused: AtomicU64,
    /// Notifications of other things.
    pub ignored: AtomicU64,
    /// How often the bus was lost, or not there.
    pub outages: AtomicU64,
}

impl Meter {
    pub(crate) fn count(count: &AtomicU64, more: usize) {
        count.fetch_add(more as u64, Ordering::Relaxed);
    }
}
