//! An archive policy, made ready for work.

use std::sync::Arc;

use nephoscope_gnocchi::{AggregationMethod, ArchivePolicy, Definition, Function, Timespan};

/// Gnocchi keeps aggregates in pieces of so many periods, and lets go of a whole piece at a time.
pub(super) const SPLIT: i64 = 3600;

/// What an archive policy means for the aggregates of a metric.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) policy: Arc<ArchivePolicy>,
    /// From fine to coarse.
    pub(super) grains: Vec<Grain>,
    /// What is kept of each period: the columns of its rows.
    pub(super) methods: Vec<AggregationMethod>,
    /// The columns that are made of the raw measures whenever they are wanted.
    pub(super) lazy: Vec<(usize, Function)>,
    /// The columns that are made with each batch, because what comes of it depends on where the batch begins.
    pub(super) eager: Vec<(usize, AggregationMethod)>,
    /// Length of a block of raw measures: the coarsest granularity.
    block: i64,
    /// How many blocks are kept behind the newest.
    back_window: i64,
}

/// One granularity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Grain {
    /// Length of a period in nanoseconds.
    pub(super) length: i64,
    /// How far behind the newest period the kept ones reach, where there is an end.
    pub(super) timespan: Option<i64>,
}

impl Grain {
    /// The start of the period that a time lies in.
    pub(super) const fn floor(&self, time: i64) -> i64 {
        floor(time, self.length)
    }

    /// The start of the piece of Gnocchi's that a time lies in.
    pub(super) const fn split(&self, time: i64) -> i64 {
        floor(time, self.length.saturating_mul(SPLIT))
    }

    /// The start of the next such piece.
    pub(super) const fn next_split(&self, time: i64) -> i64 {
        self.split(time).saturating_add(self.length.saturating_mul(SPLIT))
    }

    /// Up to which period nothing is kept, when this is the newest time.
    pub(super) fn cut(&self, newest: i64) -> Option<i64> {
        Some(self.floor(newest).saturating_sub(self.timespan?))
    }
}

pub(super) const fn floor(time: i64, length: i64) -> i64 {
    time.saturating_sub(time.rem_euclid(length))
}

impl Plan {
    pub(super) fn new(policy: &Arc<ArchivePolicy>) -> Self {
        let grain = |definition: &Definition| Grain {
            length: definition.granularity.as_nanos(),
            timespan: definition.timespan().map(Timespan::as_nanos),
        };
        let mut grains: Vec<_> = policy.definition.iter().map(grain).collect();
        grains.sort_by_key(|grain| grain.length);
        grains.dedup_by_key(|grain| grain.length);
        let block = grains.last().map_or(1, |grain| grain.length);
        // Raw measures leave in whole blocks. Where a period of a finer granularity lies across the edge of two, it is
        // only whole at the time when the batch comes.
        let whole_periods = grains.iter().all(|grain| block % grain.length == 0);
        let methods = policy.aggregation_methods.clone();
        let (mut lazy, mut eager) = (Vec::new(), Vec::new());
        for (column, method) in methods.iter().enumerate() {
            let is_lazy =
                whole_periods && !method.rate && !matches!(method.function, Function::Percentile(_));
            if is_lazy {
                lazy.push((column, method.function));
            } else {
                eager.push((column, *method));
            }
        }
        // Differences need what is before the window, too.
        let more = i64::from(methods.iter().any(|method| method.rate));
        let back_window = i64::from(policy.back_window) + more;
        Self { policy: Arc::clone(policy), grains, methods, lazy, eager, block, back_window }
    }

    /// Before which time measures are too late, when this is the newest one.
    pub(super) const fn window_start(&self, newest: i64) -> i64 {
        floor(newest, self.block).saturating_sub(self.block.saturating_mul(self.back_window))
    }

    /// Where a granularity is among the [`grains`](Self::grains).
    pub(super) fn grain_of(&self, granularity: Timespan) -> Option<usize> {
        self.grains.iter().position(|grain| grain.length == granularity.as_nanos())
    }

    /// Which column a method has.
    pub(super) fn column_of(&self, method: AggregationMethod) -> Option<usize> {
        self.methods.iter().position(|known| *known == method)
    }

    /// Whether rows made for the other plan are rows of this one.
    pub(super) fn has_shape_of(&self, other: &Self) -> bool {
        self.methods == other.methods
            && self.grains.iter().map(|grain| grain.length).eq(other.grains.iter().map(|grain| grain.length))
    }
}
