//! What calculations read of the store.

use nephoscope_gnocchi::{
    AggregationMethod, Creator, Metric, Resource, ResourceSelection, Result, Timespan, Timestamp,
};
use uuid::Uuid;

use crate::calculation::{Series, Source};
use crate::store::Inner;

/// A store as one user reads it.
pub(crate) struct Reading<'a> {
    pub(crate) store: &'a Inner,
    pub(crate) creator: &'a Creator,
}

impl Source for Reading<'_> {
    fn resources(&self, resource_type: &str, selection: &ResourceSelection) -> Result<Vec<Resource>> {
        self.store.index.resources(resource_type, selection, self.creator)
    }

    fn metrics(&self, ids: &[Uuid], with_resources: bool) -> Result<Vec<Metric>> {
        Ok(self.store.index.metrics_with(ids, with_resources))
    }

    fn series(
        &self,
        metric: &Metric,
        method: AggregationMethod,
        granularity: Timespan,
        start: Option<Timestamp>,
        stop: Option<Timestamp>,
    ) -> Result<Series> {
        let metric = self.store.index.address(metric.id)?;
        let points =
            self.store.series().points(metric.key, &metric.policy, method, granularity, start, stop)?;
        Ok(points.into_iter().collect())
    }
}
