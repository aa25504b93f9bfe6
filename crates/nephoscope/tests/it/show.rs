//! `nephoscope trace show`

use serde_json::value::RawValue;

use crate::program::{Store, golden, golden_path, run, run_with_input};

const NESTED: &str = "612f4afa-725c-4f0b-a4f9-cd60a02973e0";

/// A JSON value whatever its depth; of a report, which has at most so many levels here, on a large stack.
fn value(text: &str) -> serde_json::Value {
    let mut reader = serde_json::Deserializer::from_str(text);
    reader.disable_recursion_limit();
    serde::Deserialize::deserialize(&mut reader).unwrap()
}

#[test]
fn json_is_equal_to_that_of_osprofiler() {
    // No two siblings of these cases began in the same millisecond, whose order OSProfiler leaves to the backend.
    let cases =
        ["nested", "exceptions", "unfinished", "several_roots", "child_process", "fixed_clock", "deep_100"];
    let (_store, to) = Store::with_golden(&cases);
    for case in cases {
        let theirs = std::fs::read_to_string(golden(&format!("{case}.cli.json"))).unwrap();
        let lines = std::fs::read_to_string(golden(&format!("{case}.redis_list.jsonl"))).unwrap();
        let first: serde_json::Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
        let base_id = first["base_id"].as_str().unwrap();
        let ours = run(&["trace", "show", base_id, "--json", "--connection-string", &to]).ok();
        assert_eq!(value(&ours), value(&theirs), "{case}");
    }
}

#[test]
fn siblings_of_one_millisecond_are_in_order_of_time() {
    let (_store, to) = Store::with_golden(&["duplicates"]);
    let shown =
        run(&["trace", "show", "38566a66-4e36-4e52-a68c-90401f6d5836", "--connection-string", &to]).ok();
    let place = |function: &str| shown.find(function).unwrap();
    assert!(place("attach") < place("secret"), "{shown}");
}

#[test]
fn a_file_is_shown_without_a_backend() {
    let points = run(&["trace", "show", &golden_path("nested.redis_list.jsonl"), "--json"]).ok();
    let report = run(&["trace", "show", &golden_path("nested.cli.json"), "--json"]).ok();
    assert_eq!(value(&points), value(&report));
    let input = std::fs::read(golden("nested.redis_list.jsonl")).unwrap();
    let piped = run_with_input(&["trace", "show", "-", "--json"], &input).ok();
    assert_eq!(piped, points);
}

#[test]
fn of_several_formats_the_first_counts_as_for_osprofiler() {
    let file = golden_path("nested.cli.json");
    let json = run(&["trace", "show", &file, "--json"]).ok();
    assert_eq!(run(&["trace", "show", &file, "--dot", "--html", "--json"]).ok(), json);
    let html = run(&["trace", "show", &file, "--html"]).ok();
    assert!(html.starts_with("<!DOCTYPE html>"), "{html:.40}");
    assert_eq!(run(&["trace", "show", &file, "--dot", "--html", "--local-libs"]).ok(), html);
}

#[test]
fn dot_is_equal_to_that_of_osprofiler() {
    let dot = run(&["trace", "show", &golden_path("nested.cli.json"), "--dot"]).ok();
    assert_eq!(dot, std::fs::read_to_string(golden("nested.dot")).unwrap());
}

#[test]
fn out_writes_a_file_and_nothing_else() {
    let store = Store::new();
    let out = store.path("trace.json");
    let shown =
        run(&["trace", "show", &golden_path("nested.cli.json"), "--json", "--out", out.to_str().unwrap()])
            .ok();
    assert_eq!(shown, "");
    serde_json::from_str::<Box<RawValue>>(&std::fs::read_to_string(out).unwrap()).unwrap();
}

#[test]
fn an_id_with_glob_characters_is_literal() {
    let (_store, to) = Store::with_golden(&["nested"]);
    for id in ["*", "612f4afa*", "612f4afa-725c-4f0b-a4f9-cd60a02973e?"] {
        assert_eq!(run(&["trace", "show", id, "--connection-string", &to]).code, Some(3), "{id}");
    }
    run(&["trace", "show", NESTED, "--connection-string", &to]).ok();
}

#[test]
fn text_of_a_service_cannot_break_out_of_the_page() {
    let html = run(&["trace", "show", &golden_path("unicode.redis_list.jsonl"), "--html"]).ok();
    assert!(html.contains("u003c/script"), "the statement is not in the page");
    assert_eq!(html.matches("</script>").count(), html.matches("<script").count());
}

#[test]
fn what_is_neither_a_report_nor_points_is_told_so() {
    let store = Store::new();
    let file = store.path("odd");
    std::fs::write(&file, "neither\n").unwrap();
    let shown = run(&["trace", "show", file.to_str().unwrap()]);
    assert_eq!(shown.code, Some(1));
    assert!(shown.err.contains("neither a saved report"), "{}", shown.err);
}
