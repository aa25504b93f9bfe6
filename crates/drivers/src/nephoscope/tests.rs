//! Daemons that misbehave; a real one is held to the conformance suite by the tests of the binary.

use nephoscope_telemetry::ErrorKind;
use nephoscope_testkit::http::{HttpDouble, Received, Reply};

use super::*;

const ABOUT: &str =
    r#"{"nephoscope": "9", "later": 1, "traces": {"read": true}, "max_body": 400, "max_limit": 3}"#;

/// A driver of a daemon that answers so to everything but `GET /api`.
async fn driver(reply: impl Fn(&Received) -> Reply + Send + Sync + 'static) -> (Arc<dyn Driver>, HttpDouble) {
    let double = HttpDouble::start(move |request| match request.target.as_str() {
        "/api" => Reply::json(200, ABOUT),
        _ => reply(request),
    });
    let to = format!("http://127.0.0.1:{}?timeout=2", double.port());
    (connect(&ConnectionString::parse(&to).unwrap()).await.unwrap(), double)
}

fn point(base_id: &str, micros: i64) -> TracePoint {
    let time = Timestamp::from_micros(micros);
    TracePoint::new("wsgi-start", base_id.into(), "t".into(), "p".into(), time)
}

#[tokio::test]
async fn what_is_no_nephoscope_is_told() {
    for reply in [
        Reply::json(404, "{}"),
        Reply::json(200, r#"{"name": "gnocchi"}"#),
        Reply::json(200, ABOUT.replace("400", "0")),
        Reply::Answer(200, Vec::new(), b"<html>Welcome</html>".to_vec()),
    ] {
        let double = HttpDouble::start(move |_| reply.clone());
        let to = ConnectionString::parse(&format!("http://127.0.0.1:{}", double.port())).unwrap();
        let error = connect(&to).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{error}");
        assert!(error.to_string().contains(&double.port().to_string()), "{error}");
    }
}

#[tokio::test]
async fn only_what_is_told_is_claimed() {
    let (driver, _double) = driver(|_| Reply::empty(500)).await;
    assert_eq!(driver.capabilities(), Capabilities { read: true, ..Capabilities::default() });
}

#[tokio::test]
async fn login_and_path_of_a_proxy_are_used_and_not_shown() {
    let double = HttpDouble::start(|_| Reply::json(200, ABOUT));
    let to = format!("http://user:hunter2@127.0.0.1:{}/traces/", double.port());
    let driver = connect(&ConnectionString::parse(&to).unwrap()).await.unwrap();
    assert!(!format!("{driver:?}").contains("hunter2"));
    let request = double.received().pop().unwrap();
    assert_eq!(request.target, "/traces/api");
    assert_eq!(request.header("authorization"), Some("Basic dXNlcjpodW50ZXIy"));
}

#[tokio::test]
async fn points_go_in_bodies_of_a_size_that_is_taken() {
    let (driver, double) = driver(|_| Reply::json(200, "{}")).await;
    let long = point(&"x".repeat(400), 0);
    let points = [point("one", 0), point("two", 0), long, point("three", 0), point("four", 0)];
    let error = driver.notify(&points).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
    let bodies: Vec<_> = double.received()[1..].iter().map(Received::text).collect();
    assert!(bodies.len() > 1 && bodies.iter().all(|body| body.len() <= 400), "{bodies:?}");
    let sent: String = bodies.concat();
    let wanted: String =
        [0, 1, 3, 4].into_iter().map(|number: usize| points[number].to_json() + "\n").collect();
    assert_eq!(sent, wanted);
}

#[tokio::test]
async fn what_a_daemon_cannot_hold_does_not_keep_the_rest_back() {
    let refusal = |request: &Received| {
        Reply::json(if request.text().contains("one") { 422 } else { 200 }, r#"{"error": "too odd"}"#)
    };
    let (driver, double) = driver(refusal).await;
    let points = ["one", "two", "three", "four"].map(|id| point(id, 0));
    let error = driver.notify(&points).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("too odd"), "{error}");
    assert!(double.received().last().unwrap().text().contains("four"));
}

#[tokio::test]
async fn a_busy_or_silent_daemon_is_unavailable() {
    for reply in [Reply::empty(429), Reply::empty(503), Reply::Silence, Reply::Raw(Vec::new())] {
        let (driver, _double) = driver(move |_| reply.clone()).await;
        assert_eq!(driver.notify(&[point("x", 0)]).await.unwrap_err().kind(), ErrorKind::Unavailable);
    }
}

#[tokio::test]
async fn half_a_trace_is_no_trace() {
    let line = point("x", 0).to_json();
    let half =
        format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{line}\n\r\n", line.len() + 1);
    let (driver, _double) = driver(move |_| Reply::Raw(half.clone().into_bytes())).await;
    assert_eq!(driver.points(&"x".into()).await.unwrap_err().kind(), ErrorKind::Unavailable);
}

/// A daemon that lists three traces at once, of these times by number.
fn paged(times: &'static [i64]) -> impl Fn(&Received) -> Reply {
    move |request| {
        let until = request.target.split("until=").nth(1).map(|until| until.replace("%3A", ":"));
        let until = until.map(|until| Timestamp::parse(until.split('&').next().unwrap()).unwrap());
        let mut list: Vec<_> = (0..)
            .zip(times)
            .map(|(number, &micros)| {
                TraceSummary::new(format!("{number}").as_str().into(), Timestamp::from_micros(micros))
            })
            .collect();
        list.retain(|line| until.is_none_or(|until| line.timestamp < until));
        TraceFilter { limit: Some(3), ..TraceFilter::default() }.order(&mut list);
        let mut text = String::from("{\"traces\": [");
        for (number, line) in list.iter().enumerate() {
            text.push_str(if number == 0 { "" } else { "," });
            line.write_json(&mut text);
        }
        Reply::json(200, text + "]}")
    }
}

#[tokio::test]
async fn a_long_list_is_asked_for_in_parts() {
    let (driver, double) = driver(paged(&[60, 50, 40, 40, 30, 20])).await;
    let ids = |list: Vec<TraceSummary>| list.iter().map(|line| line.base_id.to_string()).collect::<String>();
    assert_eq!(ids(driver.list(&TraceFilter::default()).await.unwrap()), "012345");
    let asked = double.received().len();
    let two = TraceFilter { limit: Some(2), ..TraceFilter::default() };
    assert_eq!(ids(driver.list(&two).await.unwrap()), "01");
    assert_eq!(double.received().len(), asked + 1);
}

#[tokio::test]
async fn a_list_that_cannot_go_on_is_an_error() {
    let (driver, _double) = driver(paged(&[40, 40, 40, 40])).await;
    assert_eq!(driver.list(&TraceFilter::default()).await.unwrap_err().kind(), ErrorKind::Other);
}
