//! `POST /v1/batch/metrics/measures` and `POST /v1/batch/resources/metrics/measures`

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use nephoscope_gnocchi::{
    Error, Filter, Metric, MetricChoice, MetricMeasures, ResourceMeasures, SchemaError, Value,
    read_metric_measures, read_resource_measures, resource_uuid,
};
use uuid::Uuid;

use super::super::arguments::Arguments;
use super::super::clock::now;
use super::super::content::Content;
use super::super::fault::Fault;
use super::super::policy::{Action, Target};
use super::super::requester::Requester;
use super::super::{Door, answer};
use super::resources::no_rule;

/// How many metrics or resources are looked up at a time to find out whose they are.
const LOOKED_UP_AT_A_TIME: usize = 1000;

pub(in super::super) async fn store_metrics_measures(
    State(door): State<Arc<Door>>,
    requester: Requester,
    request: Request,
) -> Result<Response, Fault> {
    let gnocchi = requester.gnocchi()?;
    let content = Content::json(&door, request).await?;
    let now = now();
    let measures = content.decode(move |bytes| Ok(read_metric_measures(bytes, now)?)).await?;
    drop(content);
    if !requester.may_with_all(Action::PostMeasures)? {
        enforce_metrics(&requester, &measures).await?;
    }
    gnocchi.add_measures(measures).await?;
    Ok(answer::accepted())
}

pub(in super::super) async fn store_resources_measures(
    State(door): State<Arc<Door>>,
    requester: Requester,
    arguments: Arguments,
    request: Request,
) -> Result<Response, Fault> {
    let gnocchi = requester.gnocchi()?;
    let content = Content::json(&door, request).await?;
    let now = now();
    let measures = content.decode(move |bytes| Ok(read_resource_measures(bytes, now)?)).await?;
    drop(content);
    if measures.iter().all(|resource| resource.metrics.is_empty()) {
        return Ok(answer::accepted());
    }
    let create_metrics = arguments.bool("create_metrics", false)?;
    if create_metrics && measures.iter().flat_map(|it| it.metrics.keys()).any(|name| name.contains('/')) {
        return Err(Fault::bad_request("'/' is not supported in metric name"));
    }
    if !requester.may_with_all(Action::PostMeasures)? {
        enforce_all(&requester, &measures, create_metrics).await?;
    }
    gnocchi.add_resource_measures(measures, create_metrics).await.map_err(|error| match error {
        Error::NoArchivePolicyRuleMatch(name) => no_rule(&name),
        missing @ Error::NoSuchArchivePolicy(_) => Fault::from(missing).with_status(StatusCode::BAD_REQUEST),
        other => other.into(),
    })?;
    Ok(answer::accepted())
}

/// Refuses, if any of the metrics is not there, and then if any is one that they may not write to.
async fn enforce_metrics(requester: &Requester, measures: &MetricMeasures) -> Result<(), Fault> {
    let mut unknown: BTreeSet<_> = measures.iter().map(|(id, _)| *id).collect();
    let ids: Vec<_> = unknown.iter().copied().collect();
    let mut allowed = Ok(());
    for ids in ids.chunks(LOOKED_UP_AT_A_TIME) {
        for metric in metrics_with(requester, "id", ids).await? {
            unknown.remove(&metric.id);
            allowed = allowed.and_then(|()| requester.enforce(Action::PostMeasures, Target::Metric(&metric)));
        }
    }
    if unknown.is_empty() {
        return allowed;
    }
    Err(Error::UnknownMetrics(unknown.iter().map(Uuid::to_string).collect()).into())
}

/// Refuses, if any of the metrics is not there and would not be made, and then if any is one that they may not write to.
pub(super) async fn enforce_all(
    requester: &Requester,
    measures: &[ResourceMeasures],
    create_metrics: bool,
) -> Result<(), Fault> {
    let creator = requester.identity()?.creator();
    let (mut allowed, mut unknown) = (Ok(()), Vec::new());
    for some in measures.chunks(LOOKED_UP_AT_A_TIME) {
        let mut by_id = HashMap::new();
        for resource in some {
            let id = resource_uuid(&resource.resource_id, &creator).map_err(SchemaError::from)?;
            by_id.insert(id, resource.metrics.keys().map(String::as_str).collect::<BTreeSet<_>>());
        }
        let ids: Vec<_> = by_id.keys().copied().collect();
        for metric in metrics_with(requester, "resource_id", &ids).await? {
            let names = metric.resource_id.and_then(|id| by_id.get_mut(&id));
            let name = metric.name.as_deref().unwrap_or_default();
            if names.is_some_and(|names| names.remove(name)) {
                let target = Target::Metric(&metric);
                allowed = allowed.and_then(|()| requester.enforce(Action::PostMeasures, target));
            }
        }
        unknown.extend(
            by_id.iter().flat_map(|(id, names)| names.iter().map(move |name| format!("{id}/{name}"))),
        );
    }
    if create_metrics || unknown.is_empty() {
        return allowed;
    }
    unknown.sort();
    Err(Error::UnknownMetrics(unknown).into())
}

async fn metrics_with(requester: &Requester, attribute: &str, ids: &[Uuid]) -> Result<Vec<Metric>, Fault> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let ids = ids.iter().map(|id| Value::String(id.to_string())).collect();
    let filter = Some(Filter::In(attribute.into(), ids));
    let choice = MetricChoice { filter, ..MetricChoice::default() };
    Ok(requester.gnocchi()?.metrics(&choice).await?)
}
