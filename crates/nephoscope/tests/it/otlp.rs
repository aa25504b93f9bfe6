//! Spans of OpenTelemetry, over HTTP and gRPC

use std::io::{Read, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use nephoscope_otlp::json;
use nephoscope_otlp::proto::trace_service_client::TraceServiceClient;
use nephoscope_otlp::proto::{ExportTraceServiceRequest, ExportTraceServiceResponse, ResourceSpans};
use prost::Message;
use tonic::codec::CompressionEncoding;
use tonic::transport::Channel;
use tonic::{Code, Status};

use crate::daemon::Daemon;
use crate::http::{self, Answer, get};
use crate::program::{Store, run};

const TRACE: &str = "4bf92f35-77b3-4da6-a3ce-929d0e0e4736";
const HEX: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const JSON: &str = "Content-Type: application/json\r\n";
const PROTOBUF: &str = "Content-Type: application/x-protobuf\r\n";

/// A request of `shop`'s `GET /cart`, and a span whose id is none.
fn spans() -> Vec<ResourceSpans> {
    let text = format!(
        r#"{{"resourceSpans": [{{"resource": {{"attributes": [{{"key": "service.name", "value": {{"stringValue": "shop"}}}}]}},
            "scopeSpans": [{{"spans": [
                {{"traceId": "{HEX}", "spanId": "00f067aa0ba902b7", "name": "GET /cart-items", "kind": 2,
                  "startTimeUnixNano": "1544712660000000001", "endTimeUnixNano": "1544712661000000000"}},
                {{"traceId": "{HEX}", "spanId": "00"}}]}}]}}]}}"#
    );
    json::read(&text).unwrap()
}

fn request() -> ExportTraceServiceRequest {
    ExportTraceServiceRequest { resource_spans: spans() }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packing = GzEncoder::new(Vec::new(), Compression::default());
    packing.write_all(bytes).unwrap();
    packing.finish().unwrap()
}

fn serve(store: &Store) -> Daemon {
    Daemon::serve(&["--data-dir", store.path("data").to_str().unwrap()])
}

/// A daemon that takes gRPC too, and where.
fn serve_grpc(store: &Store, configuration: &str) -> (Daemon, String) {
    let file = store.path("nephoscope.toml");
    std::fs::write(&file, configuration).unwrap();
    let daemon = Daemon::serve(&[
        "--data-dir",
        store.path("data").to_str().unwrap(),
        "--config",
        file.to_str().unwrap(),
        "--otlp-grpc-listen",
        "127.0.0.1:0",
    ]);
    let port = daemon.told.rsplit_once(" for OTLP over gRPC").unwrap().0.rsplit_once(' ').unwrap().1;
    let endpoint = format!("http://{port}");
    (daemon, endpoint)
}

/// Calls over gRPC as an exporter does.
fn export(endpoint: &str, request: ExportTraceServiceRequest) -> Result<ExportTraceServiceResponse, Status> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let channel = Channel::from_shared(endpoint.to_owned()).unwrap().connect().await.unwrap();
        let mut client = TraceServiceClient::new(channel).send_compressed(CompressionEncoding::Gzip);
        client.export(request).await.map(tonic::Response::into_inner)
    })
}

fn post(daemon: &Daemon, headers: &str, body: &[u8]) -> Answer {
    http::request(daemon.address, "POST", "/v1/traces", headers, body)
}

fn report(daemon: &Daemon) -> serde_json::Value {
    get(daemon.address, &format!("/api/traces/{HEX}")).json()
}

#[test]
fn spans_come_in_as_json_and_refused_ones_are_counted() {
    let store = Store::new();
    let daemon = serve(&store);
    let answer = post(&daemon, JSON, json::write(&spans()).as_bytes());
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(answer.head.contains("content-type: application/json"));
    let partial = &answer.json()["partialSuccess"];
    assert_eq!(partial["rejectedSpans"], "1");
    assert!(partial["errorMessage"].as_str().unwrap().contains("spanId"), "{partial}");
    let report = report(&daemon);
    assert_eq!(report["children"][0]["info"]["service"], "shop");
    assert_eq!(report["info"]["finished"], 1000);
    let metrics = get(daemon.address, "/metrics").body;
    for line in [
        r#"nephoscope_otlp_spans_total{result="stored"} 1"#,
        r#"nephoscope_otlp_spans_total{result="refused"} 1"#,
        r#"nephoscope_trace_points_total{result="stored"} 2"#,
        r#"nephoscope_http_requests_total{route="/v1/traces",status="200"} 1"#,
    ] {
        assert!(metrics.contains(line), "{line} is not in:\n{metrics}");
    }
}

#[test]
fn spans_come_in_as_protocol_buffers_packed_or_not() {
    let store = Store::new();
    let daemon = serve(&store);
    let body = request().encode_to_vec();
    let packed = format!("{PROTOBUF}Content-Encoding: gzip\r\n");
    for (headers, body) in [(PROTOBUF, body.clone()), (&*packed, gzip(&body))] {
        let answer = post(&daemon, headers, &body);
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert!(answer.head.contains("content-type: application/x-protobuf"));
        let answer = ExportTraceServiceResponse::decode(answer.body.as_bytes()).unwrap();
        assert_eq!(answer.partial_success.unwrap().rejected_spans, 1);
    }
    // A whole request that is stored has nothing to add.
    let nothing = post(&daemon, PROTOBUF, &[]);
    assert_eq!((nothing.status, &*nothing.body), (200, ""));
    assert_eq!(get(daemon.address, "/api/traces").json()["traces"][0]["points"], 2);
}

#[test]
fn a_trace_is_shown_by_the_id_that_opentelemetry_shows() {
    let store = Store::new();
    let mut daemon = serve(&store);
    post(&daemon, PROTOBUF, &request().encode_to_vec());
    daemon.terminate();
    daemon.wait();
    let to = format!("embedded://{}", store.path("data/traces").display());
    let shown = run(&["trace", "show", HEX, "--connection-string", &to]).ok();
    assert!(shown.contains(TRACE) && shown.contains("GET /cart-items"), "{shown}");
    // An id that is spelled so is still itself.
    let line = format!(
        r#"{{"name": "literal-start", "base_id": "{HEX}", "trace_id": "t", "parent_id": "p", "timestamp": "2026-01-01T00:00:00.0"}}"#
    );
    let file = store.path("points.jsonl");
    std::fs::write(&file, line).unwrap();
    run(&["trace", "import", file.to_str().unwrap(), "--connection-string", &to]).ok();
    let shown = run(&["trace", "show", HEX, "--connection-string", &to]).ok();
    assert!(shown.contains("literal"), "{shown}");
}

#[test]
fn what_is_refused_says_why_and_whether_to_come_back() {
    let store = Store::new();
    let daemon = serve(&store);
    let bomb = gzip(&vec![0; 64 << 20]);
    assert!(bomb.len() < 1 << 20);
    let packed = format!("{PROTOBUF}Content-Encoding: gzip\r\n");
    for (headers, body, status, told) in [
        ("", &b"{}"[..], 415, "application/x-protobuf"),
        ("Content-Type: text/plain\r\n", b"{}", 415, "application/json"),
        (&*format!("{JSON}Content-Encoding: zstd\r\n"), b"{}", 415, "gzip"),
        (JSON, b"<html>", 400, "no export request"),
        (JSON, b"\xff", 400, "UTF-8"),
        (PROTOBUF, b"<html>", 400, "no export request"),
        (&packed, b"<html>", 400, "gzip"),
        (&packed, &bomb[..100], 400, "gzip"),
        (&packed, &bomb, 413, "smaller batches"),
        (PROTOBUF, &vec![0; 33 << 20], 413, "smaller batches"),
    ] {
        let answer = post(&daemon, headers, body);
        assert_eq!(answer.status, status, "{told}: {}", answer.body);
        // `google.rpc.Status`: in JSON as text, in Protocol Buffers with the text in it.
        assert!(answer.body.contains(told), "{told} is not in {}", answer.body);
        assert!(!answer.head.contains("retry-after"));
    }
    assert_eq!(post(&daemon, JSON, b"<html>").json()["code"], 3);
    assert_eq!(http::request(daemon.address, "GET", "/v1/traces", "", b"").status, 405);
    assert_eq!(get(daemon.address, "/readyz").status, 200);
}

#[test]
fn what_is_not_stored_is_not_acknowledged() {
    let (store, behind) = (Store::new(), Store::new());
    let mut backend = serve(&behind);
    let drivers = format!("[traces]\ndrivers = [\"http://{}\"]\n", backend.address);
    let (daemon, endpoint) = serve_grpc(&store, &drivers);
    backend.kill();
    let answer = post(&daemon, JSON, json::write(&spans()).as_bytes());
    assert_eq!(answer.status, 503, "{}", answer.body);
    assert!(answer.head.contains("retry-after: 5"), "{}", answer.head);
    assert_eq!(answer.json()["code"], 14);
    assert_eq!(export(&endpoint, request()).unwrap_err().code(), Code::Unavailable);
}

#[test]
fn spans_come_in_over_grpc() {
    let store = Store::new();
    let (mut daemon, endpoint) = serve_grpc(&store, "");
    let answer = export(&endpoint, request()).unwrap();
    assert_eq!(answer.partial_success.unwrap().rejected_spans, 1);
    assert_eq!(report(&daemon)["children"][0]["info"]["service"], "shop");
    let counted = r#"nephoscope_grpc_requests_total{method="/opentelemetry.proto.collector.trace.v1.TraceService/Export",status="0"} 1"#;
    let metrics = get(daemon.address, "/metrics").body;
    assert!(metrics.contains(counted), "{metrics}");
    daemon.terminate();
    let (status, told) = daemon.wait();
    assert!(status.success(), "{told}");
}

#[test]
fn a_call_that_is_too_large_is_not_to_be_sent_again() {
    let store = Store::new();
    let (_daemon, endpoint) = serve_grpc(&store, "");
    let mut request = request();
    // Packed it is small, unpacked it is not.
    request.resource_spans[0].schema_url = "x".repeat(33 << 20);
    let refused = export(&endpoint, request).unwrap_err();
    assert!(matches!(refused.code(), Code::ResourceExhausted | Code::Internal), "{refused:?}");
    assert!(export(&endpoint, ExportTraceServiceRequest::default()).is_ok());
}

#[test]
fn a_port_of_grpc_survives_what_is_no_grpc() {
    let store = Store::new();
    let (_daemon, endpoint) = serve_grpc(&store, "");
    let address = endpoint.strip_prefix("http://").unwrap().parse().unwrap();
    let mut stream = http::connect(address);
    stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    // Ends with a frame of HTTP/2 that says so, or with nothing.
    let _reset = stream.read_to_end(&mut answer);
    assert!(export(&endpoint, request()).is_ok());
}
