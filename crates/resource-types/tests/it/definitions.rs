use nephoscope_resource_types::{Definitions, Mistake};
use proptest::prelude::*;
use serde_json::Value;

use super::compare;

/// A file with all of the grammar in it, and with mistakes.
const GRAMMAR: &str = include_str!("../golden/grammar.yaml");
/// What the real code makes of it: `broken` entries, `samples` with their attributes, and the policies of the meters.
const EXPECTED: &str = include_str!("../golden/grammar.json");

fn expected() -> Value {
    serde_json::from_str(EXPECTED).unwrap()
}

#[test]
fn the_whole_grammar_means_what_it_means_to_ceilometer() {
    let (definitions, _) = Definitions::read(GRAMMAR, "grammar.yaml", None);
    let types = definitions.into_types();
    let cases = expected()["samples"].as_array().unwrap().clone();
    assert_eq!(cases.len(), 11);
    let wrong: Vec<_> = cases.iter().filter_map(|case| compare(&types, case)).collect();
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn entries_that_ceilometer_cannot_load_are_left_out_and_told_with_their_line() {
    let (definitions, mistakes) = Definitions::read(GRAMMAR, "grammar.yaml", None);
    let broken = expected()["broken"].as_array().unwrap().clone();
    assert_eq!(mistakes.len(), broken.len(), "{mistakes:#?}");
    for (mistake, broken) in mistakes.iter().zip(&broken) {
        if let Some(name) = broken.as_str() {
            assert!(mistake.problem.ends_with(&format!("resource type `{name}` is left out")), "{mistake}");
            let line = GRAMMAR.lines().nth(mistake.place.line - 1).unwrap();
            let before = GRAMMAR.lines().take(mistake.place.line).collect::<Vec<_>>().join("\n");
            let entry = before.rfind("- resource_type").unwrap();
            assert!(before[entry..].contains(name), "{mistake}: {line}");
        }
    }
    let shown: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
    assert_eq!(
        [&shown[0], &shown[6], &shown[12]],
        [
            "grammar.yaml:71:5: `metrics` is missing; resource type `no_metrics` is left out",
            "grammar.yaml:84:43: attribute `a`: \"b c\" is no path: expected an operator or the end at byte 2; resource \
             type `bad_list` is left out",
            "grammar.yaml:102:74: attribute `a`: `values` is a map, expected a map that is not empty; resource type \
             `empty_map` is left out",
        ]
    );
    assert_eq!(definitions.types.len(), 6);
}

#[test]
fn the_policy_of_a_meter_is_chosen_as_by_ceilometer() {
    for (policy, key) in [(None, "meters"), (Some("mine"), "overridden")] {
        let (definitions, _) = Definitions::read(GRAMMAR, "grammar.yaml", policy);
        let mut ours: Vec<_> = definitions
            .types
            .iter()
            .flat_map(nephoscope_resource_types::ResourceType::meters)
            .map(|meter| serde_json::json!([meter.name.as_str(), meter.archive_policy.as_deref()]))
            .collect();
        ours.sort_by_key(ToString::to_string);
        let mut theirs = expected()[key].as_array().unwrap().clone();
        theirs.sort_by_key(ToString::to_string);
        assert_eq!(ours, theirs);
    }
}

#[test]
fn where_a_policy_is_named_is_known() {
    let file = "archive_policy_default: mine\narchive_policies:\n  - name: defined\n    definition: [{granularity: 60}]\nresources:\n  \
        - resource_type: a\n    metrics:\n      x: {archive_policy_name: theirs}\n      y:\n  \
        - resource_type: b\n    archive_policy: old\n    metrics: {z: {archive_policy_name: theirs}}\n";
    let (definitions, mistakes) = Definitions::read(file, "f", None);
    assert_eq!(mistakes, []);
    let place = |policy| definitions.place_of_policy(policy).map(|place| place.to_string());
    assert_eq!(place("mine").as_deref(), Some("1:25"));
    assert_eq!(place("theirs").as_deref(), Some("8:32"));
    assert_eq!(place("old").as_deref(), Some("11:21"));
    assert_eq!(place("defined"), None);
    assert_eq!(Definitions::read("", "f", None).0.place_of_policy("ceilometer-low"), None);
}

fn mistakes(file: &str) -> Vec<String> {
    let (_, mistakes) = Definitions::read(file, "f", None);
    mistakes.iter().map(Mistake::to_string).collect()
}

#[test]
fn what_is_wrong_around_the_entries_is_told_too() {
    assert_eq!(mistakes(""), Vec::<String>::new());
    assert_eq!(mistakes("- a"), ["f:1:1: the file is a list, expected a map with `resources`"]);
    assert_eq!(
        mistakes("resources: x\nresource: []\narchive_policy_default: 5\narchive_policies:\n"),
        [
            "f:1:12: `resources` is a text, expected a list",
            "f:2:1: there is no use for \"resource\"",
            "f:3:25: `archive_policy_default` is a number, expected a text",
        ]
    );
    let not_yaml = mistakes("resources:\n  - a: [\n");
    assert_eq!(not_yaml.len(), 1);
    assert!(not_yaml[0].starts_with("f:2:8: "), "{not_yaml:?}");
}

#[test]
fn all_that_is_wrong_with_one_entry_is_told_at_once() {
    let file = "
resources:
  - resource_type: 5
    metrics: 6
    attributes:
      a: b c
      b: resource_metadata.b
      c: 1.5
    event_delete: 7
";
    let lines: Vec<_> =
        Definitions::read(file, "f", None).1.iter().map(|mistake| mistake.place.line).collect();
    assert_eq!(lines, [3, 4, 6, 8, 9]);
}

#[test]
fn archive_policies_are_read_in_all_forms_and_wrong_ones_left_out() {
    let file = "
archive_policies:
  - {name: a, definition: [{granularity: 60, points: 10}], aggregation_methods: ['*', '-mean']}
  - {name: b, definition: [{timespan: 1 hour, points: 60}, {granularity: 1d}], back_window: 2}
  - {name: c, definition: [{granularity: 1s, timespan: 1h}], aggregation_methods: [-std, +last]}
  - {name: d, definition: []}
  - {definition: [{granularity: 1s}]}
  - {name: e, definition: [{granularity: 1s, timespan: 1h, points: 2}]}
  - {name: f, definition: [{granularity: soon}]}
  - {name: g, definition: [{granularity: 1s}, {granularity: 1}], aggregation_methods: [mean]}
  - {name: h, definition: [{granularity: 1s}], aggregation_methods: [meen]}
  - {name: i, definition: [{points: 5}]}
";
    let (definitions, mistakes) = Definitions::read(file, "f", None);
    let names: Vec<_> = definitions.archive_policies.iter().map(|policy| policy.name.as_str()).collect();
    assert_eq!(names, ["a", "b", "c"]);
    assert_eq!(definitions.archive_policies[0].aggregation_methods.len(), 215);
    let methods = |nth: usize| {
        let methods = &definitions.archive_policies[nth].aggregation_methods;
        methods.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(methods(1), "mean min max sum std count");
    assert_eq!(methods(2), "mean min max sum count last");
    let b = &definitions.archive_policies[1];
    assert_eq!(
        (b.back_window, b.definition[0].granularity.as_seconds(), b.definition[1].points),
        (2, 60.0, None)
    );
    let lines: Vec<_> = mistakes.iter().map(|mistake| mistake.place.line).collect();
    assert_eq!(lines, [6, 7, 8, 9, 10, 11, 12], "{mistakes:#?}");
}

#[test]
fn a_query_takes_any_id() {
    let file = r#"
resources:
  - resource_type: a
    metrics: [a]
    event_delete: a.delete
    event_attributes: {id: id}
    event_associated_resources: {b: '{"like": {"name": "100%%-%s"}}'}
"#;
    let (definitions, mistakes) = Definitions::read(file, "f", None);
    assert_eq!(mistakes, []);
    let types = definitions.into_types();
    let event =
        r#"{"message_id": "", "event_type": "a.delete", "generated": "", "traits": [["id", 1, "a\"%s\\b"]]}"#;
    let event = nephoscope_telemetry::Event::from_json(event).unwrap();
    let lifecycle = types.lifecycle(&event).unwrap().unwrap();
    assert_eq!(lifecycle.id, "a\"%s\\b");
    assert_eq!(lifecycle.associated[0].query.as_str(), r#"{"like": {"name": "100%-a\"%s\\b"}}"#);
    for query in ["'{}'", "'%s'", r#"'{"a": %s}'"#, r#"'{"a": "%s %s"}'"#, "5"] {
        let file = file.replace(r#"'{"like": {"name": "100%%-%s"}}'"#, query);
        assert_eq!(mistakes_of(&file), 1, "{query}");
    }
}

fn mistakes_of(file: &str) -> usize {
    Definitions::read(file, "f", None).1.len()
}

proptest! {
    #[test]
    fn no_damage_to_a_file_makes_it_panic(at in any::<prop::sample::Index>(), text in "[-:a-c0-9{}\\[\\]'\"&*|%#\n ]{0,4}", cut in 0..6usize) {
        let mut file = GRAMMAR.to_owned();
        let at = at.index(file.len());
        let end = (at + cut).min(file.len());
        if file.is_char_boundary(at) && file.is_char_boundary(end) {
            file.replace_range(at..end, &text);
        }
        let (definitions, mistakes) = Definitions::read(&file, "f", None);
        prop_assert!(definitions.types.len() <= 25 && mistakes.len() < 80);
    }
}
