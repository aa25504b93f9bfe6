//! The tree as it is read.

use nephoscope_telemetry::{Id, Json, Report, Timestamp, TracePoint};

use super::Style;
use crate::show::tests::{golden_report, tree};

fn shown(case: &str, width: Option<usize>) -> String {
    tree(&golden_report(case), Style { colour: false, width })
}

#[test]
fn a_trace_is_shown_with_its_times_services_and_subjects() {
    insta::assert_snapshot!(shown("nested", Some(120)));
}

#[test]
fn a_narrow_line_is_cut_and_has_no_bar() {
    insta::assert_snapshot!(shown("nested", Some(64)));
}

#[test]
fn exceptions_are_marked() {
    insta::assert_snapshot!(shown("exceptions", None));
}

#[test]
fn colours_are_set_and_taken_back() {
    let coloured = tree(&golden_report("exceptions"), Style { colour: true, width: Some(120) });
    insta::assert_snapshot!(coloured.replace('\u{1b}', "ESC"));
}

#[test]
fn what_is_missing_or_odd_is_told() {
    let cases = [
        "unfinished",
        "stop_only",
        "bad_stop_before_start",
        "bad_cycle_plus_root",
        "bad_cycle",
        "null_project",
    ];
    insta::assert_snapshot!(cases.map(|case| shown(case, Some(110))).join("\n"));
}

#[test]
fn control_characters_are_shown_as_escapes() {
    insta::assert_snapshot!(shown("unicode", None));
}

#[test]
fn deep_operations_are_shown_with_their_depth() {
    let lines = shown("deep_100", Some(100));
    insta::assert_snapshot!(lines.lines().take(20).collect::<Vec<_>>().join("\n"));
}

#[test]
fn without_points_only_the_head_is_shown() {
    assert_eq!(tree(&Report::build(Vec::new()), Style::default()), "Trace\n0 µs · 0 operations\n");
}

#[test]
fn the_whole_name_is_shown_and_a_statement_of_a_megabyte_by_its_first_words() {
    let mut point =
        TracePoint::new("task-run-start", "b".into(), "t".into(), "b".into(), Timestamp::from_micros(0));
    point.info =
        Json::parse(&format!(r#"{{"db": {{"statement": "SELECT {}"}}}}"#, "x, ".repeat(350_000))).unwrap();
    let shown = tree(&Report::build(vec![point]), Style::default());
    assert!(shown.contains("task-run") && shown.contains("SELECT x, x") && shown.len() < 1_000, "{shown}");
}

/// One point of an operation with this id inside another.
fn point(id: u8, parent: u8, name: &str, micros: i64) -> TracePoint {
    let [id, parent] = [id, parent].map(|number| Id::new(&number.to_string()));
    TracePoint::new(name, Id::new("0"), id, parent, Timestamp::from_micros(micros))
}

#[test]
fn own_time_is_the_time_in_which_nothing_inside_runs() {
    // One begins before what is around it, one ends after it, one runs all through another that was met first.
    let report = Report::build(vec![
        point(1, 0, "around-start", 1_000),
        point(2, 1, "early-start", 0),
        point(2, 1, "early-stop", 2_000),
        point(4, 1, "two-start", 3_500),
        point(3, 1, "one-start", 3_000),
        point(4, 1, "two-stop", 5_000),
        point(3, 1, "one-stop", 6_000),
        point(5, 1, "late-start", 9_000),
        point(1, 0, "around-stop", 10_000),
        point(5, 1, "late-stop", 12_000),
    ]);
    let shown = tree(&report, Style::default());
    let around = shown.lines().find(|line| line.starts_with("around")).unwrap();
    let figures: Vec<_> = around.split_whitespace().collect();
    // Of 13.5 ms in all: 4 here, 2 and 1.5 and 3 and 3 inside.
    assert_eq!(figures.join(" "), "around 1 9.00 ms 4.00 ms 29.6 %");
}

#[test]
fn guides_end_at_the_last_of_siblings_and_a_long_name_widens_no_other_line() {
    let long = format!("{}-start", "long".repeat(100));
    let report = Report::build(vec![
        point(1, 0, "root-start", 0),
        point(2, 1, "first-start", 1_000),
        point(3, 2, "inside-start", 2_000),
        point(4, 1, "last-start", 3_000),
        point(5, 4, &long, 4_000),
    ]);
    let shown = tree(&report, Style::default());
    let operations = shown.lines().skip(3).filter(|line| line.contains("unfinished"));
    let names: Vec<_> = operations.map(|line| line.chars().skip(41).collect::<String>()).collect();
    let starts = ["root ", "├╴first ", "│ └╴inside ", "└╴last ", "  └╴longlong"];
    assert_eq!(names.len(), starts.len(), "{shown}");
    for (name, start) in names.iter().zip(starts) {
        assert!(name.starts_with(start), "{name}");
    }
    assert!(names[0].len() < 80, "{shown}");
}

#[test]
fn a_request_to_another_service_is_shown_with_its_answer() {
    let mut points = vec![point(1, 0, "https-start", 0), point(1, 0, "https-stop", 1_000)];
    let request =
        r#"{"requests": {"method": "GET", "hostname": "keystone", "path": "/v3/auth/tokens", "port": 5000}}"#;
    points[0].info = Json::parse(request).unwrap();
    points[1].info = Json::parse(r#"{"requests": {"status_code": 404}}"#).unwrap();
    let shown = tree(&Report::build(points), Style::default());
    assert!(shown.contains("GET keystone/v3/auth/tokens → 404\n"), "{shown}");
}
