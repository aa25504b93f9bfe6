//! Receivers that misbehave.

use std::error::Error as _;
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use flate2::read::GzDecoder;
use nephoscope_otlp::proto::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use nephoscope_telemetry::{Error, ErrorKind, Id, Timestamp, TraceFilter, TracePoint};
use nephoscope_testkit::http::{HttpDouble, Received, Reply};
use prost::Message;

use super::*;

fn pair(number: u8) -> [TracePoint; 2] {
    ["wsgi-start", "wsgi-stop"].map(|name| {
        let id = Id::from_uuid([number; 16]);
        TracePoint::new(name, id.clone(), id.clone(), id, Timestamp::from_micros(i64::from(number)))
    })
}

fn accepted() -> Reply {
    Reply::Answer(200, vec![("content-type", "application/x-protobuf".into())], Vec::new())
}

/// A receiver that takes the probe, and replies so to the rest.
fn receiver(reply: impl Fn(&Received) -> Reply + Send + Sync + 'static) -> HttpDouble {
    HttpDouble::start(move |received| if received.body.is_empty() { accepted() } else { reply(received) })
}

async fn connected(scheme: &str, double: &HttpDouble, rest: &str) -> Result<Arc<dyn Driver>, Error> {
    let url = format!("{scheme}://user:hunter2@127.0.0.1:{}{rest}", double.port());
    connect(&ConnectionString::parse(&url).unwrap()).await
}

/// The error of storing an operation with a receiver that replies so.
async fn failure(reply: Reply) -> Error {
    let double = receiver(move |_| reply.clone());
    let driver = connected("otlp", &double, "?timeout=0.2").await.unwrap();
    let error = driver.notify(&pair(1)).await.unwrap_err();
    let told = format!("{error} {:?}", error.source().map(ToString::to_string));
    assert!(!told.contains("hunter2"), "{told}");
    error
}

fn spans(received: &Received) -> ExportTraceServiceRequest {
    ExportTraceServiceRequest::decode(&received.body[..]).unwrap()
}

#[tokio::test]
async fn a_request_is_that_of_the_specification() {
    let double = receiver(|_| accepted());
    let driver = connected("otlp", &double, "/pre%20fix?headers=x-key=a%2520b").await.unwrap();
    driver.notify(&pair(1)).await.unwrap();
    let received = double.received();
    assert_eq!(received.len(), 2);
    let request = &received[1];
    assert_eq!((request.method.as_str(), request.target.as_str()), ("POST", "/pre%20fix/v1/traces"));
    assert_eq!(request.header("content-type"), Some("application/x-protobuf"));
    assert_eq!(request.header("content-encoding"), None);
    assert_eq!(request.header("authorization"), Some("Basic dXNlcjpodW50ZXIy"));
    assert_eq!(request.header("x-key"), Some("a b"));
    assert_eq!(spans(request).resource_spans, nephoscope_otlp::spans(&pair(1)));
}

#[tokio::test]
async fn a_request_is_compressed_when_asked() {
    let double = HttpDouble::start(|_| accepted());
    let driver = connected("otlp", &double, "?compression=gzip").await.unwrap();
    driver.notify(&pair(1)).await.unwrap();
    let mut request = double.received().pop().unwrap();
    assert_eq!(request.header("content-encoding"), Some("gzip"));
    let mut body = Vec::new();
    GzDecoder::new(&request.body[..]).read_to_end(&mut body).unwrap();
    request.body = body;
    assert_eq!(spans(&request).resource_spans, nephoscope_otlp::spans(&pair(1)));
}

#[tokio::test]
async fn a_status_tells_what_to_do() {
    use ErrorKind::{Config, Invalid, Other, Unavailable};
    for (status, kind) in [
        (302, Config),
        (400, Invalid),
        (401, Config),
        (403, Config),
        (404, Config),
        (405, Config),
        (413, Invalid),
        (429, Unavailable),
        (500, Other),
        (502, Unavailable),
        (503, Unavailable),
        (504, Unavailable),
    ] {
        let error = failure(Reply::empty(status)).await;
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(&format!("answers {status}")), "{error}");
    }
}

#[tokio::test]
async fn what_is_no_receiver_is_told() {
    let page = || b"<!DOCTYPE html><title>Welcome</title>".to_vec();
    let html = || vec![("content-type", "text/html; charset=utf-8".to_owned())];
    let error = failure(Reply::Answer(200, html(), page())).await;
    assert_eq!(error.kind(), ErrorKind::Config, "{error}");
    let error = failure(Reply::Answer(503, html(), page())).await;
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    let half = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf".to_vec();
    assert_eq!(failure(Reply::Raw(half)).await.kind(), ErrorKind::Unavailable);
    let nonsense = Reply::Answer(200, vec![("content-type", "application/x-protobuf".into())], vec![0xff; 9]);
    assert_eq!(failure(nonsense).await.kind(), ErrorKind::Config);
    let error = failure(Reply::Silence).await;
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().contains("did not answer within 0.2 s (option `timeout`)"), "{error}");
}

#[tokio::test]
async fn a_receiver_that_answers_in_its_own_way_has_accepted() {
    let double = HttpDouble::start(|_| Reply::json(200, "{\"status\": \"ok\"}"));
    connected("otlp", &double, "").await.unwrap().notify(&pair(1)).await.unwrap();
}

fn partly(rejected_spans: i64, error_message: &str) -> Reply {
    let partial = ExportTracePartialSuccess { rejected_spans, error_message: error_message.into() };
    let answer = ExportTraceServiceResponse { partial_success: Some(partial) };
    Reply::Answer(200, vec![("content-type", "application/x-protobuf".into())], answer.encode_to_vec())
}

#[tokio::test]
async fn spans_that_are_rejected_are_told_and_not_sent_again() {
    let double = receiver(|_| partly(1, "name too long"));
    let driver = connected("otlp", &double, "").await.unwrap();
    driver.notify(&pair(1)[..1]).await.unwrap();
    let error = driver.notify(&[&pair(1)[1..], &pair(2)].concat()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("rejects 1 of 2 spans for good: name too long"), "{error}");
    driver.close().await.unwrap();
    assert_eq!(double.received().len(), 2, "nothing is left to send");
}

#[tokio::test]
async fn a_receiver_may_accept_and_warn() {
    let double = receiver(|_| partly(0, "you are sending too much"));
    connected("otlp", &double, "").await.unwrap().notify(&pair(1)).await.unwrap();
}

#[tokio::test]
async fn what_could_not_be_sent_waits_for_the_next_try() {
    let times = std::sync::atomic::AtomicUsize::new(0);
    let double = receiver(move |_| match times.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
        0 => Reply::empty(503),
        _ => accepted(),
    });
    let driver = connected("otlp", &double, "").await.unwrap();
    driver.notify(&pair(1)[..1]).await.unwrap();
    let stop = &pair(1)[1..];
    assert_eq!(driver.notify(stop).await.unwrap_err().kind(), ErrorKind::Unavailable);
    driver.notify(stop).await.unwrap();
    let request = double.received().pop().unwrap();
    assert_eq!(spans(&request).resource_spans, nephoscope_otlp::spans(&pair(1)), "the start is in it again");
}

#[tokio::test]
async fn a_receiver_that_wants_a_pause_has_it() {
    let long = receiver(|_| Reply::Answer(429, vec![("retry-after", "3600".into())], Vec::new()));
    let driver = connected("otlp", &long, "").await.unwrap();
    let error = driver.notify(&pair(1)).await.unwrap_err();
    assert!(error.to_string().contains("asked again after 3600"), "{error}");
    let error = driver.notify(&pair(1)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().contains("left alone for 3599 s"), "{error}");
    assert_eq!(long.received().len(), 2, "it was asked no more");

    let short = receiver(|_| Reply::Answer(503, vec![("retry-after", "1".into())], Vec::new()));
    let driver = connected("otlp", &short, "").await.unwrap();
    driver.notify(&pair(1)).await.unwrap_err();
    let began = tokio::time::Instant::now();
    driver.notify(&pair(1)).await.unwrap_err();
    assert!(began.elapsed() > Duration::from_millis(900), "it waits {:?}", began.elapsed());
    assert_eq!(short.received().len(), 3);
}

#[tokio::test]
async fn what_is_held_is_sent_in_the_end() {
    let double = receiver(|_| accepted());
    let driver = connected("otlp", &double, "").await.unwrap();
    driver.notify(&pair(1)[..1]).await.unwrap();
    assert_eq!(double.received().len(), 1, "a start alone is not sent");
    driver.close().await.unwrap();
    let request = double.received().pop().unwrap();
    assert_eq!(spans(&request).resource_spans, nephoscope_otlp::spans(&pair(1)[..1]));
}

#[tokio::test]
async fn without_a_place_to_read_from_it_only_writes() {
    let double = receiver(|_| accepted());
    let driver = connected("otlp", &double, "").await.unwrap();
    assert_eq!(driver.capabilities(), nephoscope_telemetry::Capabilities::default());
    let all = TraceFilter::default();
    for error in [
        driver.points(&Id::new("x")).await.map(drop),
        driver.list(&all).await.map(drop),
        driver.list_errors(&all).await.map(drop),
        driver.purge(Timestamp::from_micros(0)).await.map(drop),
    ] {
        assert_eq!(error.unwrap_err().kind(), ErrorKind::Unsupported);
    }
}

#[tokio::test]
async fn a_peer_that_speaks_no_grpc_is_told() {
    let double = receiver(|_| Reply::json(200, "{}"));
    let error = connected("otlp+grpc", &double, "?timeout=0.5").await.unwrap_err();
    assert!([ErrorKind::Unavailable, ErrorKind::Config].contains(&error.kind()), "{error}");
    let told = format!("{error} {:?}", error.source().map(ToString::to_string));
    assert!(told.contains(&double.port().to_string()) && !told.contains("hunter2"), "{told}");
}

#[tokio::test]
async fn what_grpc_cannot_be_given_is_told() {
    for wrong in ["h1,h2", "h/path", "h?insecure=true", "h?cacert=/x", "h?compression=br"] {
        let to = ConnectionString::parse(&format!("otlp+grpc://{wrong}")).unwrap();
        assert_eq!(connect(&to).await.unwrap_err().kind(), ErrorKind::Config, "{wrong}");
    }
}
