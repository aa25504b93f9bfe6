//! Spans of other programs than OSProfiler, as points that hold the whole span.
//!
//! The start has what OSProfiler's own tools look for (`request`, `requests`, `db`, `function`, `host`), and in `otlp`
//! everything else that is mostly known when a span starts, with its resource and scope; the stop has `etype` and
//! `message` of a failure, and in `otlp` the events and the status. Both objects are OTLP/JSON: fields of a span, and
//! beside them `resource`, `resourceSchemaUrl`, `scope` and `scopeSchemaUrl`. A field that the point itself tells is left
//! out: ids, name, and times of whole microseconds.

use nephoscope_telemetry::json::write_string;
use nephoscope_telemetry::{Id, Json, Timestamp, TracePoint};
use smol_str::SmolStr;

use crate::conventions::Known;
use crate::groups::Placed;
use crate::ids;
use crate::json::{Object, push_resource, push_scope, push_span_start, push_span_stop, read_otlp};
use crate::proto::any_value::Value;
use crate::proto::{KeyValue, ResourceSpans, ScopeSpans, Span};

/// The parent of a root whose span id is also the end of its trace id, as some tracers have it: its base id would be its
/// own trace id, and nothing can be its own parent.
const NO_PARENT: Id = Id::from_uuid([0; 16]);

/// What the spans of a scope share, written once for all of them.
pub(crate) struct Place {
    service: Option<SmolStr>,
    project: Option<SmolStr>,
    /// The value of `host`, as JSON.
    host: Option<String>,
    /// The fields of `otlp` that are the same for all.
    otlp: String,
}

impl Place {
    pub(crate) fn of(resource: &ResourceSpans, scope: &ScopeSpans) -> Self {
        let attributes = resource.resource.as_ref().map_or(&[][..], |resource| &resource.attributes);
        let text = |key| text_of(attributes, key);
        Self {
            service: text("service.name").map(SmolStr::from),
            project: text("service.namespace").map(SmolStr::from),
            host: text("host.name").map(|host| {
                let mut quoted = String::new();
                write_string(&mut quoted, host);
                quoted
            }),
            otlp: shared_fields(resource, scope),
        }
    }

    /// Start and stop of a span with valid ids. `scratch` is any text, which is overwritten: to use the same for many spans
    /// spares its growing for each of them.
    pub(crate) fn points(&self, span: &Span, scratch: &mut String) -> [TracePoint; 2] {
        let base_id = ids::base_id(span.trace_id[..].try_into().expect("the ids are valid"));
        let trace_id = ids::point_id(span.span_id[..].try_into().expect("the ids are valid"));
        let parent_id = match span.parent_span_id[..].try_into() {
            Ok(parent) if parent != [0; 8] => ids::point_id(parent),
            _ if trace_id == base_id => NO_PARENT,
            _ => base_id.clone(),
        };
        let known = Known::of(span);
        let point = |end: &str, nanos: u64, info: Json| {
            let name = [&*span.name, end].concat();
            let ids = (base_id.clone(), trace_id.clone(), parent_id.clone());
            let mut point = TracePoint::new(&name, ids.0, ids.1, ids.2, time(nanos));
            point.service.clone_from(&self.service);
            point.project.clone_from(&self.project);
            point.info = info;
            point
        };
        let parent_is_told = told_parent(&base_id, &parent_id) == span.parent_span_id;
        [
            point(
                "-start",
                span.start_time_unix_nano,
                self.start_info(span, &known, parent_is_told, scratch),
            ),
            point("-stop", span.end_time_unix_nano, self.stop_info(span, &known, scratch)),
        ]
    }

    fn start_info(&self, span: &Span, known: &Known<'_>, parent_is_told: bool, out: &mut String) -> Json {
        out.clear();
        let mut info = Object::open(out);
        known.write_start(&mut info);
        self.write_host(&mut info);
        let mut otlp = Object::open(info.key("otlp"));
        if !parent_is_told {
            otlp.hex("parentSpanId", &span.parent_span_id);
        }
        if !span.start_time_unix_nano.is_multiple_of(1000) {
            otlp.nanos("startTimeUnixNano", span.start_time_unix_nano);
        }
        push_span_start(&mut otlp, span);
        otlp.fields(&self.otlp);
        otlp.close();
        info.close();
        Json::written(out)
    }

    fn stop_info(&self, span: &Span, known: &Known<'_>, out: &mut String) -> Json {
        out.clear();
        let mut info = Object::open(out);
        known.write_stop(&mut info);
        self.write_host(&mut info);
        let mut otlp = Object::open(info.key("otlp"));
        if !span.end_time_unix_nano.is_multiple_of(1000) {
            otlp.nanos("endTimeUnixNano", span.end_time_unix_nano);
        }
        push_span_stop(&mut otlp, span);
        otlp.close();
        info.close();
        Json::written(out)
    }

    fn write_host(&self, info: &mut Object<'_>) {
        if let Some(host) = &self.host {
            info.key("host").push_str(host);
        }
    }
}

fn shared_fields(resource: &ResourceSpans, scope: &ScopeSpans) -> String {
    let mut out = String::new();
    let mut object = Object::open(&mut out);
    if let Some(resource) = &resource.resource {
        push_resource(object.key("resource"), resource);
    }
    object.text("resourceSchemaUrl", &resource.schema_url);
    if let Some(scope) = &scope.scope {
        push_scope(object.key("scope"), scope);
    }
    object.text("scopeSchemaUrl", &scope.schema_url);
    object.close();
    out.pop();
    out.remove(0);
    out
}

/// The parent span id that a point tells without help.
fn told_parent(base_id: &Id, parent_id: &Id) -> Vec<u8> {
    match parent_id.as_uuid() {
        Some(uuid) if parent_id != base_id && *parent_id != NO_PARENT => uuid[8..].to_vec(),
        _ => Vec::new(),
    }
}

fn time(nanos: u64) -> Timestamp {
    Timestamp::from_micros((nanos / 1000).cast_signed())
}

/// The span of which [`Place::points`] made these points; nothing when it did not.
pub(crate) fn rebuild(start: &TracePoint, stop: &TracePoint) -> Option<Placed> {
    let mut placed = Placed::default();
    for point in [start, stop] {
        let otlp = point.info.get("otlp")?;
        let Placed { resource, scope, span } = &mut placed;
        read_otlp(resource, scope, span, otlp).ok()?;
    }
    let span = &mut placed.span;
    span.name = start.name.strip_suffix("-start")?.to_owned();
    span.trace_id = start.base_id.as_uuid()?.to_vec();
    span.span_id = start.trace_id.as_uuid()?[8..].to_vec();
    if span.parent_span_id.is_empty() {
        span.parent_span_id = told_parent(&start.base_id, &start.parent_id);
    }
    for (nanos, point) in [(&mut span.start_time_unix_nano, start), (&mut span.end_time_unix_nano, stop)] {
        if *nanos == 0 {
            *nanos = u64::try_from(point.timestamp.as_micros()).ok()?.checked_mul(1000)?;
        }
    }
    // Whoever writes points can write an `otlp` of their own. It counts only if it is what would be written here.
    let again = Place::of(&placed.resource, &placed.scope).points(&placed.span, &mut String::new());
    (again[0] == *start && again[1] == *stop).then_some(placed)
}

/// The value of an attribute that is a text.
pub(crate) fn text_of<'a>(attributes: &'a [KeyValue], key: &str) -> Option<&'a str> {
    let attribute = attributes.iter().find(|attribute| attribute.key == key)?;
    match attribute.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text),
        _ => None,
    }
}
