//! Text to messages, in one pass.

use std::str::FromStr;

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use nephoscope_telemetry::json::{InvalidJson, Scanner, decode};

use super::DEEPEST_VALUE;
use crate::ids::nibble;
use crate::proto::any_value::Value;
use crate::proto::span::{Event, Link, SpanKind};
use crate::proto::status::StatusCode;
use crate::proto::{
    AnyValue, ArrayValue, EntityRef, InstrumentationScope, KeyValue, KeyValueList, Resource, ResourceSpans,
    ScopeSpans, Span, Status,
};

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

type Result<T> = std::result::Result<T, InvalidJson>;
type In<'s, 'a> = &'s mut Scanner<'a>;

pub(super) fn request(text: &str) -> Result<Vec<ResourceSpans>> {
    let mut scanner = Scanner::new(text);
    let mut spans = Vec::new();
    if scanner.peek() != Some(b'{') {
        return fail(&scanner, "expected an object");
    }
    fields(&mut scanner, |key, scanner| match key {
        "resourceSpans" => items(scanner, &mut spans, resource_spans),
        _ => skip(scanner),
    })?;
    scanner.end()?;
    Ok(spans)
}

fn fail<T>(scanner: &Scanner<'_>, problem: &'static str) -> Result<T> {
    Err(InvalidJson { problem, at: scanner.position() })
}

fn skip(scanner: In<'_, '_>) -> Result<()> {
    scanner.value().map(drop)
}

/// Passes `null`, which stands for the default.
fn is_null(scanner: In<'_, '_>) -> Result<bool> {
    let null = scanner.peek() == Some(b'n');
    if null {
        skip(scanner)?;
    }
    Ok(null)
}

/// Reads an object: `take` reads the value of each key.
fn fields<'a>(scanner: In<'_, 'a>, mut take: impl FnMut(&str, In<'_, 'a>) -> Result<()>) -> Result<()> {
    if is_null(scanner)? {
        return Ok(());
    }
    scanner.expect(b'{', "expected an object")?;
    let mut more = !scanner.eat(b'}');
    while more {
        let key = scanner.key()?;
        take(&key, scanner)?;
        more = scanner.eat(b',');
        if !more {
            scanner.expect(b'}', "expected a comma or the end of the object")?;
        }
    }
    Ok(())
}

/// Reads an array and appends its items.
fn items<'a, T>(
    scanner: In<'_, 'a>,
    items: &mut Vec<T>,
    mut read: impl FnMut(In<'_, 'a>) -> Result<T>,
) -> Result<()> {
    if is_null(scanner)? {
        return Ok(());
    }
    scanner.expect(b'[', "expected an array")?;
    let mut more = !scanner.eat(b']');
    while more {
        items.push(read(scanner)?);
        more = scanner.eat(b',');
        if !more {
            scanner.expect(b']', "expected a comma or the end of the array")?;
        }
    }
    Ok(())
}

fn text(scanner: In<'_, '_>) -> Result<String> {
    if is_null(scanner)? { Ok(String::new()) } else { scanner.string().map(Into::into) }
}

/// A number, in quotes or without.
fn number<N: Default + FromStr>(scanner: In<'_, '_>) -> Result<N> {
    if is_null(scanner)? {
        return Ok(N::default());
    }
    let value = scanner.value()?;
    let digits = decode(value).unwrap_or(value.into());
    digits.parse().or_else(|_| fail(scanner, "expected a number in its range before this place"))
}

fn hex(scanner: In<'_, '_>) -> Result<Vec<u8>> {
    let digits = text(scanner)?;
    let pairs = digits.as_bytes().chunks(2);
    let bytes = pairs.map(|pair| match pair {
        [high, low] => Some(nibble(*high)? << 4 | nibble(*low)?),
        _ => None,
    });
    bytes
        .collect::<Option<_>>()
        .map_or_else(|| fail(scanner, "expected hexadecimal digits before this place"), Ok)
}

fn base64(scanner: In<'_, '_>) -> Result<Vec<u8>> {
    let text = text(scanner)?.replace('-', "+").replace('_', "/");
    BASE64.decode(text).or_else(|_| fail(scanner, "expected Base64 before this place"))
}

/// The number of an enumeration value, or its name.
fn enumeration<T: Into<i32>>(scanner: In<'_, '_>, named: impl FnOnce(&str) -> Option<T>) -> Result<i32> {
    if scanner.peek() != Some(b'"') {
        return number(scanner);
    }
    let name = scanner.string()?;
    match name.parse() {
        Ok(number) => Ok(number),
        Err(_) => named(&name).map_or_else(
            || fail(scanner, "expected a value of the enumeration before this place"),
            |value| Ok(value.into()),
        ),
    }
}

fn resource_spans(scanner: In<'_, '_>) -> Result<ResourceSpans> {
    let mut spans = ResourceSpans::default();
    fields(scanner, |key, scanner| match key {
        "resource" => optional(scanner, &mut spans.resource, resource),
        "scopeSpans" => items(scanner, &mut spans.scope_spans, scope_spans),
        "schemaUrl" => set(&mut spans.schema_url, text(scanner)),
        _ => skip(scanner),
    })?;
    Ok(spans)
}

fn scope_spans(scanner: In<'_, '_>) -> Result<ScopeSpans> {
    let mut spans = ScopeSpans::default();
    fields(scanner, |key, scanner| match key {
        "scope" => optional(scanner, &mut spans.scope, scope),
        "spans" => items(scanner, &mut spans.spans, span),
        "schemaUrl" => set(&mut spans.schema_url, text(scanner)),
        _ => skip(scanner),
    })?;
    Ok(spans)
}

fn set<T>(slot: &mut T, value: Result<T>) -> Result<()> {
    *slot = value?;
    Ok(())
}

fn optional<'a, T>(
    scanner: In<'_, 'a>,
    slot: &mut Option<T>,
    read: impl FnOnce(In<'_, 'a>) -> Result<T>,
) -> Result<()> {
    *slot = if is_null(scanner)? { None } else { Some(read(scanner)?) };
    Ok(())
}

fn resource(scanner: In<'_, '_>) -> Result<Resource> {
    let mut resource = Resource::default();
    fields(scanner, |key, scanner| match key {
        "attributes" => items(scanner, &mut resource.attributes, attribute),
        "droppedAttributesCount" => set(&mut resource.dropped_attributes_count, number(scanner)),
        "entityRefs" => items(scanner, &mut resource.entity_refs, entity_ref),
        _ => skip(scanner),
    })?;
    Ok(resource)
}

fn entity_ref(scanner: In<'_, '_>) -> Result<EntityRef> {
    let mut entity = EntityRef::default();
    fields(scanner, |key, scanner| match key {
        "schemaUrl" => set(&mut entity.schema_url, text(scanner)),
        "type" => set(&mut entity.r#type, text(scanner)),
        "idKeys" => items(scanner, &mut entity.id_keys, text),
        "descriptionKeys" => items(scanner, &mut entity.description_keys, text),
        _ => skip(scanner),
    })?;
    Ok(entity)
}

fn scope(scanner: In<'_, '_>) -> Result<InstrumentationScope> {
    let mut scope = InstrumentationScope::default();
    fields(scanner, |key, scanner| match key {
        "name" => set(&mut scope.name, text(scanner)),
        "version" => set(&mut scope.version, text(scanner)),
        "attributes" => items(scanner, &mut scope.attributes, attribute),
        "droppedAttributesCount" => set(&mut scope.dropped_attributes_count, number(scanner)),
        _ => skip(scanner),
    })?;
    Ok(scope)
}

fn span(scanner: In<'_, '_>) -> Result<Span> {
    let mut span = Span::default();
    fields(scanner, |key, scanner| read_span_field(&mut span, key, scanner))?;
    Ok(span)
}

/// Reads one field of a span; a key that a span does not have is passed over.
fn read_span_field(span: &mut Span, key: &str, scanner: In<'_, '_>) -> Result<()> {
    match key {
        "traceId" => set(&mut span.trace_id, hex(scanner)),
        "spanId" => set(&mut span.span_id, hex(scanner)),
        "traceState" => set(&mut span.trace_state, text(scanner)),
        "parentSpanId" => set(&mut span.parent_span_id, hex(scanner)),
        "flags" => set(&mut span.flags, number(scanner)),
        "name" => set(&mut span.name, text(scanner)),
        "kind" => set(&mut span.kind, enumeration(scanner, SpanKind::from_str_name)),
        "startTimeUnixNano" => set(&mut span.start_time_unix_nano, number(scanner)),
        "endTimeUnixNano" => set(&mut span.end_time_unix_nano, number(scanner)),
        "attributes" => items(scanner, &mut span.attributes, attribute),
        "droppedAttributesCount" => set(&mut span.dropped_attributes_count, number(scanner)),
        "events" => items(scanner, &mut span.events, event),
        "droppedEventsCount" => set(&mut span.dropped_events_count, number(scanner)),
        "links" => items(scanner, &mut span.links, link),
        "droppedLinksCount" => set(&mut span.dropped_links_count, number(scanner)),
        "status" => optional(scanner, &mut span.status, status),
        _ => skip(scanner),
    }
}

/// Reads the object of `info.otlp`: fields of a span, and beside them `resource`, `scope` and their schema URLs.
pub(crate) fn read_otlp(
    resource_spans: &mut ResourceSpans,
    scope_spans: &mut ScopeSpans,
    span: &mut Span,
    otlp: &str,
) -> Result<()> {
    let mut scanner = Scanner::new(otlp);
    fields(&mut scanner, |key, scanner| match key {
        "resource" => optional(scanner, &mut resource_spans.resource, resource),
        "resourceSchemaUrl" => set(&mut resource_spans.schema_url, text(scanner)),
        "scope" => optional(scanner, &mut scope_spans.scope, scope),
        "scopeSchemaUrl" => set(&mut scope_spans.schema_url, text(scanner)),
        _ => read_span_field(span, key, scanner),
    })
}

fn status(scanner: In<'_, '_>) -> Result<Status> {
    let mut status = Status::default();
    fields(scanner, |key, scanner| match key {
        "message" => set(&mut status.message, text(scanner)),
        "code" => set(&mut status.code, enumeration(scanner, StatusCode::from_str_name)),
        _ => skip(scanner),
    })?;
    Ok(status)
}

fn event(scanner: In<'_, '_>) -> Result<Event> {
    let mut event = Event::default();
    fields(scanner, |key, scanner| match key {
        "timeUnixNano" => set(&mut event.time_unix_nano, number(scanner)),
        "name" => set(&mut event.name, text(scanner)),
        "attributes" => items(scanner, &mut event.attributes, attribute),
        "droppedAttributesCount" => set(&mut event.dropped_attributes_count, number(scanner)),
        _ => skip(scanner),
    })?;
    Ok(event)
}

fn link(scanner: In<'_, '_>) -> Result<Link> {
    let mut link = Link::default();
    fields(scanner, |key, scanner| match key {
        "traceId" => set(&mut link.trace_id, hex(scanner)),
        "spanId" => set(&mut link.span_id, hex(scanner)),
        "traceState" => set(&mut link.trace_state, text(scanner)),
        "attributes" => items(scanner, &mut link.attributes, attribute),
        "droppedAttributesCount" => set(&mut link.dropped_attributes_count, number(scanner)),
        "flags" => set(&mut link.flags, number(scanner)),
        _ => skip(scanner),
    })?;
    Ok(link)
}

fn attribute(scanner: In<'_, '_>) -> Result<KeyValue> {
    attribute_at(scanner, 0)
}

fn attribute_at(scanner: In<'_, '_>, depth: usize) -> Result<KeyValue> {
    let mut attribute = KeyValue::default();
    fields(scanner, |key, scanner| match key {
        "key" => set(&mut attribute.key, text(scanner)),
        "value" => optional(scanner, &mut attribute.value, |scanner| value(scanner, depth)),
        "keyStrindex" => set(&mut attribute.key_strindex, number(scanner)),
        _ => skip(scanner),
    })?;
    Ok(attribute)
}

fn value(scanner: In<'_, '_>, depth: usize) -> Result<AnyValue> {
    if depth > DEEPEST_VALUE {
        return fail(scanner, "expected a value that is not nested as deep");
    }
    let mut read = None;
    fields(scanner, |key, scanner| {
        if is_null(scanner)? {
            return Ok(());
        }
        read = Some(match key {
            "stringValue" => Value::StringValue(text(scanner)?),
            "boolValue" => Value::BoolValue(boolean(scanner)?),
            "intValue" => Value::IntValue(number(scanner)?),
            "doubleValue" => Value::DoubleValue(number(scanner)?),
            "arrayValue" => Value::ArrayValue(array(scanner, depth + 1)?),
            "kvlistValue" => Value::KvlistValue(list(scanner, depth + 1)?),
            "bytesValue" => Value::BytesValue(base64(scanner)?),
            "stringValueStrindex" => Value::StringValueStrindex(number(scanner)?),
            _ => return skip(scanner),
        });
        Ok(())
    })?;
    Ok(AnyValue { value: read })
}

fn boolean(scanner: In<'_, '_>) -> Result<bool> {
    match scanner.value()? {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => fail(scanner, "expected true or false before this place"),
    }
}

fn array(scanner: In<'_, '_>, depth: usize) -> Result<ArrayValue> {
    let mut array = ArrayValue::default();
    fields(scanner, |key, scanner| match key {
        "values" => items(scanner, &mut array.values, |scanner| value(scanner, depth)),
        _ => skip(scanner),
    })?;
    Ok(array)
}

fn list(scanner: In<'_, '_>, depth: usize) -> Result<KeyValueList> {
    let mut list = KeyValueList::default();
    fields(scanner, |key, scanner| match key {
        "values" => items(scanner, &mut list.values, |scanner| attribute_at(scanner, depth)),
        _ => skip(scanner),
    })?;
    Ok(list)
}
