//! Traces in Jaeger that have nothing to do with OSProfiler.

use std::io::{Read, Write};
use std::net::TcpStream;

use nephoscope_telemetry::{Id, TraceFilter, TracePoint};
use nephoscope_testkit::Trial;
use nephoscope_testkit::server::{JaegerServer, Missing};

use super::{connect, point, run, trial};

pub(super) fn trials() -> Vec<Trial> {
    vec![
        trial("a_trace_of_other_programs_is_a_report", || run(shop())),
        trial("a_span_that_jaeger_got_twice_is_shown_once", || run(twice())),
    ]
}

/// A shop that asks a warehouse, which fails, with a child that began at the same time and took none.
const SHOP: &str = r#"{"resourceSpans": [
    {"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]}, "scopeSpans": [{"spans": [
        {"traceId": "4bf92f3577b34da6a3ce929d0e0e4736", "spanId": "00f067aa0ba902b7", "name": "GET /cart", "kind": 2,
            "startTimeUnixNano": "1767225600000000000", "endTimeUnixNano": "1767225600100000000"}]}]},
    {"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "ware-house"}}]}, "scopeSpans": [{"spans": [
        {"traceId": "4bf92f3577b34da6a3ce929d0e0e4736", "spanId": "00f067aa0ba902b8", "parentSpanId": "00f067aa0ba902b7",
            "name": "take", "startTimeUnixNano": "1767225600010000000", "endTimeUnixNano": "1767225600020000000",
            "status": {"code": 2, "message": "nothing left"}},
        {"traceId": "4bf92f3577b34da6a3ce929d0e0e4736", "spanId": "00f067aa0ba902b9", "parentSpanId": "00f067aa0ba902b8",
            "name": "look", "startTimeUnixNano": "1767225600010000000", "endTimeUnixNano": "1767225600010000000"}]}]}]}"#;
const TRACE: &str = "4bf92f35-77b3-4da6-a3ce-929d0e0e4736";

fn send(port: u16, body: &str) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("the server listens");
    let length = body.len();
    let head = format!(
        "POST /v1/traces HTTP/1.0\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    );
    stream.write_all((head + body).as_bytes()).expect("the server reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("the server answers");
    assert!(answer.contains(" 200 "), "{answer}");
}

async fn shop() -> Result<(), Missing> {
    let jaeger = JaegerServer::start()?;
    send(jaeger.http_port(), SHOP);
    let driver = connect(&jaeger.url()).await;
    let points = driver.points(&Id::new(TRACE)).await.expect("it can be read");
    assert_eq!(points.bad.count(), 0);
    let jaegers = points.good.iter().find(|point| point.to_json().contains("@jaeger"));
    assert_eq!(jaegers, None, "nobody said what Jaeger noted");
    let services: Vec<_> = points.good.iter().map(|point| point.service.as_deref().unwrap_or("")).collect();
    assert_eq!(services, ["shop", "shop", "ware-house", "ware-house", "ware-house", "ware-house"]);
    assert_eq!(points.good.iter().filter(|point| point.is_error()).count(), 1);

    let report: serde_json::Value =
        serde_json::from_str(&points.into_report().to_json()).expect("it is JSON");
    let [shop] = &report["children"].as_array().expect("there are some")[..] else { panic!("{report:#}") };
    let [take] = &shop["children"].as_array().expect("there are some")[..] else { panic!("{report:#}") };
    assert_eq!((&shop["info"]["started"], &shop["info"]["finished"]), (&0.into(), &100.into()));
    assert_eq!((&take["info"]["service"], &take["info"]["started"]), (&"ware-house".into(), &10.into()));
    assert_eq!(take["children"][0]["info"]["finished"], 10);

    let listed = driver.list_errors(&TraceFilter::default()).await.expect("errors can be listed");
    assert_eq!(
        (listed.len(), listed[0].base_id.to_string(), listed[0].errors),
        (1, TRACE.to_owned(), Some(1))
    );
    for (service, count) in [("shop", 1), ("ware-house", 1), ("house", 0), ("nobody", 0)] {
        let filter = TraceFilter { service: Some(service.into()), ..TraceFilter::default() };
        assert_eq!(driver.list(&filter).await.expect("traces can be listed").len(), count, "of {service}");
    }
    Ok(())
}

async fn twice() -> Result<(), Missing> {
    let jaeger = JaegerServer::start()?;
    send(jaeger.http_port(), SHOP);
    send(jaeger.http_port(), SHOP);
    let driver = connect(&jaeger.url()).await;
    let stored: [TracePoint; 2] =
        [("wsgi-start", 0), ("wsgi-stop", 5)].map(|(name, micros)| point("other", "a", name, micros, "{}"));
    for _ in 0..2 {
        driver.notify(&stored).await.expect("it is stored");
    }
    assert_eq!(driver.points(&Id::new(TRACE)).await.expect("it can be read").good.len(), 6);
    assert_eq!(driver.points(&Id::new("other")).await.expect("it can be read").good, stored);
    let listed = driver.list(&TraceFilter::default()).await.expect("traces can be listed");
    let mut counts: Vec<_> = listed.iter().map(|line| line.points).collect();
    counts.sort_unstable();
    assert_eq!(counts, [Some(2), Some(6)]);
    Ok(())
}
