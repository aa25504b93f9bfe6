//! What a list shows of each trace.

use std::time::Duration;

use nephoscope_telemetry::{Id, Result, Timestamp, TraceSummary};
use serde::Deserialize;
use serde_json::{Value, json};
use smol_str::SmolStr;

use super::driver::Elasticsearch;
use super::list::{Search, has_error};

/// Traces of one request: each takes up to four of the 10,000 buckets that Elasticsearch 7 allows (later servers
/// 65,536; `search.max_buckets`).
pub(super) const IDS_AT_A_TIME: usize = 2_000;

#[derive(Deserialize)]
struct Answer {
    aggregations: Aggregations,
}

#[derive(Deserialize)]
struct Aggregations {
    traces: Traces,
}

#[derive(Deserialize)]
struct Traces {
    buckets: Vec<Trace>,
}

/// What is known of one trace.
#[derive(Deserialize)]
struct Trace {
    key: String,
    doc_count: u64,
    errors: Count,
    /// Its points of the name that is looked for.
    name: Option<Count>,
    service: Option<Count>,
    first: Top,
    last: Top,
}

#[derive(Deserialize)]
struct Count {
    doc_count: u64,
}

#[derive(Deserialize)]
struct Top {
    hits: Hits,
}

#[derive(Deserialize)]
struct Hits {
    hits: Vec<Hit>,
}

#[derive(Deserialize)]
struct Hit {
    #[serde(rename = "_source")]
    source: Source,
}

/// Those fields of a point that a list shows. In a document of somebody else they may be anything.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Source {
    name: Value,
    service: Value,
    project: Value,
    timestamp: Value,
}

impl Elasticsearch {
    /// The lines of these traces, as far as the filter takes them.
    pub(super) async fn summaries(&self, search: &Search<'_>, ids: &[String]) -> Result<Vec<TraceSummary>> {
        let mut of_trace = json!({
            "errors": {"filter": has_error()},
            "first": top("asc", &["name", "service", "project", "timestamp"]),
            "last": top("desc", &["timestamp"]),
        });
        if let Some(name) = &search.filter.name {
            of_trace["name"] = json!({"filter": search.of_name(name)});
        }
        if let Some(service) = &search.filter.service {
            of_trace["service"] = json!({"filter": search.of_service(service)});
        }
        let body = json!({
            "size": 0,
            "track_total_hits": false,
            "query": {"bool": {"filter": {"terms": {&search.base_id: ids}}}},
            "aggs": {"traces": {
                "terms": {"field": &search.base_id, "size": ids.len()},
                "aggs": of_trace,
            }},
        });
        let answer = self.search(search.operation, &self.index, &body).await?;
        let Answer { aggregations: Aggregations { traces } } = answer.json()?;
        let taken = traces.buckets.iter().filter(|trace| search.takes(trace));
        let lines = taken.filter_map(Trace::summary).filter(|line| search.filter.takes_summary(line));
        Ok(lines.collect())
    }
}

/// The first point of a trace in this order; of those of one time the one that came first.
fn top(order: &str, fields: &[&str]) -> Value {
    json!({"top_hits": {
        "size": 1,
        "_source": fields,
        "sort": [{"timestamp": {"order": order, "unmapped_type": "date"}}, {"_seq_no": "asc"}],
    }})
}

impl Search<'_> {
    /// Whether a trace has the points that are looked for.
    fn takes(&self, trace: &Trace) -> bool {
        let has = |count: &Option<Count>| count.as_ref().is_none_or(|count| count.doc_count > 0);
        has(&trace.name) && has(&trace.service) && (!self.errors_only || trace.errors.doc_count > 0)
    }
}

impl Trace {
    /// The line of the trace, if its first point has a time.
    fn summary(&self) -> Option<TraceSummary> {
        let first = self.first.source()?;
        let timestamp = first.time()?;
        let name = first.name.as_str().unwrap_or_default();
        let operation = name.strip_suffix("-start").or_else(|| name.strip_suffix("-stop")).unwrap_or(name);
        let latest = self.last.source().and_then(Source::time).unwrap_or(timestamp);
        let lasted = latest.as_micros() - timestamp.as_micros();
        Some(TraceSummary {
            name: Some(operation.into()),
            service: text(&first.service),
            project: text(&first.project),
            duration: Some(Duration::from_micros(u64::try_from(lasted).unwrap_or(0))),
            points: Some(self.doc_count),
            errors: Some(self.errors.doc_count),
            ..TraceSummary::new(Id::new(&self.key), timestamp)
        })
    }
}

impl Top {
    fn source(&self) -> Option<&Source> {
        self.hits.hits.first().map(|hit| &hit.source)
    }
}

impl Source {
    fn time(&self) -> Option<Timestamp> {
        self.timestamp.as_str().and_then(|text| Timestamp::parse(text).ok())
    }
}

fn text(value: &Value) -> Option<SmolStr> {
    value.as_str().map(Into::into)
}
