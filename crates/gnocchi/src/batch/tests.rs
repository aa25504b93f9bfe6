use proptest::prelude::*;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::*;

const METRIC: &str = "9b2e8b3b-9b2e-4b3b-8b3b-9b2e8b3b9b2e";
const NOW: Timestamp = Timestamp::from_nanos(1_700_000_000_000_000_000);

fn measure(seconds: i64, value: f64) -> Measure {
    Measure { timestamp: Timestamp::from_nanos(seconds * 1_000_000_000), value }
}

#[test]
fn measures_are_read_whatever_their_spelling() {
    let body = br#" [ {"timestamp": "2023-11-14T22:13:20+00:00", "value": 1.5},
        {"value" : "-2e1" , "other": [{"a": [1, null, "]"]}, {}], "timestamp": "2023-11-14T23:13:21+01:00"},
        {"timestamp": "2023-11-14T22:13:22Z", "value": true} ] "#;
    let expected =
        vec![measure(1_700_000_000, 1.5), measure(1_700_000_001, -20.0), measure(1_700_000_002, 1.0)];
    assert_eq!(read_measures(body, NOW), Ok(expected));
    let body = br#"[{"timestamp": 12, "value": 0}, {"timestamp": "13", "value": "\u0031"}]"#;
    assert_eq!(read_measures(body, NOW), Ok(vec![measure(12, 0.0), measure(13, 1.0)]));
    let body = br#"[{"timestamp": "-1 minute", "value": -0.0}]"#;
    assert_eq!(read_measures(body, NOW), Ok(vec![measure(1_699_999_940, -0.0)]));
    for empty in ["[]", "{}"] {
        assert_eq!(read_measures(empty.as_bytes(), NOW), Ok(Vec::new()));
    }
}

#[test]
fn what_is_no_number_is_stored_as_such() {
    let body = br#"[{"timestamp": 1, "value": NaN}, {"timestamp": 1, "value": "nan"}, {"timestamp": 1, "value": -Infinity},
        {"timestamp": 1, "value": Infinity}, {"timestamp": 1, "value": "inf"}, {"timestamp": 1, "value": 1e999}]"#;
    let values: Vec<_> =
        read_measures(body, NOW).unwrap().iter().map(|measure| measure.value.to_string()).collect();
    assert_eq!(values, ["NaN", "NaN", "-inf", "inf", "inf", "inf"]);
}

#[test]
fn later_measures_of_a_metric_replace_earlier_ones() {
    let body = format!(
        r#"{{"{METRIC}": [{{"timestamp": 1, "value": 1}}], "{}": [], "{}": [{{"timestamp": 2, "value": 2}}]}}"#,
        Uuid::nil(),
        METRIC.to_uppercase()
    );
    let expected = vec![(METRIC.parse().unwrap(), vec![measure(2, 2.0)]), (Uuid::nil(), Vec::new())];
    assert_eq!(read_metric_measures(body.as_bytes(), NOW), Ok(expected));
}

#[test]
fn measures_of_resources_say_how_their_metric_is_kept() {
    let body = br#"{"vm": {"cpu": [{"timestamp": 1, "value": 1}],
        "mem": {"unit": "MB", "archive_policy_name": "low", "measures": [{"timestamp": 2, "value": 2}]}, "net": {}}}"#;
    let read = read_resource_measures(body, NOW).unwrap();
    let new = |policy: Option<&str>, unit: Option<&str>| NamedMetric::New {
        archive_policy_name: policy.map(str::to_owned),
        unit: unit.map(str::to_owned),
    };
    let expected = [
        ("cpu", new(None, None), vec![measure(1, 1.0)]),
        ("mem", new(Some("low"), Some("MB")), vec![measure(2, 2.0)]),
        ("net", new(None, None), Vec::new()),
    ];
    let metrics = expected.map(|(name, metric, measures)| (name.to_owned(), (metric, measures)));
    let resource = ResourceMeasures { resource_id: "vm".into(), metrics: IndexMap::from_iter(metrics) };
    assert_eq!(read, [resource]);
}

#[test]
fn refusals_say_what_is_wrong_and_where_as_gnocchi_does() {
    let timestamp = "unexpected timestamp 'Unable to convert timestamps'";
    for (body, sentence) in [
        (r#"[{"timestamp": "x", "value": 1}]"#, timestamp),
        (r#"[{"timestamp": -1, "value": 1}]"#, "unexpected timestamp 'Timestamp must be after Epoch'"),
        (r#"[{"timestamp": 1, "value": 1}, {"timestamp": "2020-01-01", "value": 1}]"#, timestamp),
        (r#"[{"timestamp": null, "value": 1}]"#, "unexpected measures format"),
        (r#"[{"timestamp": 1, "value": 1}, {"timestamp": null, "value": 1}]"#, timestamp),
        (r#"[{"timestamp": "1 day", "value": 1}, {"timestamp": [[]], "value": 1}]"#, timestamp),
        // Timestamps before values, and what is none before what is too early.
        (r#"[{"timestamp": 1, "value": "x"}, {"timestamp": "x", "value": 1}]"#, timestamp),
        (r#"[{"timestamp": -1, "value": 1}, {"timestamp": "x", "value": 1}]"#, timestamp),
        (r#"[{"value": 1}]"#, "unexpected measures format"),
        (r#"[1]"#, "unexpected measures format"),
        (r#""x""#, "unexpected measures format"),
        (r#"{"timestamp": 1, "value": 1}"#, "unexpected measures format"),
        (r#"[{"timestamp": 1}]"#, "unexpected measures value"),
        (r#"[{"timestamp": 1, "value": "x"}]"#, "unexpected measures value"),
        (r#"[{"timestamp": 1, "value": null}]"#, "unexpected measures value"),
        (r#"[{"timestamp": 1, "value": []}]"#, "unexpected measures value"),
    ] {
        let error = read_measures(body.as_bytes(), NOW).unwrap_err();
        assert!(matches!(error, BatchError::Schema(_)), "{body}: {error:?}");
        assert_eq!(error.to_string(), sentence, "{body}");
        let by_metric =
            read_metric_measures(format!(r#"{{"{METRIC}": {body}}}"#).as_bytes(), NOW).unwrap_err();
        assert_eq!(by_metric.to_string(), format!("{sentence} for dictionary value @ data['{METRIC}']"));
    }
    for (body, sentence) in [
        ("[]", "expected a dictionary"),
        (r#"{"a/b": {}}"#, "'/' is not supported in resource id @ data['a/b']"),
        (r#"{"r": []}"#, "expected a dictionary for dictionary value @ data['r']"),
        (r#"{"r": {"m": 5}}"#, "unexpected measures format for dictionary value @ data['r']['m']"),
        (r#"{"r": {"m": {"unit": "x"}}}"#, "required key not provided @ data['r']['m']['measures']"),
        (r#"{"r": {"m": {"foo": 1, "measures": []}}}"#, "extra keys not allowed @ data['r']['m']['foo']"),
        (
            r#"{"r": {"m": {"unit": 1, "measures": []}}}"#,
            "expected str for dictionary value @ data['r']['m']['unit']",
        ),
        (
            r#"{"r": {"m": {"measures": [{"timestamp": 1}]}}}"#,
            "unexpected measures value for dictionary value @ data['r']['m']['measures']",
        ),
    ] {
        assert_eq!(read_resource_measures(body.as_bytes(), NOW).unwrap_err().to_string(), sentence, "{body}");
    }
    let error = read_metric_measures(br#"{"foo": []}"#, NOW).unwrap_err();
    assert_eq!(error.to_string(), "not a valid value @ data['foo']");
}

#[test]
fn a_body_that_is_no_json_is_told_apart() {
    let deep = format!(r#"[{{"x": {}"#, "[".repeat(1_000_000));
    for body in [
        "",
        "[",
        "[{",
        r#"[{"timestamp""#,
        r#"[{"timestamp": 1, "value": 1}"#,
        "[] []",
        "[,]",
        "nul",
        "1e",
        r#"[{"timestamp": 1, "value": 1},]"#,
        r#"[{"timestamp": 01, "value": 1}]"#,
        r#"[{"timestamp": 1, "value": 1.}]"#,
        r#"[{"timestamp": -, "value": 1}]"#,
        r#"["\ud800"]"#,
        r#"["\"#,
        r#"[{"a" 1}]"#,
        r#"[{"a": 1e}]"#,
        r#"[{"a": 1,}]"#,
        &deep,
    ] {
        let error = read_measures(body.as_bytes(), NOW).unwrap_err();
        assert!(matches!(error, BatchError::Undecodable(_)), "{body:.40}: {error:?}");
    }
    assert!(matches!(read_measures(b"[\xff]", NOW), Err(BatchError::Undecodable(_))));
}

fn any_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        "\\PC{0,8}".prop_map(Json::from),
    ];
    leaf.prop_recursive(4, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            prop::collection::btree_map("[a-z\"\\\\é]{0,4}", inner, 0..4)
                .prop_map(|map| Json::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn every_double_comes_in_to_the_last_bit(value in any::<f64>().prop_filter("finite", |value| value.is_finite())) {
        for text in [format!("{value}"), format!("{value:e}"), json!(value).to_string()] {
            let body = format!(r#"[{{"timestamp": 1, "value": {text}}}]"#);
            let read = read_measures(body.as_bytes(), NOW).unwrap();
            prop_assert_eq!(read[0].value.to_bits(), value.to_bits(), "{}", text);
        }
    }

    #[test]
    fn short_decimals_come_in_to_the_last_bit(digits in 0_u64..1 << 60, places in 0_usize..25) {
        let text = format!("{digits:0>width$}", width = places + 1);
        let (whole, fraction) = text.split_at(text.len() - places);
        let text = if places == 0 { whole.to_owned() } else { format!("{whole}.{fraction}") };
        let body = format!(r#"[{{"timestamp": 1, "value": {text}}}]"#);
        let read = read_measures(body.as_bytes(), NOW).unwrap();
        prop_assert_eq!(read[0].value.to_bits(), text.parse::<f64>().unwrap().to_bits(), "{}", text);
    }

    #[test]
    fn whatever_else_a_measure_has_is_passed(json in any_json(), pretty in any::<bool>()) {
        let body = json!([{"other": json, "timestamp": 5, "value": 2.5}]);
        let body = if pretty { serde_json::to_vec_pretty(&body) } else { serde_json::to_vec(&body) }.unwrap();
        prop_assert_eq!(read_measures(&body, NOW), Ok(vec![measure(5, 2.5)]));
    }

    #[test]
    fn what_serde_json_cannot_read_is_refused(body in "[\\[\\]{}:,\"a0-9.e\\\\ \n-]{0,24}") {
        let is_json = serde_json::from_str::<Json>(&body).is_ok();
        for read in [
            read_measures(body.as_bytes(), NOW).err(),
            read_metric_measures(body.as_bytes(), NOW).err(),
            read_resource_measures(body.as_bytes(), NOW).err(),
        ] {
            match read {
                None => prop_assert!(is_json),
                Some(BatchError::Undecodable(_)) => prop_assert!(!is_json, "{}", body),
                Some(BatchError::Schema(_)) => {}
            }
        }
    }
}
