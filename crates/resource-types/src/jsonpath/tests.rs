use std::fmt::Write;

use proptest::prelude::*;

use super::node::{Literal, Operand};
use super::*;

/// What the real libraries made of paths: `[path, what it consists of or null]`, and of what they found in documents.
const PATHS: &str = include_str!("../../tests/golden/paths.jsonl");
const MATCHES: &str = include_str!("../../tests/golden/matches.jsonl");

/// The notation of the golden table.
fn sketch(node: &Node) -> String {
    let all = |nodes: &[Node]| nodes.iter().map(sketch).collect::<Vec<_>>().join(",");
    let quoted = |text: &str| nephoscope_telemetry::Json::string(text).as_str().to_owned();
    let number = |number: &Option<i64>| number.map_or("None".to_owned(), |number| number.to_string());
    let literal = |literal: &Literal| match literal {
        Literal::Text(text) => quoted(text),
        Literal::Integer(integer) => integer.to_string(),
        Literal::Float(float) => Value::Float(*float).to_json().into_owned(),
        Literal::Bool(bool) => bool.to_string(),
    };
    let operand = |operand: &Operand| match operand {
        Operand::Path(path) => sketch(path),
        Operand::Literal(text @ Literal::Text(_)) => format!("text {}", literal(text)),
        Operand::Literal(float @ Literal::Float(_)) => format!("float {}", literal(float)),
        Operand::Literal(integer) => format!("int {}", literal(integer)),
    };
    match node {
        Node::Root => "root".into(),
        Node::This => "this".into(),
        Node::Parent => "parent".into(),
        Node::Length => "len".into(),
        Node::Fields(names) => {
            format!("fields({})", names.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(","))
        }
        Node::Index(index) => format!("index({index})"),
        Node::Slice(start, end) => format!("slice({},{})", number(start), number(end)),
        Node::Chain(parts) => format!("chain({})", all(parts)),
        Node::Union(parts) => format!("union({})", all(parts)),
        Node::Descendants(left, right) => format!("descendants({},{})", sketch(left), sketch(right)),
        Node::Where(left, right) => format!("where({},{})", sketch(left), sketch(right)),
        Node::Intersection(left, right) => format!("intersect({},{})", sketch(left), sketch(right)),
        Node::Sorted(keys) if keys.is_empty() => "sorted".into(),
        Node::Sorted(keys) => {
            let key = |key: &node::SortKey| {
                format!("{}{}", if key.descending { "-" } else { "+" }, sketch(&key.path))
            };
            format!("sorted({})", keys.iter().map(key).collect::<Vec<_>>().join(","))
        }
        Node::Split(split) => {
            let cuts = split.cuts.map_or("-1".to_owned(), |cuts| cuts.to_string());
            format!("split({},{},{cuts})", quoted(&split.at.to_string()), split.segment)
        }
        Node::Substitution(sub) => format!("sub({},{})", quoted(&sub.pattern.text), quoted(&sub.replacement)),
        Node::Operation(left, operator, right) => {
            format!("operation({operator},{},{})", operand(left), operand(right))
        }
        Node::Filter(conditions) => {
            let conditions = conditions.iter().map(|condition| {
                let mut written = sketch(&condition.path);
                if let Some((comparison, value)) = &condition.comparison {
                    write!(written, " {comparison} {}", literal(value)).unwrap();
                }
                written
            });
            format!("filter({})", conditions.collect::<Vec<_>>().join(","))
        }
    }
}

/// Whether a path divides, which the real parser never takes.
fn divides(text: &str) -> bool {
    text.parse::<Path>().is_ok_and(|path| sketch(&path.node).contains("operation(/"))
}

#[test]
fn paths_are_understood_as_by_the_real_parser() {
    let mut wrong = Vec::new();
    for line in PATHS.lines() {
        let (path, expected): (String, Option<String>) = serde_json::from_str(line).unwrap();
        let ours = path.parse::<Path>().map(|path| sketch(&path.node));
        if ours.clone().ok() != expected && !divides(&path) {
            wrong.push(format!("{path:?}\n  expected {expected:?}\n  got      {ours:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn the_same_is_found_as_by_the_real_libraries() {
    let mut documents = Vec::new();
    let (mut wrong, mut looked_at) = (Vec::new(), 0);
    for line in MATCHES.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        if let Some(document) = line.get("document") {
            documents.push(document.as_str().unwrap().to_owned());
            continue;
        }
        let text = line["path"].as_str().unwrap();
        let path: Path = match text.parse() {
            Ok(path) => path,
            Err(_) if line["matches"].is_null() => continue,
            Err(error) => panic!("{text:?}: {error}"),
        };
        let document = &documents[usize::try_from(line["of"].as_u64().unwrap()).unwrap()];
        let found = path.find(document);
        // Where the real libraries raise an error, it only matters that we do not.
        let Some(expected) = line["matches"].as_array() else { continue };
        looked_at += 1;
        let expected: Vec<_> = expected
            .iter()
            .map(|found| (normal(found[0].as_str().unwrap()), found[1].as_str().unwrap().to_owned()))
            .collect();
        let ours: Vec<_> =
            found.iter().map(|found| (normal(&found.value().to_json()), found.place())).collect();
        let first = expected.iter().map(|(value, _)| value.as_str()).find(|value| *value != "null");
        let ours_first = path.first(document).map(|value| normal(&value.to_json()));
        if ours != expected || ours_first.as_deref() != first {
            wrong.push(format!("{text:?} in {document}\n  expected {expected:?}\n  got      {ours:?}"));
        }
    }
    assert!(looked_at > 1000, "{looked_at}");
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// JSON with the same white space, and characters instead of escapes.
fn normal(json: &str) -> String {
    match serde_json::from_str::<serde_json::Value>(json) {
        Ok(value) if value.is_object() || value.is_array() || value.is_string() => value.to_string(),
        _ => json.to_owned(),
    }
}

#[test]
fn a_slash_divides_where_the_real_lexer_takes_it_for_a_sort_key() {
    for (path, result) in
        [("$.a / 4", "0.5"), ("$.a/2", "1.0"), ("7 / $.a", "3.5"), ("b[/a][0].a / 2", "0.5")]
    {
        let path: Path = path.parse().unwrap();
        let found = path.first(r#"{"a": 2, "b": [{"a": 3}, {"a": 1}]}"#).unwrap();
        assert_eq!(found.to_json(), result, "{path}");
    }
    assert!("$.a / 0".parse::<Path>().unwrap().first(r#"{"a": 2}"#).is_none());
}

#[test]
fn what_is_wrong_and_where_is_said() {
    for (path, problem, at) in [
        ("a.", "expected a name, `$`, `@`, `*`, `(` or `[`", 2),
        ("a b", "expected an operator or the end", 2),
        ("a.`split(#)`", "expected `split(CHARACTER, SEGMENT, CUTS)`, spaces behind the commas", 2),
        ("a.`nope`", "nothing in backquotes is called so", 2),
        ("'a", "the quotes are not closed", 0),
        ("a[?b=c.d]", "expected `]`", 6),
        ("a[é]", "no such character belongs here", 2),
    ] {
        assert_eq!(path.parse::<Path>().unwrap_err(), InvalidPath::new(problem, at), "{path}");
    }
}

#[test]
fn nothing_is_nested_too_deep_for_a_stack() {
    let deep = [
        "(".repeat(2000),
        "a".to_owned() + &"|b[0]".repeat(800),
        "a".to_owned() + &" + a".repeat(1000),
        "a".to_owned() + &"..a".repeat(1000),
        "a[?".repeat(1000),
        "a[?(".repeat(1000),
        format!("{}a{}", "a[/".repeat(600), "]".repeat(600)),
    ];
    for path in deep {
        assert!(path.parse::<Path>().is_err(), "{path}");
    }
    let long = ("a".to_owned() + &".a".repeat(2000)).parse::<Path>().unwrap();
    assert!(long.find("{}").is_empty());
    let document = r#"{"a":"#.repeat(2001) + "1" + &"}".repeat(2001);
    assert_eq!(long.first(&document).unwrap().to_json(), "1");
    assert!(("a".to_owned() + &".a".repeat(3000)).parse::<Path>().is_err());
}

#[test]
fn a_search_that_takes_too_long_finds_nothing() {
    let deep = "[".repeat(2000) + &"]".repeat(2000);
    assert!("$..a".parse::<Path>().unwrap().find(&deep).is_empty());
    let nested = format!("${}{}", "..(@".repeat(30), ")".repeat(30));
    let path = nested.parse::<Path>().unwrap();
    assert!(path.find(&deep).is_empty());
    // At one of the thirty it steps inside, or at none.
    assert_eq!(path.find("[[]]").len(), 31);
    let wide = format!("[{}1]", "1,".repeat(3000));
    assert!("$..*..$..*..$".parse::<Path>().unwrap().find(&wide).is_empty());
    assert!("$[*].`this`.$[*].$[*]".parse::<Path>().unwrap().find(&wide).is_empty());
    let repeated = "$.a * 1000000000".parse::<Path>().unwrap();
    assert!(repeated.find(r#"{"a": "abc"}"#).is_empty());
    let slow = "a.`sub(/(x+x+)+y/, z)`".parse::<Path>().unwrap();
    assert!(slow.find(&format!(r#"{{"a": "{}"}}"#, "x".repeat(200))).is_empty());
}

#[test]
fn of_a_key_given_twice_the_last_counts() {
    let document = r#"{"a": {"b": 1}, "\u0061": {"c": 2}, "d": 1, "d": null}"#;
    let first =
        |path: &str| path.parse::<Path>().unwrap().first(document).map(|value| value.to_json().into_owned());
    assert_eq!(first("a.b"), None);
    assert_eq!(first("a.c").as_deref(), Some("2"));
    assert_eq!(first("(d)|(a.c)").as_deref(), Some("2"));
    assert_eq!(first("(a)|(a.c)").as_deref(), Some(r#"{"c": 2}"#));
}

#[test]
fn a_key_is_what_it_says_and_not_how_it_is_spelled() {
    let document = r#"{"\\u0061": 1, "\u0062": 2, "c\"\\": {"d\/": 3}}"#;
    let first =
        |path: &str| path.parse::<Path>().unwrap().first(document).map(|value| value.to_json().into_owned());
    let found = |path: &str| path.parse::<Path>().unwrap().find(document).len();
    for (path, value) in [
        ("a", None),
        (r"'\\u0061'", Some("1")),
        (r"'\\\\u0061'", None),
        ("b", Some("2")),
        (r"'\\u0062'", None),
        (r#"'c"\\'.'d/'"#, Some("3")),
    ] {
        assert_eq!(first(path).as_deref(), value, "{path}");
        assert_eq!(found(path), usize::from(value.is_some()), "{path}");
    }
}

#[test]
fn floats_are_written_as_python_writes_them() {
    for (float, written) in [
        (1.0, "1.0"),
        (-0.0, "-0.0"),
        (0.1, "0.1"),
        (0.0001, "0.0001"),
        (0.00001, "1e-05"),
        (1e16, "1e+16"),
        (123_456_789_012_345.6, "123456789012345.6"),
        (9_999_999_999_999_998.0, "9999999999999998.0"),
        (1.5e300, "1.5e+300"),
        (f64::NEG_INFINITY, "-Infinity"),
    ] {
        assert_eq!(Value::Float(float).to_json(), written);
    }
}

/// Texts made of what paths are made of.
fn any_text() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "a",
        "b",
        "name",
        "$",
        "@",
        ".",
        ".",
        "..",
        "|",
        "&",
        "(",
        ")",
        "[",
        "]",
        "[*]",
        "[0]",
        "[1:]",
        "[?",
        "*",
        "+",
        "-",
        "/",
        "\\",
        ",",
        "'x y'",
        "`len`",
        "`parent`",
        "`sorted`",
        "`split(., 0, 1)`",
        "`sub(/a/, b)`",
        "1",
        "2.5",
        " where ",
        "=",
        "<",
        "~",
        "true",
        " ",
        ":",
        "a.b",
        "a|b",
        "[?a=1]",
        "[/a]",
        "é",
        "'",
        "`",
    ]);
    prop::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
}

/// An object whose keys may come twice and may be spelled with escapes, on one line or on several.
fn any_document() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("-1.5e3".to_owned()),
        Just("NaN".to_owned()),
        "[ab\"\\\\{}\\[\\],:é]{0,12}".prop_map(|text| nephoscope_telemetry::Json::string(&text).to_string()),
        "[ab{}\\[\\],:é]{0,12}".prop_map(|text| format!("\"{text}\"")),
    ];
    let key = prop::sample::select(vec!["a", "b", "\\u0061", "\\\"", "\\\\", "é", "\\u00e9", "ab"]);
    let space = prop::sample::select(vec!["", " ", "\n\t "]);
    let object = |values: Vec<(&str, &str, String)>| {
        let entries =
            values.iter().map(|(key, space, value)| format!("{space}\"{key}\"{space}:{space}{value}{space}"));
        format!("{{{}}}", entries.collect::<Vec<_>>().join(","))
    };
    let value = leaf.prop_recursive(3, 30, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|values| format!("[{}]", values.join(", "))),
            prop::collection::vec((key.clone(), space.clone(), inner), 0..5).prop_map(object),
        ]
    });
    prop::collection::vec((prop::sample::select(vec!["a", "b", "\\u0061", "é"]), Just(" "), value), 0..5)
        .prop_map(object)
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in any_text(), document in "[\\[\\]{},:\"\\\\ ab0-9.eE+-]*") {
        if let Ok(path) = text.parse::<Path>() {
            path.first(&document);
            for found in path.find(r#"{"a": [{"a": 1, "b": "x"}, 2.5], "b": "a.b", "name": null}"#) {
                prop_assert!(nephoscope_telemetry::Json::parse(&found.value().to_json()).is_ok());
                found.place();
            }
        }
    }

    #[test]
    fn names_alone_find_in_one_pass_what_they_find_step_by_step(
        document in any_document(),
        ways in prop::collection::vec(prop::collection::vec("[ab\"\\\\é]", 1..4), 1..4),
    ) {
        let way = |names: &Vec<String>| {
            let names = names.iter().map(|name| Node::Fields(vec![name.clone()]).to_string()).collect::<Vec<_>>();
            format!("({})", names.join("."))
        };
        let path: Path = ways.iter().map(way).collect::<Vec<_>>().join("|").parse().unwrap();
        prop_assert!(path.chains.is_some());
        let slow = path.find(&document).into_iter().map(Match::into_value).find(|value| !value.is_null());
        let text = |value: Option<Value<'_>>| value.map(|value| value.to_json().into_owned());
        prop_assert_eq!(text(path.first(&document)), text(slow), "{} in {}", path, document);
    }

    #[test]
    fn a_path_survives_being_printed(text in any_text()) {
        if let Ok(path) = text.parse::<Path>() {
            let printed = path.to_string();
            prop_assert_eq!(printed.parse::<Path>(), Ok(path), "{} as {}", text, printed);
        }
    }
}

#[test]
fn all_paths_of_the_table_survive_being_printed() {
    for line in PATHS.lines() {
        let (text, _): (String, Option<String>) = serde_json::from_str(line).unwrap();
        if let Ok(path) = text.parse::<Path>() {
            let printed = path.to_string();
            assert_eq!(printed.parse::<Path>().as_ref(), Ok(&path), "{text} as {printed}");
        }
    }
}
