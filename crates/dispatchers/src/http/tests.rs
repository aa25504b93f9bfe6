use std::error::Error as _;

use nephoscope_telemetry::{Error, ErrorKind};
use nephoscope_testkit::http::{HttpDouble, Received, Reply};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::*;

/// Requests of Ceilometer's publisher, captured.
const CAPTURED: &str = include_str!("../../tests/golden/http_publisher.json");
const SAMPLE: &str = r#"{"name": "cpu", "type": "gauge", "unit": "ns", "volume": 1, "user_id": null, "user_name": null, "project_id": null, "project_name": null, "resource_id": "vm", "timestamp": "2026-01-02T03:04:05", "resource_metadata": {}, "source": "openstack", "id": "1"}"#;
const EVENT: &str =
    r#"{"message_id": "m", "event_type": "e", "generated": "2026-01-02T03:04:05", "traits": [], "raw": {}}"#;

#[derive(Deserialize)]
struct Request {
    path: String,
    headers: std::collections::BTreeMap<String, String>,
    raw_body: String,
    publisher_url: String,
}

fn connected(url: &str) -> Result<Arc<dyn Dispatcher>> {
    connect(&ConnectionString::parse(url).unwrap())
}

fn samples(count: usize) -> Vec<Sample> {
    let sample = |number: usize| {
        let mut sample = Sample::from_json(SAMPLE).unwrap();
        sample.resource_id = format!("vm-{number}").into();
        sample
    };
    (0..count).map(sample).collect()
}

fn event(raw: &str) -> Event {
    Event::from_json(&EVENT.replace("{}", raw)).unwrap()
}

/// The items of a body, each as its text.
fn items(body: &str) -> Vec<String> {
    match body.starts_with('[') {
        true => serde_json::from_str::<Vec<Box<RawValue>>>(body)
            .unwrap()
            .iter()
            .map(ToString::to_string)
            .collect(),
        false => vec![body.to_owned()],
    }
}

#[tokio::test]
async fn requests_are_those_of_ceilometer() {
    let captured: Vec<Request> = serde_json::from_str(CAPTURED).unwrap();
    assert_eq!(captured.len(), 5);
    for requests in captured.chunk_by(|one, next| one.publisher_url == next.publisher_url) {
        let double = HttpDouble::start(|_| Reply::empty(200));
        let url = requests[0].publisher_url.replace("40827", &double.port().to_string());
        let dispatcher = connected(&url).unwrap();
        let items: Vec<_> = requests.iter().flat_map(|request| items(&request.raw_body)).collect();
        if items[0].starts_with("{\"name\"") {
            let samples: Vec<_> = items.iter().map(|text| Sample::from_json(text).unwrap()).collect();
            assert_eq!(dispatcher.samples(&samples).await.unwrap(), []);
        } else if items[0].starts_with("{\"message_id\"") {
            let events: Vec<_> = items.iter().map(|text| Event::from_json(text).unwrap()).collect();
            assert_eq!(dispatcher.events(&events).await.unwrap(), []);
        } else {
            let events = [event("{}"), event(&format!("{{\"payload\": {}}}", items[0]))];
            assert_eq!(dispatcher.events(&events).await.unwrap(), []);
        }
        let received = double.received();
        assert_eq!(received.len(), requests.len(), "{url}");
        for (received, captured) in received.iter().zip(requests) {
            assert_eq!(received.text(), captured.raw_body);
            assert_eq!((received.method.as_str(), &received.target), ("POST", &captured.path));
            for name in ["Content-type", "Authorization"] {
                let value = captured.headers.get(name).map(String::as_str);
                assert_eq!(received.header(&name.to_ascii_lowercase()), value, "{name}");
            }
        }
    }
}

#[tokio::test]
async fn another_nephoscope_needs_no_path() {
    for (path, samples_at, events_at) in [
        ("", "/samples", "/events"),
        ("/", "/samples", "/events"),
        ("/pre%20fix/samples", "/pre%20fix/samples", "/pre%20fix/events"),
        ("/in/?q=%26", "/in/?q=%26", "/in/?q=%26"),
    ] {
        let double = HttpDouble::start(|_| Reply::empty(202));
        let dispatcher = connected(&format!("http://127.0.0.1:{}{path}", double.port())).unwrap();
        dispatcher.samples(&samples(1)).await.unwrap();
        dispatcher.events(&[event("{}")]).await.unwrap();
        let targets: Vec<_> = double.received().into_iter().map(|received| received.target).collect();
        assert_eq!(targets, [samples_at, events_at]);
    }
}

#[tokio::test]
async fn nothing_is_no_request() {
    let double = HttpDouble::start(|_| Reply::empty(202));
    let dispatcher = connected(&format!("http://127.0.0.1:{}", double.port())).unwrap();
    assert_eq!(dispatcher.samples(&[]).await.unwrap(), []);
    assert_eq!(dispatcher.events(&[]).await.unwrap(), []);
    assert_eq!(double.received(), []);
}

#[tokio::test]
async fn bodies_are_bounded_and_a_long_sample_has_one_to_itself() {
    let double = HttpDouble::start(|_| Reply::empty(202));
    let dispatcher = connected(&format!("http://127.0.0.1:{}", double.port())).unwrap();
    let mut samples = samples(10_000);
    samples[5_000].unit = "x".repeat(3 << 20).into();
    assert_eq!(dispatcher.samples(&samples).await.unwrap(), []);
    let bodies: Vec<_> = double.received().iter().map(Received::text).collect();
    let long = bodies.iter().filter(|body| body.len() > BODY_BYTES + 2);
    assert_eq!(long.map(|body| items(body).len()).collect::<Vec<_>>(), [1]);
    let arrived: Vec<_> = bodies.iter().flat_map(|body| items(body)).collect();
    let sent: Vec<_> = samples.iter().map(|sample| sample.to_json(SampleForm::Dictionary)).collect();
    assert!(arrived == sent, "{} arrived", arrived.len());
}

/// A receiver that minds what `is_bad` says of a body.
fn picky(is_bad: fn(&str) -> bool) -> HttpDouble {
    HttpDouble::start(move |received| match is_bad(&received.text()) {
        true => Reply::json(400, "{\"error\": \"not that one\"}"),
        false => Reply::empty(202),
    })
}

#[tokio::test]
async fn only_what_the_receiver_minds_is_refused_and_by_its_place() {
    let double = picky(|body| body.contains("\"vm-3\"") || body.contains("\"bad\""));
    for batch in ["True", "False"] {
        let dispatcher = connected(&format!("http://127.0.0.1:{}?batch={batch}", double.port())).unwrap();
        let refused = dispatcher.samples(&samples(7)).await.unwrap();
        assert_eq!(refused.iter().map(|refused| refused.at).collect::<Vec<_>>(), [3], "{batch}");
        assert!(refused[0].reason.contains("answers 400") && refused[0].reason.contains("not that one"));
        let good = |received: &&Received| !received.text().contains("\"vm-3\"");
        let arrived =
            double.received().iter().filter(good).flat_map(|received| items(&received.text())).count();
        assert_eq!(arrived, if batch == "True" { 6 } else { 12 });
    }
    let raw = connected(&format!("http://127.0.0.1:{}?raw_only=True", double.port())).unwrap();
    let events = [event("{}"), event("{\"payload\": 1}"), event("{\"payload\": \"bad\"}")];
    assert_eq!(raw.events(&events).await.unwrap()[0].at, 2);
}

#[tokio::test]
async fn a_status_tells_what_to_do_and_no_secret() {
    use ErrorKind::{Config, NotFound, Unavailable};
    for (status, kind) in
        [(302, Config), (401, Config), (403, Config), (404, NotFound), (429, Unavailable), (500, Unavailable)]
    {
        let told = r#"{"error": "not with hunter2 and s3cret"}"#;
        let double = HttpDouble::start(move |_| Reply::json(status, told));
        let url = format!("http://user:hunter2@127.0.0.1:{}/in?token=s3cret", double.port());
        let dispatcher = connected(&url).unwrap();
        let error: Error = dispatcher.samples(&samples(3)).await.unwrap_err();
        assert_eq!((error.kind(), double.received().len()), (kind, 1), "{error}");
        let told = format!("{error} {:?} {dispatcher:?}", error.source().map(ToString::to_string));
        assert!(!told.contains("hunter2") && !told.contains("s3cret"), "{told}");
    }
}

#[test]
fn options_about_tls_have_the_names_of_ceilometer_too() {
    let read = |url: &str| settings::read(&ConnectionString::parse(url).unwrap()).map(drop);
    for taken in
        ["https://h/p?verify_ssl=False", "https://h/p?verify_ssl=true&max_retries=9", "http://h?timeout=1"]
    {
        assert!(read(taken).is_ok(), "{taken}");
    }
    for (refused, named) in [
        ("http://", "no host"),
        ("http://h?verify_ssl=False", "`verify_ssl`"),
        ("http://h?clientcert=/x", "`clientcert`"),
        ("https://h?verify_ssl=/no/such/file", "/no/such/file"),
        ("https://h?clientcert=/no/such/cert", "/no/such/cert"),
        ("https://h?clientkey=/no/such/key", "`cert`"),
        ("http://h?timeout=soon", "`timeout`"),
    ] {
        let error = read(refused).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains(named), "{error}");
    }
}
