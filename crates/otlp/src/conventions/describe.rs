//! Name, kind, attributes, events and status of a span, from what its notifications tell.

use std::borrow::Cow;

use nephoscope_telemetry::{TracePoint, json};

use crate::proto::any_value::Value;
use crate::proto::span::{Event, SpanKind};
use crate::proto::status::StatusCode;
use crate::proto::{AnyValue, KeyValue, Span, Status};

/// An attribute that is a text.
pub(crate) fn attribute(key: &str, text: impl Into<String>) -> KeyValue {
    valued(key, Value::StringValue(text.into()))
}

fn valued(key: &str, value: Value) -> KeyValue {
    KeyValue { key: key.into(), value: Some(AnyValue { value: Some(value) }), key_strindex: 0 }
}

/// Describes the operation of these notifications: its first one, and its stop.
pub(crate) fn describe(span: &mut Span, first: &TracePoint, stop: Option<&TracePoint>) {
    span.name = first.operation().to_owned();
    span.kind = kind(&first.name) as i32;
    for (key, value) in json::entries(first.info.as_str()) {
        match &*key {
            "request" => describe_request(span, value, "WSGI", "path"),
            "requests" => {
                describe_request(span, value, "REQUESTS", "hostname");
                describe_server(span, value);
            }
            "db" => describe_query(span, value),
            "function" => describe_function(span, value),
            _ => {}
        }
    }
    if let Some(stop) = stop {
        describe_end(span, stop);
    }
}

/// Upstream's choice of the kind.
fn kind(name: &str) -> SpanKind {
    if name.contains("wsgi") {
        SpanKind::Server
    } else if ["db", "http", "api"].iter().any(|part| name.contains(part)) {
        SpanKind::Client
    } else {
        SpanKind::Internal
    }
}

/// What a JSON value says: a string its content, null nothing, all others their text.
fn told(value: &str) -> Option<Cow<'_, str>> {
    (value != "null").then(|| json::decode(value).unwrap_or(Cow::Borrowed(value)))
}

/// The value of a key of an object, of which the last counts if it is there twice.
fn field<'a>(object: &'a str, key: &str) -> Option<Cow<'a, str>> {
    json::entries(object).filter(|(name, _)| name == key).last().and_then(|(_, value)| told(value))
}

/// Adds what a key holds under upstream's name for it and that of the semantic conventions, unless it is empty.
fn add(span: &mut Span, object: &str, key: &str, names: &[&str]) {
    if let Some(text) = field(object, key).filter(|text| !text.is_empty()) {
        span.attributes.extend(names.iter().map(|name| attribute(name, &*text)));
    }
}

fn describe_request(span: &mut Span, request: &str, word: &str, place: &str) {
    let part = |key| field(request, key).unwrap_or_default();
    span.name = format!("{word}_{}_{}", part("method"), part(place));
    add(span, request, "method", &["http.method", "http.request.method"]);
    add(span, request, "path", &["http.path", "url.path"]);
    add(span, request, "query", &["http.query", "url.query"]);
    add(span, request, "scheme", &["http.scheme", "url.scheme"]);
}

fn describe_server(span: &mut Span, request: &str) {
    add(span, request, "hostname", &["http.hostname", "server.address"]);
    if let Some(port) = field(request, "port").and_then(|port| port.parse().ok()) {
        let names = ["http.port", "server.port"];
        span.attributes.extend(names.map(|name| valued(name, Value::IntValue(port))));
    }
}

fn describe_query(span: &mut Span, db: &str) {
    if let Some(statement) = field(db, "statement") {
        let word = statement.split_whitespace().next().unwrap_or_default();
        span.name = format!("SQL_{}", word.to_uppercase());
    }
    add(span, db, "statement", &["db.statement", "db.query.text"]);
    add(span, db, "params", &["db.params"]);
}

fn describe_function(span: &mut Span, function: &str) {
    add(span, function, "name", &["name", "code.function.name"]);
    add(span, function, "args", &["args"]);
    add(span, function, "kwargs", &["kwargs"]);
}

fn describe_end(span: &mut Span, stop: &TracePoint) {
    for (key, value) in json::entries(stop.info.as_str()) {
        match &*key {
            "function" | "db" => add(span, value, "result", &["result"]),
            "request" | "requests" => {
                if let Some(code) = field(value, "status_code").and_then(|code| code.parse().ok()) {
                    let names = ["status_code", "http.response.status_code"];
                    span.attributes.extend(names.map(|name| valued(name, Value::IntValue(code))));
                }
            }
            _ => {}
        }
    }
    if stop.is_error() {
        describe_failure(span, stop);
    }
}

fn describe_failure(span: &mut Span, stop: &TracePoint) {
    let text = |key| field(stop.info.as_str(), key).unwrap_or_default().into_owned();
    let (etype, message) = (text("etype"), text("message"));
    span.attributes.push(valued("error", Value::BoolValue(true)));
    span.attributes.push(attribute("error.type", &*etype));
    let event = |name: &str, keys: [&str; 2]| Event {
        time_unix_nano: span.end_time_unix_nano,
        name: name.into(),
        attributes: vec![attribute(keys[0], &*etype), attribute(keys[1], &*message)],
        dropped_attributes_count: 0,
    };
    span.events.push(event("log", ["error.kind", "message"]));
    span.events.push(event("exception", ["exception.type", "exception.message"]));
    span.status = Some(Status { message, code: StatusCode::Error as i32 });
}
