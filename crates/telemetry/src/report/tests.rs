//! The report against what OSProfiler 4.4 made of the same points: `tests/golden`.

use std::io::Read;
use std::path::PathBuf;

use super::*;
use crate::{Json, Timestamp, json};

/// Cases for which OSProfiler gave a report; the files say in which order it read the points.
const CASES: [&str; 21] = [
    "nested",
    "exceptions",
    "exception_noargs",
    "unfinished",
    "stop_only",
    "several_roots",
    "unicode",
    "single_start",
    "child_process",
    "fixed_clock",
    "out_of_order",
    "duplicates",
    "null_project",
    "wide_10k",
    "deep_100",
    "bad_micros3",
    "bad_stop_before_start",
    "bad_self_parent",
    "bad_cycle",
    "bad_cycle_plus_root",
    "bad_same_id_two_names",
];

fn golden(name: &str) -> String {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "tests", "golden", name].iter().collect();
    if path.exists() {
        return std::fs::read_to_string(path).unwrap();
    }
    let packed = std::fs::File::open(path.with_added_extension("gz")).unwrap();
    let mut text = String::new();
    flate2::read::GzDecoder::new(packed).read_to_string(&mut text).unwrap();
    text
}

fn points(case: &str) -> Vec<TracePoint> {
    let lines = golden(&format!("{case}.redis_list.jsonl"));
    lines.lines().map(|line| TracePoint::from_json(line).unwrap()).collect()
}

/// A JSON value of the Python dialect that can be compared: Python compares objects without order, and `1` with `1`.
#[derive(Debug, PartialEq)]
enum Value {
    Object(std::collections::BTreeMap<String, Value>),
    Array(Vec<Value>),
    Scalar(String),
}

/// Reads a value with the recursion that the product avoids, which is why this runs on a large stack.
fn value(text: &str) -> Value {
    if text.starts_with('{') {
        Value::Object(json::entries(text).map(|(key, inner)| (key.into_owned(), value(inner))).collect())
    } else if text.starts_with('[') {
        let mut scanner = json::Scanner::new(text);
        scanner.expect(b'[', "an array").unwrap();
        let mut items = Vec::new();
        while !scanner.eat(b']') {
            assert!(items.is_empty() || scanner.eat(b','));
            items.push(value(scanner.value().unwrap()));
        }
        Value::Array(items)
    } else {
        Value::Scalar(json::decode(text).map_or_else(|| text.to_owned(), |text| format!("\"{text}")))
    }
}

fn on_a_large_stack(run: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(512 << 20).spawn(run).unwrap().join().unwrap();
}

/// On a stack that any recursion over a long chain would overflow.
fn on_a_small_stack(run: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(128 << 10).spawn(run).unwrap().join().unwrap();
}

#[test]
fn every_golden_report_is_equal_as_a_value() {
    on_a_large_stack(|| {
        for case in CASES {
            let ours = value(&Report::build(points(case)).to_json());
            let theirs = value(&golden(&format!("{case}.report.json")));
            assert!(ours == theirs, "{case}:\n{ours:#?}\n{theirs:#?}");
        }
    });
}

#[test]
fn no_golden_report_is_left_out() {
    let index = serde_json::from_str::<serde_json::Value>(&golden("index.json")).unwrap();
    let made = index.as_array().unwrap().iter().filter(|case| case["result"]["get_report"] == "ok");
    let names: Vec<_> =
        made.map(|case| case["name"].as_str().unwrap()).filter(|name| *name != "deep_10k").collect();
    assert_eq!(names, CASES);
}

#[test]
fn the_deepest_golden_report_is_equal_node_by_node() {
    let report = Report::build(points("deep_10k"));
    let flat = golden("deep_10k.report.flat.jsonl");
    let mut lines = flat.lines().map(|line| Json::parse(line).unwrap());
    let head = lines.next().unwrap();
    assert_eq!(head.get("roots"), Some(report.roots().len().to_string().as_str()));
    let ours = Json::parse(&report.to_json()).unwrap();
    for key in ["info", "stats"] {
        assert_eq!(value(ours.get(key).unwrap()), value(head.get(key).unwrap()));
    }
    let mut text = String::new();
    let mut count = 0;
    for ((depth, node), line) in report.walk().zip(lines.by_ref()) {
        assert_eq!(line.get("depth"), Some(depth.to_string().as_str()));
        assert_eq!(line.get_str("trace_id").unwrap(), node.trace_id.to_string());
        assert_eq!(line.get_str("parent_id").unwrap(), node.parent_id.to_string());
        text.clear();
        text.push('{');
        report.write_node(&mut text, node, 0);
        text.push_str("]}");
        assert_eq!(value(Json::parse(&text).unwrap().get("info").unwrap()), value(line.get("info").unwrap()));
        count += 1;
    }
    assert_eq!((count, lines.next()), (10_000, None));
}

#[test]
fn where_osprofiler_fails_there_is_a_report() {
    for (case, host, project) in [
        ("bad_missing_host", None, Some("p")),
        ("bad_missing_info", None, Some("p")),
        ("bad_missing_project", Some("h"), None),
        ("bad_no_micros", Some("h"), Some("p")),
        ("bad_tz", Some("h"), Some("p")),
    ] {
        let report = Report::build(points(case));
        let root = report.roots().next().unwrap();
        assert_eq!((root.host.as_deref(), root.project.as_deref()), (host, project), "{case}");
        assert_eq!(report.finished_ms(), Some(0));
    }
}

#[test]
fn operations_in_a_circle_are_counted_as_unreachable() {
    for (case, unreachable) in
        [("bad_cycle", 2), ("bad_cycle_plus_root", 2), ("bad_self_parent", 1), ("nested", 0)]
    {
        assert_eq!(Report::build(points(case)).unreachable(), unreachable, "{case}");
    }
}

#[test]
fn in_the_standard_dialect_everybody_reads_it() {
    let mut bytes = Vec::new();
    Report::build(points("unicode")).write_json(Dialect::Standard, &mut bytes).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    assert!(text.contains("1e999"));
    serde_json::from_str::<Box<serde_json::value::RawValue>>(&text).unwrap();
}

#[test]
fn without_points_the_report_is_empty() {
    let report = Report::build(Vec::new());
    let expected = r#"{"info": {"name": "total", "started": 0, "finished": null, "last_trace_started": null}, "children": [], "stats": {}}"#;
    assert_eq!(value(&report.to_json()), value(expected));
}

#[test]
fn siblings_of_one_millisecond_are_in_order_of_time_when_the_points_are() {
    let mut read = crate::Points::from(points("wide_10k"));
    read.sort_by_time();
    let report = Report::build(read.good);
    let root = report.roots().next().unwrap();
    let started: Vec<_> = report.children(root).map(|node| node.started_us).collect();
    assert_eq!(started.len(), 9_999);
    assert!(started.is_sorted());
}

/// `count` operations, each inside the one before it.
fn chain(count: u32) -> Vec<TracePoint> {
    let id = |number: u32| Id::new(&format!("{number}"));
    let point = |number: u32, name: &str, micros: u32| {
        TracePoint::new(name, id(0), id(number), id(number - 1), Timestamp::from_micros(micros.into()))
    };
    let starts = (1..=count).map(|number| point(number, "level-start", number));
    let stops = (1..=count).map(|number| point(number, "level-stop", 3 * count - number));
    starts.chain(stops).collect()
}

#[test]
fn a_chain_of_100_000_needs_no_stack_and_little_text() {
    on_a_small_stack(|| {
        let report = Report::build(chain(100_000));
        assert_eq!(report.walk().last().unwrap().0, 99_999);
        let text = report.to_json();
        assert!(text.len() < 100_000 * 1_000, "{} bytes", text.len());
        let again = Report::from_json(&text).unwrap();
        assert_eq!(again.to_json(), text);
    });
}

#[test]
fn a_saved_report_is_read_back_as_it_was() {
    on_a_large_stack(|| {
        for case in CASES {
            let saved = golden(&format!("{case}.report.json"));
            let report = Report::from_json(&saved).unwrap();
            let again = report.to_json();
            assert!(value(&again) == value(&saved), "{case}: {again}");
            let built = Report::build(points(case));
            let exact = |report: &Report| -> Vec<_> {
                report.walk().map(|(_, node)| (node.started_us, node.finished_us)).collect()
            };
            assert_eq!(exact(&report), exact(&built), "{case}");
        }
    });
}

#[test]
fn what_is_no_report_is_told_so() {
    for (text, told) in [
        ("", "not JSON"),
        ("[]", "not JSON"),
        ("{}", "children"),
        (r#"{"children": 5}"#, "list of children"),
        (r#"{"children": [5]}"#, "a node"),
        (r#"{"children": [{"info": {"name": 5}}]}"#, "name"),
        (r#"{"children": [{"info": {"started": "x"}}]}"#, "milliseconds"),
        (r#"{"children": []"#, "comma or the end"),
        (r#"{"children": []} x"#, "the end"),
    ] {
        let error = Report::from_json(text).unwrap_err().to_string();
        assert!(error.contains(told), "{text}: {error}");
    }
}

proptest::proptest! {
    #[test]
    fn no_points_lose_or_gain_an_operation(
        links in proptest::collection::vec((0_u8..20, 0_u8..20, proptest::bool::ANY, 0_i64..5_000), 0..40)
    ) {
        let points: Vec<_> = links
            .iter()
            .map(|&(id, parent, stop, micros)| {
                let name = if stop { "op-stop" } else { "op-start" };
                let [id, parent] = [id, parent].map(|number| Id::new(&number.to_string()));
                TracePoint::new(name, "b".into(), id, parent, Timestamp::from_micros(micros))
            })
            .collect();
        let ids: std::collections::HashSet<_> = points.iter().map(|point| point.trace_id.clone()).collect();
        let report = Report::build(points);
        proptest::prop_assert_eq!(report.len(), ids.len());
        proptest::prop_assert_eq!(report.walk().count() + report.unreachable(), ids.len());
        let again = Report::from_json(&report.to_json()).unwrap();
        proptest::prop_assert_eq!(again.to_json(), report.to_json());
    }

    #[test]
    fn no_text_makes_reading_panic(text in "[{}\\[\\]\",: a-z0-9]*") {
        let _outcome = Report::from_json(&text);
        let _outcome = Report::from_json(&format!("{{\"children\": [{text}]}}"));
    }
}
