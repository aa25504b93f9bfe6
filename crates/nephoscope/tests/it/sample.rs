//! `nephoscope sample` and `nephoscope event`

use serde_json::{Value, json};

use crate::daemon::Daemon;
use crate::http::{get, post};
use crate::program::{Run, Store, run, run_with_input};
use crate::samples::{DICTIONARIES, VM, measures, serve, until};

const EVENT: &str = r#"{"message_id": "m", "event_type": "compute.instance.delete.start", "generated": "2026-01-02T03:04:05", "traits": [["instance_id", 1, "2f1e0d3c-4b5a-4697-8877-a1b2c3d4e5f6"]], "raw": {}}"#;

fn dictionary(number: usize) -> &'static str {
    DICTIONARIES.lines().nth(number).unwrap()
}

/// An instance that nobody knows cannot be made of this: it has no name.
fn nameless() -> String {
    let (before, after) = dictionary(0).split_once("\"display_name\": \"web-1\", ").unwrap();
    format!("{before}{after}")
}

/// The connection string of a file in the store, and what is in it.
fn file(store: &Store) -> (String, impl Fn() -> String) {
    let path = store.path("lines.jsonl");
    (format!("file://{}", path.display()), move || std::fs::read_to_string(&path).unwrap_or_default())
}

fn import(what: &str, input: &str, to: &str) -> Run {
    run_with_input(&[what, "import", "-", "--to", to], input.as_bytes())
}

#[test]
fn dead_letters_are_imported_once_what_was_wrong_is_mended() {
    let store = Store::new();
    let daemon = serve(&store, "");
    post(daemon.address, "/samples", nameless().as_bytes());
    let dead = store.path("data").join("dead-letters.jsonl");
    until("the refusal", || {
        let kept = std::fs::read_to_string(&dead).ok()?;
        kept.contains("its resource cannot be made").then_some(Value::Null)
    });
    let (dead, to) = (dead.to_str().unwrap(), format!("gnocchi://{}", daemon.address));
    let again = run(&["sample", "import", dead, "--to", &to]);
    assert_eq!(again.code, Some(1), "{}", again.err);
    assert!(again.err.contains("0 samples sent, 1 refused, 0 left out"), "{}", again.err);

    run_with_input(&["sample", "import", "--to", &to], dictionary(1).as_bytes()).ok();
    run(&["sample", "import", dead, "--to", &to]).ok();
    measures(&daemon, "cpu", 1);
}

#[test]
fn a_daemon_takes_what_is_sent_to_it_over_http() {
    let store = Store::new();
    let daemon = serve(&store, "");
    let to = format!("http://{}", daemon.address);
    import("sample", DICTIONARIES, &to).ok();
    measures(&daemon, "cpu", 1);
    import("event", EVENT, &to).ok();
    until("the end", || {
        let ended = get(daemon.address, &format!("/v1/resource/instance/{VM}")).json();
        (!ended["ended_at"].is_null()).then_some(ended)
    });
}

#[test]
fn what_is_refused_is_printed_and_can_be_imported_again() {
    let store = Store::new();
    let daemon = serve(&store, "");
    let to = format!("gnocchi://{}", daemon.address);
    let input = format!("{}\n{}\n", nameless(), dictionary(1).replace(VM, &VM.replace("2f1e", "3f1e")));
    let first = import("sample", &input, &to);
    assert_eq!(first.code, Some(1), "{}", first.err);
    assert!(first.err.contains("1 samples sent, 1 refused, 0 left out"), "{}", first.err);
    let refused: Value = serde_json::from_str(&first.out).unwrap();
    assert_eq!((&refused["counter_name"], &refused["resource_id"]), (&json!("cpu"), &json!(VM)));
    let why = &refused["nephoscope_refused"];
    assert_eq!(why["by"], to);
    assert!(why["reason"].as_str().unwrap().contains("its resource cannot be made"), "{why}");
    import("sample", dictionary(1), &to).ok();
    assert_eq!(import("sample", &first.out, &to).ok(), "");
    measures(&daemon, "cpu", 1);
}

#[test]
fn lines_are_objects_or_arrays_and_what_is_neither_is_told_by_its_number() {
    let store = Store::new();
    let (to, written) = file(&store);
    let input = format!(
        "{}\n\n{{\"name\": \"cut off\n[{}, {{\"name\": 5}}, {}]\n[{}, {{x}}, 1]\n\u{feff}{{}}\n",
        dictionary(0),
        dictionary(1),
        dictionary(2),
        dictionary(0),
    );
    let done = import("sample", &input, &to);
    assert_eq!(done.code, Some(1));
    for told in [
        "line 3 of standard input is left out: is not JSON",
        "line 4 of standard input, item 2, is left out: field `counter_name` holds `5`",
        "line 5 of standard input, item 2, is left out: the array is not JSON from here on",
        "line 6 of standard input is left out: is not JSON",
        "4 samples sent, 0 refused, 4 left out",
    ] {
        assert!(done.err.contains(told), "{told} is not in: {}", done.err);
    }
    assert_eq!(written(), [0, 1, 2, 0].map(dictionary).join("\n") + "\n");
}

#[test]
fn of_a_file_with_both_each_command_takes_its_own() {
    let store = Store::new();
    let (to, written) = file(&store);
    let refused = r#", "nephoscope_refused": {"by": "gnocchi://h", "reason": "r"}}"#;
    let letter = |text: &str| text.strip_suffix('}').unwrap().to_owned() + refused;
    let both = store.path("both.jsonl");
    std::fs::write(&both, [letter(dictionary(0)), letter(EVENT)].join("\n")).unwrap();
    let both = both.to_str().unwrap();
    let samples = run(&["sample", "import", both, "--to", &to]);
    assert!(samples.err.contains("1 events passed over; `nephoscope event import` takes them"));
    assert!(samples.err.contains("1 samples sent to file://"), "{}", samples.err);
    samples.ok();
    let events = run(&["event", "import", both, both, "--to", &to]);
    assert!(events.err.contains("2 samples passed over; `nephoscope sample import` takes them"));
    events.ok();
    assert_eq!(written(), [dictionary(0), EVENT, EVENT].join("\n") + "\n");
}

#[test]
fn many_are_sent_in_order() {
    let store = Store::new();
    let (to, written) = file(&store);
    let numbered = |number: usize| dictionary(0).replace("\"volume\": 1,", &format!("\"volume\": {number},"));
    let lines = (0..12_000).map(numbered).collect::<Vec<_>>().join("\n") + "\n";
    let array = format!("[{}]", (0..12_000).map(numbered).collect::<Vec<_>>().join(", "));
    import("sample", &format!("{lines}{array}"), &to).ok();
    assert!(written() == lines.repeat(2));
}

#[test]
fn one_by_hand_is_found_in_the_store_of_this_machine() {
    let store = Store::new();
    let data = store.path("data").to_str().unwrap().to_owned();
    let measure = [
        "sample",
        "send",
        "--meter",
        "cpu",
        "--resource",
        VM,
        "--volume",
        "-5.50",
        "--unit",
        "ns",
        "--type",
        "cumulative",
        "--project",
        "p1",
        "--timestamp",
        "2026-01-02T03:04:05",
        "--metadata",
        "display_name=web=1",
        "--metadata",
        r#"{"host": "h", "flavor": {"id": "1", "name": "m1"}}"#,
    ];
    let place = ["--data-dir", &data];
    run(&[&measure[..], &place].concat()).ok();
    let daemon = Daemon::serve(&place);
    assert_eq!(measures(&daemon, "cpu", 1)[0], json!(["2026-01-02T03:00:00+00:00", 300.0, -5.5]));
    let path = format!("/v1/resource/instance/{VM}");
    let instance = get(daemon.address, &path).json();
    assert_eq!(
        ["display_name", "host", "flavor_name", "project_id"].map(|name| instance[name].clone()),
        ["web=1", "h", "m1", "p1"].map(Value::from)
    );
    assert_eq!(instance["ended_at"], Value::Null);
    let policies = get(daemon.address, "/v1/archive_policy/low");
    assert_eq!(policies.status, 200, "a new store has Gnocchi's policies: {}", policies.body);
    drop(daemon);

    let trait_ = format!("instance_id={VM}");
    let end = ["event", "send", "--type", "compute.instance.delete.start", "--trait", &trait_];
    run(&[&end[..], &place].concat()).ok();
    let daemon = Daemon::serve(&place);
    assert_ne!(get(daemon.address, &path).json()["ended_at"], Value::Null);
}

#[test]
fn one_by_hand_is_written_whole() {
    let store = Store::new();
    let (to, written) = file(&store);
    let sent = run(&[
        "sample",
        "send",
        "--meter",
        "m",
        "--resource",
        "r",
        "--volume",
        "12345678901234567890",
        "--user",
        "u",
        "--metadata",
        "a=1",
        "--metadata",
        r#"{"a": [2]}"#,
        "--to",
        &to,
    ]);
    assert!(sent.err.contains("sent to file://"), "{}", sent.err);
    run(&["event", "send", "--type", "t", "--trait", "a=b=c", "--timestamp", "2026-01-02", "--to", &to]).ok();
    let written = written();
    let lines: Vec<Value> = written.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    assert!(written.contains("\"volume\": 12345678901234567890,"), "{written}");
    let sample = &lines[0];
    assert_eq!((&sample["type"], &sample["user_id"]), (&json!("gauge"), &json!("u")));
    assert_eq!(sample["resource_metadata"], json!({ "a": [2] }));
    assert_eq!(lines[1]["traits"], json!([["a", 1, "b=c"]]));
    assert_eq!(lines[1]["generated"], "2026-01-02T00:00:00.000000");
    for line in [&sample["id"], &lines[1]["message_id"]] {
        assert_eq!(line.as_str().unwrap().len(), 36);
    }
}

#[test]
fn every_failure_has_its_exit_code_and_cure() {
    let store = Store::new();
    let data = store.path("data").to_str().unwrap().to_owned();
    let config = store.path("config.toml");
    std::fs::write(&config, format!("data_dir = \"{data}\"\n[http]\nlisten = \"127.0.0.1:7\"\n")).unwrap();
    let config = config.to_str().unwrap();
    let _daemon = Daemon::serve(&["--data-dir", &data]);
    let one = ["sample", "send", "--meter", "m", "--resource", "r", "--volume"];
    for (arguments, code, told) in [
        (&["1", "--config", config][..], 4, "go through the daemon, with --to http://127.0.0.1:7"),
        (&["1", "--to", "gnocchi://127.0.0.1:1"], 4, "127.0.0.1:1"),
        (&["1", "--to", "redis://:s3cret@h"], 64, "no dispatcher has the scheme `redis`"),
        (&["many"], 2, "expected a number"),
        (&["NaN"], 2, "expected a number"),
        (&["1e400"], 2, "expected a number"),
        (&["1", "--metadata", "x"], 2, "expected a name"),
        (&["1", "--metadata", "{x}"], 2, "not JSON"),
        (&["1", "--type", "sum"], 2, "cumulative"),
    ] {
        let done = run(&[&one[..], arguments].concat());
        assert_eq!(done.code, Some(code), "{arguments:?}: {}", done.err);
        assert!(done.err.contains(told) && !done.err.contains("s3cret"), "{arguments:?}: {}", done.err);
    }
    let (to, _) = file(&store);
    let missing = run(&["sample", "import", "/nowhere", "--to", &to]);
    assert_eq!(missing.code, Some(1));
    assert!(missing.err.contains("cannot read /nowhere"), "{}", missing.err);
}

#[test]
fn what_was_sent_before_a_failure_is_counted() {
    let store = Store::new();
    let (to, _) = file(&store);
    let good = store.path("good.jsonl");
    std::fs::write(&good, DICTIONARIES).unwrap();
    let done = run(&["sample", "import", good.to_str().unwrap(), "/nowhere", "--to", &to]);
    assert_eq!(done.code, Some(1));
    assert!(done.err.contains("3 samples were sent before: cannot read /nowhere"), "{}", done.err);
}
