//! Bodies of requests, in JSON.

use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use bytes::Bytes;
use serde_json::Value;
use tokio::sync::OwnedSemaphorePermit;

use super::Door;
use super::fault::Fault;
use super::read::parse;
use crate::body;

pub(super) const JSON: &str = "application/json";
pub(super) const JSON_PATCH: &str = "application/json-patch+json";

/// A body that is larger waits for its turn, so that few large ones are held at a time. All connections together hold
/// 64 MiB of smaller ones at most, and a client that sends its body slowly holds up nobody.
const SMALL_BODY_BYTES: usize = 128 << 10;
/// A body that is larger is decoded apart from the threads that answer: a millisecond of work.
const QUICK_BODY_BYTES: usize = 64 << 10;

/// A body, and the right to hold it.
#[derive(Debug)]
pub(super) struct Content {
    pub(super) bytes: Bytes,
    _permit: Option<OwnedSemaphorePermit>,
}

impl Content {
    /// Reads a body that has to be JSON.
    pub(super) async fn json(door: &Door, request: Request) -> Result<Self, Fault> {
        Self::of_type(door, request, JSON).await
    }

    /// Reads a body of this type, whatever parameters the type has; 415 for any other.
    pub(super) async fn of_type(door: &Door, request: Request, media_type: &str) -> Result<Self, Fault> {
        if media_type_of(request.headers()).as_deref() != Some(media_type) {
            return Err(Fault::bare(StatusCode::UNSUPPORTED_MEDIA_TYPE));
        }
        Self::of_any_type(door, request).await
    }

    /// Reads a body.
    pub(super) async fn of_any_type(door: &Door, request: Request) -> Result<Self, Fault> {
        let length = request.headers().get(header::CONTENT_LENGTH);
        let length: Option<usize> = length.and_then(|length| length.to_str().ok()?.parse().ok());
        let chunked = request.headers().contains_key(header::TRANSFER_ENCODING);
        let small = match length {
            Some(length) => length <= SMALL_BODY_BYTES,
            // Without either there is no body.
            None => !chunked,
        };
        let permit = if small { None } else { Some(door.bodies.enter_owned().await) };
        let bytes = body::read(request).await?;
        Ok(Self { bytes, _permit: permit })
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Makes something of it, apart from the threads that answer where that takes long. It is held as long as `self`.
    pub(super) async fn decode<T: Send + 'static>(
        &self,
        decode: impl FnOnce(&[u8]) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        if self.bytes.len() <= QUICK_BODY_BYTES {
            return decode(&self.bytes);
        }
        let bytes = self.bytes.clone();
        let decoding = tokio::task::spawn_blocking(move || decode(&bytes));
        decoding.await.expect("decoding does not panic")
    }

    /// Reads it as JSON.
    pub(super) async fn value(&self) -> Result<Value, Fault> {
        self.decode(parse).await
    }
}

/// Whether the body is said to be JSON.
pub(super) fn is_json(headers: &HeaderMap) -> bool {
    media_type_of(headers).as_deref() == Some(JSON)
}

/// The media type without its parameters.
fn media_type_of(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    Some(value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
}
