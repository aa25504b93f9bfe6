use nephoscope_otlp::json;
use nephoscope_otlp::proto::Span;
use nephoscope_otlp::proto::any_value::Value;
use proptest::prelude::*;

use crate::any;

fn only_span(text: &str) -> Span {
    let read = json::read(text).unwrap();
    read[0].scope_spans[0].spans[0].clone()
}

fn in_request(span: &str) -> String {
    format!(r#"{{"resourceSpans": [{{"scopeSpans": [{{"spans": [{span}]}}]}}]}}"#)
}

#[test]
fn what_the_specification_lets_a_sender_write_is_read() {
    let span = only_span(&in_request(
        r#"{"traceId": "5B8EFFF798038103D269B633813FC60C", "spanId": "eee19b7ec3c1b174", "parentSpanId": null,
            "name": "I'm a server span", "startTimeUnixNano": "1544712660000000000", "endTimeUnixNano": 1544712661000000000,
            "kind": 2, "newInLaterVersion": {"a": [1, {}]}, "status": {"code": "STATUS_CODE_ERROR"}, "attributes": [
                {"key": "i", "value": {"intValue": "9007199254740993"}}, {"key": "n", "value": {"intValue": -7}},
                {"key": "d", "value": {"doubleValue": "-Infinity"}}, {"key": "e", "value": {"doubleValue": 1}},
                {"key": "b", "value": {"bytesValue": "_-8"}}, {"key": "a", "value": {"arrayValue": {}}},
                {"key": "none"}, {"value": {}}]}"#,
    ));
    assert_eq!(span.trace_id[..2], [0x5b, 0x8e]);
    assert_eq!(span.span_id.len(), 8);
    assert!(span.parent_span_id.is_empty());
    assert_eq!(
        (span.start_time_unix_nano, span.end_time_unix_nano),
        (1_544_712_660_000_000_000, 1_544_712_661_000_000_000)
    );
    assert_eq!(span.status.unwrap().code, 2);
    let values: Vec<_> = span
        .attributes
        .iter()
        .map(|attribute| attribute.value.as_ref().and_then(|value| value.value.clone()))
        .collect();
    assert_eq!(values[0], Some(Value::IntValue(9_007_199_254_740_993)));
    assert_eq!(values[1], Some(Value::IntValue(-7)));
    assert_eq!(values[2], Some(Value::DoubleValue(f64::NEG_INFINITY)));
    assert_eq!(values[3], Some(Value::DoubleValue(1.0)));
    assert_eq!(values[4], Some(Value::BytesValue(vec![0xff, 0xef])));
    assert!(matches!(&values[5], Some(Value::ArrayValue(array)) if array.values.is_empty()));
    assert_eq!(values[6..], [None, None]);
}

#[test]
fn what_is_no_request_is_refused_with_the_place() {
    for (text, place) in [
        ("[]", "expected an object at byte 0"),
        ("{\"resourceSpans\": 5}", "expected an array at byte 18"),
        ("{} {}", "expected the end at byte 3"),
        (&in_request(r#"{"traceId": "5b8"}"#), "expected hexadecimal digits before this place at byte 63"),
        (
            &in_request(r#"{"kind": "SERVER"}"#),
            "expected a value of the enumeration before this place at byte 63",
        ),
        (&in_request(r#"{"flags": -1}"#), "expected a number in its range before this place at byte 58"),
    ] {
        assert_eq!(json::read(text).unwrap_err().to_string(), place, "{text}");
    }
}

#[test]
fn what_is_no_number_has_its_own_spelling() {
    let text = in_request(r#"{"attributes":[{"key":"d","value":{"doubleValue":"NaN"}}]}"#);
    let read = json::read(&text).unwrap();
    assert!(json::write(&read).contains(r#"{"doubleValue":"NaN"}"#), "{}", json::write(&read));
}

#[test]
fn values_are_nested_as_deep_as_other_decoders_follow_and_no_deeper() {
    let nested = |depth: usize| {
        let value = format!("{}{{}}{}", r#"{"arrayValue": {"values": ["#.repeat(depth), "]}}".repeat(depth));
        in_request(&format!(r#"{{"attributes": [{{"key": "deep", "value": {value}}}]}}"#))
    };
    let read = json::read(&nested(47)).unwrap();
    let request = nephoscope_otlp::proto::ExportTraceServiceRequest { resource_spans: read };
    let bytes = prost::Message::encode_to_vec(&request);
    let decoded: nephoscope_otlp::proto::ExportTraceServiceRequest = prost::Message::decode(&*bytes).unwrap();
    assert_eq!(decoded, request);
    assert!(json::read(&nested(48)).is_ok());
    let error = json::read(&nested(49)).unwrap_err();
    assert_eq!(error.problem, "expected a value that is not nested as deep");
    assert!(json::read(&nested(100_000)).is_err());
}

proptest! {
    #[test]
    fn a_request_survives_its_text(request in any::request()) {
        let text = json::write(&request);
        prop_assert!(text.is_ascii());
        prop_assert_eq!(json::read(&text).unwrap(), request);
    }

    #[test]
    fn no_text_makes_it_panic(text in ".*", bytes: Vec<u8>, tokens in r#"[\[\]{},:"0-9a-z ]*"#, cut in 0_usize..200) {
        for text in [&*text, &*String::from_utf8_lossy(&bytes), &*tokens, &in_request(&tokens)] {
            let _refused = json::read(text);
        }
        let whole = in_request(r#"{"attributes":[{"key":"d","value":{"kvlistValue":{"values":[{"key":"x","value":{"bytesValue":"AA="}}]}}}]}"#);
        let _refused = json::read(&whole[..cut.min(whole.len())]);
    }
}
