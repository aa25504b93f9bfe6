//! The REST API, as far as OSProfiler uses it.
//!
//! Source: <https://vmw-loginsight.github.io> and OSProfiler 4.4, `osprofiler/drivers/loginsight.py`.

use nephoscope_http::header::HeaderName;
use nephoscope_http::{Answer, Http, OPTIONS, segment};
use nephoscope_telemetry::{ConnectionString, Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::RwLock;

/// Where OSProfiler's events come from, by its own choice.
const INGEST: &str = "/events/ingest/F52D775B-6017-4787-8C8A-F21AE0AEC057";
const SESSION: HeaderName = HeaderName::from_static("x-li-session-id");
/// The status by which Log Insight says that a session has expired.
const SESSION_EXPIRED: u16 = 440;
/// As many events as the server gives at most for one query.
pub(super) const MAX_EVENTS: usize = 20_000;
/// How long the server may search, in milliseconds: as OSProfiler has it.
const SEARCH_TIMEOUT: &str = "60000";

/// One server, and the session that we have there.
pub(super) struct Api {
    http: Http,
    user: String,
    password: String,
    /// Written when the server has forgotten it; a lock that may be held over the login that replaces it.
    session: RwLock<String>,
}

/// An event, sent and read alike.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Event {
    #[serde(default)]
    text: String,
    /// When it arrived, in milliseconds; not sent.
    #[serde(default, skip_serializing)]
    pub(super) timestamp: i64,
    #[serde(default)]
    fields: Vec<Field>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Field {
    name: String,
    #[serde(default)]
    content: Option<String>,
}

impl Event {
    pub(super) fn new(fields: [(&str, Option<String>); 6]) -> Self {
        let fields = fields.map(|(name, content)| Field { name: name.into(), content });
        Self { text: "OSProfiler trace".into(), timestamp: 0, fields: fields.into() }
    }

    /// The notification.
    pub(super) fn trace(&self) -> Option<&str> {
        self.fields.iter().find(|field| field.name == "trace")?.content.as_deref()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Session {
    session_id: String,
}

#[derive(Deserialize)]
struct Ingested {
    ingested: usize,
}

#[derive(Deserialize)]
struct Found {
    /// Whether the search came to its end.
    #[serde(default = "yes")]
    complete: bool,
    #[serde(default)]
    events: Vec<Event>,
}

fn yes() -> bool {
    true
}

impl Api {
    /// Logs in.
    pub(super) async fn connect(to: &ConnectionString) -> Result<Self> {
        let known: Vec<&str> = OPTIONS.into_iter().chain(["filter_error_trace", "tls"]).collect();
        to.expect_options(&known)?;
        to.flag("filter_error_trace")?;
        let encrypted = to.option("tls").is_none() || to.flag("tls")?;
        if to.database().is_some() {
            return Err(to.wrong("Log Insight has no databases: nothing stands behind the address"));
        }
        let (Some(user), Some(password)) = (to.user(), to.password()) else {
            return Err(to.wrong("user and password are needed, as in loginsight://user:password@host"));
        };
        let port = if encrypted { 9543 } else { 9000 };
        let http = Http::new("Log Insight", to, encrypted, port, "/api/v1")?.with_secret(user);
        let (user, password) = (user.into(), password.into());
        let api = Self { http, user, password, session: RwLock::default() };
        api.log_in("connect", "").await?;
        Ok(api)
    }

    /// A new session, unless somebody else has replaced the forgotten one already.
    async fn log_in(&self, operation: &'static str, forgotten: &str) -> Result<()> {
        let mut session = self.session.write().await;
        if *session == forgotten {
            let login = json!({"username": self.user, "password": self.password});
            let answer = self.http.post(operation, "/sessions").json(&login).send().await?;
            let id = answer.json::<Session>()?.session_id;
            if id.contains(|character: char| !character.is_ascii_graphic()) {
                return Err(answer.strange(&"a session id that no header can hold"));
            }
            *session = id;
        }
        Ok(())
    }

    /// Sends events, all of which have to be taken.
    pub(super) async fn ingest(&self, operation: &'static str, events: &[Event]) -> Result<()> {
        let answer = self.http.post(operation, INGEST).json(&json!({"events": events})).send().await?;
        let ingested = answer.json::<Ingested>()?.ingested;
        if ingested == events.len() {
            return Ok(());
        }
        let problem = format!("Log Insight took {ingested} events of {}", events.len());
        Err(Error::new(ErrorKind::Unavailable, operation, problem))
    }

    /// The newest events of a search, newest first.
    pub(super) async fn search(&self, operation: &'static str, constraints: &str) -> Result<Vec<Event>> {
        let session = self.session.read().await.clone();
        let mut answer = self.ask(operation, constraints, &session).await?;
        if answer.status() == SESSION_EXPIRED {
            self.log_in(operation, &session).await?;
            let session = self.session.read().await.clone();
            answer = self.ask(operation, constraints, &session).await?;
        }
        if answer.status() == SESSION_EXPIRED {
            let problem = "Log Insight says that the session has expired when it has just begun";
            return Err(Error::new(ErrorKind::Unavailable, operation, problem));
        }
        let Found { complete, events } = answer.json()?;
        if !complete {
            let problem = "Log Insight gave up searching before it had found everything";
            return Err(Error::new(ErrorKind::Unavailable, operation, problem));
        }
        Ok(events)
    }

    async fn ask(&self, operation: &'static str, constraints: &str, session: &str) -> Result<Answer> {
        let request = self.http.get(operation, &format!("/events/{constraints}")).header(SESSION, session);
        let request = request.query("limit", MAX_EVENTS.to_string()).query("timeout", SEARCH_TIMEOUT);
        request.accept(&[SESSION_EXPIRED]).send().await
    }
}

/// The search for what may be of this trace. Log Insight compares words, so others may be found too.
pub(super) fn of_trace(base_id: &str) -> String {
    format!("base_id/CONTAINS+{}", segment(base_id))
}

impl std::fmt::Debug for Api {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Api").field("http", &self.http).finish_non_exhaustive()
    }
}
