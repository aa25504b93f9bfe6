//! What each path does.

mod about;
mod events;
mod health;
mod points;
mod samples;
mod spans;
mod trace_points;
mod traces;

pub(crate) use about::about;
pub(crate) use events::{list_events, list_trait_descriptions, refuse_event_types, show_event};
pub(crate) use health::{healthcheck, metrics, readyz};
pub(crate) use points::read_trace_points;
pub(crate) use samples::{take_events, take_samples};
pub(crate) use spans::{code, store_spans};
pub(crate) use trace_points::store_trace_points;
pub(crate) use traces::{list_traces, purge_traces, show_trace};

use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};

use crate::failure::Failure;
use crate::gnocchi;

/// Every path that is not there.
pub(crate) async fn not_found(uri: Uri, headers: HeaderMap) -> Response {
    if gnocchi::owns(uri.path()) {
        return gnocchi::nowhere(&headers);
    }
    Failure::new(StatusCode::NOT_FOUND, format!("nothing is at {}", uri.path())).into_response()
}

/// Every method that a path does not know.
pub(crate) async fn method_not_allowed(method: Method, uri: Uri) -> Failure {
    Failure::new(StatusCode::METHOD_NOT_ALLOWED, format!("{} does not take {method}", uri.path()))
}
