//! `GET /api/traces`, `DELETE /api/traces` and `GET /api/traces/ID`

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, RawQuery, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use nephoscope_otlp::ids::base_id_of_hex;
use nephoscope_telemetry::report::Dialect;
use nephoscope_telemetry::{Id, TraceFilter};
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::query::parameters;
use crate::{App, pieces};

const JSON: &str = "application/json";
/// How many traces are listed when the client does not say.
const DEFAULT_LIMIT: usize = 100;
/// How many traces are listed at most: some 25 MiB of answer. Whoever wants more asks again, `until` the last of them.
pub(super) const MAX_LIMIT: usize = 100_000;

/// Lists the newest traces.
///
/// Query parameters: `service`, `name`, `since`, `until` (times as in trace points), `min_duration` (milliseconds),
/// `limit`, `errors=true`.
pub(crate) async fn list_traces(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
) -> Result<Response, Failure> {
    let (filter, errors) = read_query(query.as_deref())?;
    let list = app.traces.list(&filter, errors).await?;
    let mut body = String::from("{\"traces\": [");
    for (number, trace) in list.iter().enumerate() {
        body.push_str(if number == 0 { "" } else { ", " });
        trace.write_json(&mut body);
    }
    body.push_str("]}\n");
    Ok(([(header::CONTENT_TYPE, JSON)], body).into_response())
}

fn read_query(query: Option<&str>) -> Result<(TraceFilter, bool), Failure> {
    let mut filter = TraceFilter { limit: Some(DEFAULT_LIMIT), ..TraceFilter::default() };
    let mut errors = false;
    for parameter in parameters(query) {
        let value = parameter.value.as_str();
        match &*parameter.name {
            "service" => filter.service = Some(value.into()),
            "name" => filter.name = Some(value.into()),
            "since" => filter.since = Some(parameter.time()?),
            "until" => filter.until = Some(parameter.time()?),
            "min_duration" => {
                let ms = value.parse().ok().map(|ms: f64| Duration::try_from_secs_f64(ms / 1000.0));
                let Some(Ok(duration)) = ms else { return Err(parameter.wrong("milliseconds")) };
                filter.min_duration = Some(duration);
            }
            "limit" => {
                let limit: usize = value.parse().map_err(|_| parameter.wrong("a number"))?;
                filter.limit = Some(limit.min(MAX_LIMIT));
            }
            "errors" => errors = value.parse().map_err(|_| parameter.wrong("true or false"))?,
            _ => {
                return Err(parameter.unknown("service, name, since, until, min_duration, limit, errors"));
            }
        }
    }
    Ok((filter, errors))
}

/// Deletes the traces whose latest point is before `older_than`, and counts them.
pub(crate) async fn purge_traces(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
) -> Result<axum::Json<Value>, Failure> {
    let mut older_than = None;
    for parameter in parameters(query.as_deref()) {
        match &*parameter.name {
            "older_than" => older_than = Some(parameter.time()?),
            _ => return Err(parameter.unknown("older_than")),
        }
    }
    // Without it nothing is deleted, rather than everything.
    let older_than =
        older_than.ok_or_else(|| Failure::bad_request("parameter `older_than` is missing: a time"))?;
    let purged = app.traces.purge(older_than).await?;
    Ok(axum::Json(json!({ "traces": purged.traces })))
}

/// The report of a trace, whose id may also be given as OpenTelemetry's tools show it, in 32 hexadecimal digits:
/// as `osprofiler trace show --json` prints it but in standard JSON, piece by piece.
pub(crate) async fn show_trace(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let mut points = app.traces.points(&Id::new(&id)).await?;
    if let Some(same) = base_id_of_hex(&id).filter(|_| points.good.is_empty()) {
        points = app.traces.points(&same).await?;
    }
    if points.good.is_empty() && points.bad.count() == 0 {
        return Err(Failure::new(StatusCode::NOT_FOUND, format!("no trace has the id {id}")));
    }
    if let Some(first) = points.bad.first().first() {
        tracing::warn!(id, count = points.bad.count(), %first, "records of the trace are no trace points");
    }
    let body = pieces::body(move |out| points.into_report().write_json(Dialect::Standard, out));
    Ok(([(header::CONTENT_TYPE, JSON)], body).into_response())
}
