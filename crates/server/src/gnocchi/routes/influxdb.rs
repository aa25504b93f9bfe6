//! `/v1/influxdb`: what Telegraf and others write to InfluxDB.
//!
//! Source of the line protocol: InfluxDB 1.x, "Line protocol reference"; of what becomes of a line: Gnocchi.

mod line;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use indexmap::IndexMap;
use nephoscope_gnocchi::{Error, Measure, NamedMetric, ResourceMeasures, ResourceType, Timestamp, TypeState};
use serde_json::json;

use super::super::arguments::Arguments;
use super::super::clock::now;
use super::super::content::Content;
use super::super::fault::Fault;
use super::super::policy::{Action, Target};
use super::super::requester::Requester;
use super::super::{Door, answer};
use super::arrivals::{self, Arrivals};
use line::Line;

const VERSION: HeaderName = HeaderName::from_static("x-influxdb-version");
/// Says which tag names the resource.
const RESOURCE_TAG: &str = "x-gnocchi-influxdb-tag-resource-id";
const DEFAULT_RESOURCE_TAG: &str = "host";
const DEFAULT_DATABASE: &str = "influxdb";

pub(in super::super) async fn ping() -> Response {
    (StatusCode::NO_CONTENT, [(VERSION, HeaderValue::from_static("Gnocchi 4.7.1"))]).into_response()
}

/// Makes a database, which is a resource type; nothing else can be asked.
pub(in super::super) async fn query(requester: Requester, arguments: Arguments) -> Result<Response, Fault> {
    let Some(query) = arguments.one("q")? else { return Ok(answer::done()) };
    let name = database(query).ok_or_else(|| {
        Fault::described(
            StatusCode::NOT_IMPLEMENTED,
            json!({ "cause": "Not implemented error", "detail": "q", "reason": "Query not implemented" }),
        )
    })?;
    let made = ResourceType { name: name.into(), attributes: IndexMap::new(), state: TypeState::Active };
    requester.enforce(Action::CreateResourceType, Target::ResourceType(&made))?;
    match requester.gnocchi()?.create_resource_type(made).await {
        Ok(_) | Err(Error::ResourceTypeAlreadyExists(_)) => Ok(answer::done()),
        Err(error) => Err(error.into()),
    }
}

/// The name in `create database NAME`, quoted or not.
fn database(query: &str) -> Option<&str> {
    let mut words = query.trim().trim_end_matches(';').split_whitespace();
    let create = words.next()?.eq_ignore_ascii_case("create");
    let database = words.next()?.eq_ignore_ascii_case("database");
    let name = words.next()?;
    let name = name.strip_prefix('"').and_then(|name| name.strip_suffix('"')).unwrap_or(name);
    (create && database && words.next().is_none() && !name.is_empty()).then_some(name)
}

pub(in super::super) async fn write(
    State(door): State<Arc<Door>>,
    requester: Requester,
    arguments: Arguments,
    request: Request,
) -> Result<Response, Fault> {
    requester.identity()?;
    let database = arguments.one("db")?.unwrap_or(DEFAULT_DATABASE);
    let tag = request.headers().get(RESOURCE_TAG).and_then(|tag| tag.to_str().ok());
    let tag = tag.unwrap_or(DEFAULT_RESOURCE_TAG).to_owned();
    let content = Content::of_any_type(&door, request).await?;
    let now = now();
    let resources = content.decode(move |body| read(body, &tag, now)).await?;
    drop(content);
    let resources = resources.into_iter().map(|resource| (resource, BTreeMap::new())).collect();
    arrivals::store(&requester, Arrivals { resource_type: database, made_as: None, resources }).await?;
    Ok(answer::done())
}

/// Reads lines: the resource is what this tag names, a metric the measurement and its field, with the other tags.
fn read(body: &[u8], tag: &str, now: Timestamp) -> Result<Vec<ResourceMeasures>, Fault> {
    let wrong = |detail: &str, reason: String| {
        let description = json!({ "cause": "Value error", "detail": detail, "reason": reason });
        Fault::described(StatusCode::BAD_REQUEST, description)
    };
    let mut resources: IndexMap<String, IndexMap<String, (NamedMetric, Vec<Measure>)>> = IndexMap::new();
    for (number, text) in body.split(|byte| *byte == b'\n').enumerate() {
        if text.is_empty() {
            continue;
        }
        let line = std::str::from_utf8(text).ok().and_then(Line::read);
        let mut line = line.ok_or_else(|| wrong("line", format!("Unable to parse line {}", number + 1)))?;
        let resource = line.tags.remove(tag);
        let resource = resource.ok_or_else(|| wrong("key", format!("Unable to find key `{tag}' in tags")))?;
        let tags: Vec<_> = line.tags.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let tags = if tags.is_empty() { String::new() } else { format!("@{}", tags.join(",")) };
        let timestamp = line.nanos.map_or(now, Timestamp::from_nanos);
        let metrics = resources.entry(resource).or_default();
        for (field, value) in line.fields {
            let name = format!("{}.{field}{tags}", line.measurement).replace('/', "_");
            let kept = || (NamedMetric::New { archive_policy_name: None, unit: None }, Vec::new());
            metrics.entry(name).or_insert_with(kept).1.push(Measure { timestamp, value });
        }
    }
    Ok(resources
        .into_iter()
        .map(|(resource_id, metrics)| ResourceMeasures { resource_id, metrics })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_is_made_and_nothing_else_is_asked() {
        for (query, name) in [
            ("create database a", Some("a")),
            ("CREATE DATABASE \"telegraf\"", Some("telegraf")),
            ("create database a;", Some("a")),
            ("create database", None),
            ("select a from b", None),
            ("", None),
        ] {
            assert_eq!(database(query), name, "{query}");
        }
    }

    #[test]
    fn lines_become_measures_of_resources() {
        let body =
            b"cpu,host=a,path=/x,core=1 idle=5i,busy=1.5,state=\"on\" 1000000000\n\nmem,host=a free=1\n";
        let read = read(body, "host", Timestamp::EPOCH).unwrap();
        assert_eq!(read.len(), 1);
        let names: Vec<_> = read[0].metrics.keys().map(String::as_str).collect();
        assert_eq!(names, ["cpu.idle@core=1,path=_x", "cpu.busy@core=1,path=_x", "mem.free"]);
        assert_eq!(
            read[0].metrics[0].1[0],
            Measure { timestamp: Timestamp::from_nanos(1_000_000_000), value: 5.0 }
        );
        assert!(super::read(b"cpu,path=x idle=1", "host", Timestamp::EPOCH).is_err());
        assert!(super::read(b"nonsense", "host", Timestamp::EPOCH).is_err());
    }
}
