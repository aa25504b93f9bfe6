use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::*;
use crate::Timespan;

const UUID: &str = "8c062a7e-9f9f-4b1c-9996-9d0328512ab7";

fn metric() -> Json {
    json!(["metric", UUID, "mean"])
}

#[test]
fn the_lisp_form_is_the_list_form() {
    for (text, list) in [
        ("(metric a mean)", json!(["metric", "a", "mean"])),
        ("( metric\ta\nmean ) and ( more", json!(["metric", "a", "mean"])),
        ("(metric (a mean)(b max))", json!(["metric", ["a", "mean"], ["b", "max"]])),
        ("(metric 'a b' mean)", json!(["metric", "'a b'", "mean"])),
        ("(metric a'b mean)", json!(["metric", "a'b", "mean"])),
        ("(+ 1_0 (metric a mean))", json!(["+", 10.0, ["metric", "a", "mean"]])),
        ("(≤ (metric a mean) -1e3)", json!(["<=", ["metric", "a", "mean"], -1000.0])),
        (
            "(resample 95pct 60s (rolling rate:max 2 (metric a mean)))",
            json!(["resample", "95pct", 60.0, ["rolling", "rate:max", 2, ["metric", "a", "mean"]]]),
        ),
        ("(clip (metric a mean) 1 2)", json!(["clip", ["metric", "a", "mean"], 1.0, 2.0])),
    ] {
        let of_text = Operation::from_json(&json!(text)).unwrap();
        assert_eq!(of_text, Operation::from_json(&list).unwrap(), "{text}");
    }
}

#[test]
fn numbers_may_be_text_and_windows_are_cut_to_whole_ones() {
    for (value, number) in [(json!("2"), 2.0), (json!(true), 1.0), (json!("inf"), f64::INFINITY)] {
        let operation = Operation::from_json(&json!(["+", metric(), value])).unwrap();
        let Operation::Binary(BinaryFunction::Add, _, other) = operation else { panic!("{operation:?}") };
        assert_eq!(*other, Operation::Number(number));
    }
    for (value, window) in [(json!(2.7), 2), (json!(" 2 "), 2), (json!("1_0"), 10), (json!(true), 1)] {
        let operation = Operation::from_json(&json!(["rolling", "mean", value, metric()])).unwrap();
        assert!(matches!(operation, Operation::Rolling(_, read, _) if read == window), "{operation:?}");
    }
}

#[test]
fn what_is_wrong_is_said_as_gnocchi_says_it() {
    for (value, error) in [
        (json!([]), "Operation must not be empty"),
        (json!("()"), "Operation must not be empty"),
        (json!({"foo": 1}), "Expected a tuple/list, got a <class 'dict'>"),
        (json!(null), "Expected a tuple/list, got a <class 'NoneType'>"),
        (json!(5), "Expected a tuple/list, got a <class 'int'>"),
        (json!(["metric"]), "Operation need at least one argument"),
        (json!(["foo"]), "Operation need at least one argument"),
        (json!(["foo", 1]), "'foo' operation invalid"),
        (json!([1, 2]), "'1' operation invalid"),
        (json!([["metric"], 2]), "'['metric']' operation invalid"),
        (json!([null, 1]), "'None' operation invalid"),
        (json!(["+", metric(), null]), "'+' operation invalid"),
        (json!(["+", metric(), "x"]), "'+' operation invalid"),
        (json!(["+", metric(), ["foo", 1]]), "'+' operation invalid"),
        (json!(["+", metric(), ["metric"]]), "'+' operation invalid"),
        (json!(["+", metric(), []]), "'+' operation invalid"),
        (json!(["+", metric()]), "'+' operation invalid"),
        (json!(["+", metric(), 1, 2]), "'+' operation invalid"),
        (json!(["clip", metric()]), "'clip' operation invalid"),
        (json!(["aggregate", "foo", metric()]), "'aggregate' operation invalid"),
        (json!(["resample", "mean", "-60s", metric()]), "'resample' operation invalid"),
        (json!(["resample", "mean", "Y", metric()]), "'resample' operation invalid"),
        (json!(["rolling", "mean", "2.5", metric()]), "'rolling' operation invalid"),
        (json!(["rolling", "mean", 0, metric()]), "'rolling' operation invalid"),
        (json!("(rolling mean (metric a mean))"), "'rolling' operation invalid"),
        (json!(["metric", "a"]), "None @ data[0]"),
        (json!("(metric ())"), "None @ data[0]"),
        (json!("(metric (a mean) b)"), "None @ data[1]"),
        (json!("(metric a\"b\" mean)"), "None @ data[0]"),
        (json!(["metric", ["a", 1]]), "expected str @ data[0]"),
        (json!(["+", metric(), ["metric", 1, "mean"]]), "None @ data[0]"),
        (json!("(metroc foo bar"), "Fail to parse the operations string"),
    ] {
        assert_eq!(Operation::from_json(&value).unwrap_err().to_string(), error, "{value}");
    }
}

#[test]
fn where_a_text_is_no_lisp_is_told() {
    for (text, detail) in [
        ("", "Expected '('  (at char 0), (line:1, col:1)"),
        ("abc", "Expected '(', found 'abc'  (at char 0), (line:1, col:1)"),
        ("x(metric a mean)", "Expected '(', found 'x'  (at char 0), (line:1, col:1)"),
        ("(", "Expected ')', found end of text  (at char 1), (line:1, col:2)"),
        ("(metric a mean", "Expected ')', found end of text  (at char 14), (line:1, col:15)"),
    ] {
        let error = Operation::from_json(&json!(text)).unwrap_err();
        assert_eq!(error, OperationError::Text(detail.into()), "{text}");
    }
}

#[test]
fn operations_may_lie_as_deep_in_one_another_as_is_allowed() {
    let nested =
        |depth: usize| format!("{}(metric a mean){}", "(abs ".repeat(depth - 1), ")".repeat(depth - 1));
    assert!(Operation::from_json(&json!(nested(MAX_OPERATION_DEPTH))).is_ok());
    let list = |depth| (1..depth).fold(metric(), |inner, _| json!(["abs", inner]));
    assert!(Operation::from_json(&list(MAX_OPERATION_DEPTH)).is_ok());
    for value in
        [json!(nested(MAX_OPERATION_DEPTH + 1)), list(MAX_OPERATION_DEPTH + 1), json!("(".repeat(100_000))]
    {
        assert_eq!(Operation::from_json(&value), Err(OperationError::TooDeep));
    }
}

#[test]
fn references_are_named_once() {
    let operation = "(+ (metric (b mean) (a max)) (clip (metric a mean) 1 (metric b mean)))";
    let operation = Operation::from_json(&json!(operation)).unwrap();
    let references: Vec<_> =
        operation.references().into_iter().map(|(x, y)| (x.as_str(), y.as_str())).collect();
    assert_eq!(references, [("b", "mean"), ("a", "max"), ("a", "mean")]);
}

fn cross() -> impl Strategy<Value = CrossAggregation> {
    const NAMES: [&str; 8] = ["mean", "median", "std", "min", "max", "sum", "var", "count"];
    (any::<bool>(), proptest::sample::select(&NAMES[..])).prop_map(|(rate, name)| {
        let name = format!("{}{name}", if rate { "rate:" } else { "" });
        name.parse().unwrap()
    })
}

fn operations() -> impl Strategy<Value = Operation> {
    let word = "[a-z*.:-]{1,8}";
    let leaf = prop_oneof![
        proptest::collection::vec((word, word), 1..4).prop_map(Operation::Metrics),
        any::<f64>().prop_filter("NaN is not itself", |x| !x.is_nan()).prop_map(Operation::Number),
    ];
    let inner = leaf.prop_recursive(6, 24, 3, |inner| {
        let methods: Vec<_> = AggregationMethod::all().collect();
        let boxed = inner.prop_map(Box::new);
        prop_oneof![
            (
                proptest::sample::select(
                    &["=", "ne", "lt", "≤", "gt", "≥", "%", "+", "-", "×", "÷", "^", "max"][..]
                ),
                boxed.clone(),
                boxed.clone()
            )
                .prop_map(|(name, x, y)| Operation::Binary(
                    BinaryFunction::named(name).unwrap(),
                    x,
                    y
                )),
            (
                proptest::sample::select(
                    &["abs", "neg", "cos", "floor", "rateofchange", "rateofchangesec"][..]
                ),
                boxed.clone()
            )
                .prop_map(|(name, x)| Operation::Unary(UnaryFunction::named(name).unwrap(), x)),
            (boxed.clone(), boxed.clone(), proptest::option::of(boxed.clone()))
                .prop_map(|(x, y, z)| Operation::Clip(x, y, z)),
            (cross(), boxed.clone()).prop_map(|(function, x)| Operation::Aggregate(function, x)),
            (cross(), 1_usize..10_000, boxed.clone())
                .prop_map(|(function, window, x)| Operation::Rolling(function, window, x)),
            (proptest::sample::select(methods), 1_i64..1_000_000_000_000, boxed).prop_map(
                |(method, micros, x)| {
                    let span = Timespan::from_nanos(micros * 1000).unwrap();
                    Operation::Resample(method, span.into(), x)
                }
            ),
        ]
    });
    // A number alone is no operation.
    inner.prop_filter("a number", |operation| !matches!(operation, Operation::Number(_)))
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(operation in operations()) {
        let text = operation.to_json().to_string();
        let json: Json = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(Operation::from_json(&json), Ok(operation), "{}", text);
    }

    #[test]
    fn no_text_is_too_strange(text in "[() \n'\"\\\\a-z0-9+*.≤é-]{0,60}") {
        drop(Operation::from_json(&json!(text)));
    }

    #[test]
    fn no_list_is_too_strange(text in "[\\[\\]\"metric, a+1{}:]{0,40}") {
        if let Ok(json) = serde_json::from_str(&text) {
            drop(Operation::from_json(&json));
        }
    }
}
