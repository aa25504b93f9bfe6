//! `/v1/metric/ID/measures`, and that of the metrics of resources.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use nephoscope_gnocchi::{AggregationMethod, Metric, Range, Resolution, Timespan, Timestamp, read_measures};
use serde_json::json;

use super::super::arguments::Arguments;
use super::super::clock::now;
use super::super::content::Content;
use super::super::fault::Fault;
use super::super::policy::{Action, Target};
use super::super::requester::Requester;
use super::super::{Door, answer, wire};
use super::metrics::{find, find_named};

async fn store(
    door: &Door,
    requester: &Requester,
    metric: &Metric,
    request: Request,
) -> Result<Response, Fault> {
    requester.enforce(Action::PostMeasures, Target::Metric(metric))?;
    let content = Content::json(door, request).await?;
    let now = now();
    let measures = content.decode(move |bytes| Ok(read_measures(bytes, now)?)).await?;
    if !measures.is_empty() {
        requester.gnocchi()?.add_measures(vec![(metric.id, measures)]).await?;
    }
    Ok(answer::accepted())
}

pub(in super::super) async fn store_measures(
    State(door): State<Arc<Door>>,
    requester: Requester,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Fault> {
    let metric = find(&*requester.gnocchi()?, &id).await?;
    store(&door, &requester, &metric, request).await
}

pub(in super::super) async fn store_named_measures(
    State(door): State<Arc<Door>>,
    requester: Requester,
    Path((resource_type, id, name)): Path<(String, String, String)>,
    request: Request,
) -> Result<Response, Fault> {
    let metric = find_named(&*requester.gnocchi()?, &resource_type, &id, &name).await?;
    store(&door, &requester, &metric, request).await
}

pub(in super::super) async fn show_measures(
    requester: Requester,
    Path(id): Path<String>,
    arguments: Arguments,
) -> Result<Response, Fault> {
    show(&requester, &find(&*requester.gnocchi()?, &id).await?, &arguments).await
}

pub(in super::super) async fn show_named_measures(
    requester: Requester,
    Path((resource_type, id, name)): Path<(String, String, String)>,
    arguments: Arguments,
) -> Result<Response, Fault> {
    show(&requester, &find_named(&*requester.gnocchi()?, &resource_type, &id, &name).await?, &arguments).await
}

async fn show(requester: &Requester, metric: &Metric, arguments: &Arguments) -> Result<Response, Fault> {
    requester.enforce(Action::GetMeasures, Target::Metric(metric))?;
    let resample = arguments.one_filled("resample")?;
    let granularity = arguments.one_filled("granularity")?;
    if resample.is_some() && granularity.is_none() {
        return Err(Fault::bad_request("A granularity must be specified to resample"));
    }
    let resample = resample.map(resolution).transpose()?;
    let now = now();
    let start = moment(arguments, "start", now)?;
    let stop = moment(arguments, "stop", now)?;
    let span =
        |text: &str| Timespan::parse(text).map_err(|error| Fault::argument("granularity", error.to_string()));
    let granularity = granularity.map(span).transpose()?;
    let method = arguments.one("aggregation")?.unwrap_or("mean");
    let known: Option<AggregationMethod> = method.parse().ok();
    let kept = known.filter(|method| metric.archive_policy.aggregation_methods.contains(method));
    let aggregation = kept.ok_or_else(|| no_method(metric, method))?;
    let range = Range { start, stop, aggregation, granularity, resample };
    let points = requester.gnocchi()?.measures(metric.id, &range).await?;
    // Everything that was stored is seen at once. What is no answer to that, Gnocchi tells last.
    arguments.bool("refresh", false)?;
    Ok(answer::written(wire::points(&points)))
}

/// The metric's policy does not keep that aggregate.
pub(super) fn no_method(metric: &Metric, method: &str) -> Fault {
    Fault::described(
        StatusCode::NOT_FOUND,
        json!({
            "cause": "Aggregation method does not exist for this metric",
            "detail": { "metric": metric.id.to_string(), "aggregation_method": method },
        }),
    )
}

/// A moment of the query.
pub(super) fn moment(arguments: &Arguments, name: &str, now: Timestamp) -> Result<Option<Timestamp>, Fault> {
    let parse = |text: &str| {
        let parsed = Timestamp::parse(text, now);
        parsed.map_err(|_| Fault::argument(name, "Must be a datetime or a timestamp"))
    };
    arguments.one(name)?.map(parse).transpose()
}

pub(super) fn resolution(text: &str) -> Result<Resolution, Fault> {
    Resolution::parse(text).map_err(|error| Fault::bad_request(error.to_string()))
}
