//! One request.

use bytes::Bytes;
use nephoscope_telemetry::Result;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::{Method, StatusCode};
use serde::Serialize;

use crate::{Answer, Http, Incoming, failure};

/// A request that is being written.
#[derive(Debug)]
#[must_use = "nothing happens until it is sent"]
pub struct Request<'a> {
    http: &'a Http,
    operation: &'static str,
    method: Method,
    path: String,
    query: Vec<(&'a str, String)>,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Bytes,
    accepted: Vec<u16>,
    accepts_all: bool,
}

impl<'a> Request<'a> {
    pub(crate) fn new(http: &'a Http, operation: &'static str, method: Method, path: &str) -> Self {
        let (query, headers) = (Vec::new(), Vec::new());
        Self {
            http,
            operation,
            method,
            path: path.into(),
            query,
            headers,
            body: Bytes::new(),
            accepted: Vec::new(),
            accepts_all: false,
        }
    }

    /// With a query parameter, which is encoded here.
    pub fn query(mut self, name: &'a str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    /// With a header.
    ///
    /// # Panics
    /// When the value cannot be a header's: control characters are to be refused before.
    pub fn header(mut self, name: HeaderName, value: &str) -> Self {
        self.headers.push((name, HeaderValue::from_str(value).expect("no control characters")));
        self
    }

    /// With a header that is not to be shown.
    ///
    /// # Panics
    /// When the value cannot be a header's: control characters are to be refused before.
    pub fn secret_header(mut self, name: &'static str, value: &str) -> Self {
        let mut value = HeaderValue::from_str(value).expect("no control characters");
        value.set_sensitive(true);
        self.headers.push((HeaderName::from_static(name), value));
        self
    }

    /// With a body of this media type.
    pub fn body(mut self, media_type: &'static str, body: impl Into<Bytes>) -> Self {
        self.headers.push((CONTENT_TYPE, HeaderValue::from_static(media_type)));
        self.body = body.into();
        self
    }

    /// With a body of JSON.
    pub fn json(self, body: &impl Serialize) -> Self {
        let text = serde_json::to_vec(body).expect("what we send can be written as JSON");
        self.body("application/json", text)
    }

    /// Takes these statuses as answers too; all others but 2xx are errors.
    pub fn accept(mut self, statuses: &'static [u16]) -> Self {
        self.accepted.extend(statuses);
        self
    }

    /// Takes every status as an answer, for a caller who knows what refusals mean: see
    /// [`refusal`](Incoming::refusal).
    pub fn accept_all(mut self) -> Self {
        self.accepts_all = true;
        self
    }

    /// Sends it, and reads the whole answer, which is bounded by [`MAX_ANSWER`](crate::MAX_ANSWER).
    pub async fn send(self) -> Result<Answer> {
        self.open().await?.whole().await
    }

    /// Sends it, and leaves the body of the answer to be read piece by piece.
    pub async fn open(self) -> Result<Incoming<'a>> {
        let (number, base) = self.http.base();
        let place = failure::Place { http: self.http, place: &base.place, operation: self.operation };
        let mut request = self.http.client.request(self.method, format!("{}{}", base.url, self.path));
        request = request.headers(self.http.headers.clone());
        if !self.query.is_empty() {
            request = request.query(&self.query);
        }
        for (name, value) in self.headers {
            request = request.header(name, value);
        }
        let response = request.body(self.body).send().await.map_err(|error| {
            if error.is_connect() || error.is_timeout() {
                self.http.leave(number);
            }
            place.broken(&error)
        })?;
        let incoming = Incoming::new(response, place);
        let status = incoming.status();
        if status == StatusCode::SERVICE_UNAVAILABLE || status == StatusCode::BAD_GATEWAY {
            self.http.leave(number);
        }
        if status.is_success() || self.accepts_all || self.accepted.contains(&status.as_u16()) {
            return Ok(incoming);
        }
        Err(incoming.refused().await)
    }
}

/// What stays as it is in a segment of a path: the unreserved characters of RFC 3986.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A text as one segment of a path.
pub fn segment(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

/// A text as a path from the root, each part of it between slashes as a segment. A slash at its end stays.
pub fn path(text: &str) -> String {
    let text = text.strip_prefix('/').unwrap_or(text);
    text.split('/').fold(String::new(), |path, part| path + "/" + &segment(part))
}
