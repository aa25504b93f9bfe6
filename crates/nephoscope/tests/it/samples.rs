//! Samples and events go in, and come out of Gnocchi's API.

use std::net::UdpSocket;
use std::time::{Duration, Instant};

use nephoscope_sql::{Config, Database, FromAnyRow};
use nephoscope_telemetry::ConnectionString;
use serde_json::{Value, json};

use crate::daemon::Daemon;
use crate::http::{get, post};
use crate::program::{Store, nephoscope};

/// Far more than the way through the spool takes.
const TIME_LIMIT: Duration = Duration::from_secs(60);
pub(crate) const VM: &str = "2f1e0d3c-4b5a-4697-8877-a1b2c3d4e5f6";
/// Captured from Ceilometer 27.
pub(crate) const DICTIONARIES: &str =
    include_str!("../../../telemetry/tests/golden/samples/dictionaries.jsonl");
const DATAGRAM: &[u8] = include_bytes!("../../../collector/tests/golden/udp/000.bin");

pub(crate) fn serve(store: &Store, config: &str) -> Daemon {
    let path = store.path("config.toml");
    std::fs::write(&path, config).unwrap();
    Daemon::serve(&["--data-dir", store.path("data").to_str().unwrap(), "--config", path.to_str().unwrap()])
}

/// Asks until there is an answer that is wanted.
pub(crate) fn until(what: &str, mut ask: impl FnMut() -> Option<Value>) -> Value {
    let began = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(began.elapsed() < TIME_LIMIT, "{what} did not come");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The measures of a metric of an instance, once there are so many.
pub(crate) fn measures(daemon: &Daemon, metric: &str, count: usize) -> Value {
    let path = format!("/v1/resource/instance/{VM}/metric/{metric}/measures");
    until(metric, || {
        let answer = get(daemon.address, &path);
        (answer.status == 200)
            .then(|| answer.json())
            .filter(|points| points.as_array().unwrap().len() == count)
    })
}

fn batch() -> String {
    format!("[{}]", DICTIONARIES.trim_end().replace('\n', ", "))
}

#[test]
fn what_ceilometer_posts_is_found_with_its_resource() {
    let store = Store::new();
    let daemon = serve(&store, "");
    let answer = post(daemon.address, "/samples", batch().as_bytes());
    assert_eq!(answer.status, 202);
    assert_eq!(answer.json(), json!({ "samples": 3, "events": 0, "bad": 0 }));
    assert_eq!(measures(&daemon, "cpu", 1)[0], json!(["2026-01-02T03:00:00+00:00", 300.0, 1.0]));
    let instance = get(daemon.address, &format!("/v1/resource/instance/{VM}")).json();
    assert_eq!((&instance["display_name"], &instance["flavor_name"]), (&json!("web-1"), &json!("m1.small")));
    // A single one, not in a list.
    let later = DICTIONARIES.lines().next().unwrap().replace("T03:04", "T04:04");
    assert_eq!(post(daemon.address, "/samples", later.as_bytes()).status, 202);
    measures(&daemon, "cpu", 2);
    let lines = [
        "nephoscope_taken_in_total{what=\"samples\"} 4",
        "nephoscope_dispatched_total{dispatcher=\"embedded://\",what=\"samples\"} 4",
        "nephoscope_dispatcher_behind_bytes{dispatcher=\"embedded://\"} 0",
        "nephoscope_spool_full 0",
    ];
    // Measures can be read a moment before they are counted.
    until("the counts", || {
        let metrics = get(daemon.address, "/metrics").body;
        lines.iter().all(|line| metrics.contains(line)).then_some(Value::Null)
    });
}

#[test]
fn events_end_resources() {
    let store = Store::new();
    let daemon = serve(&store, "");
    post(daemon.address, "/samples", batch().as_bytes());
    measures(&daemon, "cpu", 1);
    let event = json!([{
        "message_id": "m", "event_type": "compute.instance.delete.start", "generated": "2026-01-02T03:04:05",
        "traits": [["instance_id", 1, VM]], "raw": {},
    }]);
    assert_eq!(post(daemon.address, "/events", event.to_string().as_bytes()).json()["events"], 1);
    until("the end", || {
        let ended = get(daemon.address, &format!("/v1/resource/instance/{VM}")).json();
        (!ended["ended_at"].is_null()).then_some(ended)
    });
}

#[test]
fn what_was_acknowledged_outlives_a_kill_and_goes_to_every_dispatcher() {
    let store = Store::new();
    let lines = store.path("lines.jsonl");
    let config = format!(
        "[samples]\ndispatchers = [\"embedded://\", \"file://{}\"]\n[spool]\nmax_size = \"1GiB\"\n",
        lines.display()
    );
    let mut daemon = serve(&store, &config);
    for hour in 10..20 {
        let body = batch().replace("T03:04", &format!("T{hour}:04"));
        assert_eq!(post(daemon.address, "/samples", body.as_bytes()).status, 202);
    }
    daemon.kill();
    let daemon = serve(&store, &config);
    measures(&daemon, "cpu", 10);
    let written = || std::fs::read_to_string(&lines).unwrap_or_default();
    until("all lines", || (written().lines().count() >= 30).then_some(Value::Null));
    let first = written().lines().next().unwrap().to_owned();
    assert_eq!(first, DICTIONARIES.lines().next().unwrap().replace("T03:04", "T10:04"));
}

#[test]
fn samples_and_events_go_on_to_another_daemon() {
    let (store, behind) = (Store::new(), Store::new());
    let behind = serve(&behind, "");
    let config = format!("[samples]\ndispatchers = [\"http://user:hunter2@{}\"]\n", behind.address);
    let daemon = serve(&store, &config);
    assert_eq!(post(daemon.address, "/samples", batch().as_bytes()).status, 202);
    measures(&behind, "cpu", 1);
    let event = json!([{
        "message_id": "m", "event_type": "compute.instance.delete.start", "generated": "2026-01-02T03:04:05",
        "traits": [["instance_id", 1, VM]], "raw": {},
    }]);
    assert_eq!(post(daemon.address, "/events", event.to_string().as_bytes()).status, 202);
    until("the end", || {
        let ended = get(behind.address, &format!("/v1/resource/instance/{VM}")).json();
        (!ended["ended_at"].is_null()).then_some(ended)
    });
    let metrics = get(daemon.address, "/metrics").body;
    assert!(
        metrics.contains("dispatcher=\"http://***@127.0.0.1") && !metrics.contains("hunter2"),
        "{metrics}"
    );
}

#[test]
fn samples_and_events_are_found_with_sql() {
    let store = Store::new();
    let url = format!("sqlite:///{}", store.path("samples.db").display());
    let config = format!("[samples]\ndispatchers = [\"{url}\"]\n");
    let mut daemon = serve(&store, &config);
    post(daemon.address, "/samples", batch().as_bytes());
    let event = json!({
        "message_id": "m", "event_type": "compute.instance.create.end", "generated": "2026-01-02T03:04:05",
        "traits": [["instance_id", 1, VM], ["memory_mb", 2, 2048]], "raw": {},
    });
    post(daemon.address, "/events", event.to_string().as_bytes());
    // The same once more, and one that has no time.
    let timeless =
        batch().replacen("2026-01-02T03:04:05.678901+00:00", "yesterday", 1).replace("-00000000000", "-1");
    post(daemon.address, "/samples", batch().as_bytes());
    post(daemon.address, "/samples", timeless.as_bytes());
    let counted = "nephoscope_dispatched_total{dispatcher=\"sqlite:///";
    until("the counts", || {
        let metrics = get(daemon.address, "/metrics").body;
        let counts = metrics.lines().filter(|line| line.starts_with(counted));
        let has =
            |what: &str, count: &str| counts.clone().any(|line| line.contains(what) && line.ends_with(count));
        (has("\"samples\"", " 8") && has("\"events\"", " 1") && has("\"refused\"", " 1"))
            .then_some(Value::Null)
    });
    daemon.kill();
    let query =
        "SELECT meter, volume, timestamp, metadata ->> '$.flavor.name' FROM samples ORDER BY id LIMIT 3";
    let rows: Vec<(String, f64, String, String)> = ask(&url, query);
    let time = || "2026-01-02 03:04:05.678901".to_owned();
    let expected = [("cpu", 1.0), ("memory.usage", 0.1), ("vcpus", 2.0)]
        .map(|(meter, volume)| (meter.to_owned(), volume, time(), "m1.small".to_owned()));
    assert_eq!(rows, expected);
    let query = "SELECT event_type FROM events JOIN traits USING (message_id) WHERE name = 'memory_mb' AND int_value > 1024";
    assert_eq!(ask::<(String,)>(&url, query), [("compute.instance.create.end".to_owned(),)]);
    assert_eq!(ask::<(i64,)>(&url, "SELECT count(*) FROM samples"), [(5,)]);
}

/// The rows of a query.
fn ask<T: FromAnyRow>(url: &str, query: &str) -> Vec<T> {
    let config = Config::read(&ConnectionString::parse(url).unwrap(), &[]).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let database = Database::open(config).await.unwrap();
        database.fetch(database.statement(query)).await.unwrap()
    })
}

#[test]
fn what_is_bad_is_told_and_kept_and_the_rest_is_taken() {
    let store = Store::new();
    let daemon = serve(&store, "");
    let body = batch().replacen("\"resource_id\"", "\"resource\"", 1);
    let answer = post(daemon.address, "/samples", body.as_bytes());
    assert_eq!((answer.status, answer.json()), (202, json!({ "samples": 2, "events": 0, "bad": 1 })));
    let dead = std::fs::read_to_string(store.path("data").join("dead-letters.jsonl")).unwrap();
    assert_eq!(dead.lines().count(), 1);
    assert!(dead.contains("`resource_id` is missing") && dead.contains("\"by\": \"http\""), "{dead}");
    for (body, status) in [(&b""[..], 400), (b"\xff", 400)] {
        assert_eq!(post(daemon.address, "/samples", body).status, status);
    }
    let not_json = post(daemon.address, "/samples", b"cpu 5");
    assert_eq!((not_json.status, not_json.json()["bad"].clone()), (202, json!(1)));
}

#[test]
fn datagrams_are_taken_when_they_are_signed_as_they_have_to_be() {
    let store = Store::new();
    let daemon = serve(&store, "[[source]]\nurl = \"udp://127.0.0.1:0\"\n");
    let address = daemon.told.split("at 127.0.0.1:").nth(1).unwrap().split_whitespace().next().unwrap();
    let send = |address: &str| {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.send_to(DATAGRAM, format!("127.0.0.1:{address}")).unwrap();
    };
    send(address);
    measures(&daemon, "cpu", 1);
    drop(daemon);

    let secret = "[samples]\ntelemetry_secret = \"another\"\n[[source]]\nurl = \"udp://127.0.0.1:0\"\n";
    let daemon = serve(&store, secret);
    let address = daemon.told.split("at 127.0.0.1:").nth(1).unwrap().split_whitespace().next().unwrap();
    send(address);
    until("the refusal", || {
        let dead = std::fs::read_to_string(store.path("data").join("dead-letters.jsonl")).ok()?;
        dead.contains("its signature does not fit").then_some(Value::Null)
    });
}

/// Two daemons: one takes samples in and sends them to the other, which is away for a while.
#[test]
fn nothing_is_lost_while_the_gnocchi_elsewhere_is_away() {
    let (store, elsewhere) = (Store::new(), Store::new());
    let place = elsewhere.path("data");
    let arguments = ["--data-dir", place.to_str().unwrap()];
    let mut gnocchi = Daemon::serve(&arguments);
    let address = gnocchi.address.to_string();
    let daemon = serve(&store, &format!("[samples]\ndispatchers = [\"gnocchi://{address}/\"]\n"));
    post(daemon.address, "/samples", batch().as_bytes());
    measures(&gnocchi, "cpu", 1);
    gnocchi.kill();
    for hour in 10..15 {
        let body = batch().replace("T03:04", &format!("T{hour}:04"));
        assert_eq!(post(daemon.address, "/samples", body.as_bytes()).status, 202);
    }
    until("the failure", || {
        let metrics = get(daemon.address, "/metrics").body;
        let failures = metrics.lines().find(|line| line.contains("what=\"failures\""))?.to_owned();
        (!failures.ends_with(" 0")).then_some(Value::Null)
    });
    let gnocchi = Daemon::start(
        nephoscope()
            .args(["serve", "--listen", &address])
            .args(arguments)
            .stdout(std::process::Stdio::null()),
    );
    measures(&gnocchi, "cpu", 6);
    let instance = get(gnocchi.address, &format!("/v1/resource/instance/{VM}")).json();
    assert_eq!(instance["display_name"], "web-1");
}
