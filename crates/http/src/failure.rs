//! What a failed request means for the caller.

use std::error::Error as StdError;
use std::io;

use nephoscope_telemetry::{Error, ErrorKind};
use reqwest::StatusCode;

use crate::Http;

/// So much of a refusal is shown.
const EXCERPT: usize = 300;

/// Who was asked for what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    pub(crate) http: &'a Http,
    pub(crate) place: &'a str,
    pub(crate) operation: &'static str,
}

impl Place<'_> {
    /// An error that begins with who it is about.
    pub(crate) fn error(&self, kind: ErrorKind, what: impl AsRef<str>) -> Error {
        let Self { http, place, operation } = self;
        Error::new(kind, operation, format!("{} at {place} {}", http.backend, what.as_ref()))
    }

    /// The error of a request without an answer, or with half of one.
    pub(crate) fn broken(&self, error: &reqwest::Error) -> Error {
        let seconds = self.http.timeout.as_secs_f64();
        let (kind, what) = if error.is_timeout() && error.is_connect() {
            (ErrorKind::Unavailable, "cannot be reached in time (option `connect_timeout`)".into())
        } else if error.is_timeout() {
            (ErrorKind::Unavailable, format!("did not answer within {seconds} s (option `timeout`)"))
        } else if is_tls(error) {
            (ErrorKind::Config, "and we have no TLS connection".into())
        } else if error.is_connect() {
            (ErrorKind::Unavailable, "cannot be reached".into())
        } else if is_not_http(error) {
            (ErrorKind::Config, "does not answer in HTTP; does it want TLS, or is it something else?".into())
        } else {
            (ErrorKind::Unavailable, "broke off".into())
        };
        self.error(kind, what).with_source(cause(error))
    }

    /// The error of a status that refuses.
    pub(crate) fn refused(&self, status: StatusCode, location: Option<String>, body: &str) -> Error {
        use ErrorKind::{Config, Conflict, Invalid, NotFound, Other, Unavailable, Unsupported};
        let (kind, cure) = match status.as_u16() {
            300..=399 => (Config, "; name the place that it leads to"),
            401 => (Config, "; mend the login in the connection string"),
            403 => (Config, "; grant it to the user, or connect as another"),
            404 | 410 => (NotFound, ""),
            405 | 501 | 505 => (Unsupported, ""),
            407 => (Config, "; a proxy stands before it"),
            409 | 412 => (Conflict, ""),
            408 | 425 | 429 | 500..=599 => (Unavailable, ""),
            400..=499 => (Invalid, ""),
            _ => (Other, ""),
        };
        let (kind, cure) = (self.http.meaning)(status, body).unwrap_or((kind, cure));
        let mut what = format!("answers {status}");
        if let Some(location) = location {
            what.push_str(&format!(" to {}", excerpt(&self.http.mask(&location))));
        }
        if is_page(body) {
            what.push_str(" with a web page");
        } else if !body.trim().is_empty() {
            what.push_str(&format!(": {}", excerpt(&self.http.mask(body))));
        }
        self.error(kind, what + cure)
    }
}

/// The innermost reason, without the URL, which may hold a secret.
pub(crate) fn cause(error: &reqwest::Error) -> String {
    sources(error).last().map_or_else(|| "no reason is given".into(), ToString::to_string)
}

fn sources<'a>(error: &'a reqwest::Error) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(error.source(), |&error| error.source())
}

/// Whether the handshake failed. An I/O error hides the error that it was made of from its sources.
fn is_tls(error: &reqwest::Error) -> bool {
    error.is_connect() && sources(error).any(holds_tls)
}

fn holds_tls(error: &(dyn StdError + 'static)) -> bool {
    let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    error.is::<rustls::Error>() || inner.is_some_and(|inner| holds_tls(inner))
}

/// Whether what came cannot be read as HTTP.
fn is_not_http(error: &reqwest::Error) -> bool {
    sources(error).filter_map(|source| source.downcast_ref::<hyper::Error>()).any(hyper::Error::is_parse)
}

/// Whether a body is a page for people.
pub(crate) fn is_page(body: &str) -> bool {
    let start = body.trim_start().get(..14).unwrap_or_else(|| body.trim_start()).to_ascii_lowercase();
    ["<!doctype html", "<html", "<head"].iter().any(|tag| start.starts_with(tag))
}

/// The beginning of a text on one line.
pub(crate) fn excerpt(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(EXCERPT) {
        None => line,
        Some((end, _)) => format!("{}…", &line[..end]),
    }
}
