//! Spans to trace points.

use nephoscope_telemetry::{BadPoints, BadRecord, TracePoint};

use crate::foreign::Place;
use crate::notifications;
use crate::proto::{ResourceSpans, Span};

/// The trace points of these spans, a start and a stop for each, and what among the spans is none: a span without a trace
/// id of 16 bytes and a span id of 8, neither all zeros, or with a parent id of another length.
///
/// A span that [`spans`](crate::spans()) made of notifications gives exactly these notifications again.
pub fn points(spans: &[ResourceSpans]) -> (Vec<TracePoint>, BadPoints) {
    let count =
        spans.iter().flat_map(|resource| &resource.scope_spans).map(|scope| scope.spans.len()).sum::<usize>();
    let mut points = Vec::with_capacity(2 * count);
    let mut bad = BadPoints::default();
    let mut scratch = String::new();
    for resource in spans {
        for scope in &resource.scope_spans {
            let place = Place::of(resource, scope);
            for span in &scope.spans {
                match check(span) {
                    Ok(()) if notifications::read(span, &mut points) => {}
                    Ok(()) => points.extend(place.points(span, &mut scratch)),
                    Err(reason) => bad.push(reason),
                }
            }
        }
    }
    (points, bad)
}

/// Whether a span has ids that OpenTelemetry calls valid.
fn check(span: &Span) -> Result<(), BadRecord> {
    check_id("traceId", &span.trace_id, 16)?;
    check_id("spanId", &span.span_id, 8)?;
    match span.parent_span_id.len() {
        0 | 8 => Ok(()),
        length => {
            Err(BadRecord::field("parentSpanId", &format!("{length} bytes"), "expected 8 bytes, or none"))
        }
    }
}

fn check_id(field: &str, id: &[u8], length: usize) -> Result<(), BadRecord> {
    if id.len() != length {
        let problem = format!("expected {length} bytes");
        return Err(BadRecord::field(field, &format!("{} bytes", id.len()), problem));
    }
    if id.iter().all(|&byte| byte == 0) {
        return Err(BadRecord::field(field, "zeros", "expected an id"));
    }
    Ok(())
}
