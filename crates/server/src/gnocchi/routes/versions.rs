//! `GET /`, `GET /v1/`, `GET /v1/capabilities` and `GET /v1/status`: what this is, and how it does.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use nephoscope_gnocchi::AggregationMethod;
use serde_json::{Value, json};

use super::super::answer;
use super::super::arguments::Arguments;
use super::super::fault::Fault;
use super::super::links::Links;
use super::super::policy::{Action, Target};
use super::super::requester::Requester;

/// The version of Gnocchi whose API this is. Clients tell by it what they may ask for.
const GNOCCHI_VERSION: &str = "4.7.1";
/// What the API is made of, in alphabetical order.
const COLLECTIONS: [&str; 12] = [
    "aggregates",
    "aggregation",
    "archive_policy",
    "archive_policy_rule",
    "batch",
    "capabilities",
    "influxdb",
    "metric",
    "resource",
    "resource_type",
    "search",
    "status",
];

pub(in super::super) async fn show_versions(links: Links) -> Response {
    let href = format!("{}/", links.api());
    answer::json(&json!({
        "build": GNOCCHI_VERSION,
        "versions": [{
            "id": "v1.0",
            "status": "CURRENT",
            "updated": "2015-03-19",
            "links": [{ "rel": "self", "href": href }],
        }],
    }))
}

/// `GET /v1`: there is a slash missing.
pub(in super::super) async fn redirect(links: Links) -> Response {
    let found = Fault::described(StatusCode::FOUND, Value::Null);
    ([(header::LOCATION, links.location("/"))], found).into_response()
}

pub(in super::super) async fn show_version(links: Links) -> Response {
    let api = links.api();
    let collections = COLLECTIONS.iter().map(|name| json!({ "rel": name, "href": format!("{api}/{name}") }));
    let all: Vec<_> = [json!({ "rel": "self", "href": api })].into_iter().chain(collections).collect();
    answer::json(&json!({ "version": "1.0", "links": all }))
}

pub(in super::super) async fn show_capabilities() -> Response {
    let methods: Vec<_> = AggregationMethod::all().map(|method| method.to_string()).collect();
    answer::json(&json!({ "aggregation_methods": methods }))
}

/// Aggregates are made as measures come in: there is never anything to process, and nobody who would.
pub(in super::super) async fn show_status(
    requester: Requester,
    arguments: Arguments,
) -> Result<Response, Fault> {
    requester.enforce(Action::GetStatus, Target::Nothing)?;
    let mut storage = json!({ "summary": { "metrics": 0, "measures": 0 } });
    if arguments.bool("details", true)? {
        storage["measures_to_process"] = json!({});
    }
    let metricd = json!({ "processors": null, "statistics": {} });
    Ok(answer::json(&json!({ "storage": storage, "metricd": metricd })))
}
