//! Held to tables of what Gnocchi 4.7.1 made of the same filters.

use std::fmt::Write;

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::*;

/// As the tables have filters: first names of operators; `and` and `or` flat, their conditions sorted.
fn canonical(json: &Json) -> Json {
    let Some((operator, operand)) = json.as_object().and_then(|object| object.iter().next()) else {
        return json!({});
    };
    match operator.as_str() {
        "and" | "or" => {
            let mut conditions = Vec::new();
            for condition in operand.as_array().unwrap().iter().map(canonical) {
                match condition.get(operator) {
                    Some(inner) => conditions.extend(inner.as_array().unwrap().iter().cloned()),
                    None => conditions.push(condition),
                }
            }
            conditions.sort_by_key(Json::to_string);
            json!({ operator: conditions })
        }
        "not" => json!({"not": canonical(operand)}),
        _ => json.clone(),
    }
}

#[test]
fn texts_mean_what_gnocchi_takes_them_for() {
    let mut cases = 0;
    for line in include_str!("../../tests/golden/filter_texts.txt").lines() {
        let (text, expected) = line.split_once('\t').unwrap();
        let text: String = serde_json::from_str(text).unwrap();
        let read = Filter::from_text(&text);
        match expected.strip_prefix('!') {
            None => {
                let expected: Json = serde_json::from_str(expected).unwrap();
                assert_eq!(canonical(&read.expect(line).to_json()), canonical(&expected), "{line}");
            }
            Some("") => assert!(matches!(read, Err(FilterError::Text(_))), "{line} gives {read:?}"),
            Some(error) => {
                let expected: Json = serde_json::from_str(error).unwrap();
                let Err(FilterError::Schema(error)) = read else { panic!("{line} gives {read:?}") };
                assert_eq!(error.to_string(), expected["reason"], "{line}");
            }
        }
        cases += 1;
    }
    assert!(cases > 500);
}

#[test]
fn bodies_mean_what_gnocchi_takes_them_for() {
    let mut cases = 0;
    for line in include_str!("../../tests/golden/filter_bodies.txt").lines() {
        let (body, expected) = line.split_once('\t').unwrap();
        let read = Filter::from_json(&serde_json::from_str(body).unwrap());
        match expected.strip_prefix('!') {
            None => {
                let expected: Json = serde_json::from_str(expected).unwrap();
                assert_eq!(canonical(&read.expect(line).to_json()), canonical(&expected), "{line}");
            }
            Some(error) => {
                let expected: Json = serde_json::from_str(error).unwrap();
                let error = read.expect_err(line);
                assert_eq!(
                    json!({"reason": error.to_string(), "detail": error.detail()}),
                    expected,
                    "{line}"
                );
            }
        }
        cases += 1;
    }
    assert!(cases > 500);
}

#[test]
fn words_that_begin_like_other_words_are_words() {
    // The real parser takes them for `not(e=1)`, and for `none` with `such` behind it.
    let of = |attribute: &str, value| Filter::Compare(Comparison::Equal, attribute.into(), value);
    assert_eq!(Filter::from_text("note=1"), Ok(of("note", Value::Number(1.0))));
    assert_eq!(Filter::from_text("not=1"), Ok(of("not", Value::Number(1.0))));
    assert_eq!(Filter::from_text("a=nonesuch"), Ok(of("a", Value::String("nonesuch".into()))));
}

#[test]
fn an_error_in_a_text_says_where() {
    for (text, error) in [
        ("id == foobar", "Invalid filter: Expected a value, found '='  (at char 4)"),
        ("é=1", "Invalid filter: Expected a value, found 'é'  (at char 0)"),
        ("a=1 b=2", "Invalid filter: Expected end of text, found 'b'  (at char 4)"),
        ("(a=1", "Invalid filter: Expected `)', found end of text  (at char 4)"),
        ("", "Invalid filter: Expected a value, found end of text  (at char 0)"),
        ("a='é", "Invalid filter: Expected a closing quote, found '''  (at char 2)"),
    ] {
        assert_eq!(Filter::from_text(text).unwrap_err().to_string(), error);
    }
}

#[test]
fn conditions_too_deep_in_each_other_are_refused() {
    let deep = |depth: usize| Filter::from_text(&format!("{}a=1{}", "(".repeat(depth), ")".repeat(depth)));
    assert!(deep(60).is_ok());
    assert!(matches!(deep(100_000), Err(FilterError::Text(_))));
    assert!(matches!(
        Filter::from_text(&format!("{}a=1", "not ".repeat(100_000))),
        Err(FilterError::Text(_))
    ));
    let mut json = json!({"=": {"a": 1}});
    for _ in 0..100 {
        json = json!({ "not": json });
    }
    let error = Filter::from_json(&json).unwrap_err();
    assert!(error.to_string().starts_with("conditions lie too deep in each other"));
}

/// A filter as text.
fn write(filter: &Filter, out: &mut String) {
    let value = |value: &Value| match value {
        Value::Null => "none".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) if text.contains('"') => format!("'{text}'"),
        Value::String(text) => format!("\"{text}\""),
    };
    let mut chain = |filters: &[Filter], operator: &str| {
        out.push('(');
        for (at, filter) in filters.iter().enumerate() {
            if at > 0 {
                out.push_str(operator);
            }
            write(filter, out);
        }
        out.push(')');
    };
    match filter {
        Filter::Compare(comparison, attribute, to) => {
            let operator = match comparison {
                Comparison::Equal => "=",
                Comparison::NotEqual => "≠",
                Comparison::Less => " lt ",
                Comparison::LessOrEqual => "<=",
                Comparison::Greater => ">",
                Comparison::GreaterOrEqual => " ge ",
            };
            write!(out, "{attribute}{operator}{}", value(to)).unwrap();
        }
        Filter::In(attribute, values) => {
            let values: Vec<_> = values.iter().map(value).collect();
            write!(out, "{attribute} in [{}]", values.join(", ")).unwrap();
        }
        Filter::Like(attribute, pattern) => {
            write!(out, "{attribute} like {}", value(&Value::String(pattern.clone()))).unwrap();
        }
        Filter::And(filters) => chain(filters, " and "),
        Filter::Or(filters) => chain(filters, " ∨ "),
        Filter::Not(filter) => {
            out.push_str("not ");
            write(filter, out);
        }
    }
}

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        (-1e6..1e6_f64).prop_map(Value::Number),
        "[^'\n\r\"]{0,6}".prop_map(Value::String),
    ]
}

fn any_filter() -> impl Strategy<Value = Filter> {
    let comparison = prop::sample::select(vec![
        Comparison::Equal,
        Comparison::NotEqual,
        Comparison::Less,
        Comparison::LessOrEqual,
        Comparison::Greater,
        Comparison::GreaterOrEqual,
    ]);
    let attribute = "[a-z][a-z_0-9]{2,6}"
        .prop_filter("taken", |name| !["not", "none", "null", "true", "false"].contains(&name.as_str()));
    let leaf = prop_oneof![
        (comparison, attribute.clone(), any_value()).prop_map(|(c, a, v)| Filter::Compare(c, a, v)),
        (attribute.clone(), prop::collection::vec(any_value(), 1..4)).prop_map(|(a, v)| Filter::In(a, v)),
        (attribute, "[a%_'é]{0,6}").prop_map(|(a, p)| Filter::Like(a, p)),
    ];
    leaf.prop_recursive(6, 40, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(Filter::And),
            prop::collection::vec(inner.clone(), 2..4).prop_map(Filter::Or),
            inner.prop_map(|filter| Filter::Not(Box::new(filter))),
        ]
    })
}

proptest! {
    #[test]
    fn a_filter_is_read_as_it_is_written(filter in any_filter()) {
        prop_assert_eq!(Filter::from_json(&filter.to_json()), Ok(filter.clone()));
        let mut text = String::new();
        write(&filter, &mut text);
        let read = Filter::from_text(&text).map(|read| canonical(&read.to_json()));
        prop_assert_eq!(read, Ok(canonical(&filter.to_json())), "{}", text);
    }

    #[test]
    fn no_text_is_too_much(text in "\\PC{0,40}|([a-z ()=<>!'\",\\[\\]∧∨≠0-9.e+-]|not |and |or |in ){0,20}") {
        if let Ok(filter) = Filter::from_text(&text) {
            prop_assert_eq!(Filter::from_json(&filter.to_json()), Ok(filter));
        }
    }
}
