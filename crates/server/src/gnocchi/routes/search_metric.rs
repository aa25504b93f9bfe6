//! `/v1/search/metric`: which values of metrics fulfil a condition.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use nephoscope_gnocchi::{
    AggregationMethod, Metric, MetricChoice, Range, Timespan, Timestamp, ValueQuery, ValueQueryError,
    parse_uuid,
};
use serde_json::json;

use super::super::arguments::Arguments;
use super::super::clock::now;
use super::super::content::{self, Content};
use super::super::fault::Fault;
use super::super::policy::{Action, Target};
use super::super::requester::Requester;
use super::super::{Door, answer, wire};
use super::calculation::with_ids;

pub(in super::super) async fn search(
    State(door): State<Arc<Door>>,
    requester: Requester,
    arguments: Arguments,
    request: Request,
) -> Result<Response, Fault> {
    let ids: Option<Vec<_>> = arguments.all("metric_id").map(parse_uuid).collect();
    let ids = ids.ok_or_else(|| Fault::argument("metric_id", "Must be UUIDs"))?;
    let gnocchi = requester.gnocchi()?;
    // As in Gnocchi, rules do not see the resources of the metrics here.
    let choice = MetricChoice { filter: Some(with_ids(&ids)), ..MetricChoice::default() };
    let metrics = if ids.is_empty() { Vec::new() } else { gnocchi.metrics(&choice).await? };
    for metric in &metrics {
        requester.enforce(Action::SearchMetric, Target::Metric(metric))?;
    }
    let is_json = content::is_json(request.headers());
    let content = Content::of_any_type(&door, request).await?;
    if content.is_empty() {
        return Err(Fault::bad_request("No query specified in body"));
    }
    if !is_json {
        return Err(Fault::bare(StatusCode::UNSUPPORTED_MEDIA_TYPE));
    }
    let query = match ValueQuery::from_json(&content.value().await?) {
        Err(ValueQueryError::Shape(error)) => return Err(error.into()),
        query => query,
    };
    let now = now();
    let moment = |name: &str| {
        let parse = |text: &str| {
            Timestamp::parse(text, now).map_err(|_| Fault::bad_request(format!("Invalid value for {name}")))
        };
        arguments.one(name)?.map(parse).transpose()
    };
    let (start, stop) = (moment("start")?, moment("stop")?);
    let query = query.map_err(|error| Fault::bad_request(error.to_string()))?;
    let aggregation = arguments.one("aggregation")?.unwrap_or("mean");
    let granularities = granularities(&arguments, &metrics, aggregation)?;
    let known: Option<AggregationMethod> = aggregation.parse().ok();
    let mut found = Vec::with_capacity(metrics.len());
    for metric in &metrics {
        let keeps = |method: &AggregationMethod| metric.archive_policy.aggregation_methods.contains(method);
        let mut points = Vec::new();
        // Of an aggregate that is not kept there are no values.
        if let Some(aggregation) = known.filter(keeps) {
            for granularity in &granularities {
                let granularity = Some(*granularity);
                let range = Range { start, stop, aggregation, granularity, resample: None };
                points.extend(gnocchi.measures(metric.id, &range).await?);
            }
        }
        points.retain(|point| query.takes(point.value));
        found.push(format!("\"{}\": {}", metric.id, wire::points(&points)));
    }
    Ok(answer::written(format!("{{{}}}", found.join(", "))))
}

/// Those that are asked for, else those of the first metric, coarse first. All metrics have to have them.
fn granularities(
    arguments: &Arguments,
    metrics: &[Metric],
    aggregation: &str,
) -> Result<Vec<Timespan>, Fault> {
    let parse =
        |text: &str| Timespan::parse(text).map_err(|error| Fault::argument("granularity", error.to_string()));
    let mut granularities = arguments.all("granularity").map(parse).collect::<Result<Vec<_>, _>>()?;
    if let (true, Some(first)) = (granularities.is_empty(), metrics.first()) {
        granularities.extend(first.archive_policy.definition.iter().map(|definition| definition.granularity));
    }
    granularities.sort_unstable_by_key(|granularity| std::cmp::Reverse(*granularity));
    granularities.dedup();
    for metric in metrics {
        for granularity in &granularities {
            let mut known = metric.archive_policy.definition.iter();
            if !known.any(|definition| definition.granularity == *granularity) {
                return Err(Fault::described(
                    StatusCode::BAD_REQUEST,
                    json!({
                        "cause": "Aggregation does not exist",
                        "detail": {
                            "granularity": granularity.as_seconds(),
                            "aggregation_method": aggregation,
                        },
                    }),
                ));
            }
        }
    }
    Ok(granularities)
}
