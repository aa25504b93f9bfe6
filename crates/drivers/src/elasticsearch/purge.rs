//! Deleting what is old: the ids are searched for and deleted in batches, which needs no module of the server.

use std::collections::HashSet;

use nephoscope_telemetry::{Error, ErrorKind, Purged, Result, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::bulk::{Fate, items};
use super::driver::Elasticsearch;
use super::hits::{Hit, hits};

const OPERATION: &str = "delete old traces";
/// Traces that are looked at with one request; each is a bucket.
const TRACES_AT_A_TIME: usize = 1_000;
/// Documents that are deleted with one request: what one search returns (`index.max_result_window`).
const DOCUMENTS_AT_A_TIME: usize = 10_000;

#[derive(Deserialize)]
struct Answer {
    aggregations: Option<Aggregations>,
}

#[derive(Deserialize)]
struct Aggregations {
    traces: Traces,
}

#[derive(Deserialize)]
struct Traces {
    /// Where the next page begins.
    after_key: Option<Value>,
    buckets: Vec<Bucket>,
}

#[derive(Deserialize)]
struct Bucket {
    key: Key,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Key {
    Term(String),
    Composite { id: String },
}

impl Traces {
    fn ids(self) -> Vec<String> {
        let id = |bucket: Bucket| match bucket.key {
            Key::Term(id) | Key::Composite { id } => id,
        };
        self.buckets.into_iter().map(id).collect()
    }
}

impl Elasticsearch {
    /// Deletes the traces without a point of this time or later, with their records of errors.
    pub(super) async fn delete_before(&self, older_than: Timestamp) -> Result<Purged> {
        let mut purged = Purged::default();
        let Some(base_id) = self.fields(OPERATION, &self.index).await?.and_then(|fields| fields.base_id)
        else {
            return Ok(purged);
        };
        self.refresh(OPERATION, &self.index).await?;
        let records = self.fields(OPERATION, &self.error_index).await?.and_then(|fields| fields.base_id);
        if records.is_some() {
            self.refresh(OPERATION, &self.error_index).await?;
        }
        let (old, new) = (of_time("lt", older_than), of_time("gte", older_than));
        let mut after = None;
        loop {
            let mut traces =
                json!({"size": TRACES_AT_A_TIME, "sources": [{"id": {"terms": {"field": &base_id}}}]});
            if let Some(after) = after.take() {
                traces["after"] = after;
            }
            let mut page = self.traces(&old, &json!({"composite": traces})).await?;
            after = page.after_key.take();
            let ids = page.ids();
            let of_page = json!({"terms": {&base_id: &ids}});
            let ends = json!({"terms": {"field": &base_id, "size": TRACES_AT_A_TIME}});
            let alive = self.traces(&json!([&of_page, &new]), &ends).await?;
            let alive: HashSet<String> = alive.ids().into_iter().collect();
            let full = ids.len() == TRACES_AT_A_TIME;
            let dead: Vec<String> = ids.into_iter().filter(|id| !alive.contains(id)).collect();
            if !dead.is_empty() {
                self.delete(&self.index, &base_id, &dead).await?;
                if let Some(base_id) = &records {
                    self.delete(&self.error_index, base_id, &dead).await?;
                }
            }
            purged.traces += dead.len() as u64;
            if !full || after.is_none() {
                return Ok(purged);
            }
        }
    }

    /// The traces of an aggregation over the points that fit.
    async fn traces(&self, points: &Value, aggregation: &Value) -> Result<Traces> {
        let body = json!({
            "size": 0,
            "track_total_hits": false,
            "query": {"bool": {"filter": points}},
            "aggs": {"traces": aggregation},
        });
        let answer: Answer = self.search(OPERATION, &self.index, &body).await?.json()?;
        let none = Traces { after_key: None, buckets: Vec::new() };
        Ok(answer.aggregations.map_or(none, |aggregations| aggregations.traces))
    }

    /// Deletes all documents of these traces from an index.
    async fn delete(&self, index: &str, base_id: &str, traces: &[String]) -> Result<()> {
        let body = json!({
            "size": DOCUMENTS_AT_A_TIME,
            "_source": false,
            "track_total_hits": false,
            "query": {"bool": {"filter": {"terms": {base_id: traces}}}},
        });
        loop {
            let answer = self.search(OPERATION, index, &body).await?;
            let hits = hits(&answer)?;
            self.carry_out(&hits).await?;
            if hits.len() < DOCUMENTS_AT_A_TIME {
                return Ok(());
            }
            self.refresh(OPERATION, index).await?;
        }
    }

    async fn carry_out(&self, hits: &[Hit<'_>]) -> Result<()> {
        if hits.is_empty() {
            return Ok(());
        }
        let actions: String = hits.iter().map(delete_action).collect();
        let answer = self.bulk(OPERATION, "/_bulk", actions).await?;
        let answer = answer.ok_or_else(|| failure(ErrorKind::Invalid, "takes no request of a megabyte"))?;
        for item in items(&answer, hits.len())? {
            match item.outcome().fate() {
                Fate::Refused(reason) => return Err(failure(ErrorKind::Other, &reason)),
                // Somebody else deleted it.
                Fate::Failed(..) if item.outcome().status == 404 => {}
                Fate::Failed(kind, reason) => return Err(failure(kind, &reason)),
                Fate::Done => {}
            }
        }
        Ok(())
    }
}

fn failure(kind: ErrorKind, reason: &str) -> Error {
    Error::new(kind, OPERATION, format!("the server does not delete: {reason}"))
}

fn delete_action(hit: &Hit<'_>) -> String {
    let mut action = json!({"_index": hit.index, "_id": hit.id});
    if let Some(doc_type) = &hit.doc_type {
        action["_type"] = json!(doc_type);
    }
    json!({"delete": action}).to_string() + "\n"
}

/// The points before or since a time.
fn of_time(bound: &str, time: Timestamp) -> Value {
    json!({"range": {"timestamp": {bound: time.to_string()}}})
}
