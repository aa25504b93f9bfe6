//! `GET /api/traces` and `GET /api/traces/ID`

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use nephoscope_telemetry::report::Dialect;
use nephoscope_telemetry::{Id, Report, Timestamp, TraceFilter};
use percent_encoding::percent_decode_str;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use crate::App;
use crate::failure::Failure;

const JSON: &str = "application/json";
/// How many traces are listed when the client does not say.
const DEFAULT_LIMIT: usize = 100;
/// How many traces are listed at most, as many as Gnocchi's `max_limit`.
const MAX_LIMIT: usize = 1_000;
/// Pieces of a report that wait for a slow client.
const PIECES_AHEAD: usize = 4;

/// Lists the newest traces.
///
/// Query parameters: `service`, `name`, `since`, `until` (times as in trace points), `min_duration` (milliseconds),
/// `limit`, `errors=true`.
pub(crate) async fn list_traces(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
) -> Result<Response, Failure> {
    let (filter, errors) = read_query(query.as_deref().unwrap_or_default())?;
    let list = app.traces.list(&filter, errors).await?;
    let mut body = String::from("{\"traces\": [");
    for (number, trace) in list.iter().enumerate() {
        body.push_str(if number == 0 { "" } else { ", " });
        trace.write_json(&mut body);
    }
    body.push_str("]}\n");
    Ok(([(header::CONTENT_TYPE, JSON)], body).into_response())
}

fn read_query(query: &str) -> Result<(TraceFilter, bool), Failure> {
    let mut filter = TraceFilter { limit: Some(DEFAULT_LIMIT), ..TraceFilter::default() };
    let mut errors = false;
    for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let value = value.replace('+', " ");
        let value = percent_decode_str(&value).decode_utf8_lossy();
        let wrong = |expected: &str| Failure::bad_request(format!("parameter `{name}`: expected {expected}"));
        let time =
            || Timestamp::parse(&value).map_err(|error| wrong(&error.to_string().replace("not a", "a")));
        match name {
            "service" => filter.service = Some((&*value).into()),
            "name" => filter.name = Some((&*value).into()),
            "since" => filter.since = Some(time()?),
            "until" => filter.until = Some(time()?),
            "min_duration" => {
                let ms: f64 = value.parse().map_err(|_| wrong("milliseconds"))?;
                let duration = Duration::try_from_secs_f64(ms / 1000.0).map_err(|_| wrong("milliseconds"))?;
                filter.min_duration = Some(duration);
            }
            "limit" => {
                let limit: usize = value.parse().map_err(|_| wrong("a number"))?;
                filter.limit = Some(limit.min(MAX_LIMIT));
            }
            "errors" => errors = value.parse().map_err(|_| wrong("true or false"))?,
            _ => {
                return Err(Failure::bad_request(format!(
                    "parameter `{name}` is not known; known: service, name, since, until, min_duration, limit, errors"
                )));
            }
        }
    }
    Ok((filter, errors))
}

/// The report of a trace, as `osprofiler trace show --json` prints it but in standard JSON, piece by piece.
pub(crate) async fn show_trace(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let points = app.traces.points(&Id::new(&id)).await?;
    if points.good.is_empty() && points.bad.count() == 0 {
        return Err(Failure::new(StatusCode::NOT_FOUND, format!("no trace has the id {id}")));
    }
    if let Some(first) = points.bad.first().first() {
        tracing::warn!(id, count = points.bad.count(), %first, "records of the trace are no trace points");
    }
    let (pieces, waiting) = mpsc::channel(PIECES_AHEAD);
    tokio::task::spawn_blocking(move || write_report(&points.into_report(), pieces));
    let body = Body::from_stream(ReceiverStream::new(waiting));
    Ok(([(header::CONTENT_TYPE, JSON)], body).into_response())
}

fn write_report(report: &Report, pieces: mpsc::Sender<io::Result<Bytes>>) {
    if let Err(error) = report.write_json(Dialect::Standard, &mut PieceWriter(pieces)) {
        tracing::debug!(%error, "a client left before its report was written");
    }
}

/// Sends what is written to the body, and waits while too much is ahead of the client.
struct PieceWriter(mpsc::Sender<io::Result<Bytes>>);

impl io::Write for PieceWriter {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        let sent = self.0.blocking_send(Ok(Bytes::copy_from_slice(piece)));
        sent.map(|()| piece.len()).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
