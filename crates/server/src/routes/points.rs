//! `GET /api/trace-points?base_id=ID`

use std::io::{self, Write};
use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use nephoscope_telemetry::{BadPoints, Id, Json, Points};

use crate::failure::Failure;
use crate::query::parameters;
use crate::{App, pieces};

const JSON_LINES: &str = "application/x-ndjson";
/// Lines are sent in pieces of about this size.
const PIECE_BYTES: usize = 64 * 1024;

/// The points of a trace as JSON lines, in the order in which they came; none for an id that is not known.
///
/// Behind them a line `{"problem": "…"}` for each record of the trace that is no trace point. The id is a parameter,
/// because not every text can stand in a path.
pub(crate) async fn read_trace_points(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
) -> Result<Response, Failure> {
    let mut base_id = None;
    for parameter in parameters(query.as_deref()) {
        match &*parameter.name {
            "base_id" => base_id = Some(Id::new(&parameter.value)),
            _ => return Err(parameter.unknown("base_id")),
        }
    }
    let base_id = base_id.ok_or_else(|| Failure::bad_request("parameter `base_id` is missing"))?;
    let points = app.traces.points(&base_id).await?;
    let body = pieces::body(move |out| write_lines(points, out));
    Ok(([(header::CONTENT_TYPE, JSON_LINES)], body).into_response())
}

fn write_lines(points: Points, out: &mut impl Write) -> io::Result<()> {
    let mut lines = String::with_capacity(2 * PIECE_BYTES);
    let Points { good, bad } = points;
    for point in good {
        point.write_json(&mut lines);
        lines.push('\n');
        if lines.len() >= PIECE_BYTES {
            out.write_all(lines.as_bytes())?;
            lines.clear();
        }
    }
    for number in 0..bad.count() {
        write_problem(&mut lines, &bad, number);
    }
    if lines.is_empty() { Ok(()) } else { out.write_all(lines.as_bytes()) }
}

/// The reasons of the first few are known, and of the others that they are there.
fn write_problem(lines: &mut String, bad: &BadPoints, number: u64) {
    let reason = usize::try_from(number).ok().and_then(|number| bad.first().get(number));
    let reason = reason.map_or_else(|| "is no trace point".into(), ToString::to_string);
    lines.push_str("{\"problem\": ");
    lines.push_str(Json::string(&reason).as_str());
    lines.push_str("}\n");
}

#[cfg(test)]
mod tests {
    use nephoscope_telemetry::{BadRecord, Timestamp, TracePoint};

    use super::*;

    #[test]
    fn every_record_that_is_no_point_has_a_line() {
        let point = TracePoint::new("a", "b".into(), "c".into(), "d".into(), Timestamp::from_micros(0));
        let mut points = Points::from(vec![point.clone()]);
        for number in 0..12 {
            points.bad.push(BadRecord::whole(format!("\"{number}\"")));
        }
        let mut text = Vec::new();
        write_lines(points, &mut text).expect("it is written");
        let text = String::from_utf8(text).expect("it is text");
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[0], point.to_json());
        assert_eq!(lines[1], r#"{"problem": "\"0\""}"#);
        assert_eq!(lines[11..], [r#"{"problem": "is no trace point"}"#; 2]);
    }
}
