//! OTLP/HTTP.
//!
//! Source of the form and of what a status means: the OTLP specification, "OTLP/HTTP".

use std::io::Write;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use nephoscope_http::header::CONTENT_ENCODING;
use nephoscope_http::{Answer, Http, StatusCode};
use nephoscope_telemetry::{ConnectionString, Error, ErrorKind, Result};
use prost::Message;
use tokio::time::Instant;

use crate::Signal;

/// The port that IANA gave to OTLP/HTTP.
const PORT: u16 = 4318;
const MEDIA_TYPE: &str = "application/x-protobuf";
/// The statuses with which a receiver may ask for a pause.
const BUSY: &[u16] = &[429, 503];
/// A longer pause than this is not waited for: the caller knows better what to do meanwhile.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(crate) struct HttpClient {
    http: Http,
    gzip: bool,
    /// When the receiver wants to hear from us again. A plain lock: it is never held across an await.
    quiet_until: Mutex<Option<Instant>>,
}

impl HttpClient {
    /// The receiver that an `otlp://` connection string names, with its headers and compression.
    pub(crate) fn new(to: &ConnectionString, encrypted: bool) -> Result<Self> {
        let path = nephoscope_http::path(to.database().unwrap_or_default().trim_matches('/'));
        let mut http = Http::new("the OTLP receiver", to, encrypted, PORT, &path)?;
        if let Some(user) = to.user() {
            http = http.with_basic_auth(user, to.password().unwrap_or_default());
        }
        for (name, value) in nephoscope_http::headers(to)? {
            http = http.with_header(name, &value);
        }
        Ok(Self { gzip: crate::gzip(to)?, ..Self::over(http) })
    }

    /// The receiver at the addresses of this client.
    pub(crate) fn over(http: Http) -> Self {
        Self { http: http.with_meaning(meaning), gzip: false, quiet_until: Mutex::default() }
    }

    pub(crate) async fn export<S: Signal>(
        &self,
        operation: &'static str,
        message: &S::Request,
    ) -> Result<S::Response> {
        self.keep_quiet(operation).await?;
        let body = message.encode_to_vec();
        let request = self.http.post(operation, S::PATH).accept(BUSY);
        let request = if self.gzip {
            request.body(MEDIA_TYPE, compressed(&body)).header(CONTENT_ENCODING, "gzip")
        } else {
            request.body(MEDIA_TYPE, body)
        };
        let answer = request.send().await?;
        if answer.status().is_success() {
            return read(&answer);
        }
        let pause = answer.header("retry-after").and_then(|seconds| seconds.parse().ok());
        let until = pause.and_then(|seconds| Instant::now().checked_add(Duration::from_secs(seconds)));
        *self.quiet_until.lock().unwrap_or_else(PoisonError::into_inner) = until;
        Err(busy(operation, &answer))
    }

    /// Waits until the time that the receiver asked for.
    async fn keep_quiet(&self, operation: &'static str) -> Result<()> {
        let until = *self.quiet_until.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(until) = until else { return Ok(()) };
        let pause = until.saturating_duration_since(Instant::now());
        if pause > LONGEST_PAUSE {
            let message = format!("the OTLP receiver asked to be left alone for {} s more", pause.as_secs());
            return Err(Error::new(ErrorKind::Unavailable, operation, message));
        }
        tokio::time::sleep_until(until).await;
        Ok(())
    }
}

fn compressed(body: &[u8]) -> Vec<u8> {
    const INFALLIBLE: &str = "writing to memory does not fail";
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body).expect(INFALLIBLE);
    encoder.finish().expect(INFALLIBLE)
}

/// What was accepted. Some receivers answer with nothing, or with a text of their own.
fn read<R: Message + Default>(answer: &Answer) -> Result<R> {
    match answer.header("content-type") {
        Some(kind) if kind.contains("html") => Err(answer.strange(&"no answer of OTLP")),
        Some(kind) if kind.starts_with(MEDIA_TYPE) => {
            R::decode(answer.body().clone()).map_err(|error| answer.strange(&error))
        }
        _ => Ok(R::default()),
    }
}

/// The error of a receiver that has no time now. Its body is a `google.rpc.Status`, whose second field is a text.
fn busy(operation: &'static str, answer: &Answer) -> Error {
    let message = RpcStatus::decode(answer.body().clone()).unwrap_or_default().message;
    let mut what = format!("the OTLP receiver answers {}", answer.status());
    if !message.is_empty() {
        what.push_str(&format!(": {message}"));
    }
    if let Some(pause) = answer.header("retry-after") {
        what.push_str(&format!("; it wants to be asked again after {pause}"));
    }
    Error::new(ErrorKind::Unavailable, operation, what)
}

/// As much of a `google.rpc.Status` as is shown.
#[derive(Clone, PartialEq, Message)]
struct RpcStatus {
    #[prost(string, tag = "2")]
    message: String,
}

/// What a refusal means in OTLP, where only some statuses may be tried again.
fn meaning(status: StatusCode, _: &str) -> Option<(ErrorKind, &'static str)> {
    match status.as_u16() {
        404 | 405 => Some((ErrorKind::Config, "; is it a receiver of OTLP/HTTP, and is its path right?")),
        408 | 500 | 501 | 505..=599 => Some((ErrorKind::Other, "")),
        _ => None,
    }
}
