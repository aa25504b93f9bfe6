//! Traces of another Nephoscope: `http://[user:password@]host[:80][,host…][/path]`, `https://…[:443]`.
//!
//! | option | meaning |
//! |---|---|
//! | `timeout`, `connect_timeout` | seconds that the daemon may be silent (20), and to reach it (5) |
//! | `cacert`, `cert`, `key`, `insecure` | TLS, as OpenStack's clients call it |
//! | `filter_error_trace` | taken and without effect: what the daemon keeps is its own affair |
//!
//! The daemon itself asks for no password and speaks no TLS; user, password, `https` and a path are for a proxy before
//! it. What it can do depends on its own drivers: it is asked when the driver connects. Its HTTP interface is told in
//! `docs/daemon.md`.

mod about;
mod lines;
mod list;
mod write;

use std::sync::Arc;

use nephoscope_http::{Http, OPTIONS};
use nephoscope_telemetry::{
    BoxFuture, Capabilities, Connecting, ConnectionString, Driver, Id, Points, Purged, Result, Timestamp,
    TraceFilter, TracePoint, TraceSummary,
};
use serde::Deserialize;

use about::About;

/// What it is called in errors.
const BACKEND: &str = "Nephoscope";

/// Connects `http://` and `https://`.
pub(crate) fn connect(to: &ConnectionString) -> Connecting<'_> {
    Box::pin(async move {
        let http = http(to)?;
        let about = About::ask(&http).await?;
        Ok(Arc::new(Nephoscope { http, about }) as Arc<dyn Driver>)
    })
}

/// The daemon at the address of a connection string.
fn http(to: &ConnectionString) -> Result<Http> {
    to.expect_options(&[OPTIONS.as_slice(), &["filter_error_trace"]].concat())?;
    to.flag("filter_error_trace")?;
    if to.hosts().is_empty() {
        return Err(to.wrong("it names no host, as in http://127.0.0.1:8041"));
    }
    let encrypted = to.scheme() == "https";
    let port = if encrypted { 443 } else { 80 };
    let path = to.database().map(|path| format!("/{path}")).unwrap_or_default();
    let http = Http::new(BACKEND, to, encrypted, port, &path)?;
    Ok(match to.user() {
        Some(user) => http.with_basic_auth(user, to.password().unwrap_or_default()),
        None => http,
    })
}

#[derive(Debug)]
struct Nephoscope {
    http: Http,
    about: About,
}

impl Nephoscope {
    async fn read(&self, base_id: &Id) -> Result<Points> {
        let request = self.http.get("read a trace", "/api/trace-points");
        lines::read(request.query("base_id", base_id.to_string()).open().await?).await
    }

    async fn delete(&self, older_than: Timestamp) -> Result<Purged> {
        #[derive(Deserialize)]
        struct Deleted {
            traces: u64,
        }
        let request = self.http.delete("purge traces", "/api/traces");
        let answer = request.query("older_than", older_than.to_string()).send().await?;
        let Deleted { traces } = answer.json()?;
        Ok(Purged { traces })
    }
}

impl Driver for Nephoscope {
    fn capabilities(&self) -> Capabilities {
        self.about.capabilities()
    }

    fn notify<'a>(&'a self, points: &'a [TracePoint]) -> BoxFuture<'a, Result<()>> {
        Box::pin(write::store(&self.http, points, self.about.max_body))
    }

    fn points<'a>(&'a self, base_id: &'a Id) -> BoxFuture<'a, Result<Points>> {
        Box::pin(self.read(base_id))
    }

    fn list<'a>(&'a self, filter: &'a TraceFilter) -> BoxFuture<'a, Result<Vec<TraceSummary>>> {
        Box::pin(list::list("list traces", &self.http, filter, false, self.about.max_limit))
    }

    fn list_errors<'a>(&'a self, filter: &'a TraceFilter) -> BoxFuture<'a, Result<Vec<TraceSummary>>> {
        Box::pin(list::list("list traces with errors", &self.http, filter, true, self.about.max_limit))
    }

    fn purge(&self, older_than: Timestamp) -> BoxFuture<'_, Result<Purged>> {
        Box::pin(self.delete(older_than))
    }
}

#[cfg(test)]
mod tests;
