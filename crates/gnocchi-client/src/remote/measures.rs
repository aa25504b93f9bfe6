//! Measures on their way in, into a Gnocchi of any age.
//!
//! Today's takes those of many resources at once, and makes the metrics that are missing. Earlier ones did not make metrics,
//! and those before them had no batches; the first did not find a metric by its resource and name. Which one it is shows
//! when it first answers that it has no such door, and is remembered.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use futures_util::{StreamExt, TryStreamExt, stream};
use nephoscope_gnocchi::{
    Error, Measure, MetricMeasures, NamedMetric, ResourceMeasures, Result, UnknownResource, parse_uuid,
};
use uuid::Uuid;

use super::{Remote, segment};
use crate::api::{Ask, JSON};
use crate::write;

/// How many resources are dealt with at a time, where each has to be: enough to hide the way there and back, and not all
/// that an API of a few workers has to spare.
const AT_A_TIME: usize = 8;

/// How measures of resources get in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Way {
    /// All at once.
    #[default]
    Batch,
    /// Those of a metric at a time, found by its resource and name: first the measures, and what is missing is made then.
    ByName,
    /// Those of a metric at a time, found by its id: first what is missing is made, and then the measures.
    ById,
}

/// The [`Way`] as far as it is known.
#[derive(Debug, Default)]
pub(super) struct KnownWay(Mutex<Way>);

impl KnownWay {
    fn get(&self) -> Way {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, way: Way) {
        tracing::info!("Gnocchi is an early one: measures are sent {way:?}");
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = way;
    }
}

impl Remote {
    pub(super) async fn store_measures(&self, measures: &MetricMeasures) -> Result<()> {
        if self.0.way.get() == Way::Batch {
            let ask = Ask::post("store measures", "batch/metrics/measures").repeatable();
            let ask = ask.body(JSON, write::metric_measures(measures));
            if self.0.api.ask_if_there(ask).await?.is_some() {
                return Ok(());
            }
            self.0.way.set(Way::ByName);
        }
        let each: Vec<_> =
            measures.iter().map(|(metric, measures)| self.store_by_id(*metric, measures)).collect();
        let stored: Vec<_> = stream::iter(each).buffered(AT_A_TIME).collect().await;
        let mut unknown = Vec::new();
        for ((metric, _), stored) in measures.iter().zip(stored) {
            match stored {
                Err(Error::NoSuchMetric(_)) => unknown.push(metric.to_string()),
                stored => stored?,
            }
        }
        missing(Vec::new(), unknown)
    }

    pub(super) async fn store_resource_measures(
        &self,
        measures: &[ResourceMeasures],
        create_metrics: bool,
    ) -> Result<()> {
        if self.0.way.get() == Way::Batch {
            if self.store_batch(measures, create_metrics).await? {
                return Ok(());
            }
            self.0.way.set(Way::ByName);
        }
        // Who wants none made wants to know all that are missing first.
        if create_metrics && self.0.way.get() == Way::ByName {
            if self.store_all_by_name(measures).await? {
                return Ok(());
            }
            self.0.way.set(Way::ById);
        }
        self.store_all_by_id(measures, create_metrics).await
    }

    /// Whether there is such a door.
    async fn store_batch(&self, measures: &[ResourceMeasures], create_metrics: bool) -> Result<bool> {
        let ask = Ask::post("store measures of resources", "batch/resources/metrics/measures").repeatable();
        let ask = if create_metrics { ask.query("create_metrics", "true") } else { ask };
        let ask = ask.body(JSON, write::resource_measures(measures));
        match self.0.api.ask_if_there(ask.clone()).await {
            Ok(answer) => Ok(answer.is_some()),
            // It does not know that it is to make them.
            Err(Error::UnknownMetrics(_)) if create_metrics => {
                self.metrics_of_all(measures, true).await?;
                self.done(ask).await.map(|()| true)
            }
            Err(error) => Err(error),
        }
    }

    /// Whether there is such a door.
    async fn store_all_by_name(&self, measures: &[ResourceMeasures]) -> Result<bool> {
        let each: Vec<_> = measures.iter().map(|resource| self.store_by_name(resource)).collect();
        let stored: Vec<_> = stream::iter(each).buffered(AT_A_TIME).try_collect().await?;
        let mut unknown = Vec::new();
        for outcome in stored {
            match outcome {
                ByName::Stored => {}
                ByName::NoSuchDoor => return Ok(false),
                ByName::NoSuchResource(resource) => unknown.push(resource),
            }
        }
        missing(unknown, Vec::new()).map(|()| true)
    }

    async fn store_by_name(&self, resource: &ResourceMeasures) -> Result<ByName> {
        let path = match self.path_of("generic", &resource.resource_id).await {
            Err(Error::NoSuchResource(_)) if resource.metrics.is_empty() => return Ok(ByName::Stored),
            Err(Error::NoSuchResource(told)) => return Ok(ByName::NoSuchResource(unknown(resource, &told))),
            path => path?,
        };
        for (name, (metric, measures)) in &resource.metrics {
            let path_of_measures = format!("{path}/metric/{}/measures", segment("a metric", name)?);
            let ask = Ask::post("store measures of a resource", path_of_measures).repeatable();
            let ask = ask.body(JSON, write::measures(measures));
            match self.0.api.ask_if_there(ask.clone()).await {
                Ok(Some(_)) => {}
                Ok(None) => return Ok(ByName::NoSuchDoor),
                Err(Error::NoSuchResource(told)) => {
                    return Ok(ByName::NoSuchResource(unknown(resource, &told)));
                }
                Err(Error::NoSuchMetric(_)) => {
                    self.make_metrics(&path, [(name, metric)]).await?;
                    self.done(ask).await?;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(ByName::Stored)
    }

    async fn store_all_by_id(&self, measures: &[ResourceMeasures], create_metrics: bool) -> Result<()> {
        let ids = self.metrics_of_all(measures, create_metrics).await?;
        let mut each = Vec::new();
        for (resource, ids) in measures.iter().zip(&ids) {
            for (name, (_, measures)) in &resource.metrics {
                let id = ids.get(name).ok_or_else(|| Error::NoSuchMetric(name.clone()))?;
                each.push(self.store_by_id(*id, measures));
            }
        }
        stream::iter(each).buffer_unordered(AT_A_TIME).try_collect().await
    }

    async fn store_by_id(&self, metric: Uuid, measures: &[Measure]) -> Result<()> {
        let ask = Ask::post("store measures", format!("metric/{metric}/measures")).repeatable();
        self.done(ask.body(JSON, write::measures(measures))).await
    }

    /// The ids of the metrics of each of these resources, by name; fails unless all are there, or could be made.
    async fn metrics_of_all(
        &self,
        measures: &[ResourceMeasures],
        create_metrics: bool,
    ) -> Result<Vec<BTreeMap<String, Uuid>>> {
        let each: Vec<_> =
            measures.iter().map(|resource| self.metrics_for(resource, create_metrics)).collect();
        let found: Vec<_> = stream::iter(each).buffered(AT_A_TIME).try_collect().await?;
        let (mut all, mut unknown, mut unknown_metrics) = (Vec::new(), Vec::new(), Vec::new());
        for (outcome, resource) in found.into_iter().zip(measures) {
            let (id, there) = match outcome {
                Ok(there) => there,
                Err(resource) => {
                    let id = resource.resource_id;
                    unknown.push(resource);
                    (id, BTreeMap::new())
                }
            };
            if !create_metrics {
                let missing = resource.metrics.keys().filter(|name| !there.contains_key(*name));
                unknown_metrics.extend(missing.map(|name| format!("{id}/{name}")));
            }
            all.push(there);
        }
        missing(unknown, unknown_metrics).map(|()| all)
    }

    /// The id of a resource that is there, and its metrics, with those that are wanted of it.
    async fn metrics_for(
        &self,
        resource: &ResourceMeasures,
        create_metrics: bool,
    ) -> Result<std::result::Result<(Uuid, BTreeMap<String, Uuid>), UnknownResource>> {
        if resource.metrics.is_empty() {
            return Ok(Ok((Uuid::nil(), BTreeMap::new())));
        }
        let read = async || {
            let there = self.read_resource("generic", &resource.resource_id).await?;
            Ok((there.id, there.metrics))
        };
        let there = match read().await {
            Err(Error::NoSuchResource(told)) => return Ok(Err(unknown(resource, &told))),
            there => there?,
        };
        let missing = resource.metrics.iter().filter(|(name, _)| !there.1.contains_key(*name));
        let missing: Vec<_> = missing.map(|(name, (metric, _))| (name, metric)).collect();
        if missing.is_empty() || !create_metrics {
            return Ok(Ok(there));
        }
        let path = self.path_of("generic", &resource.resource_id).await?;
        self.make_metrics(&path, missing).await?;
        read().await.map(Ok)
    }

    /// Gives a resource metrics, unless somebody else just did.
    async fn make_metrics<'a>(
        &self,
        path: &str,
        metrics: impl IntoIterator<Item = (&'a String, &'a NamedMetric)>,
    ) -> Result<()> {
        for (name, metric) in metrics {
            let body = write::named_metrics([(name, metric)]);
            let ask = Ask::post("give a resource a metric", format!("{path}/metric")).json(&body);
            match self.done(ask).await {
                Ok(()) | Err(Error::NamedMetricAlreadyExists(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// What became of the measures of one resource.
enum ByName {
    Stored,
    NoSuchDoor,
    NoSuchResource(UnknownResource),
}

/// A resource that is not there; Gnocchi told it by the id that it would have.
fn unknown(resource: &ResourceMeasures, told: &str) -> UnknownResource {
    let id = parse_uuid(told).or_else(|| parse_uuid(&resource.resource_id));
    UnknownResource {
        resource_id: id.unwrap_or_default(),
        original_resource_id: resource.resource_id.clone(),
    }
}

/// Fails when something is missing, in the order in which Gnocchi tells it.
fn missing(resources: Vec<UnknownResource>, mut metrics: Vec<String>) -> Result<()> {
    if !metrics.is_empty() {
        metrics.sort();
        return Err(Error::UnknownMetrics(metrics));
    }
    if !resources.is_empty() {
        return Err(Error::UnknownResources(resources));
    }
    Ok(())
}
