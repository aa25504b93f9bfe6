//! Where measures go: from ids and names of metrics to their keys.

use std::collections::BTreeSet;
use std::sync::Arc;

use nephoscope_gnocchi::{
    ArchivePolicy, Creator, Error, Measure, MetricMeasures, NamedMetric, ResourceMeasures, Result,
    UnknownResource, resource_uuid,
};
use uuid::Uuid;

use super::plan::check_name;
use super::returns::Returns;
use super::state::State;
use super::{Index, creator_text};
use crate::series::MetricKey;

/// A metric, and how it is kept.
#[derive(Clone, Debug)]
pub(crate) struct Addressed {
    pub(crate) key: MetricKey,
    pub(crate) policy: Arc<ArchivePolicy>,
}

/// Measures with where they go.
pub(crate) type Batch = Vec<(MetricKey, Arc<ArchivePolicy>, Vec<Measure>)>;

/// Measures of a metric that was not found at first.
struct Missing {
    name: String,
    wanted: NamedMetric,
    measures: Vec<Measure>,
}

/// A resource some of whose metrics were not found.
struct Incomplete {
    id: Uuid,
    original_id: String,
    metrics: Vec<Missing>,
}

impl Index {
    /// Measures of metrics, all of which have to be there.
    pub(crate) fn address_all(&self, measures: MetricMeasures) -> Result<Batch> {
        let mut batch = Vec::with_capacity(measures.len());
        let (mut unknown, mut returns) = (BTreeSet::new(), Returns::default());
        let state = self.state();
        for (id, measures) in measures {
            let metric = state.metric_with_id(id);
            match metric.and_then(|metric| Some((metric.key, metric.policy()?.clone(), metric.resource()))) {
                Some((key, policy, resource)) => {
                    if let Some(row) = resource {
                        returns.see(row, &measures);
                    }
                    batch.push((key, policy, measures));
                }
                None => drop(unknown.insert(id)),
            }
        }
        drop(state);
        if !unknown.is_empty() {
            return Err(Error::UnknownMetrics(unknown.iter().map(Uuid::to_string).collect()));
        }
        self.take_back(&returns)?;
        Ok(batch)
    }

    /// Measures of the metrics of resources. Metrics that are not there are made, if they shall be.
    pub(crate) fn address_resources(
        &self,
        measures: Vec<ResourceMeasures>,
        create_metrics: bool,
        creator: &Creator,
    ) -> Result<Batch> {
        let mut batch = Vec::with_capacity(measures.iter().map(|resource| resource.metrics.len()).sum());
        let mut returns = Returns::default();
        let incomplete = look_up(&self.state(), measures, creator, &mut batch, &mut returns)?;
        if incomplete.is_empty() {
            self.take_back(&returns)?;
            return Ok(batch);
        }
        if !create_metrics {
            let names = incomplete.iter().flat_map(|resource| {
                resource.metrics.iter().map(|metric| format!("{}/{}", resource.id, metric.name))
            });
            let mut names: Vec<_> = names.collect();
            names.sort();
            return Err(Error::UnknownMetrics(names));
        }
        let unknown = self.create_missing(&incomplete, creator)?;
        if !unknown.is_empty() {
            return Err(Error::UnknownResources(unknown));
        }
        let state = self.state();
        for resource in incomplete {
            // Whoever deleted it meanwhile wanted its measures gone, too.
            let Some(row) = state.resource_with_id(resource.id) else { continue };
            for metric in resource.metrics {
                if let Some((key, policy)) = state.metric_named(row, &metric.name) {
                    returns.see(row, &metric.measures);
                    batch.push((key, policy.clone(), metric.measures));
                }
            }
        }
        drop(state);
        self.take_back(&returns)?;
        Ok(batch)
    }

    /// Makes the metrics that are missing, as far as it goes: those made before a failure stay. The resources that are
    /// not there.
    fn create_missing(&self, incomplete: &[Incomplete], creator: &Creator) -> Result<Vec<UnknownResource>> {
        self.change(|plan| {
            let mut unknown = Vec::new();
            for resource in incomplete {
                let row = plan.state.resource_with_id(resource.id);
                for metric in &resource.metrics {
                    if row.is_some_and(|row| plan.state.metric_named(row, &metric.name).is_some()) {
                        // Somebody else made it meanwhile.
                        continue;
                    }
                    let (policy, unit) = match &metric.wanted {
                        NamedMetric::New { archive_policy_name, unit } => (archive_policy_name, unit),
                        NamedMetric::Existing(_) => (&None, &None),
                    };
                    let name = &metric.name;
                    let policy =
                        check_name(name).and_then(|()| plan.policy_for(policy.as_deref(), Some(name)));
                    let policy = match policy {
                        Ok(policy) => policy,
                        Err(error) => return Ok(Err(error)),
                    };
                    if row.is_none() {
                        let original_resource_id = resource.original_id.clone();
                        unknown.push(UnknownResource { resource_id: resource.id, original_resource_id });
                        break;
                    }
                    let unit = unit.as_deref();
                    plan.create_metric(creator_text(creator), &policy, Some(name), unit, Some(resource.id));
                }
            }
            Ok(Ok(unknown))
        })?
    }
}

/// Puts what is found into the batch, and gives back what is not.
fn look_up(
    state: &State,
    measures: Vec<ResourceMeasures>,
    creator: &Creator,
    batch: &mut Batch,
    returns: &mut Returns,
) -> Result<Vec<Incomplete>> {
    let mut incomplete = Vec::new();
    for resource in measures {
        let id = resource_uuid(&resource.resource_id, creator)
            .map_err(|error| Error::Invalid(error.to_string()))?;
        let row = state.resource_with_id(id);
        let mut metrics = Vec::new();
        for (name, (wanted, measures)) in resource.metrics {
            match row.and_then(|row| Some((row, state.metric_named(row, &name)?))) {
                Some((row, (key, policy))) => {
                    returns.see(row, &measures);
                    batch.push((key, policy.clone(), measures));
                }
                None => metrics.push(Missing { name, wanted, measures }),
            }
        }
        if !metrics.is_empty() {
            incomplete.push(Incomplete { id, original_id: resource.resource_id, metrics });
        }
    }
    Ok(incomplete)
}
