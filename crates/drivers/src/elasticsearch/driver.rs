//! The driver.

use std::sync::{Mutex, PoisonError};

use nephoscope_http::{Answer, Http};
use nephoscope_telemetry::{
    BoxFuture, Capabilities, Driver, Id, Points, Purged, Result, Timestamp, TraceFilter, TracePoint,
    TraceSummary,
};
use serde::Deserialize;
use serde_json::Value;

use super::config::Config;

#[derive(Debug)]
pub(super) struct Elasticsearch {
    pub(super) http: Http,
    pub(super) index: String,
    pub(super) error_index: String,
    /// The type of the documents of a new index, where there are types.
    pub(super) doc_type: String,
    pub(super) records: bool,
    /// Elasticsearch 6 or 7: documents have types.
    pub(super) typed: bool,
    /// It can hold times to the nanosecond.
    pub(super) nanoseconds: bool,
    /// Where batches go, once it is known that the index is there. A plain lock: it is never held across an await.
    target: Mutex<Option<String>>,
}

/// What `GET /` tells. Some distributions and services do not answer it, and all of those are new enough.
#[derive(Default, Deserialize)]
struct Root {
    #[serde(default)]
    version: Version,
}

#[derive(Default, Deserialize)]
struct Version {
    #[serde(default)]
    number: String,
    distribution: Option<String>,
}

impl Elasticsearch {
    pub(super) async fn connect(config: Config) -> Result<Self> {
        let Config { http, index, error_index, doc_type, records } = config;
        let answer = http.get("connect", "/").accept(&[403, 404, 405]).send().await?;
        let root: Root = if answer.status().is_success() { answer.json()? } else { Root::default() };
        let major = root.version.number.split('.').next().and_then(|major| major.parse::<u32>().ok());
        let is_elasticsearch = root.version.distribution.as_deref() != Some("opensearch");
        let older_than = |version| is_elasticsearch && major.is_some_and(|major| major < version);
        Ok(Self {
            typed: older_than(8),
            nanoseconds: !older_than(7),
            http,
            index,
            error_index,
            doc_type,
            records,
            target: Mutex::default(),
        })
    }

    /// Where batches go; makes the index when it is not known to be there.
    pub(super) async fn target(&self, operation: &'static str) -> Result<String> {
        let known = self.target.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(target) = known {
            return Ok(target);
        }
        let target = self.prepare(operation).await?;
        *self.target.lock().unwrap_or_else(PoisonError::into_inner) = Some(target.clone());
        Ok(target)
    }

    /// The index may be gone: the next batch looks again.
    pub(super) fn forget_target(&self) {
        *self.target.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Makes visible whatever was acknowledged to anybody. Who may only read sees it a moment later by itself.
    pub(super) async fn refresh(&self, operation: &'static str, index: &str) -> Result<()> {
        let path = format!("/{index}/_refresh");
        let request = self.http.post(operation, &path).query("ignore_unavailable", "true");
        request.accept(&[403, 404]).send().await?;
        Ok(())
    }

    /// Searches the index, or nothing where there is none. Half an answer is none.
    pub(super) async fn search(&self, operation: &'static str, index: &str, body: &Value) -> Result<Answer> {
        let path = format!("/{index}/_search");
        let request = self.http.post(operation, &path).query("ignore_unavailable", "true");
        request.query("allow_partial_search_results", "false").json(body).send().await
    }
}

impl Driver for Elasticsearch {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            read: true,
            list: true,
            indexed_list: true,
            search_errors: true,
            error_records: true,
            deduplicates: true,
            purge: true,
            durable: true,
        }
    }

    fn notify<'a>(&'a self, points: &'a [TracePoint]) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.store(points))
    }

    fn points<'a>(&'a self, base_id: &'a Id) -> BoxFuture<'a, Result<Points>> {
        Box::pin(self.read(base_id))
    }

    fn list<'a>(&'a self, filter: &'a TraceFilter) -> BoxFuture<'a, Result<Vec<TraceSummary>>> {
        Box::pin(self.find("list traces", filter, false))
    }

    fn list_errors<'a>(&'a self, filter: &'a TraceFilter) -> BoxFuture<'a, Result<Vec<TraceSummary>>> {
        Box::pin(self.find("list traces with errors", filter, true))
    }

    fn purge(&self, older_than: Timestamp) -> BoxFuture<'_, Result<Purged>> {
        Box::pin(self.delete_before(older_than))
    }
}
