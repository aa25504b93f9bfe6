//! Logging in, and staying so.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use nephoscope_http::{Http, Incoming, Request, StatusCode};
use nephoscope_telemetry::{ConnectionString, ErrorKind, Result};
use serde_json::Value;
use tokio::sync::Mutex;

use crate::login::Login;
use crate::{Bearer, Session};

/// The header of a token.
const TOKEN: &str = "x-auth-token";
/// The header of a token that is asked after.
const SUBJECT_TOKEN: &str = "x-subject-token";

/// A Keystone and who we are there.
pub struct Keystone {
    pub(crate) http: Http,
    body: Value,
    /// The session in use. Held while logging in, so that those who need one at the same time wait for one login.
    session: Mutex<Option<Arc<Session>>>,
}

impl Keystone {
    /// The Keystone that option `auth_url` of a connection string names; nothing without it. Nothing is asked of it yet.
    pub fn of(to: &ConnectionString) -> Result<Option<Self>> {
        let Some(Login { url, body, secret }) = Login::read(to)? else { return Ok(None) };
        let http = Http::at("Keystone", to, &url)?.with_secret(&secret).with_meaning(meaning);
        Ok(Some(Self { http, body, session: Mutex::new(None) }))
    }

    /// A session whose token lasts for a while.
    pub async fn session(&self) -> Result<Arc<Session>> {
        self.session_unless(|session| !session.is_fresh()).await
    }

    /// Sends a request that `make` writes, with a token; once more with another token when it is refused (401), which
    /// happens to a token that was revoked. What it is refused then is an error, as without this.
    pub async fn send<'a>(&self, make: impl Fn() -> Request<'a>) -> Result<Incoming<'a>> {
        let session = self.session().await?;
        let answer = with_token(make(), &session).accept(&[401]).open().await?;
        if answer.status() != StatusCode::UNAUTHORIZED {
            return Ok(answer);
        }
        let session = self.session_unless(|current| current.token() == session.token()).await?;
        with_token(make(), &session).open().await
    }

    /// Who has a token that was shown to us; nobody, where Keystone does not know it. We have to be somebody who may ask:
    /// an administrator, or a user with the role `service`.
    ///
    /// A token of an application credential with access rules is told to nobody who does not check these, and we do not.
    pub(crate) async fn bearer(&self, token: &str) -> Result<Option<Bearer>> {
        let ask = || {
            let question = self.http.get("validate a token", "/auth/tokens").query("nocatalog", "1");
            question.secret_header(SUBJECT_TOKEN, token).accept(&[404])
        };
        let answer = self.send(ask).await?;
        if answer.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        Bearer::read(&answer.whole().await?).map(Some)
    }

    /// The session in use, unless it will not do: then a new one.
    async fn session_unless(&self, unfit: impl Fn(&Session) -> bool) -> Result<Arc<Session>> {
        let mut held = self.session.lock().await;
        if let Some(session) = held.as_ref().filter(|session| !unfit(session)) {
            return Ok(session.clone());
        }
        let sent = Instant::now();
        let answer = self.http.post("log in", "/auth/tokens").json(&self.body).send().await?;
        let session = Arc::new(Session::read(&answer, sent)?);
        *held = Some(session.clone());
        Ok(session)
    }
}

/// Keystone answers 404 to a token that it cannot read.
fn meaning(status: StatusCode, _: &str) -> Option<(ErrorKind, &'static str)> {
    let cure = "; is that the address of Keystone, and is the login right?";
    (status == StatusCode::NOT_FOUND).then_some((ErrorKind::Config, cure))
}

fn with_token<'a>(request: Request<'a>, session: &Session) -> Request<'a> {
    request.secret_header(TOKEN, session.token())
}

impl fmt::Debug for Keystone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keystone").field("http", &self.http).finish_non_exhaustive()
    }
}
