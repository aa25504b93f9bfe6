use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// What PyYAML made of texts: `[text, value]`.
const GOLDEN: &str = include_str!("../../tests/golden/yaml.jsonl");

/// The notation of the golden table.
fn sketch(yaml: &Yaml) -> Value {
    match &yaml.value {
        YamlValue::Null => Value::Null,
        YamlValue::Bool(bool) => json!(bool),
        YamlValue::Integer(integer) => json!({"int": integer.to_string()}),
        YamlValue::Float(float) => {
            let text = match crate::jsonpath::Value::Float(*float).to_json().as_ref() {
                "Infinity" => "inf".to_owned(),
                "-Infinity" => "-inf".to_owned(),
                "NaN" => "nan".to_owned(),
                number => number.to_owned(),
            };
            json!({"float": text})
        }
        YamlValue::Text(text) => json!(text),
        YamlValue::Time(_) => json!({"time": true}),
        YamlValue::List(list) => list.iter().map(sketch).collect(),
        YamlValue::Map(map) => {
            json!({"map": map.iter().map(|(key, value)| json!([sketch(key), sketch(value)])).collect::<Vec<_>>()})
        }
    }
}

#[test]
fn texts_mean_what_they_mean_to_pyyaml() {
    let mut wrong = Vec::new();
    for line in GOLDEN.lines() {
        let (text, expected): (String, Value) = serde_json::from_str(line).unwrap();
        let ours = Yaml::parse(&text).map_or_else(|_| json!({"error": true}), |yaml| sketch(&yaml));
        if ours != expected {
            wrong.push(format!("{text:?}\n  expected {expected}\n  got      {ours}"));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_value_knows_its_line() {
    let yaml = Yaml::parse("# first\na:\n  - x\n  - y: 1\n    z: [2,\n      3]\n").unwrap();
    let YamlValue::List(list) = &yaml.get("a").unwrap().value else { panic!("{yaml:?}") };
    assert_eq!(list[0].place, Line { line: 3, column: 5 });
    assert_eq!(list[1].get("y").unwrap().place, Line { line: 4, column: 8 });
    let error = Yaml::parse("a: 1\nb: [1\nc: 2\n").unwrap_err();
    assert_eq!(error.place.line, 3, "{error}");
}

#[test]
fn what_aliases_repeat_is_bounded() {
    let mut bomb = "a0: &a0 [1, 2, 3, 4, 5, 6, 7, 8, 9]\n".to_owned();
    for level in 1..12 {
        let before = level - 1;
        bomb += &format!("a{level}: &a{level} [{}]\n", vec![format!("*a{before}"); 9].join(", "));
    }
    assert!(Yaml::parse(&bomb).unwrap_err().problem.starts_with("more than"));
    assert!(Yaml::parse(&"[".repeat(10_000)).is_err());
    assert!(Yaml::parse(&"{a: ".repeat(10_000)).is_err());
    assert!(Yaml::parse("a: &x [*x]").is_err());
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "[-a-c0-9:?&*!|>'\"%#\\[\\]{}, \n\t~<.]{0,60}") {
        if let Ok(yaml) = Yaml::parse(&text) {
            sketch(&yaml);
        }
    }
}
