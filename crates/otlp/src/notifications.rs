//! Spans of OSProfiler's operations, which carry their notifications word for word.
//!
//! Beside these stand upstream's name, kind and attributes of such a span, and those of today's semantic conventions.

use nephoscope_telemetry::{Id, TracePoint};

use crate::conventions::{self, attribute};
use crate::foreign::text_of;
use crate::groups::Placed;
use crate::ids;
use crate::proto::{InstrumentationScope, Resource, Span};

/// The attributes that hold the JSON text of the notifications.
const START: &str = "osprofiler.start";
const STOP: &str = "osprofiler.stop";
/// The scope of spans that are made here.
const SCOPE: &str = "nephoscope";
/// What OpenTelemetry calls a service whose name nobody said.
const UNKNOWN_SERVICE: &str = "unknown_service";

/// Appends the notifications that a span carries, and returns whether it carries any. It does not when one of them is
/// no notification of this span.
pub(crate) fn read(span: &Span, points: &mut Vec<TracePoint>) -> bool {
    let before = points.len();
    for key in [START, STOP] {
        let Some(text) = text_of(&span.attributes, key) else { continue };
        match TracePoint::from_json(text) {
            Ok(point) if is_of(&point, span) => points.push(point),
            _ => {
                points.truncate(before);
                return false;
            }
        }
    }
    points.len() > before
}

fn is_of(point: &TracePoint, span: &Span) -> bool {
    ids::trace_id(&point.base_id) == span.trace_id[..] && ids::span_id(&point.trace_id) == span.span_id[..]
}

/// The span of an operation, of which at least one notification is there.
pub(crate) fn span(start: Option<&TracePoint>, stop: Option<&TracePoint>) -> Placed {
    let one = start.or(stop).expect("an operation has a notification");
    let mut span = Span {
        trace_id: ids::trace_id(&one.base_id).to_vec(),
        span_id: ids::span_id(&one.trace_id).to_vec(),
        parent_span_id: parent(&one.base_id, &one.parent_id),
        start_time_unix_nano: nanos(one),
        end_time_unix_nano: nanos(stop.unwrap_or(one)),
        ..Span::default()
    };
    conventions::describe(&mut span, one, stop);
    for (key, point) in [(START, start), (STOP, stop)] {
        if let Some(point) = point {
            span.attributes.push(attribute(key, point.to_json()));
        }
    }
    let mut placed = Placed { span, ..Placed::default() };
    placed.resource.resource = Some(resource(one));
    placed.scope.scope = Some(InstrumentationScope { name: SCOPE.into(), ..InstrumentationScope::default() });
    placed
}

fn parent(base_id: &Id, parent_id: &Id) -> Vec<u8> {
    if parent_id == base_id { Vec::new() } else { ids::span_id(parent_id).to_vec() }
}

/// What was before 1970, OpenTelemetry cannot say.
fn nanos(point: &TracePoint) -> u64 {
    u64::try_from(point.timestamp.as_micros()).unwrap_or(0).saturating_mul(1000)
}

fn resource(point: &TracePoint) -> Resource {
    let names: Vec<_> = [&point.project, &point.service].into_iter().flatten().map(|name| &**name).collect();
    let service = if names.is_empty() { UNKNOWN_SERVICE.to_owned() } else { names.join("-") };
    let mut attributes = vec![attribute("service.name", service)];
    if let Some(project) = &point.project {
        attributes.push(attribute("service.namespace", project.to_string()));
    }
    if let Some(host) = point.host() {
        attributes.push(attribute("host.name", host.into_owned()));
    }
    Resource { attributes, ..Resource::default() }
}
