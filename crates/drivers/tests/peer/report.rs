//! Comparing reports as JSON values.

use nephoscope_telemetry::{Report, TracePoint};
use serde_json::Value;

use super::backend::Kind;

/// Our report of points that came in this order, as OSProfiler's driver of such a backend would make it.
pub(super) fn ours(kind: Kind, mut arrived: Vec<TracePoint>) -> Value {
    if matches!(kind, Kind::LogInsight | Kind::Redis) {
        // It reads the newest first, which decides the order of siblings of one millisecond.
        arrived.reverse();
    }
    let json = Report::build(arrived).to_json();
    // What BSON cannot hold.
    let mut report = value(&if kind == Kind::Mongodb { json.replace("\\ud800", "\\ufffd") } else { json });
    if kind == Kind::Sql {
        keep_only_info(&mut report);
    }
    report
}

pub(super) fn value(json: &str) -> Value {
    // Both sides write half a surrogate pair as it came, which this parser refuses. It may stand in JSON within JSON.
    let half_a_pair = |json: &str| json.replace(r"\\ud800", "half a pair").replace(r"\ud800", "half a pair");
    serde_json::from_str(&half_a_pair(json)).unwrap_or_else(|error| panic!("{error}: {json}"))
}

/// Their SQL driver takes the columns out of a notification, and shows the rest as the raw payload.
fn keep_only_info(node: &mut Value) {
    for child in node["children"].as_array_mut().expect("a node has children") {
        let info = child["info"].as_object_mut().expect("a node has an info");
        let payloads = info.iter_mut().filter(|(key, _)| key.starts_with("meta.raw_payload."));
        for (_, payload) in payloads {
            payload.as_object_mut().expect("a payload is an object").retain(|key, _| key == "info");
        }
        keep_only_info(child);
    }
}

/// Base id and time of every line of their list, in order of the id.
pub(super) fn lines(list: &str) -> Vec<(String, String)> {
    let text = |line: &Value, key: &str| line[key].as_str().expect("it is a text").to_owned();
    let list = value(list);
    let lines = list.as_array().expect("a list is an array").iter();
    let mut lines: Vec<_> = lines.map(|line| (text(line, "base_id"), text(line, "timestamp"))).collect();
    lines.sort();
    lines
}

/// Their MongoDB driver shows all of a document as the raw payload, the exact text that is beside its fields included.
pub(super) fn without_exact_text(report: &mut Value) {
    for child in report["children"].as_array_mut().expect("a node has children") {
        let info = child["info"].as_object_mut().expect("a node has an info");
        for (_, payload) in info.iter_mut().filter(|(key, _)| key.starts_with("meta.raw_payload.")) {
            payload.as_object_mut().expect("a payload is an object").remove("exact_json");
        }
        without_exact_text(child);
    }
}

/// Where two values first differ, and how.
pub(super) fn difference(theirs: &Value, ours: &Value) -> Option<String> {
    let inside = |key: &dyn std::fmt::Display, theirs, ours| match (theirs, ours) {
        (Some(theirs), Some(ours)) => difference(theirs, ours).map(|found| format!("/{key}{found}")),
        (theirs, ours) => Some(format!("/{key}: {theirs:?} and {ours:?}")),
    };
    match (theirs, ours) {
        (Value::Object(theirs), Value::Object(ours)) => {
            let mut keys = theirs.keys().chain(ours.keys());
            keys.find_map(|key| inside(key, theirs.get(key), ours.get(key)))
        }
        (Value::Array(theirs), Value::Array(ours)) => {
            (0..theirs.len().max(ours.len())).find_map(|at| inside(&at, theirs.get(at), ours.get(at)))
        }
        _ => (theirs != ours).then(|| format!(": {theirs} and {ours}")),
    }
}
