//! Messages to text.

use std::fmt::{Display, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use nephoscope_telemetry::json::write_string;

use crate::ids::push_hex;
use crate::proto::any_value::Value;
use crate::proto::span::{Event, Link};
use crate::proto::{
    AnyValue, EntityRef, InstrumentationScope, KeyValue, Resource, ResourceSpans, ScopeSpans, Span, Status,
};

/// An object that is being written. A field that holds its default is left out.
pub(crate) struct Object<'a> {
    out: &'a mut String,
    first: bool,
}

impl<'a> Object<'a> {
    pub(crate) fn open(out: &'a mut String) -> Self {
        out.push('{');
        Self { out, first: true }
    }

    /// Writes a key that needs no escapes; what is appended next is its value.
    pub(crate) fn key(&mut self, key: &str) -> &mut String {
        self.out.push_str(if self.first { "\"" } else { ",\"" });
        self.first = false;
        self.out.push_str(key);
        self.out.push_str("\":");
        self.out
    }

    /// Appends fields that were written before, if there are any.
    pub(crate) fn fields(&mut self, fields: &str) {
        if !fields.is_empty() {
            self.out.push_str(if self.first { "" } else { "," });
            self.first = false;
            self.out.push_str(fields);
        }
    }

    pub(crate) fn text(&mut self, key: &str, text: &str) {
        if !text.is_empty() {
            write_string(self.key(key), text);
        }
    }

    fn number<N: Copy + Default + Display + PartialEq>(&mut self, key: &str, number: N) {
        if number != N::default() {
            write!(self.key(key), "{number}").expect("a String takes all");
        }
    }

    /// Whatever it is: zero too.
    pub(crate) fn nanos(&mut self, key: &str, nanos: u64) {
        write!(self.key(key), "\"{nanos}\"").expect("a String takes all");
    }

    pub(crate) fn hex(&mut self, key: &str, bytes: &[u8]) {
        if !bytes.is_empty() {
            let out = self.key(key);
            out.push('"');
            push_hex(out, bytes);
            out.push('"');
        }
    }

    fn items<T>(&mut self, key: &str, items: &[T], push: impl FnMut(&mut String, &T)) {
        if !items.is_empty() {
            push_items(self.key(key), items, push);
        }
    }

    pub(crate) fn close(self) {
        self.out.push('}');
    }
}

fn push_items<T>(out: &mut String, items: &[T], mut push: impl FnMut(&mut String, &T)) {
    out.push('[');
    for (number, item) in items.iter().enumerate() {
        if number > 0 {
            out.push(',');
        }
        push(out, item);
    }
    out.push(']');
}

pub(super) fn request(spans: &[ResourceSpans]) -> String {
    let mut out = String::new();
    let mut object = Object::open(&mut out);
    push_items(object.key("resourceSpans"), spans, push_resource_spans);
    object.close();
    out
}

fn push_resource_spans(out: &mut String, spans: &ResourceSpans) {
    let mut object = Object::open(out);
    if let Some(resource) = &spans.resource {
        push_resource(object.key("resource"), resource);
    }
    object.items("scopeSpans", &spans.scope_spans, push_scope_spans);
    object.text("schemaUrl", &spans.schema_url);
    object.close();
}

fn push_scope_spans(out: &mut String, spans: &ScopeSpans) {
    let mut object = Object::open(out);
    if let Some(scope) = &spans.scope {
        push_scope(object.key("scope"), scope);
    }
    object.items("spans", &spans.spans, push_span);
    object.text("schemaUrl", &spans.schema_url);
    object.close();
}

pub(crate) fn push_resource(out: &mut String, resource: &Resource) {
    let mut object = Object::open(out);
    object.items("attributes", &resource.attributes, push_attribute);
    object.number("droppedAttributesCount", resource.dropped_attributes_count);
    object.items("entityRefs", &resource.entity_refs, push_entity_ref);
    object.close();
}

fn push_entity_ref(out: &mut String, entity: &EntityRef) {
    let mut object = Object::open(out);
    object.text("schemaUrl", &entity.schema_url);
    object.text("type", &entity.r#type);
    object.items("idKeys", &entity.id_keys, |out, key| write_string(out, key));
    object.items("descriptionKeys", &entity.description_keys, |out, key| write_string(out, key));
    object.close();
}

pub(crate) fn push_scope(out: &mut String, scope: &InstrumentationScope) {
    let mut object = Object::open(out);
    object.text("name", &scope.name);
    object.text("version", &scope.version);
    object.items("attributes", &scope.attributes, push_attribute);
    object.number("droppedAttributesCount", scope.dropped_attributes_count);
    object.close();
}

fn push_span(out: &mut String, span: &Span) {
    let mut object = Object::open(out);
    object.hex("traceId", &span.trace_id);
    object.hex("spanId", &span.span_id);
    object.hex("parentSpanId", &span.parent_span_id);
    object.text("name", &span.name);
    object.nanos("startTimeUnixNano", span.start_time_unix_nano);
    object.nanos("endTimeUnixNano", span.end_time_unix_nano);
    push_span_start(&mut object, span);
    push_span_stop(&mut object, span);
    object.close();
}

/// What is mostly known of a span when it starts, apart from ids, name and times.
pub(crate) fn push_span_start(object: &mut Object<'_>, span: &Span) {
    object.text("traceState", &span.trace_state);
    object.number("flags", span.flags);
    object.number("kind", span.kind);
    object.items("attributes", &span.attributes, push_attribute);
    object.number("droppedAttributesCount", span.dropped_attributes_count);
    object.items("links", &span.links, push_link);
    object.number("droppedLinksCount", span.dropped_links_count);
}

/// What is known of a span only when it has ended.
pub(crate) fn push_span_stop(object: &mut Object<'_>, span: &Span) {
    object.items("events", &span.events, push_event);
    object.number("droppedEventsCount", span.dropped_events_count);
    if let Some(status) = &span.status {
        push_status(object.key("status"), status);
    }
}

fn push_status(out: &mut String, status: &Status) {
    let mut object = Object::open(out);
    object.text("message", &status.message);
    object.number("code", status.code);
    object.close();
}

fn push_event(out: &mut String, event: &Event) {
    let mut object = Object::open(out);
    object.nanos("timeUnixNano", event.time_unix_nano);
    object.text("name", &event.name);
    object.items("attributes", &event.attributes, push_attribute);
    object.number("droppedAttributesCount", event.dropped_attributes_count);
    object.close();
}

fn push_link(out: &mut String, link: &Link) {
    let mut object = Object::open(out);
    object.hex("traceId", &link.trace_id);
    object.hex("spanId", &link.span_id);
    object.text("traceState", &link.trace_state);
    object.items("attributes", &link.attributes, push_attribute);
    object.number("droppedAttributesCount", link.dropped_attributes_count);
    object.number("flags", link.flags);
    object.close();
}

fn push_attribute(out: &mut String, attribute: &KeyValue) {
    let mut object = Object::open(out);
    object.text("key", &attribute.key);
    if let Some(value) = &attribute.value {
        push_value(object.key("value"), value);
    }
    object.number("keyStrindex", attribute.key_strindex);
    object.close();
}

fn push_value(out: &mut String, value: &AnyValue) {
    let mut object = Object::open(out);
    if let Some(value) = &value.value {
        push_known_value(&mut object, value);
    }
    object.close();
}

fn push_known_value(object: &mut Object<'_>, value: &Value) {
    match value {
        Value::StringValue(text) => write_string(object.key("stringValue"), text),
        Value::BoolValue(value) => object.key("boolValue").push_str(if *value { "true" } else { "false" }),
        Value::IntValue(number) => {
            write!(object.key("intValue"), "\"{number}\"").expect("a String takes all");
        }
        Value::DoubleValue(number) => push_double(object.key("doubleValue"), *number),
        Value::ArrayValue(array) => {
            let mut array_object = Object::open(object.key("arrayValue"));
            array_object.items("values", &array.values, push_value);
            array_object.close();
        }
        Value::KvlistValue(list) => {
            let mut list_object = Object::open(object.key("kvlistValue"));
            list_object.items("values", &list.values, push_attribute);
            list_object.close();
        }
        Value::BytesValue(bytes) => {
            let out = object.key("bytesValue");
            out.push('"');
            STANDARD.encode_string(bytes, out);
            out.push('"');
        }
        Value::StringValueStrindex(index) => {
            write!(object.key("stringValueStrindex"), "{index}").expect("a String takes all");
        }
    }
}

/// Shortest digits that give the same number again.
fn push_double(out: &mut String, number: f64) {
    let written = if number.is_nan() {
        out.push_str("\"NaN\"");
        Ok(())
    } else if number.is_infinite() {
        out.push_str(if number > 0.0 { "\"Infinity\"" } else { "\"-Infinity\"" });
        Ok(())
    } else {
        write!(out, "{number:?}")
    };
    written.expect("a String takes all");
}
