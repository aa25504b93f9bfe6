//! Methods that a path does not take.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{MatchedPath, Path};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter};

use super::Door;
use super::fault::Fault;
use super::requester::Requester;
use super::routes::metrics;

type Names = Path<HashMap<String, String>>;

/// Refuses other methods than these with the names of these.
pub(super) fn allowing(allowed: &'static str, methods: MethodRouter<Arc<Door>>) -> MethodRouter<Arc<Door>> {
    let refuse = move |requester: Requester, path: MatchedPath, names: Names| async move {
        refuse(&requester, path.as_str(), &names, allowed).await
    };
    let is_allowed = |name: &str| allowed.split(", ").any(|allowed| allowed == name);
    // Each by its name: what is left to a fallback gets a header of axum's that tells of HEAD, too.
    let others = METHODS.iter().filter(|(name, _)| !is_allowed(name));
    others.fold(methods.fallback(refuse), |methods, (_, method)| methods.on(*method, refuse))
}

/// All that have a name of their own. HEAD would be answered as GET, but Gnocchi answers it nowhere.
const METHODS: [(&str, MethodFilter); 9] = [
    ("CONNECT", MethodFilter::CONNECT),
    ("DELETE", MethodFilter::DELETE),
    ("GET", MethodFilter::GET),
    ("HEAD", MethodFilter::HEAD),
    ("OPTIONS", MethodFilter::OPTIONS),
    ("PATCH", MethodFilter::PATCH),
    ("POST", MethodFilter::POST),
    ("PUT", MethodFilter::PUT),
    ("TRACE", MethodFilter::TRACE),
];

/// Below a metric there is nothing, which is told by the methods that the metric itself takes.
pub(super) async fn below_a_metric(
    requester: Requester,
    path: MatchedPath,
    names: Names,
) -> Result<Response, Fault> {
    refuse(&requester, path.as_str(), &names, "DELETE, GET").await
}

/// As Gnocchi does, on its way along the path it looks for types, rules and metrics, and tells first which is not there.
async fn refuse(
    requester: &Requester,
    path: &str,
    Path(names): &Names,
    allowed: &'static str,
) -> Result<Response, Fault> {
    let gnocchi = || requester.gnocchi_for_anybody();
    let named = |name: &str| names.get(name).map_or("", String::as_str);
    if names.contains_key("type") {
        gnocchi().resource_type(named("type")).await?;
    }
    if path.starts_with("/v1/archive_policy_rule/{name}") {
        gnocchi().archive_policy_rule(named("name")).await?;
    } else if path.starts_with("/v1/metric/{id}") {
        metrics::find(&*gnocchi(), named("id")).await?;
    } else if path.starts_with("/v1/resource/{type}/{id}/metric/{name}") {
        // A resource is looked for as its user means it.
        requester.identity()?;
        metrics::find_named(&*gnocchi(), named("type"), named("id"), named("name")).await?;
    }
    let refusal = Fault::bare(StatusCode::METHOD_NOT_ALLOWED);
    Ok(([(header::ALLOW, HeaderValue::from_static(allowed))], refusal).into_response())
}
