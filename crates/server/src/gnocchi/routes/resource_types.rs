//! `/v1/resource_type`

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use nephoscope_gnocchi::Error;

use super::super::clock::now;
use super::super::content::{Content, JSON_PATCH};
use super::super::fault::Fault;
use super::super::links::Links;
use super::super::policy::{Action, Target};
use super::super::requester::Requester;
use super::super::{Door, answer, read, wire};

pub(in super::super) async fn list_types(requester: Requester) -> Result<Response, Fault> {
    requester.enforce(Action::ListResourceType, Target::Nothing)?;
    let types = requester.gnocchi()?.resource_types().await?;
    Ok(answer::json(&types.iter().map(wire::resource_type).collect::<Vec<_>>()))
}

pub(in super::super) async fn create_type(
    State(door): State<Arc<Door>>,
    requester: Requester,
    links: Links,
    request: Request,
) -> Result<Response, Fault> {
    let body = Content::json(&door, request).await?.value().await?;
    let resource_type = read::read_type(&body)?;
    requester.enforce(Action::CreateResourceType, Target::ResourceType(&resource_type))?;
    let created = requester.gnocchi()?.create_resource_type(resource_type).await?;
    let location = links.location(&format!("/resource_type/{}", created.name));
    Ok(answer::created(location, &wire::resource_type(&created)))
}

pub(in super::super) async fn show_type(
    requester: Requester,
    Path(name): Path<String>,
) -> Result<Response, Fault> {
    let resource_type = requester.gnocchi()?.resource_type(&name).await?;
    requester.enforce(Action::GetResourceType, Target::ResourceType(&resource_type))?;
    Ok(answer::json(&wire::resource_type(&resource_type)))
}

pub(in super::super) async fn patch_type(
    State(door): State<Arc<Door>>,
    requester: Requester,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response, Fault> {
    let gnocchi = requester.gnocchi()?;
    let resource_type = gnocchi.resource_type(&name).await?;
    requester.enforce(Action::UpdateResourceType, Target::ResourceType(&resource_type))?;
    let body = Content::of_type(&door, request, JSON_PATCH).await?.value().await?;
    let updated = match read::read_patch(&body, &resource_type, now())? {
        Some(change) => gnocchi.update_resource_type(&name, change).await?,
        None => resource_type,
    };
    Ok(answer::json(&wire::resource_type(&updated)))
}

pub(in super::super) async fn delete_type(
    requester: Requester,
    Path(name): Path<String>,
) -> Result<Response, Fault> {
    let gnocchi = requester.gnocchi()?;
    gnocchi.resource_type(&name).await?;
    requester.enforce(Action::DeleteResourceType, Target::Nothing)?;
    gnocchi.delete_resource_type(&name).await.map_err(|error| match error {
        gone @ Error::NoSuchResourceType(_) => Fault::from(gone).with_status(StatusCode::BAD_REQUEST),
        other => other.into(),
    })?;
    Ok(answer::done())
}
