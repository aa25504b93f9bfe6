//! `POST /api/trace-points`

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use nephoscope_telemetry::{BadRecord, Batch, Place};
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::{App, body};

/// How many bad points an answer describes.
const BAD_SHOWN: usize = 20;

/// Stores a JSON array or JSON lines of trace points.
///
/// 200 when all are stored; 422 when some are no points: the others are stored; 503 when a backend is away: the same
/// body can be sent again. The answer counts both kinds and describes the first bad ones.
pub(crate) async fn store_trace_points(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Response, Failure> {
    refuse_encoding(request.headers())?;
    let _permit = app.bodies.enter().await;
    let body = body::read(request).await?;
    let batch =
        tokio::task::spawn_blocking(move || Batch::read(&body)).await.expect("reading does not panic");
    app.traces.ingest(&batch.points).await?;
    let stored = batch.points.len();
    app.metrics.count_points(stored, batch.bad.len());
    let status = if batch.bad.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let answer = json!({ "stored": stored, "bad": batch.bad.len(), "problems": problems(&batch.bad) });
    Ok((status, axum::Json(answer)).into_response())
}

fn problems(bad: &[(Place, BadRecord)]) -> Vec<Value> {
    let describe = |(place, reason): &(Place, BadRecord)| json!({ "place": place.to_string(), "problem": reason.to_string() });
    bad.iter().take(BAD_SHOWN).map(describe).collect()
}

pub(super) fn refuse_encoding(headers: &HeaderMap) -> Result<(), Failure> {
    match headers.get(header::CONTENT_ENCODING) {
        Some(encoding) if encoding != "identity" => {
            Err(Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "send the body without a content encoding"))
        }
        _ => Ok(()),
    }
}
