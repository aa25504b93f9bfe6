//! The index: how it is made, and what is known of one that somebody else made.

use nephoscope_http::{Answer, segment};
use nephoscope_telemetry::{Result, Timestamp};
use serde_json::{Value, json};

use super::document::OURS;
use super::driver::Elasticsearch;

/// Longer ids, names and services are kept, but not found: four bytes a character are less than the 32,766 that a
/// keyword can have. The id of a trace has no such limit, so that the server refuses what could not be read again.
const FOUND: usize = 8_191;

/// How to ask an index for what is in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Fields {
    /// The type of its documents, before Elasticsearch 8.
    pub(super) doc_type: Option<String>,
    /// The field with the whole id, as one word.
    pub(super) base_id: Option<String>,
    pub(super) name: String,
    pub(super) service: String,
    /// Whether it knows times to the nanosecond; otherwise to the millisecond.
    pub(super) nanoseconds: bool,
}

impl Elasticsearch {
    /// What is known of an index, or of the first with points in it when the name is an alias of several; nothing
    /// when there is none.
    pub(super) async fn fields(&self, operation: &'static str, index: &str) -> Result<Option<Fields>> {
        let mut request = self.http.get(operation, &format!("/{index}/_mapping")).accept(&[404]);
        if self.typed {
            request = request.query("include_type_name", "true");
        }
        let answer = request.send().await?;
        if answer.status() == 404 {
            return Ok(None);
        }
        let indexes: serde_json::Map<String, Value> = answer.json()?;
        let mut known: Vec<_> =
            indexes.values().map(|index| Fields::of(&index["mappings"], self.typed)).collect();
        known.sort_by_key(|fields| fields.base_id.is_none());
        Ok(known.into_iter().next())
    }

    /// Makes the index, unless it is there, and returns where batches go. A template is left for the day on which
    /// somebody deletes the index and OSProfiler makes it again; who may not make templates goes without.
    pub(super) async fn prepare(&self, operation: &'static str) -> Result<String> {
        let found = self.fields(operation, &self.index).await?;
        if found.is_none() {
            self.create(operation).await?;
        }
        let doc_type = found.and_then(|fields| fields.doc_type).unwrap_or_else(|| self.doc_type.clone());
        Ok(match self.typed {
            true => format!("/{}/{}/_bulk", self.index, segment(&doc_type)),
            false => format!("/{}/_bulk", self.index),
        })
    }

    async fn create(&self, operation: &'static str) -> Result<()> {
        if self.typed {
            let body = json!({"mappings": {&self.doc_type: mapping(self.nanoseconds)}});
            let request = self.http.put(operation, &format!("/{}", self.index)).json(&body).accept(&[400]);
            return Self::created(&request.query("include_type_name", "true").send().await?);
        }
        let template = json!({
            "index_patterns": [&self.index, &self.error_index],
            "template": {"mappings": mapping(true)},
        });
        let request = self.http.put(operation, &format!("/_index_template/{}", self.index)).json(&template);
        // One of this name that is there is somebody's own.
        request.query("create", "true").accept(&[400, 403, 404, 405]).send().await?;
        let body = json!({"mappings": mapping(true)});
        let request = self.http.put(operation, &format!("/{}", self.index)).json(&body).accept(&[400]);
        Self::created(&request.send().await?)
    }

    /// Whoever was faster made the same index.
    fn created(answer: &Answer) -> Result<()> {
        if answer.status().is_success() {
            return Ok(());
        }
        let body: Value = answer.json()?;
        match body["error"]["type"].as_str() {
            Some("resource_already_exists_exception") => Ok(()),
            _ => Err(answer.strange(&"the index cannot be made")),
        }
    }
}

/// Only what is asked for is indexed: whatever services put into `info` makes no field, and can contradict none.
fn mapping(nanoseconds: bool) -> Value {
    let keyword = json!({"type": "keyword", "ignore_above": FOUND});
    json!({
        "dynamic": false,
        "properties": {
            "base_id": {"type": "keyword"},
            "trace_id": &keyword,
            "parent_id": &keyword,
            "name": &keyword,
            "project": &keyword,
            "service": &keyword,
            "timestamp": {"type": if nanoseconds { "date_nanos" } else { "date" }},
            "info": {
                "dynamic": false,
                "properties": {"etype": {"type": "keyword"}, "host": &keyword},
            },
            OURS: {"type": "object", "enabled": false},
        },
    })
}

impl Fields {
    fn of(mappings: &Value, typed: bool) -> Self {
        let (doc_type, mapping) = match mappings.as_object().and_then(|types| types.iter().next()) {
            Some((name, mapping)) if typed => (Some(name.clone()), mapping),
            _ => (None, mappings),
        };
        let properties = &mapping["properties"];
        // Where OSProfiler had its index made by the server, a text has its whole as a field of its own.
        let whole = |field: &str| match properties[field]["type"].as_str() {
            Some("keyword") => Some(field.to_owned()),
            _ if properties[field]["fields"]["keyword"]["type"] == "keyword" => {
                Some(format!("{field}.keyword"))
            }
            _ => None,
        };
        Self {
            doc_type,
            base_id: whole("base_id"),
            name: whole("name").unwrap_or_else(|| "name".into()),
            service: whole("service").unwrap_or_else(|| "service".into()),
            nanoseconds: properties["timestamp"]["type"] == "date_nanos",
        }
    }

    /// The time of a point sorted by it, or the last moment that this may mean; of one without a time the first of all.
    pub(super) fn time(&self, sort: Option<i64>) -> Timestamp {
        Timestamp::from_micros(match sort {
            None => i64::MIN,
            Some(nanos) if self.nanoseconds => nanos.saturating_add(999).div_euclid(1_000),
            Some(millis) => millis.saturating_mul(1_000).saturating_add(999),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_mapping_is_understood() {
        let fields = Fields::of(&mapping(true), false);
        assert_eq!(fields.base_id.as_deref(), Some("base_id"));
        assert_eq!((fields.name.as_str(), fields.nanoseconds, fields.doc_type), ("name", true, None));
    }

    #[test]
    fn a_mapping_that_the_server_made_is_understood() {
        let text = json!({"type": "text", "fields": {"keyword": {"type": "keyword", "ignore_above": 256}}});
        let properties = json!({"base_id": &text, "name": &text, "timestamp": {"type": "date"}});
        let fields = Fields::of(&json!({"notification": {"properties": properties}}), true);
        assert_eq!(fields.doc_type.as_deref(), Some("notification"));
        assert_eq!(fields.base_id.as_deref(), Some("base_id.keyword"));
        assert_eq!((fields.name.as_str(), fields.service.as_str()), ("name.keyword", "service"));
        assert!(!fields.nanoseconds);
    }

    #[test]
    fn an_index_of_somebody_else_has_no_points() {
        assert_eq!(Fields::of(&json!({}), false).base_id, None);
        assert_eq!(Fields::of(&json!({"properties": {"base_id": {"type": "long"}}}), false).base_id, None);
    }
}
