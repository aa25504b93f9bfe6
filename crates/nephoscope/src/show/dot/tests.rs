//! The graph against what `osprofiler trace show --dot` wrote of the same points.

use nephoscope_telemetry::{Report, TracePoint};

use crate::show::tests::{dot, golden_cases, golden_folder, golden_points};

#[test]
fn every_golden_graph_is_equal_to_the_byte() {
    let mut compared = 0;
    for case in golden_cases() {
        let Ok(theirs) = std::fs::read_to_string(golden_folder().join(format!("{case}.dot"))) else {
            continue;
        };
        assert_eq!(dot(&Report::build(golden_points(&case))), theirs, "{case}");
        compared += 1;
    }
    assert_eq!(compared, 17);
}

/// The graph of one start.
fn graph(name: &str, service: &str, info: &str) -> String {
    let point = format!(
        r#"{{"name": "{name}", "base_id": "b", "trace_id": "t", "parent_id": "b", "timestamp": "2026-01-01T00:00:00.000000",
        "info": {info}, "service": {service}}}"#
    );
    let graph = dot(&Report::build(vec![TracePoint::from_json(&point).unwrap()]));
    graph.lines().find_map(|line| line.strip_prefix("\t1 [label=")).unwrap().to_owned()
}

#[test]
fn where_osprofiler_fails_there_is_a_label() {
    assert_eq!(graph("db-start", "null", "{}"), r#""db - 0 ms"]"#);
    assert_eq!(graph("wsgi-stop", "\"api\"", "{}"), r#""api:wsgi - 0 ms"]"#);
    assert_eq!(graph("rpc-cast-start", "\"api\"", "{}"), r#""api:rpc - 0 ms"]"#);
    assert!(dot(&Report::build(Vec::new())).contains("total - 0 ms"));
}

#[test]
fn texts_are_shown_as_they_are_and_paths_are_cut() {
    let function =
        |name: &str| graph("rpc-start", "\"s\"", &format!(r#"{{"function": {{"name": "{name}"}}}}"#));
    assert_eq!(function("a.b.c"), r#""s:rpc - 0 ms\nc"]"#);
    assert_eq!(function(r#"a.\"b\""#), r#""s:rpc - 0 ms\n\"b\""]"#);
    assert_eq!(function(r"a.b\\"), r#""s:rpc - 0 ms\nb\\"]"#);
    assert_eq!(function(r"a.b\n\u0000"), r#""s:rpc - 0 ms\nb\\n\\u{0}"]"#);
    assert_eq!(graph("x-start", r#""<b>""#, "{}"), r#""<b>:x - 0 ms"]"#);
    let path = format!(r#"{{"request": {{"method": "GET", "path": "/{}"}}}}"#, "日".repeat(40));
    assert_eq!(
        graph("wsgi-start", "\"s\"", &path),
        format!(r#""s:wsgi - 0 ms\nGET /{}.."]"#, "日".repeat(29))
    );
}
