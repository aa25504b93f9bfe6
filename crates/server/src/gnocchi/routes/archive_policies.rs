//! `/v1/archive_policy` and `/v1/archive_policy_rule`

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use nephoscope_gnocchi::Error;
use serde_json::json;

use super::super::content::Content;
use super::super::fault::Fault;
use super::super::links::Links;
use super::super::policy::{Action, Target};
use super::super::requester::Requester;
use super::super::{Door, answer, read, wire};

pub(in super::super) async fn list_policies(requester: Requester) -> Result<Response, Fault> {
    requester.enforce(Action::ListArchivePolicy, Target::Nothing)?;
    let policies = requester.gnocchi()?.archive_policies().await?;
    Ok(answer::json(&policies.iter().map(wire::archive_policy).collect::<Vec<_>>()))
}

pub(in super::super) async fn create_policy(
    State(door): State<Arc<Door>>,
    requester: Requester,
    links: Links,
    request: Request,
) -> Result<Response, Fault> {
    requester.enforce(Action::CreateArchivePolicy, Target::Nothing)?;
    let body = Content::json(&door, request).await?.value().await?;
    let policy = read::read_policy(&body)?;
    requester.enforce(Action::CreateArchivePolicy, Target::ArchivePolicy(&policy))?;
    let policy = requester.gnocchi()?.create_archive_policy(policy).await?;
    let location = links.location(&format!("/archive_policy/{}", policy.name));
    Ok(answer::created(location, &wire::archive_policy(&policy)))
}

pub(in super::super) async fn show_policy(
    requester: Requester,
    Path(name): Path<String>,
) -> Result<Response, Fault> {
    let policy = requester.gnocchi()?.archive_policy(&name).await?;
    requester.enforce(Action::GetArchivePolicy, Target::ArchivePolicy(&policy))?;
    Ok(answer::json(&wire::archive_policy(&policy)))
}

pub(in super::super) async fn update_policy(
    State(door): State<Arc<Door>>,
    requester: Requester,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response, Fault> {
    let gnocchi = requester.gnocchi()?;
    let known = gnocchi.archive_policy(&name).await?;
    requester.enforce(Action::UpdateArchivePolicy, Target::ArchivePolicy(&known))?;
    let body = Content::json(&door, request).await?.value().await?;
    let (definition, back_window) = read::read_policy_change(&body)?;
    let policy = gnocchi.update_archive_policy(&name, definition, back_window).await?;
    Ok(answer::json(&wire::archive_policy(&policy)))
}

pub(in super::super) async fn delete_policy(
    requester: Requester,
    Path(name): Path<String>,
) -> Result<Response, Fault> {
    requester.enforce(Action::DeleteArchivePolicy, Target::Nothing)?;
    requester.gnocchi()?.delete_archive_policy(&name).await?;
    Ok(answer::done())
}

pub(in super::super) async fn list_rules(requester: Requester) -> Result<Response, Fault> {
    requester.enforce(Action::ListArchivePolicyRule, Target::Nothing)?;
    let rules = requester.gnocchi()?.archive_policy_rules().await?;
    Ok(answer::json(&rules.iter().map(wire::archive_policy_rule).collect::<Vec<_>>()))
}

pub(in super::super) async fn create_rule(
    State(door): State<Arc<Door>>,
    requester: Requester,
    links: Links,
    request: Request,
) -> Result<Response, Fault> {
    requester.enforce(Action::CreateArchivePolicyRule, Target::Nothing)?;
    let body = Content::json(&door, request).await?.value().await?;
    let rule = read::read_rule(&body)?;
    requester.enforce(Action::CreateArchivePolicyRule, Target::ArchivePolicyRule(&rule))?;
    let created = requester.gnocchi()?.create_archive_policy_rule(rule.clone()).await;
    created.map_err(|error| match error {
        Error::NoSuchArchivePolicy(name) => Fault::described(
            StatusCode::BAD_REQUEST,
            json!({ "cause": "Archive policy does not exist", "detail": name }),
        ),
        other => other.into(),
    })?;
    let location = links.location(&format!("/archive_policy_rule/{}", rule.name));
    Ok(answer::created(location, &wire::archive_policy_rule(&rule)))
}

pub(in super::super) async fn show_rule(
    requester: Requester,
    Path(name): Path<String>,
) -> Result<Response, Fault> {
    let rule = requester.gnocchi()?.archive_policy_rule(&name).await?;
    requester.enforce(Action::GetArchivePolicyRule, Target::ArchivePolicyRule(&rule))?;
    Ok(answer::json(&wire::archive_policy_rule(&rule)))
}

pub(in super::super) async fn rename_rule(
    State(door): State<Arc<Door>>,
    requester: Requester,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response, Fault> {
    let gnocchi = requester.gnocchi()?;
    gnocchi.archive_policy_rule(&name).await?;
    let body = Content::json(&door, request).await?.value().await?;
    let new_name = read::read_rule_name(&body)?;
    requester.enforce(Action::UpdateArchivePolicyRule, Target::Nothing)?;
    let rule = gnocchi.rename_archive_policy_rule(&name, &new_name).await?;
    Ok(answer::json(&wire::archive_policy_rule(&rule)))
}

pub(in super::super) async fn delete_rule(
    requester: Requester,
    Path(name): Path<String>,
) -> Result<Response, Fault> {
    let gnocchi = requester.gnocchi()?;
    gnocchi.archive_policy_rule(&name).await?;
    requester.enforce(Action::DeleteArchivePolicyRule, Target::Nothing)?;
    gnocchi.delete_archive_policy_rule(&name).await?;
    Ok(answer::done())
}
