//! How a metric's measures are kept.

use crate::{AggregationMethod, Timespan};

/// How the measures of a metric are aggregated, and for how long the aggregates are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchivePolicy {
    /// Its name.
    pub name: String,
    /// How many periods of the coarsest granularity behind the newest one take late measures.
    pub back_window: u32,
    /// The resolutions, from fine to coarse; at least one, each granularity once.
    pub definition: Vec<Definition>,
    /// What is kept of each period; each once.
    pub aggregation_methods: Vec<AggregationMethod>,
}

/// One resolution of an [`ArchivePolicy`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Definition {
    /// Length of a period.
    pub granularity: Timespan,
    /// How many periods are kept, counted back from the newest point; all, where there is none.
    pub points: Option<u64>,
}

impl Definition {
    /// How long the aggregates reach back; for ever, where there is none.
    pub fn timespan(&self) -> Option<Timespan> {
        let points = i64::try_from(self.points?).unwrap_or(i64::MAX);
        Timespan::from_nanos(self.granularity.as_nanos().saturating_mul(points))
    }
}

impl ArchivePolicy {
    /// The coarsest granularity, whose periods the back window counts.
    pub fn coarsest(&self) -> Option<Timespan> {
        self.definition.iter().map(|definition| definition.granularity).max()
    }
}

/// Which policy a metric gets that names none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchivePolicyRule {
    /// Its name.
    pub name: String,
    /// A shell pattern on the metric's name.
    pub metric_pattern: String,
    /// The policy.
    pub archive_policy_name: String,
}
