//! What comes back.

use bytes::{Bytes, BytesMut};
use nephoscope_telemetry::{Error, ErrorKind, Result};
use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde::Deserialize;

use crate::Http;
use crate::failure::{Place, excerpt, is_page};

/// The longest answer that is read whole: a trace of a million points fits, and an endless answer does no harm.
pub const MAX_ANSWER: usize = 1 << 30;
/// So much of a refusal is read: the reason stands at its beginning.
const MAX_REFUSAL: usize = 64 * 1024;

/// An answer whose body is still coming.
#[derive(Debug)]
pub struct Incoming<'a> {
    response: reqwest::Response,
    place: Place<'a>,
}

/// An answer that refuses, with what it says.
#[derive(Debug)]
pub struct Refusal<'a> {
    /// The status.
    pub status: StatusCode,
    /// The body, as far as it was asked for; it may repeat what is secret.
    pub body: Bytes,
    /// The error that it is to whoever knows nothing of this backend. Holds no secret.
    pub error: Error,
    http: &'a Http,
}

impl Refusal<'_> {
    /// A text of the body without our secrets.
    pub fn mask(&self, text: &str) -> String {
        self.http.mask(text)
    }
}

/// A whole answer.
#[derive(Debug)]
pub struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
    backend: &'static str,
    place: String,
    operation: &'static str,
}

impl<'a> Incoming<'a> {
    pub(crate) fn new(response: reqwest::Response, place: Place<'a>) -> Self {
        Self { response, place }
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// The next piece of the body; nothing at its end. An answer that ends too early is an error.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>> {
        self.response.chunk().await.map_err(|error| self.place.broken(&error))
    }

    /// The error of an answer that turned out to be none, by this text in it.
    pub fn failed(&self, kind: ErrorKind, text: &str) -> Error {
        if is_page(text) {
            let what = "answers a web page; is the address right, and is it not that of a proxy?";
            return self.place.error(ErrorKind::Config, what);
        }
        self.place.error(kind, format!("broke off: {}", excerpt(&self.place.http.mask(text))))
    }

    /// The rest of it, which is bounded by [`MAX_ANSWER`].
    pub async fn whole(self) -> Result<Answer> {
        self.whole_within(MAX_ANSWER).await
    }

    /// The rest of it, which is an error if it is longer than so many bytes.
    pub async fn whole_within(mut self, limit: usize) -> Result<Answer> {
        let (status, headers) = (self.response.status(), self.response.headers().clone());
        let body = self.read(limit).await?;
        let body = body.ok_or_else(|| {
            self.place.error(ErrorKind::Other, format!("answers more than {} MiB", limit >> 20))
        })?;
        let Place { http, place, operation } = self.place;
        Ok(Answer { status, headers, body, backend: http.backend, place: place.into(), operation })
    }

    /// A header, when it is there and is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.response.headers().get(name)?.to_str().ok()
    }

    /// The error that its status means.
    pub async fn refused(self) -> Error {
        self.refusal(MAX_REFUSAL).await.error
    }

    /// What a status that refuses says, of which a body longer than so many bytes is left out.
    pub async fn refusal(mut self, limit: usize) -> Refusal<'a> {
        let status = self.response.status();
        let to =
            self.response.headers().get("location").and_then(|value| value.to_str().ok()).map(Into::into);
        // What cannot be read is left out: the status says enough.
        let body = self.read(limit).await.ok().flatten().unwrap_or_default();
        let beginning = String::from_utf8_lossy(&body[..body.len().min(MAX_REFUSAL)]);
        let error = self.place.refused(status, to, &beginning);
        Refusal { status, body, error, http: self.place.http }
    }

    /// The body, unless it is longer than this.
    async fn read(&mut self, limit: usize) -> Result<Option<Bytes>> {
        let Some(first) = self.chunk().await? else { return Ok(Some(Bytes::new())) };
        let Some(second) = self.chunk().await? else { return Ok((first.len() <= limit).then_some(first)) };
        let mut body = BytesMut::with_capacity((first.len() + second.len()) * 2);
        body.extend_from_slice(&first);
        body.extend_from_slice(&second);
        while let Some(chunk) = self.chunk().await? {
            if body.len() + chunk.len() > limit {
                return Ok(None);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Some(body.freeze()))
    }
}

impl Answer {
    /// The status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// A header, when it is there and is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// The body as JSON of the form that the backend gives.
    pub fn json<'a, T: Deserialize<'a>>(&'a self) -> Result<T> {
        serde_json::from_slice(&self.body).map_err(|error| self.strange(&error))
    }

    /// The error of an answer that the backend does not give: something else is there, or a version we do not know.
    pub fn strange(&self, problem: &dyn std::fmt::Display) -> Error {
        let text = String::from_utf8_lossy(&self.body);
        let what = if is_page(&text) {
            "a web page; is the address right, and is it not that of a proxy?".into()
        } else {
            format!("what {} does not: {problem}: {}", self.backend, excerpt(&text))
        };
        Error::new(ErrorKind::Config, self.operation, format!("what is at {} answers {what}", self.place))
    }
}
