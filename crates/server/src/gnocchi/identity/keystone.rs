//! Who asks, by a token of Keystone's: as OpenStack's own services find it out, and refuse.

use std::fmt;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use nephoscope_keystone::{Bearer, Bearers};
use serde_json::json;

use super::super::content::JSON;
use super::super::fault::{self, Fault};
use super::super::{Door, answer};
use super::{Auth, Identity};

/// The headers that a token comes in, the better first.
const TOKEN: [&str; 2] = ["x-auth-token", "x-storage-token"];

/// What tells whose tokens are.
#[derive(Clone)]
pub struct Tokens {
    bearers: Arc<Bearers>,
    /// Where to get one, for those who come without.
    challenge: HeaderValue,
}

impl Tokens {
    /// As these say. Who comes without a token is sent to Keystone at this address; nothing, where it cannot be told in a
    /// header.
    pub fn new(bearers: Bearers, public_url: &str) -> Option<Self> {
        let challenge = HeaderValue::try_from(format!("Keystone uri=\"{public_url}\"")).ok()?;
        (!public_url.contains('"')).then(|| Self { bearers: Arc::new(bearers), challenge })
    }

    async fn identify(&self, headers: &HeaderMap) -> Result<Identity, Refusal> {
        let token = TOKEN.iter().find_map(|name| headers.get(*name)).and_then(|token| token.to_str().ok());
        let token = token.ok_or_else(|| Refusal::Unknown(self.challenge.clone()))?;
        match self.bearers.bearer(token.trim()).await {
            Ok(Some(bearer)) => Ok(identity(&bearer)),
            Ok(None) => Err(Refusal::Unknown(self.challenge.clone())),
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "cannot find out whose a token is");
                Err(Refusal::Unavailable)
            }
        }
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").field("challenge", &self.challenge).finish_non_exhaustive()
    }
}

/// A creator is a user in a project, or, with the colon but nothing behind it, in none.
fn identity(bearer: &Bearer) -> Identity {
    Identity {
        user: format!("{}:{}", bearer.user_id, bearer.project_id.as_deref().unwrap_or_default()),
        user_id: Some(bearer.user_id.clone()),
        project_id: bearer.project_id.clone(),
        domain_id: bearer.domain_id.clone(),
        roles: bearer.roles.clone(),
        ..Identity::default()
    }
}

/// Nobody gets in.
#[derive(Debug)]
enum Refusal {
    /// Without a token that is one.
    Unknown(HeaderValue),
    /// While nobody can tell.
    Unavailable,
}

impl Refusal {
    fn answer(self, headers: &HeaderMap) -> Response {
        match self {
            Self::Unknown(challenge) => {
                let words = json!({ "error": {
                    "code": 401,
                    "title": "Unauthorized",
                    "message": "The request you have made requires authentication.",
                } });
                let headers = [(header::WWW_AUTHENTICATE, challenge), (header::CONTENT_TYPE, JSON_VALUE)];
                (StatusCode::UNAUTHORIZED, headers, answer::written_as_python(&words)).into_response()
            }
            Self::Unavailable => {
                let words = "The Keystone service is temporarily unavailable.";
                let fault = Fault::new(StatusCode::SERVICE_UNAVAILABLE, words);
                fault::dressed(fault.into_response(), headers)
            }
        }
    }
}

const JSON_VALUE: HeaderValue = HeaderValue::from_static(JSON);

/// Lets nobody into the API without a token, where tokens are what tells who asks; what is at `/` alone is for all.
pub(in super::super) async fn authenticate(
    State(door): State<Arc<Door>>,
    mut request: Request,
    next: Next,
) -> Response {
    if let Auth::Keystone(tokens) = &door.settings.auth
        && is_guarded(request.uri().path())
    {
        match tokens.identify(request.headers()).await {
            Ok(identity) => {
                request.extensions_mut().insert(identity);
            }
            Err(refusal) => return refusal.answer(request.headers()),
        }
    }
    next.run(request).await
}

fn is_guarded(path: &str) -> bool {
    path.starts_with("/v1")
}
