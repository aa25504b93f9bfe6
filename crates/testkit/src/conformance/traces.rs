//! Traces to store.

use nephoscope_telemetry::{Id, Json, Timestamp, TracePoint};

/// Later than every trace below begins, and in the past: 2026-01-01T00:00:00.
const EPOCH_MICROS: i64 = 1_767_225_600_000_000;

/// A time, in microseconds after a fixed one.
pub(super) fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(EPOCH_MICROS + micros)
}

/// A canonical UUID for a number.
pub(super) fn uuid(number: u64) -> String {
    format!("7f4c1a04-3d5e-4a0a-9a3f-{number:012x}")
}

/// One point of a trace, which tells its number as the id of its operation.
pub(super) fn point(base_id: &str, number: u64, name: &str, micros: i64) -> TracePoint {
    let id = uuid(number);
    let mut point = TracePoint::new(name, base_id.into(), id.as_str().into(), base_id.into(), at(micros));
    point.info = info(r#"{"host": "node-1"}"#);
    point.project = Some("nova".into());
    point.service = Some("api".into());
    point
}

/// The same, reporting an exception.
pub(super) fn failed(base_id: &str, number: u64, name: &str, micros: i64) -> TracePoint {
    let mut point = point(base_id, number, name, micros);
    point.info = info(r#"{"etype": "ValueError", "message": "no", "host": "node-1"}"#);
    point
}

/// Start and stop of one operation that takes a millisecond.
pub(super) fn pair(base_id: &str, number: u64, micros: i64) -> [TracePoint; 2] {
    [point(base_id, number, "wsgi-start", micros), point(base_id, number, "wsgi-stop", micros + 1000)]
}

pub(super) fn info(text: &str) -> Json {
    Json::parse(text).unwrap_or_else(|error| panic!("{text} is not JSON: {error}"))
}

pub(super) fn id(text: &str) -> Id {
    Id::new(text)
}
