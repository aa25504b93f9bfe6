//! What an operation is about, in a few words taken from its `info`.

use std::borrow::Cow;

use nephoscope_telemetry::report::Node;
use nephoscope_telemetry::{Report, json};

use super::text;

/// As much of an SQL statement as tells one from another.
const STATEMENT_CHARACTERS: usize = 100;

/// Project and service, as far as they are known: `cinder/api`.
pub(super) fn service(node: &Node) -> Cow<'_, str> {
    match (&node.project, &node.service) {
        (Some(project), Some(service)) => Cow::Owned(format!("{project}/{service}")),
        (Some(one), None) | (None, Some(one)) => Cow::Borrowed(one),
        (None, None) => Cow::Borrowed(""),
    }
}

/// The request, the beginning of the SQL statement or the last part of the function's name, whichever is told.
///
/// The forms are those of OSProfiler's WSGI middleware, SQL and function tracing, and adapter for `requests`.
pub(super) fn subject(report: &Report, node: &Node) -> Option<String> {
    let mut subject = None;
    let mut status = None;
    for (_, info) in report.infos(node) {
        for (key, value) in json::entries(info) {
            let told = match &*key {
                "request" | "requests" => {
                    status = field(value, "status_code").or(status);
                    request(value)
                }
                "db" => {
                    field(value, "statement").map(|statement| text::words(&statement, STATEMENT_CHARACTERS))
                }
                "function" => field(value, "name").map(|name| last_part(&name).to_owned()),
                _ => None,
            };
            subject = subject.or(told);
        }
    }
    match (subject, status) {
        (Some(subject), Some(status)) => Some(format!("{subject} → {status}")),
        (None, Some(status)) => Some(format!("→ {status}")),
        (subject, None) => subject,
    }
}

fn request(request: &str) -> Option<String> {
    let part = |key| field(request, key).unwrap_or_default();
    let (method, query) = (part("method"), part("query"));
    let place = format!("{}{}", part("hostname"), part("path"));
    let mark = if query.is_empty() { "" } else { "?" };
    let line = format!("{method} {place}{mark}{query}");
    (line != " ").then(|| line.trim().to_owned())
}

/// Name of a function without its module and class.
pub(super) fn last_part(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

/// The exception, when the operation ended with one: type and message.
pub(super) fn error(report: &Report, node: &Node) -> Option<String> {
    let etype = told(node.error()?.as_str())?;
    let stop = report.infos(node).filter(|(name, _)| name.ends_with("stop")).last();
    let message = stop.and_then(|(_, info)| field(info, "message")).filter(|message| !message.is_empty());
    Some(match message {
        Some(message) => format!("{etype}: {message}"),
        None => etype.into_owned(),
    })
}

/// The value of a key of an object, as text; nothing when it is null or not there. Of a key given twice the last
/// counts, as in Python.
pub(super) fn field<'a>(object: &'a str, key: &str) -> Option<Cow<'a, str>> {
    json::entries(object).filter(|(name, _)| name == key).last().and_then(|(_, value)| told(value))
}

/// What a JSON value says: a string its content, null nothing, all others their text.
fn told(value: &str) -> Option<Cow<'_, str>> {
    (value != "null").then(|| json::decode(value).unwrap_or(Cow::Borrowed(value)))
}
