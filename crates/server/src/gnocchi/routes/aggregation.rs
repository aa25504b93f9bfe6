//! `/v1/aggregation`, which was there before `/v1/aggregates`: one aggregate across metrics, or their resources.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use nephoscope_gnocchi::{
    AggregatesAnswer, AggregatesQuery, AggregationMethod, CrossAggregation, Definition, Error, Fill, Filter,
    Metric, MetricChoice, Operation, Overlap, Page, Point, Range, Resolution, Resource, ResourceSelection,
    SchemaError, Sort, Subject, Timespan, Unaggregated, parse_uuid,
};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::super::arguments::Arguments;
use super::super::content::Content;
use super::super::fault::Fault;
use super::super::policy::{Action, Target};
use super::super::requester::Requester;
use super::super::{Door, answer, wire};
use super::calculation::{Asked, with_ids};
use super::measures::{no_method, resolution};
use super::resources::read_filter;

/// Per cent of the periods that have to be in all series, where nobody says otherwise.
const NEEDED_OVERLAP: f64 = 100.0;

pub(in super::super) async fn aggregate_named(
    requester: Requester,
    arguments: Arguments,
) -> Result<Response, Fault> {
    let read = |(at, id): (usize, &str)| {
        let wrong = || Fault::bad_request(format!("Invalid input: not a valid value @ data[{at}]"));
        parse_uuid(id).ok_or_else(wrong)
    };
    let ids = arguments.all("metric").enumerate().map(read).collect::<Result<Vec<_>, _>>()?;
    aggregate_ids(&requester, &arguments, &ids).await
}

pub(in super::super) async fn aggregate_listed(
    State(door): State<Arc<Door>>,
    requester: Requester,
    arguments: Arguments,
    request: Request,
) -> Result<Response, Fault> {
    let body = Content::json(&door, request).await?.value().await?;
    let list = body.as_array().ok_or_else(|| SchemaError::new("expected a list"))?;
    let read = |(at, id): (usize, &Value)| {
        let id = id.as_str().and_then(parse_uuid);
        id.ok_or_else(|| SchemaError::new("not a valid value").in_index(at))
    };
    let ids = list.iter().enumerate().map(read).collect::<Result<Vec<_>, _>>()?;
    aggregate_ids(&requester, &arguments, &ids).await
}

async fn aggregate_ids(
    requester: &Requester,
    arguments: &Arguments,
    ids: &[Uuid],
) -> Result<Response, Fault> {
    let metrics = find_all(requester, ids).await?;
    if let Some(missing) = ids.iter().find(|id| !metrics.iter().any(|metric| metric.id == **id)) {
        return Err(Error::NoSuchMetric(missing.to_string()).into());
    }
    Ok(answer::written(wire::points(
        &aggregate(requester, arguments, &metrics.iter().collect::<Vec<_>>()).await?,
    )))
}

pub(in super::super) async fn aggregate_resources(
    State(door): State<Arc<Door>>,
    requester: Requester,
    Path((resource_type, name)): Path<(String, String)>,
    arguments: Arguments,
    request: Request,
) -> Result<Response, Fault> {
    let gnocchi = requester.gnocchi()?;
    gnocchi.resource_type(&resource_type).await?;
    let mut groupby: Vec<&str> = arguments.all("groupby").collect();
    groupby.sort_unstable();
    groupby.dedup();
    let filter = read_filter(&door, &arguments, request).await?.filter(|filter| !filter.is_empty());
    let filter = match (requester.resources_of_theirs(Action::SearchResource, &resource_type)?, filter) {
        (Some(own), Some(filter)) => Some(Filter::And(vec![own, filter])),
        (own, filter) => own.or(filter),
    };
    let sort = |key: &&str| Sort { key: (*key).into(), direction: Default::default(), nulls: None };
    let page = Page { sort: groupby.iter().map(sort).collect(), ..Page::default() };
    let selection = ResourceSelection { filter, page, ..ResourceSelection::default() };
    let resources = gnocchi.resources(&resource_type, &selection).await.map_err(|error| match error {
        Error::InvalidPagination(_) => Fault::bad_request("Invalid groupby attribute"),
        other => Fault::from(other).with_status(StatusCode::BAD_REQUEST),
    })?;
    let ids: Vec<_> = resources.iter().filter_map(|resource| resource.metrics.get(&name).copied()).collect();
    let metrics: HashMap<_, _> =
        find_all(&requester, &ids).await?.into_iter().map(|metric| (metric.id, metric)).collect();
    let metrics_of = |resources: &[Resource]| -> Vec<&Metric> {
        resources.iter().filter_map(|resource| metrics.get(resource.metrics.get(&name)?)).collect()
    };
    if groupby.is_empty() {
        let points = aggregate(&requester, &arguments, &metrics_of(&resources)).await?;
        return Ok(answer::written(wire::points(&points)));
    }
    let mut groups = Vec::new();
    for group in resources
        .chunk_by(|one, other| groupby.iter().all(|name| one.attribute(name) == other.attribute(name)))
    {
        let value = |name: &&str| {
            let value = group.first().map(|first| wire::attribute_value(&first.attribute(name)));
            ((*name).to_owned(), value.unwrap_or_default())
        };
        let key = answer::text(&groupby.iter().map(value).collect::<Map<_, _>>());
        let points = wire::points(&aggregate(&requester, &arguments, &metrics_of(group)).await?);
        groups.push(format!("{{\"group\": {key}, \"measures\": {points}}}"));
    }
    Ok(answer::written(format!("[{}]", groups.join(", "))))
}

/// Those of the metrics that are there. As in Gnocchi, rules do not see their resources here: who only owns the resource of
/// a metric, and did not make it, asks `/v1/aggregates`.
async fn find_all(requester: &Requester, ids: &[Uuid]) -> Result<Vec<Metric>, Fault> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let choice = MetricChoice { filter: Some(with_ids(ids)), ..MetricChoice::default() };
    Ok(requester.gnocchi()?.metrics(&choice).await?)
}

/// One aggregate across metrics; of a single one its own.
async fn aggregate(
    requester: &Requester,
    arguments: &Arguments,
    metrics: &[&Metric],
) -> Result<Vec<Point>, Fault> {
    let asked = Asked::read(arguments, Fill::Overlap(Overlap(NEEDED_OVERLAP)))?;
    for metric in metrics {
        requester.enforce(Action::GetMetric, Target::Metric(metric))?;
    }
    let Some(first) = metrics.first() else { return Ok(Vec::new()) };
    let resample = arguments.one_filled("resample")?;
    if resample.is_some() && asked.granularity.is_none() {
        return Err(Fault::bad_request("A granularity must be specified to resample"));
    }
    let resample = resample.map(resolution).transpose()?;
    let aggregation = arguments.one("aggregation")?.unwrap_or("mean");
    match asked.granularity {
        Some(granularity) => check_granularity(metrics, aggregation, granularity)?,
        None => check_common_granularity(metrics, aggregation)?,
    }
    // Everything that was stored is seen at once.
    arguments.bool("refresh", false)?;
    let gnocchi = requester.gnocchi()?;
    let keeps = |metric: &Metric| {
        aggregation.parse().ok().filter(|method| metric.archive_policy.aggregation_methods.contains(method))
    };
    let Asked { start, stop, granularity, fill } = asked;
    if let [metric] = metrics {
        let aggregation = keeps(metric).ok_or_else(|| no_method(metric, aggregation))?;
        let range = Range { start, stop, aggregation, granularity, resample };
        return Ok(gnocchi.measures(metric.id, &range).await?);
    }
    let method = match metrics.iter().find(|metric| keeps(metric).is_none()) {
        None => keeps(first).expect("all keep it"),
        Some(metric) => {
            let finest = metric.archive_policy.definition.first();
            return Err(Error::NoSuchAggregation {
                metric: metric.id.to_string(),
                method: aggregation.to_owned(),
                granularity: finest.map_or(0.0, |definition| definition.granularity.as_seconds()),
            }
            .into());
        }
    };
    let across = arguments.one("reaggregation")?.unwrap_or(aggregation);
    let across: CrossAggregation =
        across.parse().map_err(|error| Fault::argument("reaggregation", format!("{error}")))?;
    let operation = operation(metrics, method, across, resample);
    let subject = Subject::Metrics;
    let query = AggregatesQuery { operation, subject, start, stop, granularity, fill, details: false };
    match gnocchi.aggregates(&query).await? {
        AggregatesAnswer::Whole(group) => {
            Ok(group.measures.into_iter().flat_map(|(_, points)| points).collect())
        }
        AggregatesAnswer::Grouped(_) => Ok(Vec::new()),
    }
}

fn check_granularity(metrics: &[&Metric], method: &str, granularity: Timespan) -> Result<(), Fault> {
    let without = metrics.iter().find(|metric| {
        let mut known = metric.archive_policy.definition.iter();
        !known.any(|definition| definition.granularity == granularity)
    });
    without.map_or(Ok(()), |metric| {
        Err(Error::NoSuchGranularity {
            metric: metric.id.to_string(),
            method: method.to_owned(),
            granularity: granularity.as_seconds(),
        }
        .into())
    })
}

/// Refuses metrics that have no granularity in common.
fn check_common_granularity(metrics: &[&Metric], method: &str) -> Result<(), Fault> {
    let Some((first, others)) = metrics.split_first() else { return Ok(()) };
    let has = |metric: &Metric, granularity: Timespan| {
        metric.archive_policy.definition.iter().any(|definition| definition.granularity == granularity)
    };
    let is_common = |definition: &Definition| others.iter().all(|metric| has(metric, definition.granularity));
    if first.archive_policy.definition.iter().any(is_common) {
        return Ok(());
    }
    let series = |metric: &&Metric| Unaggregated {
        metric: metric.id.to_string(),
        aggregation: method.to_owned(),
        granularity: None,
    };
    let detail = metrics.iter().map(series).collect();
    Err(Error::CannotBeAggregated { reason: "No granularity match".into(), detail }.into())
}

fn operation(
    metrics: &[&Metric],
    method: AggregationMethod,
    across: CrossAggregation,
    resample: Option<Resolution>,
) -> Operation {
    let series = metrics.iter().map(|metric| (metric.id.to_string(), method.to_string()));
    let series = Operation::Metrics(series.collect());
    let series = match resample {
        Some(resolution) => Operation::Resample(method, resolution, Box::new(series)),
        None => series,
    };
    Operation::Aggregate(across, Box::new(series))
}
