use proptest::prelude::*;

use super::*;

fn stored(row: &Row<'_>) -> Stored {
    let column = |name| row.value(COLUMNS.iter().position(|column| *column == name).unwrap()).map(Into::into);
    Stored {
        timestamp: column("timestamp"),
        base_id: column("base_id"),
        parent_id: column("parent_id"),
        trace_id: column("trace_id"),
        project: column("project"),
        service: column("service"),
        name: column("name"),
        data: column("data"),
    }
}

fn with_data(data: &str) -> Stored {
    let text = |text: &str| Some(text.to_owned());
    Stored {
        timestamp: text("2026-01-01T00:00:00.000001"),
        base_id: text("b"),
        parent_id: text("p"),
        trace_id: text("t"),
        project: None,
        service: None,
        name: text("db-start"),
        data: text(data),
    }
}

const POINT: &str = r#"{"name": "db-start", "base_id": "b", "trace_id": "t", "parent_id": "p",
    "timestamp": "2026-01-01T00:00:00.000001", "info": {"x": NaN, "y": "\ud800 \u0000 é", "host": "h"},
    "project": "cinder", "service": null, "odd": {"a": [1]}}"#;

#[test]
fn data_is_written_as_osprofiler_writes_it() {
    let point = TracePoint::from_json(POINT).unwrap();
    let row = Row::of(&point, Dialect::Postgres).unwrap();
    let values: Vec<_> = row.values().collect();
    assert_eq!(
        values,
        [
            Some("2026-01-01T00:00:00.000001"),
            Some("b"),
            Some("p"),
            Some("t"),
            Some("cinder"),
            Some("h"),
            None,
            Some("db-start"),
            Some(
                r#""{\"info\": {\"x\": NaN, \"y\": \"\\ud800 \\u0000 \u00e9\", \"host\": \"h\"}, \"odd\": {\"a\": [1]}}""#
            ),
        ]
    );
    assert_eq!(self::point(stored(&row)).unwrap(), point);
}

#[test]
fn data_that_was_encoded_once_is_read() {
    let point = point(with_data(r#"{"info": {"host": "h"}, "odd": 1, "odd": 2}"#)).unwrap();
    assert_eq!(point.info.as_str(), r#"{"host": "h"}"#);
    assert_eq!(point.extra, [("odd".into(), Json::parse("2").unwrap())]);
}

#[test]
fn another_spelling_of_the_time_is_kept_beside_the_usual_one() {
    let text = POINT.replace("2026-01-01T00:00:00.000001", "2026-01-01T02:00:00.000001000+02:00");
    let point = TracePoint::from_json(&text).unwrap();
    let row = Row::of(&point, Dialect::MySql).unwrap();
    assert_eq!(row.value(0), Some("2026-01-01T00:00:00.000001"));
    assert_eq!(self::point(stored(&row)).unwrap().timestamp_text(), "2026-01-01T02:00:00.000001000+02:00");
}

#[test]
fn what_is_no_point_names_the_column() {
    for data in ["", "[]", "1", r#""[]""#, r#""{""#, r#"{"info": 1}"#, r#"{"timestamp": 1}"#, r#"{} x"#] {
        assert_eq!(point(with_data(data)).unwrap_err().field_name(), Some("data"), "{data}");
    }
    assert_eq!(point(Stored::default()).unwrap_err().field_name(), Some("name"));
    let named = Stored { name: Some("x".into()), ..Stored::default() };
    assert_eq!(point(named).unwrap_err().field_name(), Some("base_id"));
}

#[test]
fn a_column_without_data_is_a_point_without_info() {
    let row = Stored { data: None, ..with_data("") };
    assert_eq!(point(row).unwrap().info, Json::empty_object());
}

#[test]
fn a_value_that_does_not_fit_is_refused_by_its_field() {
    let mut point = TracePoint::from_json(POINT).unwrap();
    point.name = "é".repeat(255).into();
    assert!(Row::of(&point, Dialect::Postgres).is_ok());
    point.name = "é".repeat(256).into();
    for dialect in [Dialect::Postgres, Dialect::MySql] {
        let error = Row::of(&point, dialect).unwrap_err();
        assert_eq!(error.field_name(), Some("name"));
        assert!(error.to_string().contains("éé"), "{error}");
    }
    assert!(Row::of(&point, Dialect::Sqlite).is_ok());

    point.name = "n".into();
    point.service = Some("a\0b".into());
    assert_eq!(Row::of(&point, Dialect::Postgres).unwrap_err().field_name(), Some("service"));
    assert!(Row::of(&point, Dialect::MySql).is_ok());
}

#[test]
fn a_host_that_does_not_fit_costs_nothing() {
    let text = POINT.replace("\"h\"", &format!("\"{}\"", "h".repeat(300)));
    let point = TracePoint::from_json(&text).unwrap();
    let row = Row::of(&point, Dialect::Postgres).unwrap();
    assert_eq!(row.value(5), None);
    assert_eq!(self::point(stored(&row)).unwrap(), point);
}

proptest! {
    #[test]
    fn a_point_survives_its_row(
        texts in prop::array::uniform5(".{0,40}"),
        service in prop::option::of(".{0,40}"),
        (info, key, value) in (".*", "x.{0,9}", ".*"),
        micros: i64,
    ) {
        let [name, base_id, trace_id, parent_id, host] = texts;
        let time = Timestamp::from_micros(micros);
        let ids = [&base_id, &trace_id, &parent_id].map(|id| Id::new(id));
        let [base_id, trace_id, parent_id] = ids;
        let mut point = TracePoint::new(&name, base_id, trace_id, parent_id, time);
        point.info = Json::parse(&format!("{{\"i\": {}, \"host\": {}}}", Json::string(&info), Json::string(&host)))
            .unwrap();
        point.service = service.map(Into::into);
        point.extra = vec![(key.into(), Json::string(&value))];
        let row = Row::of(&point, Dialect::Sqlite).unwrap();
        prop_assert_eq!(self::point(stored(&row)), Ok(point));
    }

    #[test]
    fn no_data_makes_it_panic(data in ".*") {
        drop(point(with_data(&data)));
        drop(point(with_data(Json::string(&data).as_str())));
    }
}
