//! `nephoscope trace import`, `export`, `copy`, `purge`

use std::collections::BTreeSet;

use crate::program::{Store, golden, golden_path, run, run_with_input};

fn lines(text: &str) -> BTreeSet<&str> {
    text.lines().collect()
}

#[test]
fn what_is_imported_is_exported_to_the_byte() {
    let cases = ["nested", "unicode", "bad_micros3", "several_roots"];
    let (_store, to) = Store::with_golden(&cases);
    let exported = run(&["trace", "export", "--all", "--connection-string", &to]).ok();
    let texts =
        cases.map(|case| std::fs::read_to_string(golden(&format!("{case}.redis_list.jsonl"))).unwrap());
    assert_eq!(lines(&exported), texts.iter().flat_map(|text| text.lines()).collect());
}

#[test]
fn a_broken_line_is_told_by_its_number_and_the_rest_goes_in() {
    let store = Store::new();
    let to = store.embedded("traces");
    let good = std::fs::read_to_string(golden("fixed_clock.redis_list.jsonl")).unwrap();
    let input = good.replacen('\n', "\n{\"name\": \"cut off\n\n{\"name\": 5}\n", 1);
    let imported = run_with_input(&["trace", "import", "-", "--connection-string", &to], input.as_bytes());
    assert_eq!(imported.code, Some(1));
    for told in ["line 2", "line 4", "`name`", "8 trace points stored, 2 lines left out"] {
        assert!(imported.err.contains(told), "{told} is not in: {}", imported.err);
    }
    let exported = run(&["trace", "export", "--all", "--connection-string", &to]).ok();
    assert_eq!(lines(&exported), lines(&good));
}

#[test]
fn a_copy_keeps_every_point() {
    let (store, from) = Store::with_golden(&["nested", "unicode", "unfinished", "null_project"]);
    let sqlite = format!("sqlite:///{}", store.path("copy.db").display());
    let back = store.embedded("back");
    run(&["trace", "copy", "--all", "--from", &from, "--to", &sqlite]).ok();
    run(&["trace", "copy", "--all", "--from", &sqlite, "--to", &back]).ok();
    let exported = |place: &str| run(&["trace", "export", "--all", "--connection-string", place]).ok();
    let (first, last) = (exported(&from), exported(&back));
    assert_eq!(lines(&first), lines(&last));
    assert_eq!(first.lines().count(), 16 + 6 + 4 + 16);
}

#[test]
fn what_is_not_there_is_not_found() {
    let store = Store::new();
    let (from, to) = (store.embedded("from"), store.embedded("to"));
    assert_eq!(run(&["trace", "export", "x", "--connection-string", &from]).code, Some(3));
    assert_eq!(run(&["trace", "copy", "x", "--from", &from, "--to", &to]).code, Some(3));
    run(&["trace", "export", "--all", "--connection-string", &from]).ok();
}

#[test]
fn a_purge_deletes_only_what_is_older() {
    let (_store, to) = Store::with_golden(&["fixed_clock", "nested"]);
    run(&["trace", "purge", "--older-than", "2026-06-01", "--connection-string", &to]).ok();
    let left = run(&["trace", "list", "-f", "value", "--connection-string", &to]).ok();
    assert_eq!(left.lines().count(), 1);
    assert!(left.starts_with("612f4afa"), "{left}");
}

#[test]
fn a_huge_point_goes_in_and_out() {
    let store = Store::new();
    let to = store.embedded("traces");
    let point = format!(
        r#"{{"name": "db-start", "base_id": "b", "trace_id": "t", "parent_id": "b", "timestamp": "2026-01-01T00:00:00.000000", "info": {{"db": "{}"}}, "project": null, "service": null}}"#,
        "x".repeat(10_000_000)
    );
    run_with_input(&["trace", "import", "-", "--connection-string", &to], point.as_bytes()).ok();
    let exported = run(&["trace", "export", "b", "--connection-string", &to]).ok();
    assert!(exported.trim_end() == point);
}

#[test]
fn a_reader_that_leaves_early_is_no_failure() {
    use std::io::Read;
    use std::process::Stdio;
    let mut child = crate::program::nephoscope()
        .args(["trace", "show", &golden_path("deep_100.cli.json"), "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = [0; 10];
    child.stdout.take().unwrap().read_exact(&mut first).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
}
