//! What each side finds in what came from the other, under the names it looks for.

use nephoscope_otlp::proto::any_value::Value;
use nephoscope_otlp::proto::{KeyValue, ResourceSpans, Span};
use nephoscope_otlp::{json, points, spans};
use nephoscope_telemetry::{Batch, TracePoint};

fn read(lines: &str) -> Vec<TracePoint> {
    let batch = Batch::read(lines.as_bytes());
    assert_eq!(batch.bad, []);
    batch.points
}

/// The notifications of one operation of `cinder`'s `api` on the host `c1`.
fn operation(name: &str, start: &str, stop: &str) -> Vec<TracePoint> {
    let ids = r#""base_id": "4bf92f35-77b3-4da6-a3ce-929d0e0e4736", "trace_id": "d6e1b3c0-64a8-4ff1-8a5c-3f5a4a9a2b11", "parent_id": "4bf92f35-77b3-4da6-a3ce-929d0e0e4736""#;
    let line = |end: &str, second: u8, info: &str| {
        format!(
            r#"{{"name": "{name}-{end}", {ids}, "timestamp": "2026-01-01T00:00:0{second}.000001", "info": {{{info}"host": "c1"}}, "project": "cinder", "service": "api"}}"#
        )
    };
    read(&[line("start", 1, start), line("stop", 2, stop)].join("\n"))
}

fn only_span(spans: &[ResourceSpans]) -> &Span {
    assert_eq!(spans.len(), 1, "{spans:?}");
    assert_eq!(spans[0].scope_spans[0].spans.len(), 1, "{spans:?}");
    &spans[0].scope_spans[0].spans[0]
}

/// Attributes as `key=value`, without the notifications.
fn shown(attributes: &[KeyValue]) -> Vec<String> {
    let told = attributes.iter().filter(|attribute| !attribute.key.starts_with("osprofiler."));
    told.map(|attribute| match &attribute.value.as_ref().unwrap().value {
        Some(Value::StringValue(text)) => format!("{}={text}", attribute.key),
        Some(Value::IntValue(number)) => format!("{}={number}", attribute.key),
        Some(Value::BoolValue(value)) => format!("{}={value}", attribute.key),
        other => panic!("{}: {other:?}", attribute.key),
    })
    .collect()
}

#[test]
fn a_request_is_a_server_span_with_old_and_new_names() {
    let given = operation(
        "wsgi",
        r#""request": {"path": "/v2/volumes", "query": "limit=1", "method": "GET", "scheme": "http"}, "#,
        "",
    );
    let spans = spans(&given);
    let span = only_span(&spans);
    assert_eq!((&*span.name, span.kind), ("WSGI_GET_/v2/volumes", 2));
    assert_eq!(span.trace_id[..2], [0x4b, 0xf9]);
    assert_eq!(span.span_id, [0x8a, 0x5c, 0x3f, 0x5a, 0x4a, 0x9a, 0x2b, 0x11]);
    assert!(span.parent_span_id.is_empty());
    assert_eq!(span.start_time_unix_nano, 1_767_225_601_000_001_000);
    assert_eq!(span.end_time_unix_nano, 1_767_225_602_000_001_000);
    assert_eq!(
        shown(&span.attributes),
        [
            "http.method=GET",
            "http.request.method=GET",
            "http.path=/v2/volumes",
            "url.path=/v2/volumes",
            "http.query=limit=1",
            "url.query=limit=1",
            "http.scheme=http",
            "url.scheme=http",
        ]
    );
    let resource = spans[0].resource.as_ref().unwrap();
    assert_eq!(
        shown(&resource.attributes),
        ["service.name=cinder-api", "service.namespace=cinder", "host.name=c1"]
    );
}

#[test]
fn a_failed_query_is_a_client_span_with_its_exception() {
    let given = operation(
        "db",
        r#""db": {"statement": " select\n1", "params": {"a": 1}}, "#,
        r#""etype": "ValueError", "message": "no \"volume\"", "#,
    );
    let spans = spans(&given);
    let span = only_span(&spans);
    assert_eq!((&*span.name, span.kind), ("SQL_SELECT", 3));
    assert_eq!(
        shown(&span.attributes),
        [
            "db.statement= select\n1",
            "db.query.text= select\n1",
            "db.params={\"a\": 1}",
            "error=true",
            "error.type=ValueError",
        ]
    );
    let status = span.status.as_ref().unwrap();
    assert_eq!((status.code, &*status.message), (2, "no \"volume\""));
    let event = span.events.iter().find(|event| event.name == "exception").unwrap();
    assert_eq!(shown(&event.attributes), ["exception.type=ValueError", "exception.message=no \"volume\""]);
}

#[test]
fn names_keep_all_their_letters() {
    for name in ["drive", "restart", "cast", "agent-start", "workflow-start", "a-b"] {
        let given = operation(name, "", "");
        assert_eq!(only_span(&spans(&given)).name, name);
    }
}

#[test]
fn an_operation_without_its_other_half_is_an_unfinished_span() {
    let given = operation("rpc", "", "");
    for half in &given {
        let spans = spans(std::slice::from_ref(half));
        let span = only_span(&spans);
        assert_eq!(span.start_time_unix_nano, span.end_time_unix_nano);
        assert_eq!(points(&spans).0, std::slice::from_ref(half));
    }
}

/// The points of one span, by their `info`.
fn infos(span: &str) -> [String; 2] {
    let text = format!(
        r#"{{"resourceSpans": [{{"resource": {{"attributes": [
            {{"key": "service.name", "value": {{"stringValue": "shop"}}}},
            {{"key": "service.namespace", "value": {{"stringValue": "eu"}}}},
            {{"key": "host.name", "value": {{"stringValue": "h1"}}}}]}},
            "scopeSpans": [{{"spans": [{span}]}}]}}]}}"#
    );
    let (points, bad) = points(&json::read(&text).unwrap());
    assert_eq!(bad.count(), 0);
    let told = |point: &TracePoint| {
        assert_eq!((point.service.as_deref(), point.project.as_deref()), (Some("shop"), Some("eu")));
        let info = point.info.as_str();
        info[..info.find(r#","host":"h1","otlp""#).or(info.find(r#""host":"h1","otlp""#)).unwrap()].to_owned()
    };
    [told(&points[0]), told(&points[1])]
}

fn span_with(rest: &str) -> String {
    format!(r#"{{"traceId": "4bf92f3577b34da6a3ce929d0e0e4736", "spanId": "00f067aa0ba902b7", {rest}}}"#)
}

fn text(key: &str, value: &str) -> String {
    format!(r#"{{"key": "{key}", "value": {{"stringValue": "{value}"}}}}"#)
}

fn with_attributes(kind: u8, attributes: &[String]) -> String {
    span_with(&format!(r#""kind": {kind}, "attributes": [{}]"#, attributes.join(", ")))
}

#[test]
fn a_server_span_of_any_spelling_is_a_request() {
    let today = [
        text("http.request.method", "GET"),
        text("url.path", "/a"),
        text("url.query", "b=c"),
        text("url.scheme", "https"),
        r#"{"key": "http.response.status_code", "value": {"intValue": "404"}}"#.to_owned(),
    ];
    let earlier = [
        text("http.method", "GET"),
        text("http.target", "/a?b=c"),
        text("http.scheme", "https"),
        r#"{"key": "http.status_code", "value": {"intValue": "404"}}"#.to_owned(),
    ];
    for attributes in [&today[..], &earlier[..]] {
        assert_eq!(
            infos(&with_attributes(2, attributes)),
            [
                r#"{"request":{"path":"/a","query":"b=c","method":"GET","scheme":"https"}"#,
                r#"{"request":{"status_code":404}"#,
            ]
        );
    }
}

#[test]
fn a_client_span_is_a_request_of_ours() {
    let attributes =
        [text("http.request.method", "PUT"), text("url.full", "https://u:p@api.example:8443/v3/x?y=1#z")];
    assert_eq!(
        infos(&with_attributes(3, &attributes))[0],
        r#"{"requests":{"path":"/v3/x","query":"y=1","method":"PUT","scheme":"https","hostname":"api.example"}"#
    );
}

#[test]
fn a_query_and_a_function_are_known_by_upstreams_names_and_todays() {
    let upstream = [text("db.statement", "select 1"), text("db.params", r#"[1, \"x\"]"#)];
    let told = r#"{"db":{"statement":"select 1","params":[1, "x"]}"#;
    assert_eq!(infos(&with_attributes(3, &upstream))[0], told);
    assert_eq!(
        infos(&with_attributes(3, &[text("db.query.text", "select 1")]))[0],
        r#"{"db":{"statement":"select 1"}"#
    );
    let function = [text("code.function.name", "a.b"), text("args", "(1,)")];
    assert_eq!(infos(&with_attributes(1, &function))[0], r#"{"function":{"name":"a.b","args":"(1,)"}"#);
}

#[test]
fn a_failure_is_an_exception_however_it_is_told() {
    let event = r#""events": [{"name": "exception", "attributes": [
        {"key": "exception.type", "value": {"stringValue": "KeyError"}},
        {"key": "exception.message", "value": {"stringValue": "x"}}]}]"#;
    let failed = |rest: &str| infos(&span_with(rest))[1].clone();
    let known = r#"{"etype":"KeyError","message":"x""#;
    assert_eq!(failed(&format!(r#""status": {{"code": 2, "message": "m"}}, {event}"#)), known);
    let upstream = event.replace("exception\"", "log\"").replace("exception.type", "error.kind");
    let flag = r#""attributes": [{"key": "error", "value": {"boolValue": true}}]"#;
    assert_eq!(failed(&format!("{flag}, {}", upstream.replace("exception.message", "message"))), known);
    assert_eq!(failed(r#""status": {"code": 2, "message": "m"}"#), r#"{"etype":"Error","message":"m""#);
    let typed = format!(r#""status": {{"code": 2}}, "attributes": [{}]"#, text("error.type", "500"));
    assert_eq!(failed(&typed), r#"{"etype":"500","message":"""#);
    assert_eq!(failed(event), "{", "an exception that was handled is no failure");
}

#[test]
fn a_span_without_a_valid_id_is_told_and_the_others_are_taken() {
    let span = |ids: &str| format!("{{{ids}}}");
    let spans = [
        span(r#""traceId": "4bf92f3577b34da6a3ce929d0e0e4736", "spanId": "00f067aa0ba902b7""#),
        span(r#""traceId": "00000000000000000000000000000000", "spanId": "00f067aa0ba902b7""#),
        span(r#""traceId": "4bf92f3577b34da6a3ce929d0e0e4736", "spanId": "0000000000000000""#),
        span(r#""traceId": "4bf9", "spanId": "00f067aa0ba902b7""#),
        span(
            r#""traceId": "4bf92f3577b34da6a3ce929d0e0e4736", "spanId": "00f067aa0ba902b7", "parentSpanId": "00""#,
        ),
    ];
    let text = format!(r#"{{"resourceSpans": [{{"scopeSpans": [{{"spans": [{}]}}]}}]}}"#, spans.join(", "));
    let (points, bad) = points(&json::read(&text).unwrap());
    let told: Vec<_> = bad.first().iter().map(ToString::to_string).collect();
    assert_eq!((points.len(), bad.count()), (2, 4), "{told:?}");
    assert_eq!(told[0], "field `traceId` holds `zeros`: expected an id");
    assert_eq!(told[2], "field `traceId` holds `2 bytes`: expected 16 bytes");
}

#[test]
fn a_root_whose_id_is_the_end_of_its_trace_id_is_no_parent_of_itself() {
    let root = span_with(r#""name": "root""#)
        .replace("4bf92f3577b34da6a3ce929d0e0e4736", "000000000000000000f067aa0ba902b7");
    let child = root
        .replace("\"root\"", "\"child\", \"parentSpanId\": \"00f067aa0ba902b7\"")
        .replace("spanId\": \"00f0", "spanId\": \"11f0");
    let text = format!(r#"{{"resourceSpans": [{{"scopeSpans": [{{"spans": [{root}, {child}]}}]}}]}}"#);
    let given = json::read(&text).unwrap();
    let (points, _) = points(&given);
    let report = nephoscope_telemetry::Points::from(points.clone()).into_report();
    assert_eq!(report.unreachable(), 0);
    assert_eq!(points[2].parent_id, points[0].trace_id);
    assert_eq!(spans(&points), given);
}
