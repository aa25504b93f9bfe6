//! The driver on SQLite, where tests can put what they like into the table. What all drivers promise, and the servers,
//! are in the conformance suite.

use std::path::Path;

use nephoscope_sql::Database;
use nephoscope_telemetry::{Driver, ErrorKind, Id, Timestamp, TraceFilter, TracePoint};

use super::*;

fn file_in(directory: &Path) -> ConnectionString {
    ConnectionString::parse(&format!("sqlite:///{}", directory.join("x.db").display())).unwrap()
}

/// Runs SQL on the file of a connection string.
async fn run(to: &ConnectionString, sql: &str) {
    let database = Database::open(Config::read(to, &[]).unwrap()).await.unwrap();
    database.execute([database.statement(sql)]).await.unwrap();
    database.close().await;
}

async fn memory() -> Arc<dyn Driver> {
    connect(&ConnectionString::parse("sqlite://").unwrap()).await.unwrap()
}

fn point(base_id: &str, name: &str, micros: i64) -> TracePoint {
    let id = Id::new(base_id);
    TracePoint::new(name, id.clone(), Id::new("t"), id, Timestamp::from_micros(micros))
}

async fn listed(driver: &dyn Driver, filter: &TraceFilter) -> Vec<String> {
    driver.list(filter).await.unwrap().into_iter().map(|summary| summary.base_id.to_string()).collect()
}

#[tokio::test]
async fn rows_of_others_are_read_and_broken_ones_counted() {
    let directory = tempfile::tempdir().unwrap();
    let to = file_in(directory.path());
    connect(&to).await.unwrap().close().await.unwrap();
    let sql = r#"INSERT INTO data (timestamp, base_id, parent_id, trace_id, name, data) VALUES
        ('2026-01-01T00:00:00.000001', 'b', 'b', 't', 'once', '{"info": {"x": 1}}'),
        ('2026-01-01T00:00:00.000001', 'b', 'b', 't', 'twice', '"{\"info\": {\"x\": 1}}"'),
        ('2026-01-01T00:00:00.000001', 'b', 'b', 't', 'broken', '"{\"info\"'),
        (NULL, 'b', 'b', 't', 'timeless', '{}'),
        ('2026-01-01T00:00:00.000001', 'b', NULL, 't', 'orphan', '{}'),
        ('2026-01-01T00:00:00.000001', 'b', 'b', 't', CAST(x'ff' AS TEXT), '{}')"#;
    run(&to, sql).await;
    let points = connect(&to).await.unwrap().points(&Id::new("b")).await.unwrap();
    let names: Vec<_> = points.good.iter().map(|point| point.name.as_str()).collect();
    assert_eq!(names, ["once", "twice"]);
    assert!(points.good.iter().all(|point| point.info.as_str() == r#"{"x": 1}"#));
    assert_eq!(points.bad.count(), 4, "{:?}", points.bad);
}

#[tokio::test]
async fn a_table_of_someone_else_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let to = file_in(directory.path());
    run(&to, "CREATE TABLE data (id INTEGER, name TEXT)").await;
    let error = connect(&to).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("not the one of OSProfiler"), "{error}");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_not_written_to() {
    let directory = tempfile::tempdir().unwrap();
    let text = "a letter, and by no means a database of any kind";
    std::fs::write(directory.path().join("x.db"), text).unwrap();
    let error = connect(&file_in(directory.path())).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("no SQLite database"), "{error}");
    assert_eq!(std::fs::read_to_string(directory.path().join("x.db")).unwrap(), text);
}

#[tokio::test]
async fn a_point_that_the_database_refuses_costs_only_itself() {
    let directory = tempfile::tempdir().unwrap();
    let to = file_in(directory.path());
    let driver = connect(&to).await.unwrap();
    let refuse = "CREATE TRIGGER refuse BEFORE INSERT ON data WHEN new.name IN ('n3', 'n8') \
        BEGIN SELECT RAISE(ABORT, 'not this one'); END";
    run(&to, refuse).await;
    let points: Vec<_> = (0..9).map(|at| point("b", &format!("n{at}"), at)).collect();
    let error = driver.notify(&points).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("2 of 9") && error.to_string().contains("not this one"), "{error}");
    let stored = driver.points(&Id::new("b")).await.unwrap().good;
    let names: Vec<_> = stored.iter().map(|point| point.name.as_str()).collect();
    assert_eq!(names, ["n0", "n1", "n2", "n4", "n5", "n6", "n7"]);
}

#[tokio::test]
async fn a_list_goes_on_beyond_a_page_and_holds_all_of_one_time() {
    let driver = memory().await;
    // 2,500 traces in 500 times: more than two pages, and pages end between traces of one time.
    let points: Vec<_> = (0..2500_i64).map(|at| point(&format!("{at:04}"), "db-start", at / 5)).collect();
    driver.notify(&points).await.unwrap();
    let newest: Vec<_> = (0..500_i64).rev().flat_map(|time| time * 5..time * 5 + 5).collect();
    let expected: Vec<_> = newest.iter().map(|at| format!("{at:04}")).collect();
    assert_eq!(listed(&*driver, &TraceFilter::default()).await, expected);
    let since = TraceFilter { since: Some(Timestamp::from_micros(0)), ..TraceFilter::default() };
    assert_eq!(listed(&*driver, &since).await, expected);
    for limit in [0, 1, 3, 7, 999, 1000, 1001, 2499] {
        let filter = TraceFilter { limit: Some(limit), ..TraceFilter::default() };
        assert_eq!(listed(&*driver, &filter).await, expected[..limit], "limit {limit}");
    }
}

#[tokio::test]
async fn what_only_looks_like_an_error_does_not_use_up_the_limit() {
    let driver = memory().await;
    let mut points = Vec::new();
    for at in 0..1500 {
        let mut point = point(&format!("{at:04}"), "db-stop", at);
        let info =
            if at == 3 { r#"{"etype": "ValueError"}"# } else { r#"{"message": "etype", "etype": null}"# };
        point.info = nephoscope_telemetry::Json::parse(info).unwrap();
        points.push(point);
    }
    driver.notify(&points).await.unwrap();
    let filter = TraceFilter { limit: Some(1), ..TraceFilter::default() };
    let list = driver.list_errors(&filter).await.unwrap();
    assert_eq!(list.len(), 1);
    assert_eq!((list[0].base_id.to_string(), list[0].errors), ("0003".into(), Some(1)));
}

#[tokio::test]
async fn a_purge_of_many_traces_leaves_those_that_go_on() {
    let driver = memory().await;
    let mut points = Vec::new();
    for at in 0..2100 {
        points.push(point(&format!("{at:04}"), "db-start", at));
    }
    points.push(point("0007", "db-stop", 5000));
    driver.notify(&points).await.unwrap();
    assert_eq!(driver.purge(Timestamp::from_micros(2050)).await.unwrap().traces, 2049);
    let left = listed(&*driver, &TraceFilter::default()).await;
    assert_eq!((left.len(), left.last().map(String::as_str)), (51, Some("0007")));
    assert_eq!(driver.points(&Id::new("0007")).await.unwrap().good.len(), 2);
}

#[tokio::test]
async fn the_table_is_made_once_by_many_at_the_same_time() {
    let directory = tempfile::tempdir().unwrap();
    let to = Arc::new(file_in(directory.path()));
    let connecting: Vec<_> = (0..8)
        .map(|_| {
            let to = Arc::clone(&to);
            tokio::spawn(async move { connect(&to).await.map(drop) })
        })
        .collect();
    for connected in connecting {
        connected.await.unwrap().unwrap();
    }
}
