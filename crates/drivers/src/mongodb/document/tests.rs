use mongodb::bson::doc;
use mongodb::bson::oid::ObjectId;
use nephoscope_telemetry::{Json, Timestamp};
use proptest::prelude::*;

use super::*;

fn with_info(info: &str) -> TracePoint {
    let time = Timestamp::from_micros(1_767_225_600_000_000);
    let mut point = TracePoint::new("db-stop", "base".into(), "trace".into(), "parent".into(), time);
    point.info = Json::parse(info).unwrap();
    point
}

fn read(document: &RawDocument) -> TracePoint {
    point(document, &mut String::new()).unwrap()
}

fn is_exact(stored: &Stored) -> bool {
    stored.document.get_str(EXACT).is_ok()
}

#[test]
fn an_ordinary_point_is_stored_as_osprofiler_stores_it() {
    let point =
        with_info(r#"{"db": {"statement": "SELECT '\u65e5'", "params": [1, 2.5, null, true]}, "host": "h"}"#);
    let stored = Stored::of(&point).unwrap();
    let mut document = mongodb::bson::Document::try_from(&stored.document).unwrap();
    assert!(document.remove("_id").is_some());
    assert_eq!(
        document,
        doc! {
            "name": "db-stop", "base_id": "base", "trace_id": "trace", "parent_id": "parent",
            "timestamp": "2026-01-01T00:00:00.000000",
            "info": { "db": { "statement": "SELECT '日'", "params": [1, 2.5, null, true] }, "host": "h" },
            "project": null, "service": null,
        }
    );
    assert_eq!(read(&stored.document), point);
}

#[test]
fn what_bson_does_not_hold_is_there_as_text_too() {
    for info in [
        r#"{"n": 1180591620717411303424}"#,
        r#"{"half": "\ud800"}"#,
        r#"{"spelled": 2.50}"#,
        r#"{"spaces":1}"#,
        r#"{"zero": -0.0}"#,
    ] {
        let point = with_info(info);
        let stored = Stored::of(&point).unwrap();
        assert!(is_exact(&stored) && !stored.outline, "{info}");
        assert_eq!(read(&stored.document), point);
    }
    let mut point = with_info("{}");
    point.set_timestamp_text("2026-01-01T02:00:00+02:00").unwrap();
    let stored = Stored::of(&point).unwrap();
    assert_eq!(stored.document.get_str("timestamp").unwrap(), "2026-01-01T00:00:00.000000");
    assert_eq!(read(&stored.document), point);
}

#[test]
fn what_has_no_fields_in_bson_is_outlined() {
    let deep = format!("{{\"etype\": [{}{}], \"host\": \"h\"}}", "[".repeat(90), "]".repeat(90));
    let mut own_id = with_info("{}");
    own_id.extra = vec![("_id".into(), Json::parse("1").unwrap())];
    for point in [with_info(&deep), with_info(r#"{"a\u0000b": 1}"#), own_id] {
        let stored = Stored::of(&point).unwrap();
        assert!(stored.outline);
        let etype = stored.document.get_document("info").unwrap().get_str("etype");
        assert_eq!(etype.is_ok(), point.is_error());
        assert_eq!(read(&stored.document), point);
    }
}

#[test]
fn a_large_point_is_outlined_and_a_larger_one_refused() {
    let large = |bytes| with_info(&format!("{{\"text\":\"{}\"}}", "x".repeat(bytes)));
    let point = large(10 << 20);
    let stored = Stored::of(&point).unwrap();
    assert!(stored.outline);
    assert_eq!(read(&stored.document), point);
    let refused = Stored::of(&large(16 << 20)).err().unwrap().to_string();
    assert!(refused.contains("16777216"), "{refused}");
}

#[test]
fn the_id_is_that_of_the_text() {
    let id =
        |point: &TracePoint| Stored::of(point).unwrap().document.get_binary("_id").unwrap().bytes.to_vec();
    let (one, other) = (with_info(r#"{"a": 1}"#), with_info(r#"{"a": 1.0}"#));
    assert_eq!(id(&one), id(&one.clone()));
    assert_ne!(id(&one), id(&other));
    assert_eq!(Stored::outline(&one).unwrap().document.get_binary("_id").unwrap().bytes, id(&one));
}

#[test]
fn a_field_of_our_name_by_somebody_else_is_a_field() {
    for exact in [
        "no JSON",
        r#"{"name": "x", "base_id": "another", "trace_id": "t", "parent_id": "p", "timestamp": "2026-01-01T00:00:00.0"}"#,
    ] {
        let document = RawDocumentBuf::try_from(doc! {
            "_id": ObjectId::new(), "name": "wsgi-start", "base_id": "base", "trace_id": "t", "parent_id": "p",
            "timestamp": "2026-01-01T00:00:00.000000", "exact_json": exact,
        })
        .unwrap();
        let point = read(&document);
        assert_eq!((point.name.as_str(), point.extra.len()), ("wsgi-start", 1));
        assert_eq!(read(&Stored::of(&point).unwrap().document), point);
    }
}

#[test]
fn a_foreign_document_is_no_point() {
    let document = RawDocumentBuf::try_from(doc! { "_id": 1, "base_id": "base", "name": "x" }).unwrap();
    assert!(point(&document, &mut String::new()).is_err());
}

proptest! {
    #[test]
    fn any_point_comes_back(name in ".*", id in ".*", key in ".*", text in ".*", micros in any::<i64>()) {
        let mut info = String::from("{");
        nephoscope_telemetry::json::write_string(&mut info, &key);
        info.push_str(": ");
        nephoscope_telemetry::json::write_string(&mut info, &text);
        info.push('}');
        let id = id.as_str();
        let time = Timestamp::from_micros(micros);
        let mut point = TracePoint::new(&name, id.into(), id.into(), id.into(), time);
        point.info = Json::parse(&info).unwrap();
        if !["name", "base_id", "trace_id", "parent_id", "timestamp", "info", "project", "service"].contains(&key.as_str()) {
            point.extra = vec![(key.into(), Json::parse(&info).unwrap())];
        }
        prop_assert_eq!(&read(&Stored::of(&point).unwrap().document), &point);
        prop_assert_eq!(&read(&Stored::outline(&point).unwrap().document), &point);
    }
}
