//! A trace point as a row of `trace_points`.

use nephoscope_telemetry::{Id, TracePoint};

use super::binary::{write_nullable, write_text};

/// The columns that are inserted, in the order in which [`write()`] writes them. The others are computed by the server.
pub(super) const COLUMNS: &str =
    "base_id, trace_id, parent_id, timestamp, name, project, service, host, error, point, position";

/// Appends the row of a point. `position` is its place in the batch: the points of one batch are stored at one time.
pub(super) fn write(out: &mut Vec<u8>, json: &mut String, point: &TracePoint, position: u32) {
    let id = |out: &mut Vec<u8>, id: &Id| id.with_str(|text| write_text(out, text));
    id(out, &point.base_id);
    id(out, &point.trace_id);
    id(out, &point.parent_id);
    // `DateTime64(6)` is the number itself, also of times that ClickHouse would not read from text.
    out.extend_from_slice(&point.timestamp.as_micros().to_le_bytes());
    write_text(out, &point.name);
    write_nullable(out, point.project.as_deref());
    write_nullable(out, point.service.as_deref());
    write_nullable(out, point.host().as_deref());
    out.push(u8::from(point.is_error()));
    json.clear();
    point.write_json(json);
    write_text(out, json);
    out.extend_from_slice(&position.to_le_bytes());
}
