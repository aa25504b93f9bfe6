//! Batches of measures, written from the left to the right: no tree of them is made.

use std::fmt::Write;

use nephoscope_gnocchi::{Measure, MetricMeasures, NamedMetric, ResourceMeasures};

use super::Moment;

/// About how long a measure is.
const MEASURE_BYTES: usize = 64;

/// Measures of one metric.
pub(crate) fn measures(measures: &[Measure]) -> String {
    let mut body = String::with_capacity((measures.len() + 1) * MEASURE_BYTES);
    write_measures(&mut body, measures);
    body
}

/// Measures by the ids of their metrics.
pub(crate) fn metric_measures(all: &MetricMeasures) -> String {
    let count = all.iter().map(|(_, measures)| measures.len() + 1).sum::<usize>();
    let mut body = String::with_capacity(count * MEASURE_BYTES);
    let mut separator = '{';
    for (metric, measures) in all {
        body.push(separator);
        write!(body, "\"{metric}\":").expect("a String takes all");
        write_measures(&mut body, measures);
        separator = ',';
    }
    close(body, separator)
}

/// Measures by resource and name of the metric. How a metric is to be kept stands there only where something is said.
pub(crate) fn resource_measures(all: &[ResourceMeasures]) -> String {
    let counts = all.iter().flat_map(|it| it.metrics.values()).map(|(_, measures)| measures.len() + 1);
    let mut body = String::with_capacity(counts.sum::<usize>() * MEASURE_BYTES);
    let mut separator = '{';
    for resource in all {
        body.push(separator);
        write_text(&mut body, &resource.resource_id);
        let mut inner = ":{";
        for (name, (metric, measures)) in &resource.metrics {
            body.push_str(inner);
            write_text(&mut body, name);
            body.push(':');
            write_named(&mut body, metric, measures);
            inner = ",";
        }
        body.push_str(if resource.metrics.is_empty() { ":{}" } else { "}" });
        separator = ',';
    }
    close(body, separator)
}

fn close(mut body: String, separator: char) -> String {
    body.push_str(if separator == '{' { "{}" } else { "}" });
    body
}

fn write_named(body: &mut String, metric: &NamedMetric, measures: &[Measure]) {
    let NamedMetric::New { archive_policy_name, unit } = metric else {
        return write_measures(body, measures);
    };
    if archive_policy_name.is_none() && unit.is_none() {
        return write_measures(body, measures);
    }
    let fields = [("archive_policy_name", archive_policy_name), ("unit", unit)];
    body.push('{');
    for (key, value) in fields {
        let Some(value) = value else { continue };
        write!(body, "\"{key}\":").expect("a String takes all");
        write_text(body, value);
        body.push(',');
    }
    body.push_str("\"measures\":");
    write_measures(body, measures);
    body.push('}');
}

fn write_measures(body: &mut String, measures: &[Measure]) {
    body.push('[');
    for (number, Measure { timestamp, value }) in measures.iter().enumerate() {
        let separator = if number == 0 { "" } else { "," };
        write!(body, "{separator}{{\"timestamp\":\"{}\",\"value\":", Moment(*timestamp))
            .expect("a String takes all");
        write_value(body, *value);
        body.push('}');
    }
    body.push(']');
}

/// What JSON has no number for is text that Python makes one of.
fn write_value(body: &mut String, value: f64) {
    let written = match value {
        value if value.is_nan() => body.write_str("\"nan\""),
        value if value.is_infinite() => body.write_str(if value > 0.0 { "\"inf\"" } else { "\"-inf\"" }),
        value => write!(body, "{value:?}"),
    };
    written.expect("a String takes all");
}

fn write_text(body: &mut String, text: &str) {
    body.push_str(&serde_json::to_string(text).expect("text can be written as JSON"));
}

#[cfg(test)]
mod tests {
    use indexmap::IndexMap;
    use nephoscope_gnocchi::{Timestamp, read_metric_measures, read_resource_measures};
    use proptest::collection::{btree_map, vec};
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn measures() -> impl Strategy<Value = Vec<Measure>> {
        let one = (0..i64::MAX, any::<f64>().prop_filter("NaN equals nothing", |value| !value.is_nan()));
        let one = one.prop_map(|(nanos, value)| Measure { timestamp: Timestamp::from_nanos(nanos), value });
        vec(one, 0..4)
    }

    fn named() -> impl Strategy<Value = NamedMetric> {
        let parts = (proptest::option::of(".*"), proptest::option::of(".*"));
        parts.prop_map(|(archive_policy_name, unit)| NamedMetric::New { archive_policy_name, unit })
    }

    proptest! {
        #[test]
        fn measures_by_metric_are_read_as_they_were(all in btree_map(any::<u128>(), measures(), 0..4)) {
            let all: MetricMeasures = all.into_iter().map(|(id, it)| (Uuid::from_u128(id), it)).collect();
            let body = metric_measures(&all);
            prop_assert_eq!(read_metric_measures(body.as_bytes(), Timestamp::EPOCH).unwrap(), all);
        }

        #[test]
        fn measures_by_resource_are_read_as_they_were(
            all in btree_map("[^/]{0,20}", btree_map(".*", (named(), measures()), 0..3), 0..3),
        ) {
            let all: Vec<_> = all
                .into_iter()
                .map(|(resource_id, metrics)| ResourceMeasures {
                    resource_id,
                    metrics: metrics.into_iter().collect::<IndexMap<_, _>>(),
                })
                .collect();
            let body = resource_measures(&all);
            prop_assert_eq!(read_resource_measures(body.as_bytes(), Timestamp::EPOCH).unwrap(), all);
        }
    }

    #[test]
    fn bodies_are_what_gnocchi_takes() {
        let at = |nanos, value| Measure { timestamp: Timestamp::from_nanos(nanos), value };
        let new = |policy: Option<&str>| NamedMetric::New {
            archive_policy_name: policy.map(Into::into),
            unit: None,
        };
        let all = vec![ResourceMeasures {
            resource_id: "a \"b\"".into(),
            metrics: IndexMap::from([
                ("cpu".to_owned(), (new(Some("low")), vec![at(1, f64::NAN), at(1_000_000_000, 1e300)])),
                ("mem".to_owned(), (new(None), vec![])),
                ("there".to_owned(), (NamedMetric::Existing(Uuid::nil()), vec![at(0, f64::NEG_INFINITY)])),
            ]),
        }];
        assert_eq!(
            resource_measures(&all),
            r#"{"a \"b\"":{"cpu":{"archive_policy_name":"low","measures":[{"timestamp":"1970-01-01T00:00:00.000000001","value":"nan"},{"timestamp":"1970-01-01T00:00:01","value":1e300}]},"mem":[],"there":[{"timestamp":"1970-01-01T00:00:00","value":"-inf"}]}}"#
        );
        assert_eq!(resource_measures(&[]), "{}");
        assert_eq!(metric_measures(&vec![(Uuid::nil(), vec![])]), format!("{{\"{}\":[]}}", Uuid::nil()));
    }
}
