//! Any span, and any trace point.

use nephoscope_otlp::proto::any_value::Value;
use nephoscope_otlp::proto::span::{Event, Link};
use nephoscope_otlp::proto::{
    AnyValue, ArrayValue, EntityRef, InstrumentationScope, KeyValue, KeyValueList, Resource, ResourceSpans,
    ScopeSpans, Span, Status,
};
use nephoscope_telemetry::{Id, Json, Timestamp, TracePoint};
use proptest::prelude::*;

/// Keys that mean something to us, among others.
fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "http.request.method",
            "url.path",
            "http.target",
            "url.full",
            "server.port",
            "db.query.text",
            "db.params",
            "code.function.name",
            "error",
            "error.type",
            "exception.type",
            "exception.message",
            "message",
            "http.response.status_code",
            "service.name",
            "service.namespace",
            "host.name",
        ])
        .prop_map(str::to_owned),
        text(),
    ]
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{0,3}",
        ".{0,6}",
        Just("GET /v1/a-b-stop".to_owned()),
        Just("http://u@h:1/p?q#f".to_owned())
    ]
}

fn double() -> impl Strategy<Value = f64> {
    // No NaN, which is not equal to itself; it has a test of its own.
    any::<f64>().prop_filter("equal to itself", |number| !number.is_nan())
}

fn value() -> impl Strategy<Value = AnyValue> {
    let leaf = prop_oneof![
        text().prop_map(Value::StringValue),
        any::<bool>().prop_map(Value::BoolValue),
        any::<i64>().prop_map(Value::IntValue),
        double().prop_map(Value::DoubleValue),
        prop::collection::vec(any::<u8>(), 0..5).prop_map(Value::BytesValue),
        any::<i32>().prop_map(Value::StringValueStrindex),
    ];
    let leaf = prop::option::weighted(0.95, leaf).prop_map(|value| AnyValue { value });
    leaf.prop_recursive(3, 8, 3, |inner| {
        let values = prop::collection::vec(inner.clone(), 0..3);
        let pairs = prop::collection::vec((key(), prop::option::of(inner)), 0..3);
        prop_oneof![
            values.prop_map(|values| Value::ArrayValue(ArrayValue { values })),
            pairs.prop_map(|pairs| Value::KvlistValue(KeyValueList {
                values: pairs.into_iter().map(pair).collect()
            })),
        ]
        .prop_map(|value| AnyValue { value: Some(value) })
    })
}

fn pair((key, value): (String, Option<AnyValue>)) -> KeyValue {
    KeyValue { key, value, key_strindex: 0 }
}

fn attributes() -> impl Strategy<Value = Vec<KeyValue>> {
    prop::collection::vec((key(), prop::option::weighted(0.95, value())).prop_map(pair), 0..4)
}

fn id(length: usize) -> impl Strategy<Value = Vec<u8>> {
    // Few enough that spans share traces and parents, and some are equal where they should not be.
    (1_u8..4, any::<bool>()).prop_map(move |(last, padded)| {
        let mut id = vec![if padded { 0 } else { last }; length];
        id[length - 1] = last;
        id
    })
}

fn parent() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![Just(Vec::new()), Just(vec![0; 8]), id(8)]
}

fn nanos() -> impl Strategy<Value = u64> {
    prop_oneof![
        any::<u64>(),
        Just(0),
        Just(1),
        Just(u64::MAX),
        (0..1_000_u64).prop_map(|micros| micros * 1000)
    ]
}

prop_compose! {
    fn event()(
        time_unix_nano in nanos(), name in prop_oneof![Just("exception".to_owned()), text()],
        attributes in attributes(), dropped_attributes_count in 0_u32..2,
    ) -> Event {
        Event { time_unix_nano, name, attributes, dropped_attributes_count }
    }
}

prop_compose! {
    fn link()(
        trace_id in id(16), span_id in id(8), trace_state in text(), attributes in attributes(),
        dropped_attributes_count in 0_u32..2, flags: u32,
    ) -> Link {
        Link { trace_id, span_id, trace_state, attributes, dropped_attributes_count, flags }
    }
}

prop_compose! {
    fn status()(message in text(), code in -1..4) -> Status {
        Status { message, code }
    }
}

prop_compose! {
    /// With ids that OpenTelemetry calls valid.
    pub(crate) fn span()(
        ids in (id(16), id(8), parent()), trace_state in text(), flags in prop_oneof![Just(0), any::<u32>()],
        name in text(), kind in -1..7, times in (nanos(), nanos()), attributes in attributes(),
        events in prop::collection::vec(event(), 0..3), links in prop::collection::vec(link(), 0..2),
        dropped in (0_u32..2, 0_u32..2, any::<u32>()), status in prop::option::of(status()),
    ) -> Span {
        Span {
            trace_id: ids.0, span_id: ids.1, parent_span_id: ids.2, trace_state, flags, name, kind,
            start_time_unix_nano: times.0, end_time_unix_nano: times.1, attributes,
            dropped_attributes_count: dropped.0, events, dropped_events_count: dropped.1, links,
            dropped_links_count: dropped.2, status,
        }
    }
}

prop_compose! {
    fn resource()(
        attributes in attributes(), dropped_attributes_count in 0_u32..2,
        entity in prop::option::weighted(0.1, (text(), prop::collection::vec(text(), 0..2))),
    ) -> Resource {
        let entity_refs = entity.into_iter().map(|(text, keys)| EntityRef {
            schema_url: text.clone(), r#type: text, id_keys: keys.clone(), description_keys: keys,
        });
        Resource { attributes, dropped_attributes_count, entity_refs: entity_refs.collect() }
    }
}

prop_compose! {
    fn scope_spans()(
        scope in prop::option::of((text(), text(), attributes(), 0_u32..2)), schema_url in text(),
        spans in prop::collection::vec(span(), 0..3),
    ) -> ScopeSpans {
        let scope = scope.map(|(name, version, attributes, dropped_attributes_count)| InstrumentationScope {
            name, version, attributes, dropped_attributes_count,
        });
        ScopeSpans { scope, spans, schema_url }
    }
}

prop_compose! {
    fn resource_spans()(
        resource in prop::option::of(resource()), schema_url in text(),
        scope_spans in prop::collection::vec(scope_spans(), 0..3),
    ) -> ResourceSpans {
        ResourceSpans { resource, scope_spans, schema_url }
    }
}

pub(crate) fn request() -> impl Strategy<Value = Vec<ResourceSpans>> {
    prop::collection::vec(resource_spans(), 0..3)
}

fn point_id() -> impl Strategy<Value = Id> {
    prop_oneof![
        (0_u8..3).prop_map(|last| Id::from_uuid([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last])),
        any::<[u8; 16]>().prop_map(Id::from_uuid),
        ".{0,3}".prop_map(|text| Id::new(&text)),
        Just(Id::new("4BF92F3577B34DA6A3CE929D0E0E4736")),
    ]
}

/// What a service may have put into `info`, in the dialect of Python.
fn info() -> impl Strategy<Value = Json> {
    let known = prop::sample::select(vec![
        r#"{}"#,
        r#"{"request": {"path": "/v2", "query": "a=b", "method": "GET", "scheme": "http"}, "host": "h"}"#,
        r#"{"requests": {"method": "GET", "path": "/", "hostname": "h", "port": "", "scheme": "s", "query": null}}"#,
        r#"{"db": {"statement": "select 1", "params": {"a": NaN, "b": 123456789012345678901234567890}}}"#,
        r#"{"function": {"name": "a.b", "args": "(1,)", "kwargs": "{}", "result": "\ud800"}}"#,
        r#"{"etype": "ValueError", "message": {"any": "thing"}, "request": {"status_code": 500}}"#,
        r#"{"otlp": {}}"#,
        r#"{"otlp": {"kind": 2, "kind": 3, "unknown": [1]}}"#,
        r#"{"otlp": {"attributes": [{"key": "a"}], "startTimeUnixNano": "1999"}}"#,
        r#"{"otlp": 5}"#,
        r#"{"request": 5, "db": [], "function": null, "requests": "x"}"#,
    ]);
    prop_oneof![
        known.prop_map(|text| Json::parse(text).unwrap()),
        ".{0,9}".prop_map(|text| Json::parse(&format!("{{\"host\": {}}}", Json::string(&text))).unwrap()),
    ]
}

prop_compose! {
    pub(crate) fn point()(
        name in prop_oneof!["(wsgi|db|x-api|http|)(-start|-stop|stop|)", ".{0,9}"],
        base in point_id(), trace in point_id(), parent in point_id(), under_base: bool,
        micros in prop_oneof![any::<i64>(), 0_i64..9], info in info(),
        project in prop::option::of("[a-c.é]{0,2}"), service in prop::option::of("[a-c.é]{0,2}"),
        extra in prop::collection::vec(("[xy]é", ".{0,3}"), 0..2),
        spelled in prop::option::of(Just("2026-01-01T14:30:00+02:30")),
    ) -> TracePoint {
        let parent = if under_base { base.clone() } else { parent };
        let mut point = TracePoint::new(&name, base, trace, parent, Timestamp::from_micros(micros));
        point.info = info;
        point.project = project.map(Into::into);
        point.service = service.map(Into::into);
        point.extra = extra.iter().map(|(key, value)| (key.into(), Json::string(value))).collect();
        if let Some(text) = spelled {
            point.set_timestamp_text(text).unwrap();
        }
        point
    }
}
