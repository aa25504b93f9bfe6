//! `nephoscope store`

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;

use crate::daemon::Daemon;
use crate::http::{get, request};
use crate::program::{Run, Store, run};

const METRIC_BODY: &[u8] = br#"{"archive_policy_name": "low", "name": "cpu"}"#;

fn post_json(daemon: &Daemon, path: &str, body: &[u8]) -> crate::http::Answer {
    request(daemon.address, "POST", path, "Content-Type: application/json\r\n", body)
}

fn new_metric(daemon: &Daemon) -> String {
    let made = post_json(daemon, "/v1/metric", METRIC_BODY);
    assert_eq!(made.status, 201, "{}", made.body);
    made.json()["id"].as_str().unwrap().to_owned()
}

/// Measure `n` is `n`, at second `n`.
fn measure(daemon: &Daemon, metric: &str, number: u32) {
    let body = format!(r#"[{{"timestamp": {}, "value": {number}}}]"#, 1_700_000_000 + number);
    let answer = post_json(daemon, &format!("/v1/metric/{metric}/measures"), body.as_bytes());
    assert_eq!(answer.status, 202, "{}", answer.body);
}

fn count(daemon: &Daemon, metric: &str) -> f64 {
    let points = get(daemon.address, &format!("/v1/metric/{metric}/measures?aggregation=count")).json();
    points.as_array().unwrap().iter().map(|point| point[2].as_f64().unwrap()).sum()
}

/// A data directory in which a daemon has kept one measure.
fn filled() -> (Store, String) {
    let store = Store::new();
    let data = store.path("data").to_str().unwrap().to_owned();
    let mut daemon = Daemon::serve(&["--data-dir", &data]);
    let metric = new_metric(&daemon);
    measure(&daemon, &metric, 1);
    daemon.terminate();
    assert!(daemon.wait().0.success());
    (store, data)
}

/// Sizes depend on the engine.
fn without_bytes(text: &str) -> String {
    let is_size = |line: &&str| line.contains("bytes");
    let lines = text.lines().map(|line| match Some(line).filter(is_size) {
        Some(line) => line.trim_end_matches(|end: char| end.is_ascii_digit() || end == ',').to_owned() + "N",
        None => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn what_is_stored_is_counted() {
    let (_store, data) = filled();
    let text = run(&["store", "stats", "--data-dir", &data]).ok();
    insta::assert_snapshot!(without_bytes(&text), @r"
    archive policies  4
    resource types    1
    resources         0
    revisions         0
    metrics           1
    deleted metrics   0
    index bytes       N
    segments          1
    segment bytes     N
    ");
    let json = run(&["store", "stats", "--data-dir", &data, "--format", "json"]).ok();
    insta::assert_snapshot!(without_bytes(&json), @r#"
    {
      "archive_policies": 4,
      "resource_types": 1,
      "resources": 0,
      "revisions": 0,
      "metrics": 1,
      "deleted_metrics": 0,
      "index_bytes": N
      "segments": 1,
      "segment_bytes": N
    }
    "#);
    let metrics = format!("embedded://{data}/metrics");
    assert_eq!(run(&["store", "stats", "--connection-string", &metrics]).ok(), text);
}

#[test]
fn a_whole_store_has_no_problems_and_is_compacted() {
    let (store, data) = filled();
    assert_eq!(run(&["store", "check", "--data-dir", &data]).ok(), "no problems\n");
    let config = store.path("config.toml");
    std::fs::write(&config, format!("data_dir = \"{data}\"\n[store]\nkeep_revisions = \"1d\"\n")).unwrap();
    let config = config.to_str().unwrap();
    let json = run(&["store", "check", "--config", config, "-f", "json"]).ok();
    assert_eq!(json.replace(char::is_whitespace, ""), r#"{"problems":[]}"#);
    let text = run(&["store", "compact", "--data-dir", &data]).ok();
    insta::assert_snapshot!(without_bytes(&text), @r"
    bytes before  N
    bytes after   N
    ");
    let json = run(&["store", "compact", "--data-dir", &data, "-f", "json"]).ok();
    insta::assert_snapshot!(without_bytes(&json), @r#"
    {
      "bytes_before": N
      "bytes_after": N
    }
    "#);
}

#[test]
fn damage_is_told_and_fails_the_check() {
    let (_store, data) = filled();
    run(&["store", "compact", "--data-dir", &data]).ok();
    let series = Path::new(&data).join("metrics/series");
    let mut entries = std::fs::read_dir(series).unwrap().map(|entry| entry.unwrap().path());
    let segment = entries.find(|path| path.extension().is_some_and(|end| end == "segment")).unwrap();
    let mut bytes = std::fs::read(&segment).unwrap();
    // In the window of the one record.
    bytes[16 + 24 + 20] ^= 1;
    std::fs::write(&segment, bytes).unwrap();
    let done = run(&["store", "check", "--data-dir", &data]);
    assert_eq!(done.code, Some(1), "{}", done.err);
    assert!(done.out.contains("blocks of aggregates are damaged"), "{}", done.out);
}

#[test]
fn a_store_that_is_not_there_is_not_made() {
    let store = Store::new();
    let data = store.path("data");
    let to = store.path("copy");
    let (data_dir, to) = (data.to_str().unwrap(), to.to_str().unwrap());
    for command in
        [&["store", "check"][..], &["store", "stats"], &["store", "compact"], &["store", "backup", to]]
    {
        let done = run(&[command, &["--data-dir", data_dir]].concat());
        assert_eq!(done.code, Some(3), "{}", done.err);
        assert!(done.err.contains("no store of metrics in"), "{}", done.err);
        assert_eq!(done.out, "");
    }
    assert!(!data.exists() && !Path::new(to).exists());
    let done = run(&["store", "check", "--connection-string", "redis://:s3cret@h"]);
    assert_eq!(done.code, Some(64), "{}", done.err);
    assert!(done.err.contains("only embedded://") && !done.err.contains("s3cret"), "{}", done.err);
}

#[test]
fn a_store_that_a_daemon_has_open_is_told_so() {
    let (_store, data) = filled();
    let _daemon = Daemon::serve(&["--data-dir", &data]);
    for command in ["check", "stats", "compact"] {
        let done = run(&["store", command, "--data-dir", &data]);
        assert_eq!(done.code, Some(4), "{}", done.err);
        assert!(done.err.contains("has it open"), "{}", done.err);
    }
}

fn backup(data: &str, to: &Path) -> Run {
    run(&["store", "backup", to.to_str().unwrap(), "--data-dir", data])
}

#[test]
fn a_backup_is_a_store_and_goes_only_where_nothing_is() {
    let (store, data) = filled();
    let to = store.path("copy/metrics");
    assert!(backup(&data, &to).ok().contains("copied to"));
    let copy = store.path("copy").to_str().unwrap().to_owned();
    assert_eq!(
        run(&["store", "stats", "--data-dir", &copy]).ok().lines().nth(4).unwrap(),
        "metrics           1"
    );
    let refused = |code| {
        let again = backup(&data, &to);
        assert_eq!(again.code, Some(code), "{}", again.err);
        assert!(again.err.contains("holds a store already"), "{}", again.err);
    };
    refused(64);
    let _daemon = Daemon::serve(&["--data-dir", &data]);
    refused(1);
}

/// Says when it is dropped that it is over.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

#[test]
fn a_backup_of_a_busy_daemon_holds_what_was_acknowledged_before() {
    let store = Store::new();
    let data = store.path("data").to_str().unwrap().to_owned();
    let daemon = Daemon::serve(&["--data-dir", &data]);
    let metric = new_metric(&daemon);
    let is_over = AtomicBool::new(false);
    let acknowledged = AtomicU32::new(0);
    thread::scope(|scope| {
        // Also where an assertion fails: all threads are waited for.
        let _over = Over(&is_over);
        let (daemon, metric, data) = (&daemon, &metric, &data);
        scope.spawn({
            let (is_over, acknowledged) = (&is_over, &acknowledged);
            move || {
                let _over = Over(is_over);
                for number in 1.. {
                    if is_over.load(Ordering::Acquire) {
                        break;
                    }
                    measure(daemon, metric, number);
                    // Metrics come and go meanwhile.
                    new_metric(daemon);
                    acknowledged.store(number, Ordering::Release);
                }
            }
        });
        for round in 0..3 {
            while acknowledged.load(Ordering::Acquire) < 20 * (round + 1) {
                assert!(!is_over.load(Ordering::Acquire), "nothing is written any more");
                thread::yield_now();
            }
            let before = acknowledged.load(Ordering::Acquire);
            let to = store.path(&format!("copy {round}/metrics"));
            backup(data, &to).ok();
            let copy = store.path(&format!("copy {round}")).to_str().unwrap().to_owned();
            assert_eq!(run(&["store", "check", "--data-dir", &copy]).ok(), "no problems\n");
            let restored = Daemon::serve(&["--data-dir", &copy]);
            let found = count(&restored, metric);
            assert!(found >= f64::from(before), "{found} of {before} are in the copy");
        }
    });
    assert_eq!(count(&daemon, &metric), f64::from(acknowledged.load(Ordering::Acquire)));
}
