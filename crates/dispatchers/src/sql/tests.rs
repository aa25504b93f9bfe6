//! The dispatcher on SQLite, where tests can put what they like beside the tables. The servers are in `tests/sql`.

use std::path::Path;

use nephoscope_sql::{Dialect, Value};
use nephoscope_telemetry::ErrorKind;

use super::*;

const SAMPLE: &str = r#"{"counter_name": "cpu", "counter_type": "cumulative", "counter_unit": "ns", "counter_volume": 1, "resource_id": "vm", "project_id": "p", "timestamp": "2026-01-02T03:04:05+01:00", "resource_metadata": {"host": "h"}, "message_id": "m"}"#;
const EVENT: &str = r#"{"message_id": "m", "event_type": "a.b", "generated": "2026-01-02T03:04:05", "traits": [["t", 1, "v"]], "raw": {}}"#;

fn file_in(directory: &Path) -> ConnectionString {
    ConnectionString::parse(&format!("sqlite:///{}", directory.join("x.db").display())).unwrap()
}

async fn open(to: &ConnectionString) -> Database {
    Database::open(Config::read(to, &[]).unwrap()).await.unwrap()
}

/// Runs SQL on the file of a connection string.
async fn run(to: &ConnectionString, sql: &str) {
    let database = open(to).await;
    database.execute([database.statement(sql)]).await.unwrap();
    database.close().await;
}

/// The texts of the first column.
async fn asked(to: &ConnectionString, query: &str) -> Vec<String> {
    let database = open(to).await;
    let rows: Vec<(String,)> = database.fetch(database.statement(query)).await.unwrap();
    database.close().await;
    rows.into_iter().map(|(text,)| text).collect()
}

/// What makes a sample another.
type Change = fn(&mut Sample);

fn sample(change: impl Fn(&mut Sample)) -> Sample {
    let mut sample = Sample::from_json(SAMPLE).unwrap();
    change(&mut sample);
    sample
}

#[tokio::test]
async fn questions_of_operators_use_an_index() {
    let directory = tempfile::tempdir().unwrap();
    let to = file_in(directory.path());
    connect(&to).unwrap().samples(&[sample(|_| {})]).await.unwrap();
    let database = open(&to).await;
    let value = "SELECT message_id FROM traits WHERE name = 't' AND";
    for (query, index) in [
        (
            "SELECT * FROM samples WHERE resource_id = 'r' AND meter = 'cpu' AND timestamp > 'x'",
            "samples_by_resource",
        ),
        ("SELECT * FROM samples WHERE project_id = 'p' AND timestamp > 'x'", "samples_by_project"),
        ("SELECT * FROM samples WHERE timestamp > 'x'", "samples_by_time"),
        ("SELECT * FROM events WHERE event_type = 'a.b' ORDER BY generated_at", "events_by_type"),
        ("SELECT * FROM events WHERE generated_at > 'x'", "events_by_time"),
        (&format!("{value} text_value = 'x'"), "traits_by_text"),
        (&format!("{value} int_value > 5"), "traits_by_int"),
        (&format!("{value} float_value > 0.5"), "traits_by_float"),
        (&format!("{value} time_value > 'x'"), "traits_by_time"),
    ] {
        let explain = database.statement(&format!("EXPLAIN QUERY PLAN {query}"));
        let plan: Vec<(i64, i64, i64, String)> = database.fetch(explain).await.unwrap();
        let plan: Vec<_> = plan.into_iter().map(|(.., step)| step).collect();
        assert!(plan.iter().all(|step| step.contains(&format!("INDEX {index} "))), "{query}: {plan:?}");
    }
}

#[tokio::test]
async fn a_sample_without_an_id_is_there_once_however_often_it_comes() {
    let directory = tempfile::tempdir().unwrap();
    let to = file_in(directory.path());
    let anonymous = sample(|sample| sample.id = None);
    let other = sample(|sample| (sample.id, sample.unit) = (Some("".into()), "s".into()));
    let dispatcher = connect(&to).unwrap();
    for _ in 0..2 {
        assert_eq!(dispatcher.samples(&[anonymous.clone(), other.clone()]).await.unwrap(), []);
    }
    assert_eq!(asked(&to, "SELECT unit FROM samples ORDER BY id").await, ["ns", "s"]);
}

#[tokio::test]
async fn tables_of_someone_else_are_left_alone() {
    for table in ["samples (id INTEGER, meter TEXT)", "events (name TEXT)", "nephoscope_schema (name TEXT)"] {
        let directory = tempfile::tempdir().unwrap();
        let to = file_in(directory.path());
        run(&to, &format!("CREATE TABLE {table}")).await;
        let error = connect(&to).unwrap().samples(&[sample(|_| {})]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains("not one of Nephoscope"), "{error}");
        let tables = asked(&to, "SELECT name FROM sqlite_schema WHERE type = 'table'").await;
        assert_eq!(tables, [table.split(' ').next().unwrap()]);
    }
}

#[tokio::test]
async fn tables_of_a_later_version_are_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let to = file_in(directory.path());
    connect(&to).unwrap().samples(&[]).await.unwrap();
    run(&to, "UPDATE nephoscope_schema SET version = 2").await;
    let error = connect(&to).unwrap().samples(&[]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("of version 2, and this Nephoscope knows 1"), "{error}");
}

#[tokio::test]
async fn tables_that_were_made_in_part_are_completed() {
    let directory = tempfile::tempdir().unwrap();
    let to = file_in(directory.path());
    run(&to, &SAMPLES.definition(Dialect::Sqlite)[0]).await;
    connect(&to).unwrap().events(&[Event::from_json(EVENT).unwrap()]).await.unwrap();
    assert_eq!(asked(&to, "SELECT text_value FROM traits").await, ["v"]);
}

#[tokio::test]
async fn what_the_database_refuses_costs_only_itself() {
    let directory = tempfile::tempdir().unwrap();
    let to = file_in(directory.path());
    let dispatcher = connect(&to).unwrap();
    dispatcher.samples(&[]).await.unwrap();
    let refuse = "CREATE TRIGGER refuse BEFORE INSERT ON samples WHEN new.meter IN ('n3', 'n8') \
        BEGIN SELECT RAISE(ABORT, 'not this one'); END";
    run(&to, refuse).await;
    let of = |at: usize| {
        sample(|sample| (sample.id, sample.name) = (Some(format!("{at}").into()), format!("n{at}").into()))
    };
    let samples: Vec<_> = (0..10).map(of).collect();
    let refused = dispatcher.samples(&samples).await.unwrap();
    assert_eq!(refused.iter().map(|refused| refused.at).collect::<Vec<_>>(), [3, 8]);
    assert!(refused[0].reason.contains("not this one"), "{refused:?}");
    let stored = asked(&to, "SELECT meter FROM samples ORDER BY id").await;
    assert_eq!(stored, ["n0", "n1", "n2", "n4", "n5", "n6", "n7", "n9"]);
}

#[test]
fn a_row_that_a_database_can_never_hold_is_told_before_it_is_tried() {
    let samples: [(&str, Change); 5] = [
        ("255 characters", |sample| sample.resource_id = "ä".repeat(256).into()),
        ("U+0000", |sample| sample.user_id = Some("a\0b".into())),
        ("expected a number", |sample| sample.volume = nephoscope_telemetry::Json::string("many")),
        ("not a time", |sample| sample.timestamp = "yesterday".into()),
        ("finite", |sample| sample.volume = nephoscope_telemetry::Json::parse("Infinity").unwrap()),
    ];
    let refused = |dialect| {
        let refusals = samples.iter().map(|(told, change)| {
            let bad = row::of_sample(&sample(change), dialect).err().map(|bad| bad.to_string())?;
            assert!(bad.contains(told), "{bad}");
            Some(*told)
        });
        refusals.flatten().collect::<Vec<_>>()
    };
    assert_eq!(refused(Dialect::Postgres), ["255 characters", "U+0000", "expected a number", "not a time"]);
    assert_eq!(refused(Dialect::MySql), ["255 characters", "expected a number", "not a time", "finite"]);
    assert_eq!(refused(Dialect::Sqlite), ["expected a number", "not a time"]);
}

#[test]
fn half_a_surrogate_pair_becomes_a_character_that_databases_take() {
    for (written, stored) in [
        (r#"{"a": "\ud83d\ude00 \u00e9"}"#, r#"{"a": "\ud83d\ude00 \u00e9"}"#),
        (r#"{"a": "\ud83d"}"#, r#"{"a": "\ufffd"}"#),
        (r#"{"a": "\uDE00\ud83d\ud83d\ude00"}"#, r#"{"a": "\ufffd\ufffd\ud83d\ude00"}"#),
        (r#"{"a": "\\ud83d \"\\\ud83d\n"}"#, r#"{"a": "\\ud83d \"\\\ufffd\n"}"#),
        (r#"{"a": [NaN, "NaN ä"]}"#, r#"{"a": [null, "NaN ä"]}"#),
    ] {
        let metadata = nephoscope_telemetry::Json::parse(written).unwrap();
        let rows = row::of_sample(&Sample { metadata, ..sample(|_| {}) }, Dialect::Sqlite).unwrap();
        assert_eq!(rows.main.last(), Some(&stored.into()));
    }
}

#[test]
fn the_value_of_a_trait_goes_where_its_type_says() {
    let text = |text: &str| Value::Text(Some(text.to_owned()));
    let none = Value::Text(None);
    let long = "x".repeat(256);
    let rest = |kind: u8, value: &str| {
        let event = EVENT.replace(r#"["t", 1, "v"]"#, &format!(r#"["t", {kind}, {value}]"#));
        let rows = row::of_event(&Event::from_json(&event).unwrap(), Dialect::Sqlite);
        rows.map(|rows| rows.traits[0][3..].to_vec()).map_err(|bad| bad.to_string())
    };
    let row = |kind, short, long, int, float, time| {
        Ok(vec![text(kind), short, long, Value::Number(int), Value::Float(float), time])
    };
    let no = || none.clone();
    assert_eq!(rest(1, r#""v""#), row("text", text("v"), no(), None, None, no()));
    assert_eq!(rest(1, "[5]"), row("text", text("[5]"), no(), None, None, no()));
    assert_eq!(rest(1, &format!("\"{long}\"")), row("text", no(), text(&long), None, None, no()));
    assert_eq!(rest(2, "-5"), row("int", no(), no(), Some(-5), None, no()));
    assert_eq!(rest(3, "5"), row("float", no(), no(), None, Some(5.0), no()));
    let time = text("2026-01-02 03:04:05.600000");
    assert_eq!(rest(4, r#""2026-01-02T03:04:05.6""#), row("datetime", no(), no(), None, None, time));
    assert_eq!(rest(2, "null"), row("int", no(), no(), None, None, no()));
    for (kind, value) in [(2, "9223372036854775808"), (2, "0.5"), (3, r#""x""#), (4, "5"), (9, "5")] {
        let told = if kind == 4 { "not a time" } else { "expected" };
        assert!(rest(kind, value).unwrap_err().contains(told), "{value}");
    }
}

#[test]
fn only_what_somebody_can_look_into_is_a_place() {
    for text in ["sqlite://", "sqlite:///:memory:", "sqlite:///x.db?filter_error_trace=1", "mysql://h"] {
        let error = connect(&ConnectionString::parse(text).unwrap()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{text}");
    }
}
