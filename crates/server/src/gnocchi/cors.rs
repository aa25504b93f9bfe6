//! What other sites' pages may ask for: Cross-Origin Resource Sharing, as oslo.middleware answers it.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// For how many seconds a browser may keep what it was told.
const MAX_AGE: HeaderValue = HeaderValue::from_static("3600");
const METHODS: [&str; 8] = ["OPTIONS", "GET", "HEAD", "POST", "PUT", "DELETE", "TRACE", "PATCH"];
/// Headers that a page may send: what every browser lets it, and what OpenStack's log-ins need.
const HEADERS: [&str; 15] = [
    "accept",
    "accept-language",
    "content-type",
    "cache-control",
    "content-language",
    "expires",
    "last-modified",
    "pragma",
    "authorization",
    "x-auth-token",
    "x-subject-token",
    "x-user-id",
    "x-domain-id",
    "x-project-id",
    "x-roles",
];

/// The sites whose pages may ask: `https://horizon.example.com`, or `*` for all.
#[derive(Clone, Debug, Default)]
pub(super) struct Origins(Vec<HeaderValue>);

impl Origins {
    /// Those that can stand in a header: no browser sends others.
    pub(super) fn new(origins: &[String]) -> Self {
        Self(origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok()).collect())
    }

    fn allow(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let origin = headers.get(header::ORIGIN)?;
        let known = self.0.iter().find(|known| *known == origin);
        known.or_else(|| self.0.iter().find(|known| *known == "*")).cloned()
    }
}

/// Answers every OPTIONS with 200, for clients ask before they know what is there, and tells browsers what pages may do.
pub(crate) async fn share(State(origins): State<Arc<Origins>>, request: Request, next: Next) -> Response {
    let origin = origins.allow(request.headers());
    if request.method() == Method::OPTIONS {
        return preflight(origin, request.headers());
    }
    let mut response = next.run(request).await;
    if let Some(origin) = origin {
        let headers = response.headers_mut();
        headers.append(header::VARY, HeaderValue::from_static("Origin"));
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    }
    response
}

fn preflight(origin: Option<HeaderValue>, request: &HeaderMap) -> Response {
    let mut response = StatusCode::OK.into_response();
    let asked = request.get(header::ACCESS_CONTROL_REQUEST_METHOD);
    let (Some(origin), Some(method)) = (origin, asked) else { return response };
    let wanted = request.get(header::ACCESS_CONTROL_REQUEST_HEADERS);
    let wanted = wanted.and_then(|wanted| wanted.to_str().ok()).unwrap_or_default();
    let wanted: Vec<_> = wanted.split(',').map(str::trim).filter(|header| !header.is_empty()).collect();
    let known = |name: &&str| HEADERS.iter().any(|known| known.eq_ignore_ascii_case(name));
    if !METHODS.iter().any(|known| method == known) || !wanted.iter().all(known) {
        return response;
    }
    let headers = response.headers_mut();
    headers.insert(header::VARY, HeaderValue::from_static("Origin"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, method.clone());
    if let Ok(wanted) = HeaderValue::try_from(wanted.join(","))
        && !wanted.is_empty()
    {
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, wanted);
    }
    response
}
