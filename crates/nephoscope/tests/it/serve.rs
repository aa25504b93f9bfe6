//! `nephoscope serve` and `nephoscope demo`

use std::io::{Read, Write};
use std::process::Stdio;

use crate::daemon::Daemon;
use crate::http::{self, connect, get, post};
use crate::program::{Store, golden, nephoscope, run};

const NESTED: &str = "612f4afa-725c-4f0b-a4f9-cd60a02973e0";

fn serve(store: &Store) -> Daemon {
    Daemon::serve(&["--data-dir", store.path("data").to_str().unwrap()])
}

fn golden_lines(name: &str) -> String {
    std::fs::read_to_string(golden(&format!("{name}.redis_list.jsonl"))).unwrap()
}

#[test]
fn points_go_in_and_come_out_as_list_and_report() {
    let store = Store::new();
    let daemon = serve(&store);
    let lines = golden_lines("nested");
    let array = format!("[{}]", golden_lines("exceptions").trim_end().replace('\n', ","));
    assert_eq!(post(daemon.address, "/api/trace-points", lines.as_bytes()).json()["stored"], 16);
    assert_eq!(post(daemon.address, "/api/trace-points", array.as_bytes()).json()["stored"], 8);
    let list = get(daemon.address, "/api/traces").json();
    let ids: Vec<_> = list["traces"].as_array().unwrap().iter().map(|trace| &trace["base_id"]).collect();
    assert_eq!(ids, ["34576c12-88b0-4bbd-8495-e6518eb14169", NESTED]);
    let failed = get(daemon.address, "/api/traces?errors=true&limit=5").json();
    assert_eq!(failed["traces"].as_array().unwrap().len(), 1);
    let report = get(daemon.address, &format!("/api/traces/{NESTED}"));
    let golden = std::fs::read_to_string(golden("nested.report.json")).unwrap();
    assert_eq!(report.json(), serde_json::from_str::<serde_json::Value>(&golden).unwrap());
    assert!(report.head.contains("content-type: application/json"));
}

#[test]
fn a_trace_comes_out_as_the_lines_that_went_in() {
    let store = Store::new();
    let daemon = serve(&store);
    let lines = golden_lines("nested");
    post(daemon.address, "/api/trace-points", lines.as_bytes());
    let answer = get(daemon.address, &format!("/api/trace-points?base_id={NESTED}"));
    let sorted = |lines: &str| lines.lines().map(str::to_owned).collect::<std::collections::BTreeSet<_>>();
    assert_eq!(sorted(&answer.body), sorted(&lines));
    assert!(answer.head.contains("content-type: application/x-ndjson"));
    let nobody = get(daemon.address, "/api/trace-points?base_id=nobody");
    assert_eq!((nobody.status, nobody.body.as_str()), (200, ""));
}

#[test]
fn old_traces_are_deleted() {
    let store = Store::new();
    let daemon = serve(&store);
    post(daemon.address, "/api/trace-points", golden_lines("nested").as_bytes());
    let purge =
        |time| http::request(daemon.address, "DELETE", &format!("/api/traces?older_than={time}"), "", b"");
    assert_eq!(purge("2000-01-01T00:00:00").json(), serde_json::json!({"traces": 0}));
    assert_eq!(get(daemon.address, &format!("/api/traces/{NESTED}")).status, 200);
    assert_eq!(purge("2100-01-01T00:00:00").json(), serde_json::json!({"traces": 1}));
    assert_eq!(get(daemon.address, &format!("/api/traces/{NESTED}")).status, 404);
}

#[test]
fn bad_points_are_told_and_the_rest_is_stored() {
    let store = Store::new();
    let daemon = serve(&store);
    let body = format!("{{\"name\": 1}}\n{}not json", golden_lines("nested"));
    let answer = post(daemon.address, "/api/trace-points", body.as_bytes());
    assert_eq!(answer.status, 422);
    let json = answer.json();
    assert_eq!((&json["stored"], &json["bad"]), (&16.into(), &2.into()));
    assert_eq!(json["problems"][0]["place"], "line 1");
    assert_eq!(json["problems"][1]["place"], "line 18");
    assert_eq!(get(daemon.address, &format!("/api/traces/{NESTED}")).status, 200);
}

#[test]
fn what_python_alone_calls_json_is_answered_as_json() {
    let store = Store::new();
    let daemon = serve(&store);
    post(daemon.address, "/api/trace-points", golden_lines("unicode").as_bytes());
    let report = get(daemon.address, "/api/traces/7f94b242-100b-4170-8b20-af1418603dcf");
    serde_json::from_str::<Box<serde_json::value::RawValue>>(&report.body).unwrap();
    assert!(report.body.contains("1e999"));
}

#[test]
fn ids_of_any_text_are_found() {
    let store = Store::new();
    let daemon = serve(&store);
    let lines = golden_lines("fixed_clock").replace("7f4c1a04-3d5e-4a0a-9a3f-0c6d2b1e8f00", "a/b ?#é");
    post(daemon.address, "/api/trace-points", lines.as_bytes());
    assert_eq!(get(daemon.address, "/api/traces/a%2Fb%20%3F%23%C3%A9").status, 200);
}

#[test]
fn what_cannot_be_answered_says_why() {
    let store = Store::new();
    let daemon = serve(&store);
    for (method, path, headers, status, told) in [
        ("GET", "/api/traces/nobody", "", 404, "nobody"),
        ("GET", "/nowhere", "", 404, "/nowhere"),
        ("PUT", "/api/traces", "", 405, "PUT"),
        ("DELETE", "/api/traces", "", 400, "`older_than`"),
        ("DELETE", "/api/traces?older_than=now", "", 400, "`older_than`"),
        ("DELETE", "/api/traces?all=true", "", 400, "`all`"),
        ("GET", "/api/trace-points", "", 400, "`base_id`"),
        ("GET", "/api/trace-points?id=x", "", 400, "`id`"),
        ("GET", "/api/traces?sort=up", "", 400, "`sort`"),
        ("GET", "/api/traces?since=soon", "", 400, "`since`"),
        ("GET", "/api/traces?limit=-1", "", 400, "`limit`"),
        ("GET", "/api/traces?min_duration=-1", "", 400, "`min_duration`"),
        ("POST", "/api/trace-points", "Content-Encoding: gzip\r\n", 415, "encoding"),
    ] {
        let answer = http::request(daemon.address, method, path, headers, b"");
        assert_eq!(answer.status, status, "{path}");
        assert!(answer.json()["error"].as_str().unwrap().contains(told), "{}", answer.body);
    }
}

#[test]
fn a_body_that_is_too_large_is_refused() {
    let store = Store::new();
    let daemon = serve(&store);
    let answer = post(daemon.address, "/api/trace-points", &vec![b' '; 40 << 20]);
    assert_eq!(answer.status, 413);
    assert!(answer.body.contains("smaller batches"), "{}", answer.body);
    assert_eq!(get(daemon.address, "/healthcheck").status, 200);
}

#[test]
fn a_client_that_leaves_in_mid_body_costs_nothing() {
    let store = Store::new();
    let daemon = serve(&store);
    let mut stream = connect(daemon.address);
    stream
        .write_all(b"POST /api/trace-points HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{\"name\"")
        .unwrap();
    drop(stream);
    assert_eq!(get(daemon.address, "/readyz").status, 200);
    assert_eq!(get(daemon.address, "/api/traces").json()["traces"], serde_json::json!([]));
}

#[test]
fn what_was_acknowledged_is_there_after_a_kill() {
    let store = Store::new();
    let mut daemon = serve(&store);
    for case in ["nested", "exceptions", "several_roots"] {
        assert_eq!(post(daemon.address, "/api/trace-points", golden_lines(case).as_bytes()).status, 200);
    }
    daemon.kill();
    let daemon = serve(&store);
    assert_eq!(get(daemon.address, "/api/traces").json()["traces"].as_array().unwrap().len(), 3);
}

#[test]
fn a_request_in_hand_ends_well_in_a_shutdown() {
    let store = Store::new();
    let mut daemon = serve(&store);
    let body = golden_lines("nested");
    let mut stream = connect(daemon.address);
    let head = format!(
        "POST /api/trace-points HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    // It asks for the body once the request is in its hands.
    let mut interim = [0; 25];
    stream.read_exact(&mut interim).unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    daemon.terminate();
    stream.write_all(body.as_bytes()).unwrap();
    let answer = http::read(stream);
    assert_eq!((answer.status, &answer.json()["stored"]), (200, &16.into()));
    let (status, told) = daemon.wait();
    assert!(status.success(), "{told}");
    assert!(told.contains("shutting down"), "{told}");
}

#[test]
fn health_readiness_and_metrics_are_told() {
    let store = Store::new();
    let daemon = serve(&store);
    post(daemon.address, "/api/trace-points", golden_lines("nested").as_bytes());
    assert_eq!(get(daemon.address, "/healthcheck").body, "");
    assert_eq!(get(daemon.address, "/readyz").body, "OK\n");
    let metrics = get(daemon.address, "/metrics");
    assert!(metrics.head.contains("application/openmetrics-text"));
    for line in [
        "nephoscope_trace_points_total{result=\"stored\"} 16",
        "nephoscope_http_requests_total{route=\"/api/trace-points\",status=\"200\"} 1",
        "operation=\"notify\"} 1",
        "# EOF",
    ] {
        assert!(metrics.body.contains(line), "{line} is not in:\n{}", metrics.body);
    }
}

#[test]
fn a_store_that_is_in_use_is_told_so() {
    let store = Store::new();
    let daemon = serve(&store);
    let data = store.path("data");
    let second =
        run(&["trace", "list", "--connection-string", &format!("embedded://{}/traces", data.display())]);
    assert_eq!(second.code, Some(1), "{}", second.err);
    assert!(second.err.contains("has it open"), "{}", second.err);
    assert_eq!(get(daemon.address, "/readyz").status, 200);
}

#[test]
fn the_demo_shows_a_trace_and_a_machine_and_serves_them() {
    let mut command = nephoscope();
    let mut daemon = Daemon::start(command.args(["demo", "--listen", "127.0.0.1:0"]).stdout(Stdio::piped()));
    let list = get(daemon.address, "/api/traces").json();
    assert_eq!(list["traces"].as_array().unwrap().len(), 4);
    assert_eq!(get(daemon.address, "/api/traces?errors=true").json()["traces"].as_array().unwrap().len(), 1);
    let instance = "/v1/resource/instance/f3ac9d1e-5b0c-4c83-9f2a-1d0e7b6a5c42";
    let rates = format!("{instance}/metric/cpu/measures?aggregation=rate:mean");
    assert_eq!(get(daemon.address, &rates).json().as_array().unwrap().len(), 11);
    daemon.terminate();
    let mut shown = String::new();
    daemon.stdout().read_to_string(&mut shown).unwrap();
    assert!(shown.contains("POST /v2.1/servers"), "{shown}");
    assert!(shown.contains(&format!("curl http://{}/api/traces", daemon.address)), "{shown}");
    assert!(shown.contains("| instance web-1"), "{shown}");
    for path in [instance, &rates] {
        assert!(shown.contains(&format!("http://{}{path}", daemon.address)), "{shown}");
    }
    assert!(daemon.wait().0.success());
}
