//! Clients that send too much, too slowly, or what is no request at all. Each is refused or held within bounds, and others are
//! served meanwhile and afterwards.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::daemon::Daemon;
use crate::http::{self, connect, request};
use crate::program::Store;

/// What the process may hold of memory at most, whatever it is sent one after the other: several bodies of 32 MiB, and what is
/// made of them. The daemon without work takes a fifth of it.
const MEMORY_BYTES: u64 = 512 << 20;
const MIB: usize = 1 << 20;
const ADMIN: &str = "Authorization: basic YWRtaW46\r\nAccept: application/json\r\n";
const JSON: &str =
    "Authorization: basic YWRtaW46\r\nAccept: application/json\r\nContent-Type: application/json\r\n";

struct Abused {
    daemon: Daemon,
    to: SocketAddr,
    _store: Store,
}

impl Abused {
    fn start() -> Self {
        let store = Store::new();
        let configuration = store.path("nephoscope.toml");
        std::fs::write(&configuration, "[http]\nauth = \"basic\"\n").unwrap();
        let arguments = ["--data-dir", store.path("data").to_str().unwrap(), "--config"].map(str::to_owned);
        let arguments: Vec<&str> =
            arguments.iter().map(String::as_str).chain([configuration.to_str().unwrap()]).collect();
        let daemon = Daemon::serve(&arguments);
        let to = daemon.address;
        Self { daemon, to, _store: store }
    }

    fn post(&self, path: &str, body: &[u8]) -> http::Answer {
        request(self.to, "POST", path, JSON, body)
    }

    /// A metric is made, measured and read, and memory stayed within its bound.
    #[track_caller]
    fn serves_as_before(&self) {
        let made = self.post("/v1/metric", br#"{"archive_policy_name": "low"}"#);
        assert_eq!(made.status, 201, "{}", made.body);
        let path = format!("/v1/metric/{}/measures", made.json()["id"].as_str().unwrap());
        let stored = self.post(&path, br#"[{"timestamp": 1577836800, "value": 42}]"#);
        assert_eq!(stored.status, 202, "{}", stored.body);
        let read = request(self.to, "GET", &path, ADMIN, b"");
        assert_eq!(read.body, r#"[["2020-01-01T00:00:00+00:00", 300.0, 42.0]]"#);
        let peak = self.daemon.peak_memory();
        assert!(peak < MEMORY_BYTES, "it held {} MiB", peak >> 20);
    }
}

#[test]
fn a_body_of_200_mib_is_refused_before_it_is_held() {
    let abused = Abused::start();
    for path in
        ["/v1/batch/metrics/measures", "/v1/resource/generic", "/v1/influxdb/write", "/v1/prometheus/write"]
    {
        for chunked in [false, true] {
            let answer = send_200_mib(abused.to, path, chunked);
            assert_eq!(answer.status, 413, "{path}: {}", answer.body);
            assert!(answer.body.contains("smaller"), "{path}: {}", answer.body);
        }
    }
    let peak = abused.daemon.peak_memory();
    assert!(peak < 300 * MIB as u64, "it held {} MiB", peak >> 20);
    abused.serves_as_before();
}

/// The answer to a body that goes on until nobody takes it any more.
fn send_200_mib(to: SocketAddr, path: &str, chunked: bool) -> http::Answer {
    let mut stream = connect(to);
    let length = if chunked {
        "Transfer-Encoding: chunked".to_owned()
    } else {
        format!("Content-Length: {}", 200 * MIB)
    };
    let head = format!("POST {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n{length}\r\n{JSON}\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    let part = vec![b' '; MIB];
    for _ in 0..200 {
        let size = if chunked { format!("{MIB:x}\r\n") } else { String::new() };
        let end = if chunked { "\r\n" } else { "" };
        let sent =
            [size.as_bytes(), &part, end.as_bytes()].iter().all(|bytes| stream.write_all(bytes).is_ok());
        if !sent {
            break;
        }
    }
    read_first(stream)
}

/// One answer, of which the connection may break off once it is said.
fn read_first(stream: TcpStream) -> http::Answer {
    let mut reader = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if line.trim().is_empty() {
            break;
        }
        let line = line.to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        head.push_str(&line);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let status = head.split(' ').nth(1).unwrap_or_else(|| panic!("no answer: {head:?}")).parse().unwrap();
    http::Answer { status, head, body: String::from_utf8(body).unwrap() }
}

#[test]
fn what_unpacks_to_a_gigabyte_is_refused() {
    let abused = Abused::start();
    let mut packing = GzEncoder::new(Vec::new(), Compression::fast());
    let part = vec![0; MIB];
    for _ in 0..1024 {
        packing.write_all(&part).unwrap();
    }
    let packed = packing.finish().unwrap();
    let headers = "Content-Type: application/x-protobuf\r\nContent-Encoding: gzip\r\n";
    assert_eq!(request(abused.to, "POST", "/v1/traces", headers, &packed).status, 413);
    // Gnocchi's API takes no packed bodies: to it this is no JSON.
    let headers = format!("{JSON}Content-Encoding: gzip\r\n");
    assert_eq!(request(abused.to, "POST", "/v1/batch/metrics/measures", &headers, &packed).status, 400);
    // What Snappy says of its own length is not believed.
    let claims = [0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0, 0];
    assert_eq!(abused.post("/v1/prometheus/write", &claims).status, 413);
    let peak = abused.daemon.peak_memory();
    assert!(peak < 300 * MIB as u64, "it held {} MiB", peak >> 20);
    abused.serves_as_before();
}

#[test]
fn a_batch_of_100_000_metrics_is_stored() {
    const METRICS: usize = 100_000;
    let abused = Abused::start();
    assert_eq!(abused.post("/v1/resource/generic", br#"{"id": "vm"}"#).status, 201);
    let metrics: Vec<_> = (0..METRICS)
        .map(|number| format!(r#""m{number}": [{{"timestamp": 1577836800, "value": {number}}}]"#))
        .collect();
    let body = format!(r#"{{"vm": {{{}}}}}"#, metrics.join(", "));
    let path = "/v1/batch/resources/metrics/measures?create_metrics=true";
    let stored = abused.post(path, body.as_bytes());
    assert_eq!(stored.status, 202, "{}", stored.body);
    for number in [0, METRICS / 2, METRICS - 1] {
        let path = format!("/v1/resource/generic/vm/metric/m{number}/measures");
        let read = request(abused.to, "GET", &path, ADMIN, b"");
        assert_eq!(read.body, format!(r#"[["2020-01-01T00:00:00+00:00", 300.0, {number}.0]]"#));
    }
    abused.serves_as_before();
}

#[test]
fn what_is_100_000_deep_is_refused() {
    const DEPTH: usize = 100_000;
    let abused = Abused::start();
    let nested = |open: &str, inner: &str, close: &str| {
        format!("{}{inner}{}", open.repeat(DEPTH), close.repeat(DEPTH)).into_bytes()
    };
    let bodies = [
        nested("[", "", "]"),
        nested(r#"{"a":"#, "1", "}"),
        nested(r#"{"and":["#, r#"{"=":{"id":"a"}}"#, "]}"),
        nested(r#"{"not":"#, r#"{"=":{"id":"a"}}"#, "}"),
        nested("[", "", ""),
    ];
    for (method, path) in [
        ("POST", "/v1/archive_policy"),
        ("POST", "/v1/resource_type"),
        ("POST", "/v1/resource/generic"),
        ("POST", "/v1/metric"),
        ("POST", "/v1/batch/metrics/measures"),
        ("POST", "/v1/batch/resources/metrics/measures"),
        ("POST", "/v1/search/resource/generic"),
        ("DELETE", "/v1/resource/generic"),
        ("POST", "/v1/search/metric?metric_id=5a301761-aaaa-46e2-8900-8b4f6fe6675a"),
        ("POST", "/v1/aggregates"),
        ("POST", "/v1/aggregation/metric"),
    ] {
        for body in &bodies {
            let answer = request(abused.to, method, path, JSON, body);
            assert_eq!(answer.status, 400, "{path}: {}", answer.body);
        }
    }
    let lisp = nested("(abs ", "(metric 5a301761-aaaa-46e2-8900-8b4f6fe6675a mean)", ")");
    let lisp = format!(r#"{{"operations": "{}"}}"#, String::from_utf8(lisp).unwrap());
    assert_eq!(abused.post("/v1/aggregates", lisp.as_bytes()).status, 400);
    for filter in ["(".repeat(20_000), "not%20".repeat(10_000), "a=1%20and%20".repeat(5_000)] {
        let path = format!("/v1/search/resource/generic?filter={filter}");
        let answer = request(abused.to, "POST", &path, ADMIN, b"");
        assert_eq!(answer.status, 400, "{}", answer.body);
    }
    abused.serves_as_before();
}

#[test]
fn clients_that_are_slow_or_leave_hold_up_nobody() {
    let abused = Abused::start();
    let open = |path: &str, length: usize| {
        let mut stream = connect(abused.to);
        let head = format!("POST {path} HTTP/1.1\r\nHost: test\r\nContent-Length: {length}\r\n{JSON}\r\n[");
        stream.write_all(head.as_bytes()).unwrap();
        stream
    };
    // As many small bodies as half of all connections, and more large ones than are held at a time.
    let path = "/v1/aggregation/metric";
    let mut slow: Vec<_> = (0..256).map(|_| open(path, 100)).collect();
    slow.extend((0..16).map(|_| open(path, 20 * MIB)));
    slow.extend((0..16).map(|_| {
        let mut stream = connect(abused.to);
        stream.write_all(b"GET /v1/metric HT").unwrap();
        stream
    }));
    abused.serves_as_before();
    // One byte after the other comes to a request, too.
    let mut stream = connect(abused.to);
    for byte in format!("POST {path} HTTP/1.1\r\nHost: test\r\nContent-Length: 2\r\n{JSON}\r\n[]").bytes() {
        stream.write_all(&[byte]).unwrap();
    }
    assert_eq!(read_first(stream).body, "[]");
    drop(slow);
    abused.serves_as_before();
}

#[test]
fn more_idle_connections_than_are_served_are_held_outside() {
    const IDLE: usize = 1_400;
    let abused = Abused::start();
    // More than are served at a time, and no more than the system keeps waiting.
    let idle: Vec<_> = (0..IDLE).map(|_| connect(abused.to)).collect();
    let peak = abused.daemon.peak_memory();
    assert!(peak < 300 * MIB as u64, "it held {} MiB", peak >> 20);
    drop(idle);
    abused.serves_as_before();
}

#[test]
fn what_is_no_request_of_http_ends_the_connection() {
    let abused = Abused::start();
    let ask = |bytes: &[u8]| {
        let mut stream = connect(abused.to);
        // It may be refused before it is all sent.
        let _refused = stream.write_all(bytes);
        let mut answer = Vec::new();
        let _reset = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    };
    let good = format!("GET /healthcheck HTTP/1.1\r\nHost: test\r\n{ADMIN}\r\n");
    // Requests that come one after the other are answered one after the other, until something is none.
    let answers = ask(format!("{}\0garbage\r\n\r\n", good.repeat(1_000)).as_bytes());
    assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 1_000);
    assert_eq!(answers.matches("HTTP/1.1 400 Bad Request").count(), 1);
    for (request, status) in [
        (format!("GET / HTTP/1.1\r\nHost: test\r\nX: {}\r\n\r\n", "x".repeat(2 * MIB)), 431),
        (format!("GET / HTTP/1.1\r\nHost: test\r\n{}\r\n", "X: y\r\n".repeat(10_000)), 431),
        (format!("GET /v1/metric?{} HTTP/1.1\r\nHost: test\r\n\r\n", "x".repeat(100_000)), 414),
        ("POST /v1/metric HTTP/1.1\r\nHost: test\r\nContent-Length: -1\r\n\r\n".into(), 400),
        (
            "POST /v1/metric HTTP/1.1\r\nHost: test\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n".into(),
            400,
        ),
        ("\u{16}\u{3}\u{1} and what else TLS says\r\n\r\n".into(), 400),
    ] {
        let answer = ask(request.as_bytes());
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{status}: {}",
            &answer[..answer.len().min(200)]
        );
    }
    abused.serves_as_before();
}

#[test]
fn what_is_not_utf_8_is_refused() {
    let abused = Abused::start();
    for path in ["/v1/resource/generic", "/v1/batch/metrics/measures", "/v1/aggregates", "/v1/archive_policy"]
    {
        let answer = abused.post(path, b"{\"\xff\xfe\": \"\xc3\x28\"}");
        assert_eq!(answer.status, 400, "{path}: {}", answer.body);
    }
    assert_eq!(abused.post("/v1/influxdb/write", b"cpu,host=\xff value=1\n").status, 400);
    let answer = request(abused.to, "GET", "/v1/resource/generic/%ff%fe", ADMIN, b"");
    assert!([400, 404].contains(&answer.status), "{}", answer.body);
    let answer = request(abused.to, "POST", "/v1/search/resource/generic?filter=%ff%3D1", ADMIN, b"");
    assert_eq!(answer.status, 400, "{}", answer.body);
    let answer = request(abused.to, "GET", "/v1/metric?name=%c3%28", ADMIN, b"");
    assert_eq!((answer.status, answer.body.as_str()), (200, "[]"));
    abused.serves_as_before();
}
