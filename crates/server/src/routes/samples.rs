//! `POST /samples` and `POST /events`

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use nephoscope_collector::{Load, Packed};
use serde_json::json;

use crate::failure::Failure;
use crate::{App, body};

/// How long a request waits for room in the spool: a client learns that it has to come back before it gives up waiting.
/// Ceilometer's publisher waits for five seconds.
const ROOM_TIME_LIMIT: Duration = Duration::from_secs(4);
/// By whom what is bad was refused.
const SOURCE: &str = "http";

/// Takes a JSON array of samples, or a single one, in either form.
pub(crate) async fn take_samples(State(app): State<Arc<App>>, request: Request) -> Result<Response, Failure> {
    take(&app, request, |load, text| load.samples(text, None)).await
}

/// Takes a JSON array of events, or a single one.
pub(crate) async fn take_events(State(app): State<Arc<App>>, request: Request) -> Result<Response, Failure> {
    take(&app, request, |load, text| load.events(text, None)).await
}

/// 202 when all of it is on disk: what is good in the spool, what is not among the dead letters. 503 when the spool is full
/// or away: the same body can be sent again.
///
/// What is published over HTTP is not signed, so no signature is asked for.
async fn take(app: &App, request: Request, read: fn(&mut Load, &str)) -> Result<Response, Failure> {
    let Some(intake) = &app.intake else {
        return Err(Failure::new(
            StatusCode::NOT_IMPLEMENTED,
            "no dispatcher is configured; name one in `dispatchers` of [samples]",
        ));
    };
    super::trace_points::refuse_encoding(request.headers())?;
    let _permit = app.bodies.enter().await;
    let body = body::read(request).await?;
    let packing = tokio::task::spawn_blocking(move || pack(&body, read));
    let packed = packing.await.expect("reading does not panic")?;
    let (samples, events, bad) = packed.counts();
    match tokio::time::timeout(ROOM_TIME_LIMIT, intake.take(SOURCE, &packed)).await {
        Ok(taken) => taken?,
        Err(_) => {
            let full = "the spool is full; send it again when some of it is sent on";
            return Err(Failure::new(StatusCode::SERVICE_UNAVAILABLE, full));
        }
    }
    let answer = json!({ "samples": samples, "events": events, "bad": bad });
    Ok((StatusCode::ACCEPTED, axum::Json(answer)).into_response())
}

fn pack(body: &Bytes, read: fn(&mut Load, &str)) -> Result<Packed, Failure> {
    let text = std::str::from_utf8(body).map_err(|error| {
        Failure::bad_request(format!("the body is not UTF-8 at byte {}", error.valid_up_to()))
    })?;
    if text.trim().is_empty() {
        return Err(Failure::bad_request("the body is empty; it is a JSON array"));
    }
    let mut load = Load::default();
    read(&mut load, text);
    Ok(load.pack())
}
