//! What holds for a report however it is shown.

use std::io::Read;
use std::path::PathBuf;

use nephoscope_telemetry::{Id, Json, Points, Report, Timestamp, TracePoint, json};
use proptest::prelude::*;

use super::text::visible;
use super::*;

/// The golden cases of OSProfiler, by the name of their file without `.redis_list.jsonl`.
pub(super) fn golden_cases() -> Vec<String> {
    let files = std::fs::read_dir(golden_folder()).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut cases: Vec<_> =
        names.filter_map(|name| Some(name.split_once(".redis_list.jsonl")?.0.to_owned())).collect();
    cases.sort();
    assert!(cases.len() > 20, "{cases:?}");
    cases
}

pub(super) fn golden_folder() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "..", "telemetry", "tests", "golden"].iter().collect()
}

/// The points of a golden case, in the order in which OSProfiler reads them.
pub(super) fn golden_points(case: &str) -> Vec<TracePoint> {
    let path = golden_folder().join(format!("{case}.redis_list.jsonl"));
    let mut text = String::new();
    match std::fs::File::open(path.with_added_extension("gz")) {
        Ok(packed) => flate2::read::GzDecoder::new(packed).read_to_string(&mut text).unwrap(),
        Err(_) => std::fs::File::open(path).unwrap().read_to_string(&mut text).unwrap(),
    };
    text.lines().map(|line| TracePoint::from_json(line).unwrap()).collect()
}

/// The report of a golden case as a user gets it: from points in order of time.
pub(super) fn golden_report(case: &str) -> Report {
    let mut points = Points::from(golden_points(case));
    points.sort_by_time();
    Report::build(points.good)
}

pub(super) fn tree(report: &Report, style: Style) -> String {
    let mut out = Vec::new();
    write_tree(report, style, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

pub(super) fn dot(report: &Report) -> String {
    let mut out = Vec::new();
    write_dot(report, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

pub(super) fn html(report: &Report) -> String {
    let mut out = Vec::new();
    write_html(report, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// `count` operations, each inside the one before it.
fn chain(count: u32) -> Report {
    let id = |number: u32| Id::new(&format!("{number:08}"));
    let point = |number: u32, name: &str, micros: u32| {
        TracePoint::new(name, id(0), id(number), id(number - 1), Timestamp::from_micros(micros.into()))
    };
    let starts = (1..=count).map(|number| point(number, "level-start", number));
    let stops = (1..=count).map(|number| point(number, "level-stop", 3 * count - number));
    Report::build(starts.chain(stops).collect())
}

#[test]
fn a_chain_of_100_000_needs_no_stack_and_twice_the_text_of_half_of_it() {
    let run = || {
        let (half, whole) = (chain(50_000), chain(100_000));
        let style = Style { colour: true, width: Some(100) };
        for (half, whole) in [
            (tree(&half, Style::default()), tree(&whole, Style::default())),
            (tree(&half, style), tree(&whole, style)),
            (dot(&half), dot(&whole)),
            (html(&half), html(&whole)),
        ] {
            assert!(
                whole.len() > 100_000 && whole.len() * 10 < half.len() * 22,
                "{} {}",
                half.len(),
                whole.len()
            );
        }
    };
    // A recursion over the chain needs several megabytes.
    std::thread::Builder::new().stack_size(256 << 10).spawn(run).unwrap().join().unwrap();
}

#[test]
fn times_that_no_clock_shows_are_shown() {
    let ends = [i64::MIN, -1, 0, i64::MAX];
    for (started, finished) in ends.into_iter().flat_map(|one| ends.map(|other| (one, other))) {
        let node = |id: u8, children: &str| {
            format!(
                r#"{{"info": {{"name": "x", "started": {started}, "finished": {finished}}}, "trace_id": "{id}", "parent_id": "0", "children": [{children}]}}"#
            )
        };
        let saved = format!(
            r#"{{"info": {{"finished": {finished}}}, "children": [{}], "stats": {{}}}}"#,
            node(1, &node(2, ""))
        );
        let report = Report::from_json(&saved).unwrap();
        assert!(tree(&report, Style::default()).contains("2 operations"));
        assert!(dot(&report).contains("\t1 -> 2\n"));
        assert!(html(&report).contains("2 operations"));
    }
}

/// Points with texts that a service would not send, in all fields that are shown.
fn odd_points() -> impl Strategy<Value = Vec<TracePoint>> {
    let text = prop_oneof![
        any::<String>(),
        "[<>\"'&\\\\/!a-c\\x00-\\x1f\\x7f-\\x9f\u{2028}\u{202e}\u{fe0f}😀é-]{0,30}",
        Just("</script><!--<script>".to_owned()),
    ];
    let point = (
        0_u8..6,
        0_u8..6,
        any::<bool>(),
        0_i64..2_000_000_000,
        [text.clone(), text.clone(), text],
        any::<u8>(),
    );
    proptest::collection::vec(point.prop_map(odd_point), 0..12)
}

fn odd_point(
    (id, parent, stop, micros, [one, two, three], shape): (u8, u8, bool, i64, [String; 3], u8),
) -> TracePoint {
    let usual = ["wsgi", "rpc", "driver", "db", &one][usize::from(shape % 5)];
    let name = format!("{usual}-{}", if stop { "stop" } else { "start" });
    let [id, parent] = [id, parent].map(|number| Id::new(&format!("{number}{two}")));
    let mut point = TracePoint::new(&name, Id::new(&three), id, parent, Timestamp::from_micros(micros));
    let [one, two, three] = [one, two, three].map(|text| Json::string(&text));
    let (etype, message) = if shape & 16 == 0 { ("null", "NaN") } else { (one.as_str(), two.as_str()) };
    let info = format!(
        r#"{{"request": {{"path": {one}, "method": {two}, "query": {three}}}, "db": {{"statement": {three}}},
        "function": {{"name": {two}}}, "etype": {etype}, "message": {message}, "more": [Infinity, "\ud800"]}}"#
    );
    point.info = if shape & 32 == 0 { Json::parse(&info).unwrap() } else { Json::empty_object() };
    point.project = (shape & 64 == 0).then(|| json::decode(one.as_str()).unwrap().as_ref().into());
    point.service = (shape & 128 == 0).then(|| json::decode(two.as_str()).unwrap().as_ref().into());
    point
}

/// The text without the sequences that colour it.
fn without_colours(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, sequence)) = rest.split_once("\u{1b}[") {
        plain.push_str(before);
        rest = sequence.trim_start_matches(|character: char| character.is_ascii_digit() || character == ';');
        rest = rest.strip_prefix('m').expect("only colours are set");
    }
    plain + rest
}

proptest! {
    #[test]
    fn no_text_reaches_the_terminal_but_as_text(points in odd_points(), width in 1_usize..200) {
        let report = Report::build(points);
        for (colour, width) in [(false, None), (false, Some(width)), (true, Some(width))] {
            let shown = tree(&report, Style { colour, width });
            let plain = if colour { without_colours(&shown) } else { shown };
            for line in plain.lines() {
                prop_assert_eq!(visible(line), line);
                prop_assert!(width.is_none_or(|width| text::width(line) <= width), "{line:?} in {width:?}");
            }
            prop_assert!(!plain.contains('\r'));
        }
    }

    #[test]
    fn no_text_ends_a_label_of_the_graph(points in odd_points()) {
        let report = Report::build(points);
        let shown = dot(&report);
        let lines: Vec<_> = shown.strip_prefix("digraph {\n").unwrap().strip_suffix("}\n").unwrap().lines().collect();
        let in_tree = report.walk().count();
        prop_assert_eq!(lines.len(), 1 + 2 * in_tree);
        for line in lines {
            prop_assert_eq!(visible(&line[1..]), &line[1..]);
            let Some((_, label)) = line.split_once(" [label=\"") else {
                prop_assert!(line.contains(" -> "));
                continue;
            };
            let label = label.strip_suffix("\"]").unwrap();
            prop_assert!(!label.replace("\\\\", "").replace("\\\"", "").contains('"'), "{label}");
            prop_assert!(!label.replace("\\\\", "").ends_with('\\'), "{label}");
        }
    }

    #[test]
    fn no_text_becomes_part_of_the_page(points in odd_points()) {
        let report = Report::build(points);
        let page = html(&report);
        let empty = html(&Report::build(Vec::new()));
        for mark in ["</script", "<script", "<!--", "<!doctype", "<pre", "</title"] {
            let count = |page: &str| page.to_lowercase().matches(mark).count();
            prop_assert_eq!(count(&page), count(&empty), "{}", mark);
        }
        let data = html::tests::data(&page);
        let operations = report.walk().count();
        for column in ["parent", "name", "service", "start", "duration", "flags", "subject", "error", "host", "id", "points"] {
            prop_assert_eq!(data[column].as_array().unwrap().len(), operations, "{}", column);
        }
        let infos: Vec<_> = report.walk().flat_map(|(_, node)| report.infos(node)).map(|(_, info)| info).collect();
        prop_assert_eq!(data["info"].as_array().unwrap(), &infos);
    }
}
