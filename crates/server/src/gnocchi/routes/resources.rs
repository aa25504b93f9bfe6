//! `/v1/resource` and `/v1/search/resource`

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use nephoscope_gnocchi::{Error, Filter, Glob, Gnocchi, Resource, ResourceSelection};
use serde_json::{Map, Value, json};

use super::super::arguments::Arguments;
use super::super::clock::now;
use super::super::conditions::Validators;
use super::super::content::Content;
use super::super::fault::Fault;
use super::super::links::Links;
use super::super::page::Part;
use super::super::policy::{Action, Target};
use super::super::requester::Requester;
use super::super::{Door, answer, read, wire};

const DEFAULT_ORDER: [&str; 2] = ["revision_start:asc", "started_at:asc"];

/// Where the resources of each type are.
pub(in super::super) async fn list_collections(
    requester: Requester,
    links: Links,
) -> Result<Response, Fault> {
    let types = requester.gnocchi_for_anybody().resource_types().await?;
    let api = links.api();
    let address = |name: String| {
        let address = format!("{api}/resource/{name}");
        (name, address.into())
    };
    let addresses: Map<_, Value> = types.into_iter().map(|it| address(it.name)).collect();
    Ok(answer::json(&addresses))
}

/// A part of a list of resources, as a query asks for it.
struct Listing {
    resource_type: String,
    selection: ResourceSelection,
    part: Part,
    links: Links,
}

impl Listing {
    fn read(door: &Door, resource_type: String, arguments: &Arguments, links: Links) -> Result<Self, Fault> {
        let (details, history) = (arguments.bool("details", false)?, arguments.bool("history", false)?);
        let part = Part::read(arguments, door.settings.max_limit, &DEFAULT_ORDER)?;
        let page = part.page.clone();
        Ok(Self {
            resource_type,
            selection: ResourceSelection { filter: None, details, history, page },
            part,
            links,
        })
    }

    /// What the list is restricted to for this user.
    fn restrict(&mut self, requester: &Requester, action: Action) -> Result<(), Fault> {
        if let Some(own) = requester.resources_of_theirs(action, &self.resource_type)? {
            let others = self.selection.filter.take();
            self.selection.filter = Some(match others {
                Some(filter) => Filter::And(vec![own, filter]),
                None => own,
            });
        }
        Ok(())
    }

    async fn answer(self, requester: &Requester, keys: &[&str]) -> Result<Response, Fault> {
        let gnocchi = requester.gnocchi_for_anybody();
        let resources = gnocchi.resources(&self.resource_type, &self.selection).await.map_err(in_a_query)?;
        self.part.check_directions()?;
        Ok(page_of(&resources, self.selection.history, keys, &self.part, &self.links))
    }
}

fn page_of(resources: &[Resource], history: bool, keys: &[&str], part: &Part, links: &Links) -> Response {
    let marker = || {
        resources
            .last()
            .map(|last| if history { format!("{}@{}", last.id, last.revision) } else { last.id.to_string() })
    };
    let next = part.next(resources.len(), marker, links);
    let written: Vec<_> = resources.iter().map(|resource| wire::resource_with(resource, keys)).collect();
    let mut answer = answer::json(&written);
    if let Some((name, value)) = next {
        answer.headers_mut().insert(name, value);
    }
    answer
}

/// What a query names that is not there makes the query wrong.
fn in_a_query(error: Error) -> Fault {
    let status = Fault::from(error);
    if status.status() == StatusCode::NOT_FOUND {
        status.with_status(StatusCode::BAD_REQUEST)
    } else {
        status
    }
}

/// What a body says that is not there makes the body wrong.
fn in_a_body(error: Error) -> Fault {
    match error {
        Error::NoArchivePolicyRuleMatch(name) => no_rule(&name),
        missing @ (Error::NoSuchMetric(_) | Error::NoSuchArchivePolicy(_)) => {
            Fault::from(missing).with_status(StatusCode::BAD_REQUEST)
        }
        other => other.into(),
    }
}

/// Refuses metrics that say no policy and for which there is no rule, which Gnocchi does before it tells anything else that is
/// wrong.
pub(super) async fn check_rules(gnocchi: &dyn Gnocchi, metrics: Option<&Value>) -> Result<(), Fault> {
    let names: Vec<_> = metrics.into_iter().flat_map(read::names_without_policy).collect();
    if names.is_empty() {
        return Ok(());
    }
    let rules = gnocchi.archive_policy_rules().await?;
    let patterns: Vec<_> = rules.iter().map(|rule| Glob::new(&rule.metric_pattern)).collect();
    let without = names.into_iter().find(|name| !patterns.iter().any(|pattern| pattern.matches(name)));
    without.map_or(Ok(()), |name| Err(no_rule(name)))
}

/// A metric without a policy, for which there is no rule.
pub(super) fn no_rule(name: &str) -> Fault {
    Fault::bad_request(format!(
        "No archive policy name specified and no archive policy rule found matching the metric name {name}"
    ))
}

pub(in super::super) async fn list_resources(
    State(door): State<Arc<Door>>,
    requester: Requester,
    Path(resource_type): Path<String>,
    arguments: Arguments,
    links: Links,
) -> Result<Response, Fault> {
    requester.gnocchi_for_anybody().resource_type(&resource_type).await?;
    let keys: Vec<_> = arguments.all("attrs").collect();
    let mut listing = Listing::read(&door, resource_type, &arguments, links)?;
    listing.restrict(&requester, Action::ListResource)?;
    listing.answer(&requester, &keys).await
}

pub(in super::super) async fn search_resources(
    State(door): State<Arc<Door>>,
    requester: Requester,
    Path(resource_type): Path<String>,
    arguments: Arguments,
    links: Links,
    request: Request,
) -> Result<Response, Fault> {
    let gnocchi = requester.gnocchi_for_anybody();
    gnocchi.resource_type(&resource_type).await?;
    let filter = read_filter(&door, &arguments, request).await?;
    let keys: Vec<_> = arguments.all("attrs").collect();
    let mut listing = Listing::read(&door, resource_type, &arguments, links)?;
    listing.selection.filter = filter.filter(|filter| !filter.is_empty());
    listing.restrict(&requester, Action::SearchResource)?;
    listing.answer(&requester, &keys).await
}

/// The condition in the body, else that of the query.
pub(super) async fn read_filter(
    door: &Door,
    arguments: &Arguments,
    request: Request,
) -> Result<Option<Filter>, Fault> {
    let json = super::super::content::is_json(request.headers());
    let content = Content::of_any_type(door, request).await?;
    if !content.is_empty() {
        if !json {
            return Err(Fault::bare(StatusCode::UNSUPPORTED_MEDIA_TYPE));
        }
        return Ok(Some(Filter::from_json(&content.value().await?)?));
    }
    match arguments.one_filled("filter")? {
        None => Ok(None),
        Some(text) => Filter::from_text(text).map(Some).map_err(super::filter_fault),
    }
}

pub(in super::super) async fn create_resource(
    State(door): State<Arc<Door>>,
    requester: Requester,
    Path(resource_type): Path<String>,
    links: Links,
    request: Request,
) -> Result<Response, Fault> {
    let gnocchi = requester.gnocchi_for_anybody();
    let known = gnocchi.resource_type(&resource_type).await?;
    let creator = requester.identity()?.creator();
    let body = Content::json(&door, request).await?.value().await?;
    check_rules(&*gnocchi, body.get("metrics")).await?;
    let resource = read::read_resource(&body, &known, &creator, now())?;
    requester.enforce(Action::CreateResource, Target::NewResource(&resource_type, &resource))?;
    let created = gnocchi.create_resource(&resource_type, resource).await.map_err(in_a_body)?;
    let location = links.location(&format!("/resource/{resource_type}/{}", created.id));
    Ok((
        Validators::of(&created).headers(),
        answer::created(location, &wire::written_resource(&created, &body)),
    )
        .into_response())
}

pub(in super::super) async fn delete_resources(
    State(door): State<Arc<Door>>,
    requester: Requester,
    Path(resource_type): Path<String>,
    arguments: Arguments,
    request: Request,
) -> Result<Response, Fault> {
    let gnocchi = requester.gnocchi_for_anybody();
    gnocchi.resource_type(&resource_type).await?;
    requester.identity()?;
    let filter = read_filter(&door, &arguments, request).await?.filter(|filter| !filter.is_empty());
    // Without a condition all would go.
    let filter = filter.ok_or_else(|| {
        Fault::bad_request(
            "caution: the query can not be empty, or it will                   delete entire database",
        )
    })?;
    let filter = match requester.resources_of_theirs(Action::DeleteResources, &resource_type)? {
        Some(own) => Filter::And(vec![own, filter]),
        None => filter,
    };
    let deleted = gnocchi.delete_resources(&resource_type, &filter).await.map_err(in_a_query)?;
    Ok(answer::json(&json!({ "deleted": deleted })))
}

/// The resource that a path names, if they may do that with it.
pub(super) async fn find(
    requester: &Requester,
    resource_type: &str,
    id: &str,
    action: Action,
) -> Result<Resource, Fault> {
    let gnocchi = requester.gnocchi()?;
    gnocchi.resource_type(resource_type).await?;
    let resource = gnocchi.resource(resource_type, id).await?;
    requester.enforce(action, Target::Resource(&resource))?;
    Ok(resource)
}

pub(in super::super) async fn show_resource(
    requester: Requester,
    Path((resource_type, id)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Fault> {
    let resource = find(&requester, &resource_type, &id, Action::GetResource).await?;
    let validators = Validators::of(&resource);
    validators.check(request.method(), request.headers())?;
    Ok((validators.headers(), answer::json(&wire::resource(&resource))).into_response())
}

pub(in super::super) async fn update_resource(
    State(door): State<Arc<Door>>,
    requester: Requester,
    Path((resource_type, id)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Fault> {
    let resource = find(&requester, &resource_type, &id, Action::UpdateResource).await?;
    let validators = Validators::of(&resource);
    validators.check(request.method(), request.headers())?;
    let conditional = [header::IF_MATCH, header::IF_NONE_MATCH, header::IF_UNMODIFIED_SINCE]
        .iter()
        .any(|name| request.headers().contains_key(name));
    let gnocchi = requester.gnocchi()?;
    let known = gnocchi.resource_type(&resource_type).await?;
    let creator = requester.identity()?.creator();
    let body = Content::json(&door, request).await?.value().await?;
    check_rules(&*gnocchi, body.get("metrics")).await?;
    let Some(mut change) = read::read_change(&body, &known, &creator, now())? else {
        return Ok((validators.headers(), answer::json(&wire::resource(&resource))).into_response());
    };
    // Nobody may have changed it since the conditions were held against it.
    change.if_revision_start = conditional.then_some(resource.revision_start);
    let has_metrics = change.metrics.is_some();
    let updated = gnocchi.update_resource(&resource_type, &id, change).await.map_err(in_a_body)?;
    // Of one that stays as it is, Gnocchi tells no validators.
    if !has_metrics && updated.revision_start == resource.revision_start {
        return Ok(answer::json(&wire::resource(&updated)));
    }
    let answer = answer::json(&wire::written_resource(&updated, &body));
    Ok((Validators::of(&updated).headers(), answer).into_response())
}

pub(in super::super) async fn delete_resource(
    requester: Requester,
    Path((resource_type, id)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Fault> {
    let resource = find(&requester, &resource_type, &id, Action::DeleteResource).await?;
    Validators::of(&resource).check(request.method(), request.headers())?;
    requester.gnocchi()?.delete_resource(&resource_type, &id).await?;
    Ok(answer::done())
}

pub(in super::super) async fn show_history(
    State(door): State<Arc<Door>>,
    requester: Requester,
    Path((resource_type, id)): Path<(String, String)>,
    arguments: Arguments,
    links: Links,
) -> Result<Response, Fault> {
    let gnocchi = requester.gnocchi()?;
    gnocchi.resource_type(&resource_type).await?;
    let details = arguments.bool("details", false)?;
    let part = Part::read(&arguments, door.settings.max_limit, &DEFAULT_ORDER)?;
    let resource = find(&requester, &resource_type, &id, Action::GetResource).await?;
    let filter = Some(super::metrics::is("id", resource.id.to_string()));
    let revisions = ResourceSelection { filter, details, history: true, page: part.page.clone() };
    let revisions = gnocchi.resources(&resource_type, &revisions).await.map_err(in_a_query)?;
    part.check_directions()?;
    Ok(page_of(&revisions, true, &[], &part, &links))
}

pub(in super::super) async fn list_metrics(
    requester: Requester,
    Path((resource_type, id)): Path<(String, String)>,
) -> Result<Response, Fault> {
    let resource = find(&requester, &resource_type, &id, Action::GetResource).await?;
    let metrics = super::metrics::of_resource(&requester, &resource).await?;
    Ok(answer::json(&metrics.iter().map(wire::listed_metric).collect::<Vec<_>>()))
}

pub(in super::super) async fn add_metrics(
    State(door): State<Arc<Door>>,
    requester: Requester,
    Path((resource_type, id)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Fault> {
    let before = find(&requester, &resource_type, &id, Action::UpdateResource).await?;
    let creator = requester.identity()?.creator();
    let body = Content::json(&door, request).await?.value().await?;
    let gnocchi = requester.gnocchi()?;
    check_rules(&*gnocchi, Some(&body)).await?;
    let metrics = read::read_named_metrics(&body, &creator, |error| error)?.into_iter().collect();
    let resource = gnocchi.add_metrics(&resource_type, &id, metrics).await.map_err(in_a_body)?;
    let mut metrics = super::metrics::of_resource(&requester, &resource).await?;
    // Those that were there come first: the order in which a database finds them.
    metrics.sort_by_key(|metric| {
        let name = metric.name.as_deref().unwrap_or_default();
        (before.metrics.get(name) != Some(&metric.id), name.to_owned())
    });
    Ok(answer::json(&metrics.iter().map(wire::listed_metric).collect::<Vec<_>>()))
}
