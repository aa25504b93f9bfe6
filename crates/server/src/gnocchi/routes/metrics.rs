//! `/v1/metric`

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use nephoscope_gnocchi::{
    Comparison, Error, Filter, Gnocchi, Metric, MetricChoice, MetricStatus, Resource, Value, parse_uuid,
};
use serde_json::json;

use super::super::arguments::Arguments;
use super::super::content::Content;
use super::super::fault::Fault;
use super::super::links::Links;
use super::super::page::Part;
use super::super::policy::{Action, Target};
use super::super::requester::Requester;
use super::super::{Door, answer, read, wire};
use super::resources::{check_rules, no_rule};

const DEFAULT_ORDER: [&str; 1] = ["id:asc"];

/// An attribute is this text.
pub(super) fn is(attribute: &str, value: impl Into<String>) -> Filter {
    Filter::Compare(Comparison::Equal, attribute.into(), Value::String(value.into()))
}

pub(in super::super) async fn list_metrics(
    State(door): State<Arc<Door>>,
    requester: Requester,
    arguments: Arguments,
    links: Links,
) -> Result<Response, Fault> {
    let status = match arguments.one("status")? {
        None | Some("active") => MetricStatus::Active,
        Some("delete") => MetricStatus::Delete,
        Some(_) => {
            return Err(Fault::bad_request(
                "Invalid input: not a valid value for dictionary value @ data['status']",
            ));
        }
    };
    let mut conditions = Vec::new();
    for name in ["id", "name", "unit", "archive_policy_name"] {
        if let Some(value) = arguments.one(name)? {
            conditions.push(is(name, value));
        }
    }
    let creator = match (arguments.one("user_id")?, arguments.one("project_id")?) {
        (None, None) => arguments.one("creator")?.map(str::to_owned),
        (user, project) => Some(format!("{}:{}", user.unwrap_or_default(), project.unwrap_or_default())),
    };
    conditions.extend(creator.map(|creator| is("creator", creator)));
    conditions.extend(requester.metrics_of_theirs()?);
    let part = Part::read(&arguments, door.settings.max_limit, &DEFAULT_ORDER)?;
    let choice = MetricChoice {
        status,
        filter: (!conditions.is_empty()).then_some(Filter::And(conditions)),
        page: part.page.clone(),
        ..MetricChoice::default()
    };
    let metrics = requester.gnocchi_for_anybody().metrics(&choice).await?;
    part.check_directions()?;
    let next = part.next(metrics.len(), || metrics.last().map(|last| last.id.to_string()), &links);
    let mut answer = answer::json(&metrics.iter().map(wire::listed_metric).collect::<Vec<_>>());
    if let Some((name, value)) = next {
        answer.headers_mut().insert(name, value);
    }
    Ok(answer)
}

pub(in super::super) async fn create_metric(
    State(door): State<Arc<Door>>,
    requester: Requester,
    links: Links,
    request: Request,
) -> Result<Response, Fault> {
    let gnocchi = requester.gnocchi()?;
    let identity = requester.identity()?;
    let body = Content::json(&door, request).await?.value().await?;
    let metric = read::read_new_metric(&body, &identity.creator())?;
    if let (None, Some(name)) = (&metric.archive_policy_name, &metric.name) {
        check_rules(&*gnocchi, Some(&json!({ name: {} }))).await?;
    }
    if let Some(id) = &metric.resource_id {
        let resource = gnocchi.resource("generic", id).await?;
        requester.enforce(Action::UpdateResource, Target::Resource(&resource))?;
    }
    let mut target = vec![("creator", identity.user.as_str())];
    let properties = [
        ("archive_policy_name", &metric.archive_policy_name),
        ("original_resource_id", &metric.resource_id),
        ("name", &metric.name),
        ("unit", &metric.unit),
    ];
    target.extend(properties.iter().filter_map(|(name, value)| Some((*name, value.as_deref()?))));
    requester.enforce(Action::CreateMetric, Target::Anything(&target))?;
    let name = metric.name.clone();
    let created = gnocchi.create_metric(metric).await.map_err(|error| match error {
        Error::NoArchivePolicyRuleMatch(_) => no_rule(name.as_deref().unwrap_or("None")),
        Error::NamedMetricAlreadyExists(name) => Fault::described(
            StatusCode::BAD_REQUEST,
            json!({ "cause": "Named metric already exists", "detail": name }),
        ),
        missing @ Error::NoSuchArchivePolicy(_) => Fault::from(missing).with_status(StatusCode::BAD_REQUEST),
        other => other.into(),
    })?;
    let location = links.location(&format!("/metric/{}", created.id));
    Ok(answer::created(location, &wire::new_metric(&created)))
}

/// The metric with that id, with its resource.
pub(in super::super) async fn find(gnocchi: &dyn Gnocchi, id: &str) -> Result<Metric, Fault> {
    let unknown = || Error::NoSuchMetric(id.to_owned());
    let uuid = parse_uuid(id).ok_or_else(unknown)?;
    Ok(gnocchi.metric(uuid).await?)
}

/// The metric of a resource with that name, with its resource.
pub(in super::super) async fn find_named(
    gnocchi: &dyn Gnocchi,
    resource_type: &str,
    id: &str,
    name: &str,
) -> Result<Metric, Fault> {
    gnocchi.resource_type(resource_type).await?;
    // A metric is found by its resource whatever type is named; only of one that is not there the type matters.
    let resource = gnocchi.resource("generic", id).await?;
    match resource.metrics.get(name) {
        Some(metric) => Ok(gnocchi.metric(*metric).await?),
        None => {
            gnocchi.resource(resource_type, id).await?;
            Err(Error::NoSuchMetric(name.to_owned()).into())
        }
    }
}

/// The metrics of a resource.
pub(super) async fn of_resource(requester: &Requester, resource: &Resource) -> Result<Vec<Metric>, Fault> {
    let filter = Some(is("resource_id", resource.id.to_string()));
    let choice = MetricChoice { filter, ..MetricChoice::default() };
    Ok(requester.gnocchi()?.metrics(&choice).await?)
}

fn show(requester: &Requester, metric: &Metric) -> Result<Response, Fault> {
    requester.enforce(Action::GetMetric, Target::Metric(metric))?;
    Ok(answer::json(&wire::metric(metric)))
}

async fn delete(requester: &Requester, metric: &Metric) -> Result<Response, Fault> {
    requester.enforce(Action::DeleteMetric, Target::Metric(metric))?;
    requester.gnocchi()?.delete_metric(metric.id).await?;
    Ok(answer::done())
}

pub(in super::super) async fn show_metric(
    requester: Requester,
    Path(id): Path<String>,
) -> Result<Response, Fault> {
    show(&requester, &find(&*requester.gnocchi()?, &id).await?)
}

pub(in super::super) async fn delete_metric(
    requester: Requester,
    Path(id): Path<String>,
) -> Result<Response, Fault> {
    delete(&requester, &find(&*requester.gnocchi()?, &id).await?).await
}

pub(in super::super) async fn show_named_metric(
    requester: Requester,
    Path((resource_type, id, name)): Path<(String, String, String)>,
) -> Result<Response, Fault> {
    show(&requester, &find_named(&*requester.gnocchi()?, &resource_type, &id, &name).await?)
}

pub(in super::super) async fn delete_named_metric(
    requester: Requester,
    Path((resource_type, id, name)): Path<(String, String, String)>,
) -> Result<Response, Fault> {
    delete(&requester, &find_named(&*requester.gnocchi()?, &resource_type, &id, &name).await?).await
}
