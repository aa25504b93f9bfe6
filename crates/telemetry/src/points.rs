//! The points of one trace, as a backend gave them.

use crate::{BadRecord, Report, TracePoint};

/// What a driver read of one trace: the points, and what it found in their place.
///
/// One broken record never hides the others: it is counted in [`bad`](Self::bad), and the rest is there.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Points {
    /// The points that could be read, in the order of the backend.
    pub good: Vec<TracePoint>,
    /// What could not be read as a point.
    pub bad: BadPoints,
}

/// A count of records that are no trace points, with the reasons of the first few.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BadPoints {
    count: u64,
    first: Vec<BadRecord>,
}

impl BadPoints {
    /// How many reasons are kept: enough to see what is wrong, however many records are.
    pub const KEPT: usize = 10;

    /// Counts one more, and keeps its reason while there are fewer than [`KEPT`](Self::KEPT).
    pub fn push(&mut self, reason: BadRecord) {
        self.count += 1;
        if self.first.len() < Self::KEPT {
            self.first.push(reason);
        }
    }

    /// Counts those of another part of the trace.
    pub fn append(&mut self, other: Self) {
        self.count += other.count;
        self.first.extend(other.first);
        self.first.truncate(Self::KEPT);
    }

    /// How many there are in all.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The reasons of the first few.
    pub fn first(&self) -> &[BadRecord] {
        &self.first
    }
}

impl Points {
    /// Puts the points in order of time; those of the same microsecond stay in the order of the backend, except
    /// that the start of a point comes before its stop.
    ///
    /// Backends keep points in orders of their own (Redis newest first), and [`Report`] shows
    /// siblings of the same millisecond in the order it is given.
    pub fn sort_by_time(&mut self) {
        self.good.sort_by_key(|point| (point.timestamp, point.is_stop()));
    }
}

impl Points {
    /// The report of the points in order of time, as people want to see it; see [`sort_by_time`](Self::sort_by_time).
    pub fn into_report(mut self) -> Report {
        self.sort_by_time();
        Report::build(self.good)
    }
}

impl From<Vec<TracePoint>> for Points {
    fn from(good: Vec<TracePoint>) -> Self {
        Self { good, bad: BadPoints::default() }
    }
}
