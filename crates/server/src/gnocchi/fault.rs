//! Refusals in the form of Gnocchi's API.

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use nephoscope_gnocchi::Error;
use serde_json::{Value, json};

use super::{accept, answer};
use crate::failure::{Failure, RETRY_AFTER_SECONDS};

/// An answer that is no success: `{"code", "title", "description"}`, or a page for those who do not ask for JSON.
///
/// It is an answer only once [`dress`] has seen the request, for it depends on what the client takes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fault {
    status: StatusCode,
    /// A text, an object with `cause`, `reason` and `detail`, or nothing.
    description: Value,
}

impl Fault {
    /// With a text that tells what is wrong; clients find out by it what kind of failure it is.
    pub(crate) fn new(status: StatusCode, description: impl Into<String>) -> Self {
        Self { status, description: Value::String(description.into()) }
    }

    /// Without a word beyond the status.
    pub(crate) fn bare(status: StatusCode) -> Self {
        Self::new(status, "")
    }

    pub(crate) fn bad_request(description: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, description)
    }

    /// With an object that tells what is wrong.
    pub(crate) fn described(status: StatusCode, description: Value) -> Self {
        Self { status, description }
    }

    /// An argument of the query that has a value it cannot have.
    pub(crate) fn argument(name: &str, reason: impl Into<String>) -> Self {
        let reason: String = reason.into();
        let description = json!({ "cause": "Argument value error", "detail": name, "reason": reason });
        Self::described(StatusCode::BAD_REQUEST, description)
    }

    /// A body that cannot be read.
    pub(crate) fn undecodable(reason: impl Into<String>) -> Self {
        let reason: String = reason.into();
        let description = json!({ "cause": "Unable to decode body", "reason": reason, "detail": [] });
        Self::described(StatusCode::BAD_REQUEST, description)
    }

    /// A body that says something else than it should, at that place in it.
    pub(crate) fn invalid(reason: impl Into<String>, place: &[String]) -> Self {
        let reason: String = reason.into();
        let description = json!({ "cause": "Invalid input", "reason": reason, "detail": place });
        Self::described(StatusCode::BAD_REQUEST, description)
    }

    /// Nothing is at that path.
    pub(crate) fn nowhere() -> Self {
        Self::described(StatusCode::NOT_FOUND, Value::Null)
    }

    /// The same words with another status: what is not there is 404 in a path and 400 in a body.
    #[must_use]
    pub(crate) fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    fn title(&self) -> &'static str {
        self.status.canonical_reason().unwrap_or("Error")
    }

    fn json(&self) -> Vec<u8> {
        let (code, title) = (self.status.as_u16(), self.title());
        answer::written_as_python(&json!({ "code": code, "title": title, "description": self.description }))
    }

    fn page(&self) -> Vec<u8> {
        let status = format!("{} {}", self.status.as_u16(), self.title());
        let explanation = explanation(self.status);
        let description = match &self.description {
            Value::Null => String::new(),
            Value::String(text) => escape(text),
            object => escape(&object.to_string()),
        };
        let head = format!("<html>\n<head><title>{status}</title></head>\n");
        format!(
            "{head}<body>\n<h1>{status}</h1>\n<p>{explanation}</p>\n<p>{description}</p>\n</body>\n</html>\n"
        )
        .into_bytes()
    }
}

/// What a status means, for people, and for those of Gnocchi's clients that look for these words.
fn explanation(status: StatusCode) -> &'static str {
    match status {
        StatusCode::BAD_REQUEST => "The server could not comply with the request.",
        StatusCode::UNAUTHORIZED => "Say who you are: this server could not verify it.",
        StatusCode::FORBIDDEN => "Access was denied to this resource.",
        StatusCode::NOT_FOUND => "The resource could not be found.",
        _ => "",
    }
}

/// Enough that no text becomes markup; `>` stays, as those who look for it in the page expect.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&#34;")
}

impl From<Error> for Fault {
    /// With the status that the words have where they are about what the path names.
    fn from(error: Error) -> Self {
        let text = error.to_string();
        match error {
            Error::NoSuchArchivePolicy(_)
            | Error::NoSuchArchivePolicyRule(_)
            | Error::NoSuchResourceType(_)
            | Error::NoSuchResource(_)
            | Error::NoSuchMetric(_)
            | Error::NoSuchAggregation { .. }
            | Error::NoSuchGranularity { .. } => Self::new(StatusCode::NOT_FOUND, text),
            Error::ArchivePolicyAlreadyExists(_)
            | Error::ArchivePolicyRuleAlreadyExists(_)
            | Error::ResourceTypeAlreadyExists(_)
            | Error::ResourceAlreadyExists(_)
            | Error::NamedMetricAlreadyExists(_) => Self::new(StatusCode::CONFLICT, text),
            Error::RevisionChanged => Self::bare(StatusCode::PRECONDITION_FAILED),
            Error::UnknownResources(unknown) => {
                let detail: Vec<_> = unknown
                    .iter()
                    .map(|resource| {
                        json!({
                            "resource_id": resource.resource_id.to_string(),
                            "original_resource_id": resource.original_resource_id,
                        })
                    })
                    .collect();
                let description = json!({ "cause": "Unknown resources", "detail": detail });
                Self::described(StatusCode::BAD_REQUEST, description)
            }
            Error::CannotBeAggregated { reason, detail } => {
                let detail: Vec<_> = detail
                    .iter()
                    .map(|series| match series.granularity {
                        Some(granularity) => json!([series.metric, series.aggregation, granularity]),
                        None => json!([series.metric, series.aggregation]),
                    })
                    .collect();
                let description =
                    json!({ "cause": "Metrics cannot be aggregated", "reason": reason, "detail": detail });
                Self::described(StatusCode::BAD_REQUEST, description)
            }
            Error::Forbidden(_) => Self::new(StatusCode::FORBIDDEN, text),
            Error::Unavailable { .. } => {
                tracing::warn!(error = &error as &dyn std::error::Error, "Gnocchi is away");
                Self::new(StatusCode::SERVICE_UNAVAILABLE, text)
            }
            Error::Internal { .. } => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "a request of Gnocchi's API failed"
                );
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, text)
            }
            _ => Self::bad_request(text),
        }
    }
}

impl From<Failure> for Fault {
    fn from(failure: Failure) -> Self {
        Self::new(failure.status(), failure.message())
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Writes the [`Fault`] of an answer as the client wants it, and refuses, before anything is done, to answer one that
/// takes no JSON.
pub(super) async fn dress(request: Request, next: Next) -> Response {
    let accepted = request.headers().get_all(header::ACCEPT).iter().cloned();
    let headers: HeaderMap = accepted.map(|value| (header::ACCEPT, value)).collect();
    if accept::takes_json(&headers) {
        dressed(next.run(request).await, &headers)
    } else {
        dressed(Fault::bare(StatusCode::NOT_ACCEPTABLE).into_response(), &headers)
    }
}

/// The answer, with its [`Fault`], if it has one, written as a client with these headers wants it.
pub(super) fn dressed(mut response: Response, headers: &HeaderMap) -> Response {
    let Some(fault) = response.extensions_mut().remove::<Fault>() else { return response };
    if fault.status == StatusCode::NOT_MODIFIED {
        return response;
    }
    let (media_type, body) = if accept::prefers_json(headers) {
        ("application/json", fault.json())
    } else {
        ("text/html; charset=UTF-8", fault.page())
    };
    *response.body_mut() = Body::from(body);
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_LENGTH);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    match fault.status {
        StatusCode::UNAUTHORIZED => {
            let challenge = HeaderValue::from_static("Basic realm=\"Gnocchi API\"");
            headers.entry(header::WWW_AUTHENTICATE).or_insert(challenge);
        }
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_SECONDS));
        }
        _ => {}
    }
    response
}
