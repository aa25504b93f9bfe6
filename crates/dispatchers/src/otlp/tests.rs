//! Receivers that misbehave; the Collector is in the conformance suite.

use nephoscope_otlp::proto::{ExportMetricsPartialSuccess, ExportMetricsServiceResponse};
use nephoscope_telemetry::ErrorKind;
use nephoscope_testkit::http::{HttpDouble, Reply};
use prost::Message;

use super::*;

const SAMPLE: &str = r#"{"name": "cpu", "type": "gauge", "unit": "ns", "volume": 1, "resource_id": "vm", "timestamp": "2026-01-02T03:04:05"}"#;

fn samples(count: usize) -> Vec<Sample> {
    let sample =
        |number: usize| Sample::from_json(&SAMPLE.replace("\"vm\"", &format!("\"vm-{number}\""))).unwrap();
    (0..count).map(sample).collect()
}

fn connected(double: &HttpDouble, rest: &str) -> Arc<dyn Dispatcher> {
    let url = format!("otlp+metrics://user:hunter2@127.0.0.1:{}{rest}", double.port());
    connect(&ConnectionString::parse(&url).unwrap()).unwrap()
}

fn partly(rejected_data_points: i64, error_message: &str) -> Reply {
    let partial = ExportMetricsPartialSuccess { rejected_data_points, error_message: error_message.into() };
    let answer = ExportMetricsServiceResponse { partial_success: Some(partial) };
    Reply::Answer(200, vec![("content-type", "application/x-protobuf".into())], answer.encode_to_vec())
}

#[tokio::test]
async fn a_request_is_that_of_the_specification() {
    let double = HttpDouble::start(|_| Reply::empty(200));
    let dispatcher = connected(&double, "/pre%20fix?headers=x-key=a%2520b");
    assert_eq!(dispatcher.samples(&samples(4_500)).await.unwrap(), []);
    let received = double.received();
    assert_eq!(received.len(), 3);
    let request = &received[0];
    assert_eq!((request.method.as_str(), request.target.as_str()), ("POST", "/pre%20fix/v1/metrics"));
    assert_eq!(request.header("content-type"), Some("application/x-protobuf"));
    assert_eq!(request.header("authorization"), Some("Basic dXNlcjpodW50ZXIy"));
    assert_eq!(request.header("x-key"), Some("a b"));
    let count = |body: &[u8]| ExportMetricsServiceRequest::decode(body).unwrap().resource_metrics.len();
    let counts: Vec<_> = received.iter().map(|request| count(&request.body)).collect();
    assert_eq!(counts, [2_000, 2_000, 500]);
}

#[tokio::test]
async fn what_is_rejected_in_part_is_refused_with_the_message_and_not_sent_again() {
    let double = HttpDouble::start(|_| partly(1, "name too long"));
    let refused = connected(&double, "").samples(&samples(2)).await.unwrap();
    assert_eq!(refused.iter().map(|refused| refused.at).collect::<Vec<_>>(), [0, 1]);
    assert!(refused[0].reason.contains("rejects 1 of 2 data points for good: name too long"), "{refused:?}");
    assert_eq!(double.received().len(), 1);
}

#[tokio::test]
async fn a_receiver_may_accept_and_warn() {
    let double = HttpDouble::start(|_| partly(0, "you are sending too much"));
    assert_eq!(connected(&double, "").samples(&samples(2)).await.unwrap(), []);
}

#[tokio::test]
async fn only_what_the_receiver_minds_is_refused() {
    let double = HttpDouble::start(|received| match received.body.windows(4).any(|bytes| bytes == b"vm-3") {
        true => Reply::empty(400),
        false => Reply::empty(200),
    });
    let mut samples = samples(7);
    samples[0].timestamp = "late".into();
    samples[1].volume = nephoscope_telemetry::Json::parse("null").unwrap();
    let refused = connected(&double, "").samples(&samples).await.unwrap();
    assert_eq!(refused.iter().map(|refused| refused.at).collect::<Vec<_>>(), [0, 3]);
}

#[tokio::test]
async fn what_is_only_busy_is_unavailable() {
    for status in [429, 502, 503, 504] {
        let double = HttpDouble::start(move |_| Reply::empty(status));
        let error = connected(&double, "").samples(&samples(2)).await.unwrap_err();
        assert_eq!((error.kind(), double.received().len()), (ErrorKind::Unavailable, 1), "{error}");
    }
}
