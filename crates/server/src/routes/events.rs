//! `GET /v2/events`, `GET /v2/events/ID` and `GET /v2/event_types/TYPE/traits`: Ceilometer's event API over traces.
//!
//! Ceilometer, and Panko after it, made an event of every `profiler.*` notification, and OSProfiler's `ceilometer`
//! driver read them back from there. What it asked for is answered alike: the events of one trace, by queries, in order
//! of time. Everything else would mean to read all traces, and is refused.
//!
//! Source: `ceilometer/api/controllers/v2/events.py` until Ceilometer 8, and Panko's file of the same name.

mod event;
mod fault;
mod filter;

use std::collections::HashSet;
use std::io::{self, Write};
use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use nephoscope_telemetry::TracePoint;
use serde_json::{Value, json};

use crate::{App, pieces};
use event::Event;
use fault::Fault;
use filter::Filter;

const JSON: &str = "application/json";
/// Events are sent in pieces of about this size.
const PIECE_BYTES: usize = 64 * 1024;

/// The events of a trace that the queries take, oldest first; a point that was stored twice is one event.
pub(crate) async fn list_events(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
) -> Result<Response, Fault> {
    let filter = Filter::read(query.as_deref())?;
    let mut points = app.traces.points(&filter.base_id).await?;
    points.sort_by_time();
    let body = pieces::body(move |out| write_events(&points.good, &filter, out));
    Ok(([(header::CONTENT_TYPE, JSON)], body).into_response())
}

fn write_events(points: &[TracePoint], filter: &Filter, out: &mut impl Write) -> io::Result<()> {
    let mut seen = HashSet::new();
    let taken = points.iter().map(Event::of).filter(|event| filter.takes(event));
    let taken = taken.filter(|event| seen.insert(event.digest())).take(filter.limit);
    let mut text = String::with_capacity(2 * PIECE_BYTES);
    let mut separator = "[";
    for event in taken {
        text.push_str(separator);
        event.write_json(&mut text);
        separator = ", ";
        if text.len() >= PIECE_BYTES {
            out.write_all(text.as_bytes())?;
            text.clear();
        }
    }
    text.push_str(if separator == "[" { "[]" } else { "]" });
    out.write_all(text.as_bytes())
}

/// One event, by the id that a list told.
pub(crate) async fn show_event(
    State(app): State<Arc<App>>,
    Path(message_id): Path<String>,
) -> Result<Response, Fault> {
    let unknown = || Fault::new(StatusCode::NOT_FOUND, format!("Event {message_id} Not Found"));
    let base_id = event::base_id(&message_id).ok_or_else(unknown)?;
    let points = app.traces.points(&base_id).await?;
    let event = points.good.iter().map(Event::of).find(|event| event.message_id() == message_id);
    let mut text = String::new();
    event.ok_or_else(unknown)?.write_json(&mut text);
    Ok(([(header::CONTENT_TYPE, JSON)], text).into_response())
}

/// The names and types of the traits of a type of events: all `profiler.*` events have the same, others have none here.
pub(crate) async fn list_trait_descriptions(Path(event_type): Path<String>) -> axum::Json<Value> {
    let names: &[&str] = if event_type.starts_with(event::TYPE_PREFIX) { &event::TRAITS } else { &[] };
    axum::Json(names.iter().map(|name| json!({ "name": name, "type": "string" })).collect())
}

/// What would have to look at all traces.
pub(crate) async fn refuse_event_types() -> Fault {
    Fault::unsupported("the types of events and the values of traits are not kept apart from the traces")
}
