//! `GET /healthcheck`, `GET /readyz` and `GET /metrics`

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;

use crate::App;
use crate::failure::Failure;

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The process answers, in as many words as Gnocchi: none.
pub(crate) async fn healthcheck() -> &'static str {
    ""
}

/// Every backend that can be read answers.
pub(crate) async fn readyz(State(app): State<Arc<App>>) -> Result<&'static str, Failure> {
    match app.traces.check().await {
        Ok(()) => Ok("OK\n"),
        Err((backend, error)) => {
            tracing::warn!(backend, error = &error as &dyn std::error::Error, "not ready");
            Err(Failure::new(StatusCode::SERVICE_UNAVAILABLE, format!("{backend}: {error}")))
        }
    }
}

/// Its own metrics.
pub(crate) async fn metrics(State(app): State<Arc<App>>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, OPEN_METRICS)], app.metrics.encode())
}
