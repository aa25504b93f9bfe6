//! `nephoscope policy`

use serde_json::{Value, json};

use crate::daemon::Daemon;
use crate::http::request;
use crate::program::{Run, Store, run};

/// A Gnocchi, and what names it on a command line.
struct Rig {
    _store: Store,
    daemon: Daemon,
    place: Vec<String>,
}

impl Rig {
    fn new() -> Self {
        let store = Store::new();
        let daemon = Daemon::serve(&["--data-dir", store.path("data").to_str().unwrap()]);
        let place = vec!["--connection-string".into(), format!("gnocchi://{}", daemon.address)];
        Self { _store: store, daemon, place }
    }

    fn run(&self, arguments: &[&str]) -> Run {
        let place = self.place.iter().map(String::as_str);
        run(&[&["policy"], arguments, &place.collect::<Vec<_>>()].concat())
    }
}

const DAY: [&str; 4] = ["create", "day", "-d", "granularity:1m,points:1440"];

#[test]
fn policies_are_listed_and_shown() {
    let rig = Rig::new();
    insta::assert_snapshot!("policies", rig.run(&["list"]).ok());
    insta::assert_snapshot!("policy_as_json", rig.run(&["show", "medium", "--json"]).ok());
    let list: Value = serde_json::from_str(&rig.run(&["list", "--json"]).ok()).unwrap();
    let names: Vec<_> = list.as_array().unwrap().iter().map(|policy| &policy["name"]).collect();
    assert_eq!(names, ["bool", "high", "low", "medium"]);
}

#[test]
fn a_policy_is_made_changed_and_deleted() {
    let rig = Rig::new();
    let made = rig.run(&[
        "create",
        "fine",
        "-d",
        "granularity:1s,timespan:1h",
        "--definition",
        "points:24,timespan:1 day",
        "-b",
        "2",
        "-m",
        "mean",
        "--aggregation-method",
        "rate:mean",
    ]);
    insta::assert_snapshot!("policy_as_table", made.ok());
    let changed = ["update", "fine", "-d", "granularity:1,points:7200", "-d", "granularity:1h", "--json"];
    let changed: Value = serde_json::from_str(&rig.run(&changed).ok()).unwrap();
    assert_eq!(
        (&changed["back_window"], &changed["aggregation_methods"]),
        (&json!(2), &json!(["mean", "rate:mean"]))
    );
    assert_eq!(changed["definition"][0]["points"], 7200);
    assert_eq!(changed["definition"][1]["points"], Value::Null);
    let defaults = rig.run(&[&DAY[..], &["-m", "+95pct", "-m", "-std", "--json"]].concat()).ok();
    let defaults: Value = serde_json::from_str(&defaults).unwrap();
    assert_eq!(defaults["aggregation_methods"], json!(["mean", "sum", "max", "min", "count", "95pct"]));
    assert_eq!(rig.run(&["delete", "fine"]).ok(), "");
    assert_eq!(rig.run(&["show", "fine"]).code, Some(3));
}

#[test]
fn what_is_refused_is_told_in_the_words_of_gnocchi() {
    let rig = Rig::new();
    rig.run(&DAY).ok();
    let metric = br#"{"archive_policy_name": "day"}"#;
    let made =
        request(rig.daemon.address, "POST", "/v1/metric", "Content-Type: application/json\r\n", metric);
    assert_eq!(made.status, 201, "{}", made.body);
    let twice = ["create", "x", "-d", "granularity:60,points:1", "-d", "granularity:1m,points:2"];
    for (arguments, code, told) in [
        (&DAY[..], 1, "Archive policy day already exists"),
        (&["show", "no"], 3, "Archive policy no does not exist"),
        (&["delete", "no"], 3, "Archive policy no does not exist"),
        (&["update", "no", "-d", "granularity:1m,points:1"], 3, "Archive policy no does not exist"),
        (&["delete", "day"], 1, "Archive policy day is still in use"),
        (
            &["update", "day", "-d", "granularity:2m,points:1"],
            1,
            "Archive policy day does not support change: 60.0 granularity interval was changed",
        ),
        (&twice, 2, "More than one archive policy uses granularity `60.0'"),
        (&["create", "x", "-d", "points:5"], 2, "At least two of granularity/points/timespan"),
        (&["create", "x", "-d", "granularity:often,points:5"], 2, "granularity: Unable to parse timespan"),
        (&["create", "x", "-d", "granularity:1m,points:0"], 2, "points: expected a number from 1"),
        (&["create", "x", "-d", "1m"], 2, "granularity:1m,points:60"),
        (&["create", "x"], 2, "--definition"),
        (
            &["create", "x", "-d", "granularity:1m,points:1", "-m", "average"],
            2,
            "`average` is no aggregation method",
        ),
    ] {
        let done = rig.run(arguments);
        assert_eq!(done.code, Some(code), "{arguments:?}: {}", done.err);
        assert!(done.err.contains(told), "{arguments:?}: {}", done.err);
        assert_eq!(done.out, "", "{arguments:?}");
    }
}

#[test]
fn without_a_daemon_the_store_of_this_machine_is_asked() {
    let Rig { _store: store, mut daemon, .. } = Rig::new();
    let data = store.path("data").to_str().unwrap().to_owned();
    let here = |arguments: &[&str]| run(&[&["policy"], arguments, &["--data-dir", &data]].concat());
    let busy = here(&["list"]);
    assert_eq!(busy.code, Some(4), "{}", busy.err);
    let cure = "go through the daemon, with --connection-string gnocchi://127.0.0.1:8041";
    assert!(busy.err.contains(cure) && busy.err.contains("has it open"), "{}", busy.err);
    daemon.terminate();
    assert!(daemon.wait().0.success());
    here(&DAY).ok();
    assert!(here(&["show", "day"]).ok().contains("0:01:00"));
    assert_eq!(here(&["show", "no"]).code, Some(3));
    let missing = store.path("missing");
    let nowhere = run(&["policy", "list", "--data-dir", missing.to_str().unwrap()]);
    assert_eq!((nowhere.code, missing.exists()), (Some(3), false), "{}", nowhere.err);
    for (place, code) in [("redis://:s3cret@h", 64), ("gnocchi://us3cret:s3cret@127.0.0.1:1", 4)] {
        let done = run(&["policy", "list", "--connection-string", place]);
        assert_eq!(done.code, Some(code), "{}", done.err);
        assert!(!done.err.contains("s3cret"), "{}", done.err);
    }
}
