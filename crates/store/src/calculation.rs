//! What is made of several series on reading.
//!
//! [`evaluate()`] answers a question across metrics, [`measures()`] reads one. Both see the store through [`Source`] alone. The
//! arithmetic is that of numpy as Gnocchi uses it, to the last digit wherever IEEE 754 says what that is: sums in the same
//! order, deviations of the population across series and of the sample when one is resampled.

mod across;
mod aligned;
mod evaluate;
mod history;
mod measures;
mod query;
mod resampled;
#[cfg(test)]
mod tests;

use nephoscope_gnocchi::{
    AggregationMethod, Metric, Resource, ResourceSelection, Result, Timespan, Timestamp,
};
use uuid::Uuid;

pub(crate) use measures::measures;
pub(crate) use query::evaluate;

/// What calculations read.
pub(crate) trait Source: Sync {
    /// Resources as one user sees them, without their metrics' policies.
    fn resources(&self, resource_type: &str, selection: &ResourceSelection) -> Result<Vec<Resource>>;
    /// The metrics with these ids that are there, in any order; with their resources, if so wanted.
    fn metrics(&self, ids: &[Uuid], with_resources: bool) -> Result<Vec<Metric>>;
    /// Aggregates of a metric, in order of time: from `start` on, and before `stop`. Of what its policy does not keep,
    /// none.
    fn series(
        &self,
        metric: &Metric,
        method: AggregationMethod,
        granularity: Timespan,
        start: Option<Timestamp>,
        stop: Option<Timestamp>,
    ) -> Result<Series>;
}

/// Values in order of time: starts of periods in nanoseconds, each once, and the value of each.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Series {
    pub(crate) times: Vec<i64>,
    pub(crate) values: Vec<f64>,
}

impl FromIterator<(i64, f64)> for Series {
    fn from_iter<I: IntoIterator<Item = (i64, f64)>>(points: I) -> Self {
        let (times, values) = points.into_iter().unzip();
        Self { times, values }
    }
}
