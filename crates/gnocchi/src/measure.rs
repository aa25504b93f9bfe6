//! Values at moments: as they come in, and as they are given out.

use indexmap::IndexMap;
use uuid::Uuid;

use crate::{AggregationMethod, Timespan, Timestamp};

/// A value at a moment, as it came in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measure {
    /// When it was measured.
    pub timestamp: Timestamp,
    /// What was measured.
    pub value: f64,
}

/// Measures of metrics that are there.
pub type MetricMeasures = Vec<(Uuid, Vec<Measure>)>;

/// Measures of one resource by the names of its metrics.
#[derive(Clone, Debug, PartialEq)]
pub struct ResourceMeasures {
    /// The resource, as its creator spelled it.
    pub resource_id: String,
    /// Measures of each metric, and how a metric is kept that is made for them.
    pub metrics: IndexMap<String, (crate::NamedMetric, Vec<Measure>)>,
}

/// The aggregate of one period.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Start of the period.
    pub timestamp: Timestamp,
    /// The period: of the granularity that was asked for, or that it was aggregated again to.
    pub granularity: Resolution,
    /// The aggregate.
    pub value: f64,
}

/// Which aggregates are asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Range {
    /// From the period that this lies in.
    pub start: Option<Timestamp>,
    /// Before this.
    pub stop: Option<Timestamp>,
    /// Which of the policy's methods.
    pub aggregation: AggregationMethod,
    /// One granularity of the policy; all of them, coarse first, where none is given.
    pub granularity: Option<Timespan>,
    /// Aggregated again to this resolution.
    pub resample: Option<Resolution>,
}

/// The periods of a resampled series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// Of a length, counted from 1970.
    Span(Timespan),
    /// Years.
    Year,
    /// Halves of a year.
    Half,
    /// Quarters of a year.
    Quarter,
    /// Months.
    Month,
    /// Weeks from Sunday.
    Week,
}

impl From<Timespan> for Resolution {
    fn from(span: Timespan) -> Self {
        Self::Span(span)
    }
}
