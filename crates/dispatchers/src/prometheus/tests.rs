//! Receivers that misbehave; a real one is in the conformance suite.

use std::error::Error as _;

use nephoscope_telemetry::ErrorKind;
use nephoscope_testkit::http::{HttpDouble, Received, Reply};

use super::*;

fn samples(count: usize) -> Vec<Sample> {
    let sample = |number: usize| {
        let text = format!(
            r#"{{"name": "cpu", "type": "gauge", "unit": "ns", "volume": {number}, "resource_id": "vm", "timestamp": "2026-01-02T{:02}:{:02}:{:02}"}}"#,
            number / 3_600,
            number / 60 % 60,
            number % 60
        );
        Sample::from_json(&text).unwrap()
    };
    (0..count).map(sample).collect()
}

fn connected(double: &HttpDouble, rest: &str) -> Arc<dyn Dispatcher> {
    let url = format!("prometheus+remote-write://user:hunter2@127.0.0.1:{}{rest}", double.port());
    connect(&ConnectionString::parse(&url).unwrap()).unwrap()
}

fn values(received: &Received) -> Vec<f64> {
    let request = WriteRequest::unpack(&received.body, 1 << 20).unwrap();
    request.timeseries.iter().flat_map(|series| series.samples.iter().map(|sample| sample.value)).collect()
}

#[tokio::test]
async fn a_request_is_that_of_the_specification() {
    let double = HttpDouble::start(|_| Reply::empty(204));
    let dispatcher = connected(&double, "?headers=x-scope-orgid=a%2520b");
    assert_eq!(dispatcher.samples(&samples(4_500)).await.unwrap(), []);
    let received = double.received();
    let request = &received[0];
    assert_eq!((request.method.as_str(), request.target.as_str()), ("POST", "/api/v1/write"));
    for (name, value) in [
        ("content-type", "application/x-protobuf"),
        ("content-encoding", "snappy"),
        ("x-prometheus-remote-write-version", "0.1.0"),
        ("authorization", "Basic dXNlcjpodW50ZXIy"),
        ("x-scope-orgid", "a b"),
    ] {
        assert_eq!(request.header(name), Some(value), "{name}");
    }
    assert_eq!(received.iter().map(|request| values(request).len()).collect::<Vec<_>>(), [2_000, 2_000, 500]);
    let all: Vec<_> = received.iter().flat_map(values).collect();
    assert_eq!(all, (0..4_500).map(f64::from).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_path_of_its_own_is_used() {
    let double = HttpDouble::start(|_| Reply::empty(200));
    connected(&double, "/api/v1/push").samples(&samples(1)).await.unwrap();
    assert_eq!(double.received()[0].target, "/api/v1/push");
}

#[tokio::test]
async fn what_is_too_old_is_refused_and_not_sent_again() {
    let double = HttpDouble::start(|received| match values(received).contains(&2.0) {
        true => Reply::Answer(400, Vec::new(), b"out of order sample".to_vec()),
        false => Reply::empty(204),
    });
    let mut samples = samples(7);
    samples.reverse();
    let refused = connected(&double, "").samples(&samples).await.unwrap();
    assert_eq!(refused.iter().map(|refused| refused.at).collect::<Vec<_>>(), [4]);
    assert!(refused[0].reason.contains("out of order sample"), "{refused:?}");
    let taken =
        double.received().iter().map(values).filter(|values| !values.contains(&2.0)).flatten().count();
    assert_eq!(taken, 6);
}

#[tokio::test]
async fn a_status_tells_what_to_do_and_no_secret() {
    use ErrorKind::{Config, NotFound, Unavailable};
    for (status, kind) in
        [(401, Config), (403, Config), (404, NotFound), (429, Unavailable), (500, Unavailable)]
    {
        let double = HttpDouble::start(move |_| Reply::Answer(status, Vec::new(), b"not hunter2".to_vec()));
        let dispatcher = connected(&double, "?headers=x-key=s3cret");
        let error = dispatcher.samples(&samples(3)).await.unwrap_err();
        assert_eq!((error.kind(), double.received().len()), (kind, 1), "{error}");
        let told = format!("{error} {:?} {dispatcher:?}", error.source().map(ToString::to_string));
        assert!(!told.contains("hunter2") && !told.contains("s3cret"), "{told}");
    }
}

#[tokio::test]
async fn nothing_and_events_are_no_request() {
    let double = HttpDouble::start(|_| Reply::empty(500));
    let dispatcher = connected(&double, "");
    assert_eq!(dispatcher.samples(&[]).await.unwrap(), []);
    let event = r#"{"message_id": "m", "event_type": "e", "generated": "2026-01-02T03:04:05", "traits": []}"#;
    assert_eq!(dispatcher.events(&[Event::from_json(event).unwrap()]).await.unwrap(), []);
    assert_eq!(double.received(), []);
}
