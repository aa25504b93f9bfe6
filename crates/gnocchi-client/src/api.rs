//! One request of the API: logged in, tried again where that may be, and its refusal understood.

use std::time::Duration;

use bytes::Bytes;
use nephoscope_gnocchi::{Error, Result};
use nephoscope_http::header::{ACCEPT, CONTENT_TYPE, HeaderName};
use nephoscope_http::{Answer, Http, Incoming, Method, Request, StatusCode};
use nephoscope_keystone::Keystone;
use nephoscope_telemetry::ErrorKind;

use crate::refusal;

/// How often a request is sent in all, while nobody answers.
const TRIES: u32 = 3;
/// The pause before the second try; each later one is four times as long.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// How long a request may take with all its tries: Gnocchi calculates across thousands of metrics for minutes.
const TIME_LIMIT: Duration = Duration::from_secs(600);
/// The longest refusal that is understood: one that names a hundred thousand resources that are not there.
const MAX_REFUSAL: usize = 32 << 20;
/// The media type of bodies.
pub(crate) const JSON: &str = "application/json";

/// A Gnocchi, and how to log in to it.
#[derive(Debug)]
pub(crate) struct Api {
    http: Http,
    keystone: Option<Keystone>,
    /// Who we are, where nobody checks it.
    identity: Vec<(HeaderName, String)>,
}

/// What is asked.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    operation: &'static str,
    method: Method,
    path: String,
    query: Vec<(&'static str, String)>,
    body: Option<(&'static str, Bytes)>,
    if_match: Option<String>,
    /// Whether doing it twice is doing it once, so that it may be tried again when nobody knows whether it was done.
    repeatable: bool,
    /// The longest answer, in bytes.
    limit: usize,
}

/// The longest answer that holds no series: a thousand resources of 64 kB.
const MAX_THINGS: usize = 64 << 20;

impl Ask {
    /// The operation is what an error says could not be done; the path begins behind `/v1/`.
    pub(crate) fn new(operation: &'static str, method: Method, path: impl AsRef<str>) -> Self {
        Self {
            operation,
            repeatable: method == Method::GET,
            method,
            path: format!("/v1/{}", path.as_ref()),
            query: Vec::new(),
            body: None,
            if_match: None,
            limit: MAX_THINGS,
        }
    }

    pub(crate) fn get(operation: &'static str, path: impl AsRef<str>) -> Self {
        Self::new(operation, Method::GET, path)
    }

    pub(crate) fn post(operation: &'static str, path: impl AsRef<str>) -> Self {
        Self::new(operation, Method::POST, path)
    }

    pub(crate) fn patch(operation: &'static str, path: impl AsRef<str>) -> Self {
        Self::new(operation, Method::PATCH, path)
    }

    pub(crate) fn delete(operation: &'static str, path: impl AsRef<str>) -> Self {
        Self::new(operation, Method::DELETE, path)
    }

    pub(crate) fn query(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    pub(crate) fn queries(mut self, query: impl IntoIterator<Item = (&'static str, String)>) -> Self {
        self.query.extend(query);
        self
    }

    pub(crate) fn json(self, body: &serde_json::Value) -> Self {
        self.body(JSON, body.to_string())
    }

    pub(crate) fn body(mut self, media_type: &'static str, body: impl Into<Bytes>) -> Self {
        self.body = Some((media_type, body.into()));
        self
    }

    /// Only if the resource is still the one with this entity tag.
    pub(crate) fn if_match(mut self, etag: Option<&str>) -> Self {
        self.if_match = etag.map(str::to_owned);
        self
    }

    /// Doing it twice is doing it once.
    pub(crate) fn repeatable(mut self) -> Self {
        self.repeatable = true;
        self
    }

    /// Its answer may hold series.
    pub(crate) fn of_series(mut self) -> Self {
        self.limit = nephoscope_http::MAX_ANSWER;
        self
    }
}

impl Api {
    pub(crate) fn new(http: Http, keystone: Option<Keystone>, identity: Vec<(HeaderName, String)>) -> Self {
        Self { http, keystone, identity }
    }

    pub(crate) fn keystone(&self) -> Option<&Keystone> {
        self.keystone.as_ref()
    }

    /// The answer to what is asked, which is no refusal.
    pub(crate) async fn ask(&self, ask: Ask) -> Result<Answer> {
        self.ask_within(&ask).await.map_err(Refused::into_error)
    }

    /// As [`ask`](Self::ask); nothing where Gnocchi has no such path.
    pub(crate) async fn ask_if_there(&self, ask: Ask) -> Result<Option<Answer>> {
        match self.ask_within(&ask).await {
            Ok(answer) => Ok(Some(answer)),
            Err(Refused::NoSuchPath(_)) => Ok(None),
            Err(Refused::For(error)) => Err(error),
        }
    }

    async fn ask_within(&self, ask: &Ask) -> std::result::Result<Answer, Refused> {
        let tries = self.try_repeatedly(ask);
        tokio::time::timeout(TIME_LIMIT, tries).await.unwrap_or_else(|_| {
            let (operation, seconds) = (ask.operation, TIME_LIMIT.as_secs());
            let message = format!("cannot {operation}: Gnocchi did not answer within {seconds} s");
            Err(Refused::For(Error::Unavailable { message, source: None }))
        })
    }

    async fn try_repeatedly(&self, ask: &Ask) -> std::result::Result<Answer, Refused> {
        let mut pause = FIRST_PAUSE;
        for tried in 1..TRIES {
            match self.try_once(ask).await {
                Err(Refused::For(error @ Error::Unavailable { .. })) if ask.repeatable => {
                    tracing::debug!(
                        operation = ask.operation,
                        tried,
                        error = &error as &dyn std::error::Error,
                        "trying again"
                    );
                    tokio::time::sleep(pause).await;
                    pause *= 4;
                }
                result => return result,
            }
        }
        self.try_once(ask).await
    }

    async fn try_once(&self, ask: &Ask) -> std::result::Result<Answer, Refused> {
        let failed = |error| Refused::For(of_backend(error));
        let incoming = self.send(ask).await.map_err(failed)?;
        if incoming.status().is_success() {
            return incoming.whole_within(ask.limit).await.map_err(failed);
        }
        Err(refused(incoming).await)
    }

    async fn send(&self, ask: &Ask) -> nephoscope_telemetry::Result<Incoming<'_>> {
        match &self.keystone {
            Some(keystone) => keystone.send(|| self.request(ask)).await,
            None => self.request(ask).open().await,
        }
    }

    fn request(&self, ask: &Ask) -> Request<'_> {
        let mut request = self.http.request(ask.operation, ask.method.clone(), &ask.path);
        // Gnocchi writes refusals as JSON only for those who ask for it.
        request = request.accept_all().header(ACCEPT, JSON);
        for (name, value) in &self.identity {
            request = request.header(name.clone(), value);
        }
        for (name, value) in &ask.query {
            request = request.query(name, value.as_str());
        }
        if let Some(etag) = &ask.if_match {
            request = request.header(HeaderName::from_static("if-match"), etag);
        }
        match &ask.body {
            Some((media_type, body)) => request.body(media_type, body.clone()),
            // Without one Gnocchi refuses even an empty search.
            None if ask.method == Method::POST => request.header(CONTENT_TYPE, JSON),
            None => request,
        }
    }
}

/// Why there is no answer.
enum Refused {
    /// Gnocchi knows neither the path nor what it should be about, and this is what it says of it.
    NoSuchPath(Error),
    For(Error),
}

impl Refused {
    fn into_error(self) -> Error {
        match self {
            Self::NoSuchPath(error) | Self::For(error) => error,
        }
    }
}

/// What a refusal means: in Gnocchi's words where it is one of Gnocchi's, else by its status.
async fn refused(incoming: Incoming<'_>) -> Refused {
    let refusal = incoming.refusal(MAX_REFUSAL).await;
    let status = refusal.status;
    // Away is away, whatever a proxy writes about it.
    if status.is_server_error()
        || status == StatusCode::TOO_MANY_REQUESTS
        || status == StatusCode::REQUEST_TIMEOUT
    {
        return Refused::For(of_backend(refusal.error));
    }
    let understood = refusal::understand(status, &refusal.body, |text| refusal.mask(text));
    match (status, understood) {
        (StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED, Some(error @ Error::Invalid(_))) => {
            Refused::NoSuchPath(error)
        }
        (_, Some(error)) => Refused::For(error),
        (StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED, None) => {
            Refused::NoSuchPath(of_backend(refusal.error))
        }
        (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, None) => {
            Refused::For(Error::Forbidden(refusal.error.to_string()))
        }
        (StatusCode::PRECONDITION_FAILED, None) => Refused::For(Error::RevisionChanged),
        (_, None) => Refused::For(of_backend(refusal.error)),
    }
}

/// A failure of the way to Gnocchi in its words.
pub(crate) fn of_backend(error: nephoscope_telemetry::Error) -> Error {
    let (kind, message, source) = (error.kind(), error.to_string(), error.into_source());
    match kind {
        ErrorKind::Unavailable => Error::Unavailable { message, source },
        ErrorKind::Invalid => Error::Invalid(message),
        _ => Error::Internal { message, source },
    }
}
