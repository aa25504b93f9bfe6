//! Metrics, their measures, and calculations across them.

use std::collections::{HashMap, HashSet};

use futures_util::future::join_all;
use nephoscope_gnocchi::{
    AggregatesAnswer, AggregatesQuery, AttributeValue, Error, Filter, Metric, MetricChoice, MetricStatus,
    NewMetric, Page, Point, Range, ResourceSelection, Result, Subject,
};
use serde_json::Value as Json;
use uuid::Uuid;

use super::Remote;
use crate::api::Ask;
use crate::choice::{Condition, Source, names_of_resources};
use crate::path::in_path;
use crate::read::{self, Kinds, WireAnswer, WireMetric, WireNewMetric, WirePoint, base_attribute, by_form};
use crate::{pages, write};

/// How many metrics are asked for at the same time, where each has to be asked for: enough to hide the way, and not all
/// that an API of a few workers has to spare.
const AT_A_TIME: usize = 8;

impl Remote {
    async fn read_wire_metric(&self, id: Uuid) -> Result<WireMetric> {
        self.read(Ask::get("read a metric", format!("metric/{id}"))).await
    }

    pub(super) async fn read_metric(&self, id: Uuid) -> Result<Metric> {
        let metric = self.read_wire_metric(id).await?;
        let kinds = self.learn(self.known_kinds(metric.resource.iter())).await?;
        Ok(metric.into_metric(&kinds))
    }

    pub(super) async fn make_metric(&self, metric: NewMetric) -> Result<Metric> {
        let made: WireNewMetric =
            self.read(Ask::post("make a metric", "metric").json(&write::new_metric(&metric))).await?;
        self.read_metric(made.id).await
    }

    /// Those of these metrics that are there.
    async fn metrics_that_are_there(&self, ids: &[Uuid]) -> Result<Vec<Metric>> {
        let mut found = Vec::with_capacity(ids.len());
        for some in ids.chunks(AT_A_TIME) {
            for metric in join_all(some.iter().map(|id| self.read_metric(*id))).await {
                match metric {
                    Ok(metric) => found.push(metric),
                    Err(Error::NoSuchMetric(_)) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(found)
    }

    /// The metrics of a resource of any type; none, where it is not there.
    async fn metrics_of(&self, resource: &str) -> Result<Vec<Metric>> {
        let Some(id) = in_path(resource) else { return Ok(Vec::new()) };
        let ask = Ask::get("list the metrics of a resource", format!("resource/generic/{id}/metric"));
        match self.read::<Vec<WireMetric>>(ask).await {
            Ok(found) => Ok(found.into_iter().map(|metric| metric.into_metric(&Kinds::new())).collect()),
            Err(Error::NoSuchResource(_)) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn choose_metrics(&self, choice: &MetricChoice) -> Result<Vec<Metric>> {
        let everything = Filter::And(Vec::new());
        let filter = choice.filter.as_ref().unwrap_or(&everything);
        let condition = Condition::new(filter, &self.resources_named(filter).await?)?;
        let of_resources = self.resources_taken(choice).await?;
        let takes = |metric: &Metric| {
            let own = metric.resource_id;
            let is_of_them = |ids: &HashSet<Uuid>| own.is_some_and(|id| ids.contains(&id));
            condition.takes(metric) && of_resources.as_ref().is_none_or(is_of_them)
        };
        // Whoever wants an order, or those behind one, gets it from Gnocchi.
        let page = &choice.page;
        let whole_list =
            !page.sort.is_empty() || page.marker.is_some() || choice.status == MetricStatus::Delete;
        let mut found = match condition.source(whole_list) {
            Source::Ids(ids) => by_id(self.metrics_that_are_there(&ids).await?),
            Source::Resources(resources) => {
                let mut found = Vec::new();
                for resource in resources {
                    found.extend(self.metrics_of(&resource).await?);
                }
                by_id(found)
            }
            Source::List(asked, is_all) => {
                let status = (choice.status == MetricStatus::Delete).then(|| ("status", "delete".into()));
                let ask = Ask::get("list metrics", "metric").queries(asked).queries(status);
                // What Gnocchi cannot be asked for is taken away here, and only then counted.
                let limit = page.limit.filter(|_| is_all && choice.resource_filter.is_none());
                let whole: Vec<WireMetric> =
                    pages::all(&self.0.api, ask, &Page { limit, ..page.clone() }).await?;
                whole.into_iter().map(|metric| metric.into_metric(&Kinds::new())).collect()
            }
        };
        found.retain(takes);
        found.truncate(page.limit.unwrap_or(usize::MAX));
        if choice.details { self.with_resources(found).await } else { Ok(without_resources(found)) }
    }

    /// What texts that name resources mean.
    async fn resources_named(&self, filter: &Filter) -> Result<HashMap<String, Uuid>> {
        let (mut names, mut meant) = (Vec::new(), HashMap::new());
        names_of_resources(filter, &mut names);
        for name in names.into_iter().filter(|name| !name.contains('/')) {
            if let Some(id) = self.uuid_of("generic", &name).await? {
                meant.insert(name, id);
            }
        }
        Ok(meant)
    }

    /// The resources that metrics have to be of, where that is said.
    async fn resources_taken(&self, choice: &MetricChoice) -> Result<Option<HashSet<Uuid>>> {
        let Some(filter) = &choice.resource_filter else { return Ok(None) };
        let selection = ResourceSelection { filter: Some(filter.clone()), ..ResourceSelection::default() };
        let found = self.find_resources("generic", &selection).await?;
        Ok(Some(found.iter().map(|resource| resource.id).collect()))
    }

    /// A list does not tell them.
    async fn with_resources(&self, metrics: Vec<Metric>) -> Result<Vec<Metric>> {
        let ids: Vec<_> = metrics.iter().map(|metric| metric.id).collect();
        self.metrics_that_are_there(&ids).await
    }

    pub(super) async fn read_measures(&self, metric: Uuid, range: &Range) -> Result<Vec<Point>> {
        let mut ask = Ask::get("read measures", format!("metric/{metric}/measures")).of_series();
        ask = ask.queries(write::range(range));
        if self.0.refresh {
            ask = ask.query("refresh", "true");
        }
        let answer = self.0.api.ask(ask).await?;
        let points: Vec<WirePoint> = read::json_of_python(&answer)?;
        Ok(points.into_iter().map(Into::into).collect())
    }

    pub(super) async fn calculate(&self, query: &AggregatesQuery) -> Result<AggregatesAnswer> {
        let ask = Ask::post("calculate across metrics", "aggregates").of_series().repeatable();
        let ask = ask.queries(write::aggregates_query(query)).json(&write::aggregates(query));
        let answer = self.0.api.ask(ask).await?;
        let found: WireAnswer = read::json_of_python(&answer)?;
        let mut kinds = self.learn(self.known_kinds(found.resources())).await?;
        let of_type = match (&found, &query.subject) {
            (WireAnswer::Grouped(groups), Subject::Resources { resource_type, .. }) if !groups.is_empty() => {
                kinds = self.with_type(kinds, resource_type).await?;
                kinds.get(resource_type).cloned()
            }
            _ => None,
        };
        let kind = |name: &str, value: &Json| -> AttributeValue {
            let own = || Some(of_type.as_ref()?.attributes.get(name)?.kind);
            let kind = base_attribute(name).or_else(own);
            kind.and_then(|kind| read::of_kind(kind, value)).unwrap_or_else(|| by_form(value))
        };
        read::groups(found, &kinds, kind).map_err(|misplaced| read::strange(&answer, &misplaced))
    }

    async fn with_type(&self, kinds: Kinds, resource_type: &str) -> Result<Kinds> {
        if kinds.contains_key(resource_type) {
            return Ok(kinds);
        }
        self.learn((kinds, vec![resource_type.into()])).await
    }
}

/// In the order of a list that nobody gave another.
fn by_id(mut metrics: Vec<Metric>) -> Vec<Metric> {
    metrics.sort_by_key(|metric| metric.id);
    metrics.dedup_by_key(|metric| metric.id);
    metrics
}

fn without_resources(mut metrics: Vec<Metric>) -> Vec<Metric> {
    metrics.iter_mut().for_each(|metric| metric.resource = None);
    metrics
}
