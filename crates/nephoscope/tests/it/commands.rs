//! Lists, messages and exit codes.

use crate::program::{Store, golden_path, nephoscope, run};

const CASES: [&str; 4] = ["fixed_clock", "nested", "exceptions", "single_start"];

#[test]
fn a_list_is_printed_in_every_format() {
    let (_store, to) = Store::with_golden(&CASES);
    for format in ["table", "csv", "value", "json"] {
        let list = run(&["trace", "list", "--connection-string", &to, "-f", format]).ok();
        insta::assert_snapshot!(format!("list_as_{format}"), list);
    }
}

#[test]
fn an_empty_list_is_a_list() {
    let store = Store::new();
    let to = store.embedded("traces");
    let list = |format| run(&["trace", "list", "--connection-string", &to, "-f", format]).ok();
    assert_eq!(list("json"), "[]\n");
    assert_eq!(list("value"), "");
    assert!(list("table").contains("base_id"));
}

#[test]
fn a_list_is_filtered() {
    let (_store, to) = Store::with_golden(&CASES);
    for (arguments, expected) in [
        (&["--error-trace"][..], vec!["34576c12"]),
        (&["--error-trace", "True"], vec!["34576c12"]),
        (&["--error-trace", "False", "--limit", "1"], vec!["5b7236cb"]),
        (&["--until", "2026-06-01"], vec!["7f4c1a04"]),
        (&["--name", "driver"], vec!["612f4afa"]),
        (&["--name", "wsgi", "--min-duration", "50"], vec!["34576c12"]),
        (&["--service", "nobody"], vec![]),
        (&["--since", "2026-11-22T16:50:08", "--until", "2026-11-22T16:50:30"], vec!["34576c12"]),
    ] {
        let mut command = vec!["trace", "list", "-f", "value", "--connection-string", &to];
        command.extend(arguments);
        let list = run(&command).ok();
        let ids: Vec<_> = list.lines().map(|line| &line[..8]).collect();
        assert_eq!(ids, expected, "{arguments:?}");
    }
}

#[test]
fn every_kind_of_failure_has_its_exit_code_and_cure() {
    let store = Store::new();
    let not_ours = store.path("not ours");
    std::fs::create_dir(&not_ours).unwrap();
    std::fs::write(not_ours.join("letter"), "dear").unwrap();
    let not_ours = format!("embedded://{}", not_ours.display());
    let config = store.path("config.toml");
    std::fs::write(&config, "[http]\nport = 5\n").unwrap();
    for (arguments, code, told) in [
        (&["trace", "list"][..], 2, "OSPROFILER_CONNECTION_STRING"),
        (&["trace", "show"], 2, "Usage"),
        (&["trace", "list", "--connection-string", "re dis"], 2, "backend type"),
        (&["trace", "list", "--connection-string", "embedded:///x", "--since", "never"], 2, "2026-01-31"),
        (&["trace", "export", "--connection-string", "memory://"], 2, "--all"),
        (&["trace", "show", "x", "--connection-string", "memory://"], 3, "trace list"),
        (&["trace", "list", "--connection-string", "redis://127.0.0.1:1"], 4, "127.0.0.1:1"),
        (&["trace", "list", "--connection-string", "cassandra://h"], 64, "known: "),
        (&["trace", "list", "--connection-string", "memory://?tpyo=1"], 64, "tpyo"),
        (&["trace", "list", "--connection-string", &not_ours], 64, "not ours"),
        (&["trace", "import", "/nowhere", "--connection-string", "memory://"], 1, "/nowhere"),
        (
            &["config", "check", "--config", config.to_str().unwrap()],
            64,
            "config.toml:2: `port` is not known",
        ),
        (&["serve", "--config", "/nowhere"], 64, "/nowhere"),
    ] {
        let done = run(arguments);
        assert_eq!(done.code, Some(code), "{arguments:?}: {}", done.err);
        assert!(done.err.contains(told), "{arguments:?}: {}", done.err);
        assert_eq!(done.out, "", "{arguments:?}");
    }
}

#[test]
fn no_secret_is_in_a_message() {
    for place in [
        "redis://us3cret:pas3cret@127.0.0.1:1",
        "redis://:pas3cret@h:x",
        "nosuch://:pas3cret@h?token=tos3cret",
    ] {
        let done = run(&["trace", "list", "--connection-string", place]);
        assert_ne!(done.code, Some(0));
        assert!(!done.err.contains("s3cret"), "{}", done.err);
        let output = nephoscope()
            .args(["trace", "list", "--help"])
            .env("OSPROFILER_CONNECTION_STRING", place)
            .output()
            .unwrap();
        assert!(!String::from_utf8_lossy(&output.stdout).contains("s3cret"));
    }
}

#[test]
fn the_connection_string_comes_from_the_environment() {
    let (_store, to) = Store::with_golden(&["nested"]);
    let output = nephoscope()
        .args(["trace", "list", "-f", "value"])
        .env("OSPROFILER_CONNECTION_STRING", &to)
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("612f4afa"));
}

#[test]
fn embedded_alone_is_in_the_data_directory() {
    let store = Store::new();
    let place = store.path("data");
    let file = golden_path("nested.redis_list.jsonl");
    for arguments in [
        &["trace", "import", &file, "--connection-string", "embedded://"][..],
        &["trace", "list", "--connection-string", "embedded://"],
    ] {
        let output = nephoscope().args(arguments).env("NEPHOSCOPE_DATA_DIR", &place).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert!(place.join("traces").is_dir());
}

#[test]
fn completions_and_manual_pages_know_the_commands() {
    for shell in ["bash", "zsh", "fish"] {
        let script = run(&["completions", shell]).ok();
        assert!(
            ["purge", "policy", "aggregation-method"].iter().all(|word| script.contains(word)),
            "{shell}"
        );
    }
    assert!(run(&["man"]).ok().contains(".TH nephoscope"));
    let store = Store::new();
    run(&["man", "--out", store.path("man").to_str().unwrap()]).ok();
    for page in ["trace-show", "sample-import", "event-send", "policy-create"] {
        assert!(store.path("man").join(format!("nephoscope-{page}.1")).is_file(), "{page}");
    }
}

#[test]
fn the_settings_in_force_are_shown_with_their_origins() {
    let store = Store::new();
    let config = store.path("config.toml");
    std::fs::write(&config, "data_dir = \"/d\"\n[traces]\ndrivers = [\"redis://:s3cret@h\"]\n").unwrap();
    let shown = run(&["config", "show", "--config", config.to_str().unwrap(), "--listen", "[::1]:1"]).ok();
    let shown = shown.replace(config.to_str().unwrap(), "FILE");
    insta::assert_snapshot!(shown, @r#"
    data_dir = "/d"  # FILE:1

    [http]
    listen = "[::1]:1"  # flag or environment
    auth = "none"  # default
    max_limit = 1000  # default
    proxy_headers = false  # default
    cors_allowed_origins = []  # default

    [store]
    default_archive_policies = true  # default

    [traces]
    drivers = ["redis://***@h"]  # FILE:3

    [samples]
    dispatchers = ["embedded://"]  # default

    [spool]
    max_size = "10GiB"  # default
    "#);
}
