//! Answers that are a success.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::content::JSON;

/// 200, and this.
pub(super) fn json(value: &impl Serialize) -> Response {
    with_status(StatusCode::OK, value)
}

/// With this status, and this.
pub(super) fn with_status(status: StatusCode, value: &impl Serialize) -> Response {
    let body = serde_json::to_vec(value).expect("wire forms are JSON: their keys are text");
    (status, [(header::CONTENT_TYPE, JSON)], body).into_response()
}

/// 204: it is done, and there is nothing to tell.
pub(super) fn done() -> Response {
    StatusCode::NO_CONTENT.into_response()
}

/// 202: it is stored.
pub(super) fn accepted() -> Response {
    StatusCode::ACCEPTED.into_response()
}
