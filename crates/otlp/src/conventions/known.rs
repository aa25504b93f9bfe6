//! What a span's attributes say that OSProfiler has keys for.
//!
//! Of several spellings the stable one of the semantic conventions counts, then the earlier, then that of OSProfiler's
//! own OTLP driver.

use nephoscope_telemetry::json::{Json, write_string};

use crate::json::Object;
use crate::proto::any_value::Value;
use crate::proto::span::{Event, SpanKind};
use crate::proto::status::StatusCode;
use crate::proto::{KeyValue, Span};

/// The type of a failure of which nothing more is told.
const SOME_ERROR: &str = "Error";

/// A value, and how much its spelling counts.
type Found<'a> = Option<(u8, &'a Value)>;

#[derive(Default)]
pub(crate) struct Known<'a> {
    is_client: bool,
    method: Found<'a>,
    path: Found<'a>,
    query: Found<'a>,
    /// Path and query in one.
    target: Found<'a>,
    /// The whole URL.
    url: Found<'a>,
    scheme: Found<'a>,
    host: Found<'a>,
    port: Found<'a>,
    http_status: Found<'a>,
    statement: Found<'a>,
    params: Found<'a>,
    function: Found<'a>,
    args: Found<'a>,
    kwargs: Found<'a>,
    /// Type and message of the failure.
    failure: Option<(&'a str, &'a str)>,
}

impl<'a> Known<'a> {
    pub(crate) fn of(span: &'a Span) -> Self {
        let mut known = Self { is_client: span.kind == SpanKind::Client as i32, ..Self::default() };
        let (mut error_type, mut is_error) = (None, false);
        for KeyValue { key, value, .. } in &span.attributes {
            let Some(value) = value.as_ref().and_then(|value| value.value.as_ref()) else { continue };
            match &**key {
                "error.type" => error_type = text(value),
                "error" => is_error = *value == Value::BoolValue(true),
                key => known.take(key, value),
            }
        }
        let status = span.status.as_ref();
        if is_error || status.is_some_and(|status| status.code == StatusCode::Error as i32) {
            known.failure = Some(failure(span, error_type));
        }
        known
    }

    fn take(&mut self, key: &str, value: &'a Value) {
        let (slot, rank) = match key {
            "http.request.method" => (&mut self.method, 2),
            "http.method" => (&mut self.method, 1),
            "url.path" => (&mut self.path, 2),
            "http.path" => (&mut self.path, 1),
            "url.query" => (&mut self.query, 2),
            "http.query" => (&mut self.query, 1),
            "http.target" => (&mut self.target, 1),
            "url.full" => (&mut self.url, 2),
            "http.url" => (&mut self.url, 1),
            "url.scheme" => (&mut self.scheme, 2),
            "http.scheme" => (&mut self.scheme, 1),
            "server.address" => (&mut self.host, 3),
            "http.hostname" => (&mut self.host, 2),
            "net.peer.name" => (&mut self.host, 1),
            "server.port" => (&mut self.port, 3),
            "http.port" => (&mut self.port, 2),
            "net.peer.port" => (&mut self.port, 1),
            "http.response.status_code" => (&mut self.http_status, 3),
            "http.status_code" => (&mut self.http_status, 2),
            "status_code" => (&mut self.http_status, 1),
            "db.query.text" => (&mut self.statement, 2),
            "db.statement" => (&mut self.statement, 1),
            "db.params" => (&mut self.params, 1),
            "code.function.name" => (&mut self.function, 3),
            "code.function" => (&mut self.function, 2),
            "name" => (&mut self.function, 1),
            "args" => (&mut self.args, 1),
            "kwargs" => (&mut self.kwargs, 1),
            _ => return,
        };
        if slot.is_none_or(|(earlier, _)| rank > earlier) {
            *slot = Some((rank, value));
        }
    }

    /// Writes the keys of a start.
    pub(crate) fn write_start(&self, info: &mut Object<'_>) {
        if self.method.is_some() {
            self.write_request(info);
        }
        if self.statement.is_some() {
            let mut db = Object::open(info.key("db"));
            write(&mut db, "statement", self.statement);
            if let Some(params) = self.params.and_then(|(_, params)| text(params)) {
                match Json::parse(params) {
                    Ok(params) => db.key("params").push_str(params.as_str()),
                    Err(_) => write_string(db.key("params"), params),
                }
            }
            db.close();
        }
        if self.function.is_some() {
            let mut function = Object::open(info.key("function"));
            write(&mut function, "name", self.function);
            write(&mut function, "args", self.args);
            write(&mut function, "kwargs", self.kwargs);
            function.close();
        }
    }

    fn write_request(&self, info: &mut Object<'_>) {
        let url = self.url.and_then(|(_, url)| text(url)).map(Url::split).unwrap_or_default();
        let target = self.target.and_then(|(_, target)| text(target)).map(split_query);
        let target = target.unwrap_or((url.path, url.query));
        let mut request = Object::open(info.key(if self.is_client { "requests" } else { "request" }));
        let mut part = |key, found: Found<'_>, otherwise: &str| match found {
            Some(_) => write(&mut request, key, found),
            None => write_string(request.key(key), otherwise),
        };
        part("path", self.path, target.0);
        part("query", self.query, target.1);
        part("method", self.method, "");
        part("scheme", self.scheme, url.scheme);
        if self.is_client {
            part("hostname", self.host, url.host);
            write(&mut request, "port", self.port);
        }
        request.close();
    }

    /// Writes the keys of a stop.
    pub(crate) fn write_stop(&self, info: &mut Object<'_>) {
        if let Some((etype, message)) = self.failure {
            write_string(info.key("etype"), etype);
            write_string(info.key("message"), message);
        }
        if self.http_status.is_some() {
            let mut request = Object::open(info.key(if self.is_client { "requests" } else { "request" }));
            write(&mut request, "status_code", self.http_status);
            request.close();
        }
    }
}

/// Type and message of a failure: of the last event that tells of an exception (`log` from OSProfiler's own driver), of
/// the attribute, or of the status.
fn failure<'a>(span: &'a Span, error_type: Option<&'a str>) -> (&'a str, &'a str) {
    let (mut etype, mut message) = (error_type, None);
    let tells = |event: &&Event| matches!(&*event.name, "exception" | "log");
    for event in span.events.iter().filter(tells) {
        for KeyValue { key, value, .. } in &event.attributes {
            let told = value.as_ref().and_then(|value| value.value.as_ref()).and_then(text);
            match &**key {
                "exception.type" | "error.kind" => etype = told.or(etype),
                "exception.message" | "message" => message = told.or(message),
                _ => {}
            }
        }
    }
    let status = span.status.as_ref().map_or("", |status| &*status.message);
    (etype.unwrap_or(SOME_ERROR), message.unwrap_or(status))
}

fn text(value: &Value) -> Option<&str> {
    match value {
        Value::StringValue(text) => Some(text),
        _ => None,
    }
}

/// Writes a text or a whole number; others are no values of these keys.
fn write(object: &mut Object<'_>, key: &str, found: Found<'_>) {
    match found {
        Some((_, Value::StringValue(text))) => write_string(object.key(key), text),
        Some((_, Value::IntValue(number))) => object.key(key).push_str(&number.to_string()),
        _ => {}
    }
}

/// The parts of a URL that OSProfiler tells apart.
#[derive(Default)]
struct Url<'a> {
    scheme: &'a str,
    host: &'a str,
    path: &'a str,
    query: &'a str,
}

impl<'a> Url<'a> {
    fn split(url: &'a str) -> Self {
        let url = url.split_once('#').map_or(url, |(url, _fragment)| url);
        let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
        let authority_end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, place) = rest.split_at(authority_end);
        let (path, query) = split_query(place);
        let address = authority.rsplit_once('@').map_or(authority, |(_user, address)| address);
        let host = match address.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
            _ => address,
        };
        Self { scheme, host, path, query }
    }
}

fn split_query(target: &str) -> (&str, &str) {
    target.split_once('?').unwrap_or((target, ""))
}
