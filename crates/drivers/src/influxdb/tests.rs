//! InfluxDB as a double: what 2.7 answered when it was asked, what InfluxData documents of 3, and a fault of 1.6.

use std::sync::Arc;

use nephoscope_telemetry::{ConnectionString, Driver, ErrorKind, Result, Timestamp, TraceFilter, TracePoint};
use nephoscope_testkit::http::{HttpDouble, Received, Reply};

use super::line::tests::parse;
use super::row::{Row, Value};

const TOKEN: &str = "sesame==";

async fn connect(double: &HttpDouble, scheme: &str, options: &str) -> Result<Arc<dyn Driver>> {
    let url = format!("{scheme}://127.0.0.1:{}/traces?token={TOKEN}&timeout=1{options}", double.port());
    crate::registry().connect(&ConnectionString::parse(&url).unwrap()).await
}

fn points() -> [TracePoint; 2] {
    let point = |name| {
        let time = Timestamp::from_micros(1_767_225_600_000_000);
        TracePoint::new(name, "b,\"1\"".into(), "t".into(), "b".into(), time)
    };
    [point("wsgi-start"), point("wsgi-stop")]
}

/// What was written, as both answer it.
fn row(line: &str) -> Vec<(String, Value)> {
    let mut row = parse(line).remove(0);
    row.fields.push(("nanos".into(), Value::Integer(row.time)));
    row.fields
}

fn csv(line: &str) -> String {
    let (mut types, mut columns, mut cells) = ("#datatype".to_owned(), String::new(), String::new());
    for (column, value) in row(line) {
        let (kind, cell) = match value {
            Value::Text(text) => ("string", format!("\"{}\"", text.replace('"', "\"\""))),
            Value::Integer(number) => ("long", number.to_string()),
            Value::Boolean(flag) => ("boolean", flag.to_string()),
            Value::Float(_) => unreachable!("we write none"),
        };
        types += &format!(",{kind}");
        columns += &format!(",{column}");
        cells += &format!(",{cell}");
    }
    format!("{types}\r\n{columns}\r\n{cells}\r\n\r\n")
}

fn jsonl(line: &str) -> String {
    let columns = row(line).into_iter().map(|(column, value)| {
        let value = match value {
            Value::Text(text) => text.into(),
            Value::Integer(number) => number.into(),
            Value::Boolean(flag) => flag.into(),
            Value::Float(number) => number.into(),
        };
        (column, value)
    });
    serde_json::Value::Object(columns.collect()).to_string() + "\n"
}

/// A double that keeps what is written, and answers every question with all of it.
fn double(answer: fn(&str) -> String) -> HttpDouble {
    let written = std::sync::Mutex::new(String::new());
    HttpDouble::start(move |received: &Received| {
        let mut written = written.lock().unwrap();
        if received.header("authorization").is_none_or(|header| !header.ends_with(TOKEN)) {
            return Reply::json(401, r#"{"code":"unauthorized","message":"unauthorized access"}"#);
        }
        match received.target.split('?').next().unwrap_or_default() {
            "/api/v2/write" => {
                *written = received.text();
                Reply::empty(204)
            }
            "/api/v2/query" | "/api/v3/query_sql" if !written.is_empty() => {
                Reply::Answer(200, Vec::new(), answer(&written).into_bytes())
            }
            "/api/v3/query_sql" => {
                Reply::json(400, r#"{"error":"table 'public.iox.osprofiler_traces' not found"}"#)
            }
            "/api/v2/query" => Reply::Answer(200, Vec::new(), b"\r\n".to_vec()),
            _ => Reply::json(200, "{}"),
        }
    })
}

async fn everything_comes_back(double: &HttpDouble, driver: &dyn Driver) {
    let points = points();
    let id = points[0].base_id.clone();
    assert_eq!(driver.points(&id).await.unwrap().good, []);
    driver.notify(&points).await.unwrap();
    assert_eq!(driver.points(&id).await.unwrap().good, points);
    for limit in [None, Some(1)] {
        let filter = TraceFilter { limit, ..TraceFilter::default() };
        let list = driver.list(&filter).await.unwrap();
        assert_eq!(list, [nephoscope_telemetry::TraceSummary::of(&points).unwrap()]);
    }
    assert!(double.received().iter().all(|received| !received.target.contains(TOKEN)));
}

#[tokio::test]
async fn a_double_of_2_gives_back_what_it_took() {
    let double = double(csv);
    let driver = connect(&double, "influxdb2", "&org=acme").await.unwrap();
    everything_comes_back(&double, &*driver).await;
    assert_eq!(driver.purge(Timestamp::from_micros(i64::MAX)).await.unwrap().traces, 1);
    let deleted = double.received().pop().unwrap();
    assert_eq!(deleted.target, "/api/v2/delete?org=acme&bucket=traces");
    assert!(
        deleted.text().contains(r#""predicate":"_measurement=\"osprofiler_traces\"""#),
        "{}",
        deleted.text()
    );
}

#[tokio::test]
async fn a_double_of_3_gives_back_what_it_took() {
    let double = double(jsonl);
    let driver = connect(&double, "influxdb3", "").await.unwrap();
    everything_comes_back(&double, &*driver).await;
    let asked =
        double.received().into_iter().rfind(|received| received.target == "/api/v3/query_sql").unwrap();
    let asked: serde_json::Value = serde_json::from_slice(&asked.body).unwrap();
    assert_eq!(asked["db"], "traces");
    let sql = asked["q"].as_str().unwrap();
    assert!(sql.ends_with("AND \"base_id\" IN ('b,\"1\"') AND \"piece\" = 0"), "{sql}");
    assert!(!driver.capabilities().purge);
    let error = driver.purge(Timestamp::from_micros(0)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}

/// The error of storing where this is answered to it.
async fn refused(scheme: &str, options: &str, reply: Reply) -> nephoscope_telemetry::Error {
    let double = HttpDouble::start(move |received| {
        if received.target.starts_with("/api/v2/write") { reply.clone() } else { Reply::json(200, "{}") }
    });
    let error = connect(&double, scheme, options).await.unwrap().notify(&points()).await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains(TOKEN), "{error:?}");
    error
}

#[tokio::test]
async fn what_they_refuse_is_understood() {
    let too_old = r#"{"code":"unprocessable entity","message":"failure writing points to database: partial write: points beyond retention policy dropped=1"}"#;
    let missing = r#"{"code":"not found","message":"bucket \"traces\" not found"}"#;
    let of_three = r#"{"error":"partial write of line protocol occurred","data":[{"original_line":"o","line_number":1,"error_message":"invalid column type"}]}"#;
    let page = Reply::Answer(502, Vec::new(), b"<html>bad gateway</html>".to_vec());
    for (scheme, options, reply, kind, told) in [
        ("influxdb2", "&org=o", Reply::json(422, too_old), ErrorKind::Invalid, "2 of 2 points"),
        ("influxdb2", "&org=o", Reply::json(404, missing), ErrorKind::Config, "create the bucket"),
        ("influxdb2", "&org=o", Reply::json(401, "{}"), ErrorKind::Config, "mend the login"),
        ("influxdb2", "&org=o", Reply::json(429, "{}"), ErrorKind::Unavailable, "429"),
        ("influxdb2", "&org=o", Reply::Silence, ErrorKind::Unavailable, "option `timeout`"),
        ("influxdb2", "&org=o", Reply::Raw(b"HTTP/1.1 204 No".to_vec()), ErrorKind::Unavailable, "broke off"),
        ("influxdb2", "&org=o", page, ErrorKind::Unavailable, "web page"),
        ("influxdb3", "", Reply::json(400, of_three), ErrorKind::Invalid, "invalid column type"),
        ("influxdb3", "", Reply::json(404, "nothing here"), ErrorKind::Config, "is it InfluxDB 3?"),
    ] {
        let error = refused(scheme, options, reply).await;
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(told), "{error}");
    }
}

#[tokio::test]
async fn a_page_or_half_an_answer_is_no_list() {
    let page = b"<html>\nwelcome</html>".to_vec();
    let half = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n#datatype,str".to_vec();
    for (reply, kind) in
        [(Reply::Answer(200, Vec::new(), page), None), (Reply::Raw(half), Some(ErrorKind::Unavailable))]
    {
        for (scheme, options) in [("influxdb2", "&org=o"), ("influxdb3", "")] {
            let reply = reply.clone();
            let double = HttpDouble::start(move |received| {
                if received.target.contains("query") { reply.clone() } else { Reply::json(200, "{}") }
            });
            let driver = connect(&double, scheme, options).await.unwrap();
            let error = driver.list(&TraceFilter::default()).await.unwrap_err();
            assert!(kind.is_none_or(|kind| error.kind() == kind), "{error}");
        }
    }
}

#[test]
fn a_row_of_somebody_else_tells_nothing() {
    let mut row = Row::default();
    row.set("text", Value::Float(1.5));
    row.set("stop", Value::Text("yes".into()));
    row.set("theirs", Value::Integer(5));
    assert_eq!(row, Row::default());
}

/// What 1.6.7 does when a deletion meets its writing of the cache to disk.
#[tokio::test]
async fn rows_that_a_deletion_hid_are_shown_again() {
    let deleted = std::sync::atomic::AtomicBool::new(false);
    let double = HttpDouble::start(move |received: &Received| {
        let order = std::sync::atomic::Ordering::Relaxed;
        let series = |columns: &str, values: &str| {
            let series = format!(r#"[{{"name":"n","columns":[{columns}],"values":[{values}]}}]"#);
            Reply::json(200, format!(r#"{{"results":[{{"statement_id":0,"series":{series}}}]}}"#))
        };
        let text = received.text();
        if received.target.starts_with("/write") {
            return Reply::empty(204);
        }
        deleted.fetch_or(text.contains("q=DELETE"), order);
        match (text.contains("q=SHOW"), deleted.load(order)) {
            (true, _) => series(r#""name""#, r#"["autogen"]"#),
            (_, true) => Reply::json(200, r#"{"results":[{"statement_id":0}]}"#),
            (_, false) => series(
                r#""time","base_id","end_us""#,
                r#"[5,"old",1000000],[6,"n\"e\\\\w",9000000],[7,null,9000000]"#,
            ),
        }
    });
    let to = ConnectionString::parse(&format!("influxdb://127.0.0.1:{}/traces", double.port())).unwrap();
    let driver = crate::registry().connect(&to).await.unwrap();
    let purged = driver.purge(Timestamp::from_micros(5_000_000)).await.unwrap();
    assert_eq!(purged.traces, 1);
    let written = double.received().pop().unwrap();
    assert!(written.target.starts_with("/write"), "{written:?}");
    let rows = parse(&written.text());
    assert_eq!(rows.len(), 1);
    let base_id = ("base_id".to_owned(), Value::Text(r#"n"e\\w"#.into()));
    assert_eq!((rows[0].time, rows[0].fields.as_slice()), (6, &[base_id][..]));
    let bucket = super::place::bucket(&r#"n"e\w"#.into());
    assert_eq!(rows[0].tags, [("bucket".to_owned(), bucket)]);
}
