//! Bodies with telemetry: how many are held at a time, how large and how slow they may be.

use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, FromRequest, Request};
use axum::http::StatusCode;
use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};

use crate::failure::Failure;

/// How large a body may be, unpacked: a point of 10 MB with room to spare, and far more ordinary points than a client
/// should hold back before it sends them.
pub(crate) const MAX_BODY_BYTES: usize = 32 << 20;
/// How many bodies are held at a time; with what their points take, some 1 GiB at the very most.
const BODIES_AT_A_TIME: usize = 8;
/// How long a client may take to send a body.
const BODY_TIME_LIMIT: Duration = Duration::from_secs(60);
/// How long a request waits for its turn where the client is told to come back: shorter than exporters of OpenTelemetry
/// wait for an answer, which is ten seconds.
const TURN_TIME_LIMIT: Duration = Duration::from_secs(5);

/// Bounds how many bodies are held at a time.
#[derive(Debug)]
pub(crate) struct Bodies(Arc<Semaphore>);

impl Default for Bodies {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(BODIES_AT_A_TIME)))
    }
}

impl Bodies {
    /// Waits until another one may be held, which it may until the permit is dropped.
    pub(crate) async fn enter(&self) -> SemaphorePermit<'_> {
        self.0.acquire().await.expect("the semaphore is never closed")
    }

    /// As [`enter`](Self::enter), with a permit that can be kept anywhere.
    pub(crate) async fn enter_owned(&self) -> OwnedSemaphorePermit {
        self.0.clone().acquire_owned().await.expect("the semaphore is never closed")
    }

    /// As [`enter`](Self::enter), but a client that would have to wait long is sent away.
    pub(crate) async fn enter_soon(&self) -> Result<SemaphorePermit<'_>, Failure> {
        let waited = tokio::time::timeout(TURN_TIME_LIMIT, self.enter()).await;
        waited.map_err(|_| {
            Failure::new(StatusCode::TOO_MANY_REQUESTS, "too many requests at a time; send it again later")
        })
    }
}

/// Reads a whole body, within its bounds.
pub(crate) async fn read(mut request: Request) -> Result<Bytes, Failure> {
    DefaultBodyLimit::max(MAX_BODY_BYTES).apply(&mut request);
    match tokio::time::timeout(BODY_TIME_LIMIT, Bytes::from_request(request, &())).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(rejection)) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => Err(too_large()),
        Ok(Err(rejection)) => {
            Err(Failure::bad_request(format!("the body did not arrive: {}", rejection.body_text())))
        }
        Err(_) => Err(Failure::new(
            StatusCode::REQUEST_TIMEOUT,
            format!("the body did not arrive within {} s", BODY_TIME_LIMIT.as_secs()),
        )),
    }
}

/// Unpacks a body of gzip, which may not be larger than one that came unpacked.
pub(crate) fn gunzip(packed: &[u8]) -> Result<Bytes, Failure> {
    let mut body = Vec::with_capacity((packed.len() * 4).min(MAX_BODY_BYTES));
    let mut unpacking = MultiGzDecoder::new(packed).take(MAX_BODY_BYTES as u64 + 1);
    match unpacking.read_to_end(&mut body) {
        Ok(_) if body.len() > MAX_BODY_BYTES => Err(too_large()),
        Ok(_) => Ok(body.into()),
        Err(error) => Err(Failure::bad_request(format!("the body is not gzip: {error}"))),
    }
}

fn too_large() -> Failure {
    Failure::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        format!("a body may have {MAX_BODY_BYTES} bytes; send it in smaller batches"),
    )
}
