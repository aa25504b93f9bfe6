//! A server that misbehaves.

use nephoscope_telemetry::{Error, ErrorKind, Timestamp, TraceFilter, TracePoint};
use nephoscope_testkit::http::{HttpDouble, Received, Reply};

use super::binary::write_text;
use super::*;

/// Answers what connecting asks, and everything else by `fault`.
fn double(fault: impl Fn() -> Reply + Send + Sync + 'static) -> HttpDouble {
    HttpDouble::start(move |received: &Received| {
        let sql = received.text();
        if sql.contains("version()") {
            rows(&[&["25.8.1.1"]], "")
        } else if sql.contains("system.tables") {
            rows(&[&["a", "b"], &["c", "d"], &["e", "f"]], "")
        } else {
            fault()
        }
    })
}

/// An answer of rows of texts, and what stands behind them.
fn rows(rows: &[&[&str]], behind: &str) -> Reply {
    let mut body = Vec::new();
    for row in rows {
        body.push(1);
        row.iter().for_each(|text| write_text(&mut body, text));
    }
    body.extend_from_slice(behind.as_bytes());
    Reply::Answer(200, Vec::new(), body)
}

async fn driver(double: &HttpDouble) -> Arc<dyn Driver> {
    let url = format!("clickhouse://user:hunter2@127.0.0.1:{}/db?timeout=0.3", double.port());
    connect(&ConnectionString::parse(&url).unwrap()).await.unwrap()
}

fn point() -> TracePoint {
    TracePoint::new("wsgi-start", "base".into(), "t".into(), "p".into(), Timestamp::from_micros(0))
}

/// The errors of storing, reading, listing and purging.
async fn failures(fault: impl Fn() -> Reply + Send + Sync + 'static) -> Vec<Error> {
    let double = double(fault);
    let driver = driver(&double).await;
    let all = TraceFilter::default();
    let errors = vec![
        driver.notify(&[point()]).await.unwrap_err(),
        driver.points(&"base".into()).await.unwrap_err(),
        driver.list(&all).await.unwrap_err(),
        driver.purge(Timestamp::from_micros(0)).await.unwrap_err(),
    ];
    for error in &errors {
        assert!(!error.to_string().contains("hunter2"), "{error}");
        assert!(error.to_string().contains(&double.port().to_string()), "{error}");
    }
    errors
}

#[tokio::test]
async fn an_exception_behind_the_rows_is_no_end_of_a_trace() {
    let exception =
        "Code: 241. DB::Exception: Memory limit (total) exceeded: hunter2. (MEMORY_LIMIT_EXCEEDED)";
    let json = point().to_json();
    for behind in [exception.to_owned(), format!("\r\n__exception__\r\nabcdefgh\r\n{exception}")] {
        let double = double({
            let json = json.clone();
            move || rows(&[&[&json], &[&json]], &behind)
        });
        let error = driver(&double).await.points(&"base".into()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
        assert!(error.to_string().contains("MEMORY_LIMIT_EXCEEDED"), "{error}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}

#[tokio::test]
async fn half_a_row_is_no_row() {
    let double = double(|| Reply::Answer(200, Vec::new(), b"\x01\x20{\"name\"".to_vec()));
    let error = driver(&double).await.points(&"base".into()).await.unwrap_err();
    assert!(error.to_string().contains("broke off"), "{error}");
}

#[tokio::test]
async fn an_insert_that_is_answered_with_text_is_not_stored() {
    let stored = "Code: 252. DB::Exception: Too many parts (300).";
    for error in failures(move || Reply::Answer(200, Vec::new(), stored.into())).await {
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    }
    let page = || Reply::Answer(200, Vec::new(), b"<!DOCTYPE html><title>Sign in</title>".to_vec());
    for error in failures(page).await {
        assert_eq!(error.kind(), ErrorKind::Config, "{error}");
        assert!(error.to_string().contains("a web page"), "{error}");
    }
}

#[tokio::test]
async fn a_refusal_says_what_to_do() {
    for (status, text, kind) in [
        (500, "Code: 252. DB::Exception: Too many parts (300).", ErrorKind::Unavailable),
        (500, "Code: 164. DB::Exception: Cannot execute query in readonly mode.", ErrorKind::Config),
        (403, "Code: 497. DB::Exception: Not enough privileges.", ErrorKind::Config),
        (404, "Code: 60. DB::Exception: Unknown table.", ErrorKind::Config),
        (500, "Code: 49. DB::Exception: Logical error.", ErrorKind::Other),
        (429, "", ErrorKind::Unavailable),
        (502, "<html>", ErrorKind::Unavailable),
    ] {
        for error in failures(move || Reply::Answer(status, Vec::new(), text.into())).await {
            assert_eq!(error.kind(), kind, "{error}");
        }
    }
}

#[tokio::test]
async fn silence_and_half_an_answer_are_an_outage() {
    let half = || Reply::Raw(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n\x01".to_vec());
    for error in failures(half).await {
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    }
    for error in failures(|| Reply::Silence).await {
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
        assert!(error.to_string().contains("`timeout`"), "{error}");
    }
}

#[tokio::test]
async fn the_login_stands_in_headers_and_the_rest_in_parameters() {
    let double = double(|| rows(&[], ""));
    let points = driver(&double).await.points(&"'; --".into()).await.unwrap();
    assert_eq!(points.good, []);
    let received = double.received().pop().unwrap();
    assert_eq!(received.target, "/?database=db&wait_end_of_query=1&param_base_id=273b202d2d");
    assert_eq!(received.header("x-clickhouse-user"), Some("user"));
    assert_eq!(received.header("x-clickhouse-key"), Some("hunter2"));
}

#[tokio::test]
async fn what_no_header_can_hold_is_refused() {
    let to = ConnectionString::parse("clickhouse://user:a%0Ab@127.0.0.1:1/").unwrap();
    let error = connect(&to).await.unwrap_err();
    assert!(error.to_string().contains("password holds a control character"), "{error}");
}
