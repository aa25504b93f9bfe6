//! `POST /api/trace-points`

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, FromRequest, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use nephoscope_telemetry::{BadPoint, Batch, Place};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::App;
use crate::failure::Failure;

/// How large a body may be: a point of 10 MB with room to spare, and far more ordinary points than a client should
/// hold back before it sends them.
pub(super) const MAX_BODY_BYTES: usize = 32 << 20;
/// How many bodies are held at a time; with what their points take, some 1 GiB at the very most.
const BODIES_AT_A_TIME: usize = 8;
/// How long a client may take to send a body.
const BODY_TIME_LIMIT: Duration = Duration::from_secs(60);
/// How many bad points an answer describes.
const BAD_SHOWN: usize = 20;

/// Bounds how many bodies are held at a time.
#[derive(Debug)]
pub(crate) struct IngestGate(Semaphore);

impl Default for IngestGate {
    fn default() -> Self {
        Self(Semaphore::new(BODIES_AT_A_TIME))
    }
}

/// Stores a JSON array or JSON lines of trace points.
///
/// 200 when all are stored; 422 when some are no points: the others are stored; 503 when a backend is away: the same
/// body can be sent again. The answer counts both kinds and describes the first bad ones.
pub(crate) async fn store_trace_points(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Response, Failure> {
    refuse_encoding(request.headers())?;
    let _permit = app.ingest.0.acquire().await.expect("the gate is never closed");
    let body = read_body(request).await?;
    let batch =
        tokio::task::spawn_blocking(move || Batch::read(&body)).await.expect("reading does not panic");
    app.traces.ingest(&batch.points).await?;
    let stored = batch.points.len();
    app.metrics.count_points(stored, batch.bad.len());
    let status = if batch.bad.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let answer = json!({ "stored": stored, "bad": batch.bad.len(), "problems": problems(&batch.bad) });
    Ok((status, axum::Json(answer)).into_response())
}

fn problems(bad: &[(Place, BadPoint)]) -> Vec<Value> {
    let describe = |(place, reason): &(Place, BadPoint)| json!({ "place": place.to_string(), "problem": reason.to_string() });
    bad.iter().take(BAD_SHOWN).map(describe).collect()
}

fn refuse_encoding(headers: &HeaderMap) -> Result<(), Failure> {
    match headers.get(header::CONTENT_ENCODING) {
        Some(encoding) if encoding != "identity" => {
            Err(Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "send the body without a content encoding"))
        }
        _ => Ok(()),
    }
}

async fn read_body(mut request: Request) -> Result<Bytes, Failure> {
    DefaultBodyLimit::max(MAX_BODY_BYTES).apply(&mut request);
    match tokio::time::timeout(BODY_TIME_LIMIT, Bytes::from_request(request, &())).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(rejection)) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => Err(Failure::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("a body may have {MAX_BODY_BYTES} bytes; send the points in smaller batches"),
        )),
        Ok(Err(rejection)) => {
            Err(Failure::bad_request(format!("the body did not arrive: {}", rejection.body_text())))
        }
        Err(_) => Err(Failure::new(
            StatusCode::REQUEST_TIMEOUT,
            format!("the body did not arrive within {} s", BODY_TIME_LIMIT.as_secs()),
        )),
    }
}
