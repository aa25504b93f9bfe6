use proptest::prelude::*;

use super::*;

const GOOD: &str = r#"{"name": "wsgi-start", "base_id": "b", "trace_id": "t", "parent_id": "p", "timestamp": "2026-01-01T00:00:00.000001", "info": {"host": "h"}, "project": "cinder", "service": null}"#;

/// The good point with one field replaced, or taken away.
fn with(field: &str, value: Option<&str>) -> String {
    let mut fields: Vec<String> = Vec::new();
    for (key, good) in json::entries(GOOD) {
        match (key == field, value) {
            (true, Some(value)) => fields.push(format!("\"{key}\": {value}")),
            (true, None) => {}
            (false, _) => fields.push(format!("\"{key}\": {good}")),
        }
    }
    format!("{{{}}}", fields.join(", "))
}

#[test]
fn what_osprofiler_writes_is_written_back_to_the_byte() {
    assert_eq!(TracePoint::from_json(GOOD).unwrap().to_json(), GOOD);
}

#[test]
fn unknown_fields_and_odd_values_survive() {
    let text =
        GOOD.replace('}', "}}").replacen("}}", "}", 1).replace("}}", ", \"x\": [NaN, {\"\\ud800\": 1e400}]}");
    let point = TracePoint::from_json(&text).unwrap();
    assert_eq!(point.extra.len(), 1);
    assert_eq!(point.to_json(), text);
}

#[test]
fn a_time_keeps_its_spelling() {
    for spelled in ["2026-01-01T00:00:00.123", "2026-01-01T00:00:00", "2026-01-01T00:00:00.123456Z"] {
        let point = TracePoint::from_json(&with("timestamp", Some(&format!("\"{spelled}\"")))).unwrap();
        assert_eq!(point.timestamp_text(), spelled);
        assert_eq!(TracePoint::from_json(&point.to_json()).unwrap(), point);
    }
}

#[test]
fn an_absent_info_project_or_service_is_empty() {
    for field in ["info", "project", "service"] {
        let point = TracePoint::from_json(&with(field, None)).unwrap();
        assert!(point.to_json().contains(if field == "info" { "\"info\": {}" } else { ": null" }));
    }
}

#[test]
fn a_bad_field_is_named_with_its_value() {
    for (field, value, told) in [
        ("timestamp", Some("\"2026-13-01T00:00:00.0\""), "2026-13-01T00:00:00.0"),
        ("timestamp", Some("-5"), "-5"),
        ("timestamp", None, "is missing"),
        ("name", Some("7"), "expected a string"),
        ("base_id", None, "is missing"),
        ("base_id", Some("null"), "`null`"),
        ("trace_id", Some("{}"), "`{}`"),
        ("parent_id", Some("[1]"), "`[1]`"),
        ("info", Some("\"x\""), "expected an object"),
        ("project", Some("{\"a\": 1}"), "expected a string"),
        ("service", Some("false"), "`false`"),
    ] {
        let error = TracePoint::from_json(&with(field, value)).unwrap_err();
        assert_eq!(error.field_name(), Some(field));
        assert!(error.to_string().contains(told), "{error}");
    }
}

#[test]
fn what_is_no_object_is_told_so() {
    for (text, told) in
        [("", "not JSON"), ("[1]", "no object"), ("{\"name\": ", "byte 9"), ("{} x", "expected the end")]
    {
        let error = TracePoint::from_json(text).unwrap_err();
        assert!(error.to_string().contains(told), "{error}");
    }
    assert!(TracePoint::from_json_bytes(b"{\"na\xffme\": 1}").unwrap_err().to_string().contains("byte 4"));
}

#[test]
fn a_long_value_is_cut_in_the_error() {
    let long = format!("\"{}\"", "é".repeat(10_000));
    assert!(TracePoint::from_json(&with("timestamp", Some(&long))).unwrap_err().to_string().len() < 400);
}

#[test]
fn a_point_of_ten_megabytes_is_read() {
    let point = with("info", Some(&format!("{{\"db\": \"{}\"}}", "x".repeat(10_000_000))));
    assert_eq!(TracePoint::from_json(&point).unwrap().to_json(), point);
}

#[test]
fn a_number_as_an_id_is_its_text() {
    assert_eq!(TracePoint::from_json(&with("base_id", Some("5"))).unwrap().base_id, Id::new("5"));
}

#[test]
fn names_tell_start_from_stop_as_osprofiler_does() {
    for (name, operation, stop) in [
        ("wsgi-start", "wsgi", false),
        ("neutron-api-stop", "neutron-api", true),
        ("unstop", "unstop", true),
        ("restart", "restart", false),
        ("-start", "", false),
        ("", "", false),
    ] {
        let point = TracePoint::new(name, "b".into(), "t".into(), "p".into(), Timestamp::from_micros(0));
        assert_eq!((point.operation(), point.is_stop()), (operation, stop));
    }
}

proptest! {
    #[test]
    fn any_point_survives_its_json(
        name in ".*", base_id in ".*", trace_id in ".*", parent_id in ".*", micros: i64,
        key in ".*", value in ".*", project in prop::option::of(".*"), service in prop::option::of(".*"),
        extra in "x.*"
    ) {
        let mut point = TracePoint::new(
            &name, base_id.as_str().into(), trace_id.as_str().into(), parent_id.as_str().into(),
            Timestamp::from_micros(micros),
        );
        point.info = Json::parse(&format!("{{{}: {}}}", Json::string(&key), Json::string(&value))).unwrap();
        point.project = project.map(Into::into);
        point.service = service.map(Into::into);
        point.extra.push((extra.into(), Json::string(&value)));
        let text = point.to_json();
        prop_assert!(!text.contains('\n'));
        prop_assert_eq!(TracePoint::from_json(&text).unwrap(), point);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes: Vec<u8>) {
        let _outcome = TracePoint::from_json_bytes(&bytes);
    }

    #[test]
    fn no_damage_makes_it_panic(at in 0..GOOD.len(), byte: u8) {
        let mut bytes = GOOD.as_bytes().to_vec();
        bytes[at] = byte;
        if let Ok(point) = TracePoint::from_json_bytes(&bytes) {
            prop_assert_eq!(TracePoint::from_json(&point.to_json()).unwrap(), point);
        }
    }
}
