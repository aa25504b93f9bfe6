//! Samples to metrics.
//!
//! | sample | metric |
//! |---|---|
//! | `gauge`, or of no type | a gauge |
//! | `cumulative` | a sum, cumulative and monotonic, of which nobody knows when it began |
//! | `delta` | a sum of deltas, which may be negative |
//! | meter, unit | name and unit, as they are |
//! | `resource_id` | `cloud.resource_id` of the resource |
//! | `project_id` | `cloud.account.id` of the resource |
//! | `user_id`, `user_name` | `user.id` and `user.name` of the resource |
//!
//! The names are those of the semantic conventions, which have none for the name of a project. `host.id` is not among them: a
//! sample does not say that its resource is a host. What is known of the resource beside that stays behind: it would be part of
//! what tells series apart, and changes.

use std::collections::HashMap;

use nephoscope_telemetry::{BadRecord, Sample};

use crate::conventions::attribute;
use crate::proto::metric::Data;
use crate::proto::number_data_point::Value;
use crate::proto::{
    AggregationTemporality, Gauge, InstrumentationScope, Metric, NumberDataPoint, Resource, ResourceMetrics,
    ScopeMetrics, Sum,
};

/// Who measured, as Ceilometer's own publisher says it.
const SCOPE: &str = "ceilometer";

/// A sample that can be a data point.
#[derive(Clone, Copy, Debug)]
pub struct Measured<'a> {
    sample: &'a Sample,
    time_unix_nano: u64,
    value: f64,
}

impl<'a> Measured<'a> {
    /// Of a sample; nothing of one without a volume. What has no number or no moment that OTLP can say is an error.
    pub fn of(sample: &'a Sample) -> Result<Option<Self>, BadRecord> {
        let Some((time, value)) = sample.measured()? else { return Ok(None) };
        let nanos = u64::try_from(time.as_micros()).ok().and_then(|micros| micros.checked_mul(1_000));
        let time_unix_nano = nanos.ok_or_else(|| {
            BadRecord::field("timestamp", &sample.timestamp, "is before 1970 or after 2554")
        })?;
        Ok(Some(Self { sample, time_unix_nano, value }))
    }

    fn point(&self) -> NumberDataPoint {
        NumberDataPoint {
            time_unix_nano: self.time_unix_nano,
            value: Some(Value::AsDouble(self.value)),
            ..NumberDataPoint::default()
        }
    }

    fn resource(&self) -> ResourceMetrics {
        let Sample { resource_id, project_id, user_id, user_name, .. } = self.sample;
        let attributes = [
            ("cloud.resource_id", Some(resource_id)),
            ("cloud.account.id", project_id.as_ref()),
            ("user.id", user_id.as_ref()),
            ("user.name", user_name.as_ref()),
        ];
        let attributes =
            attributes.into_iter().filter_map(|(name, value)| Some(attribute(name, value?.as_str())));
        let resource = Resource { attributes: attributes.collect(), ..Resource::default() };
        let scope = InstrumentationScope { name: SCOPE.into(), ..InstrumentationScope::default() };
        let scope_metrics = vec![ScopeMetrics { scope: Some(scope), ..ScopeMetrics::default() }];
        ResourceMetrics { resource: Some(resource), scope_metrics, ..ResourceMetrics::default() }
    }

    fn metric(&self) -> Metric {
        let sum = |temporality: AggregationTemporality, is_monotonic| {
            let aggregation_temporality = temporality as i32;
            Data::Sum(Sum { data_points: Vec::new(), aggregation_temporality, is_monotonic })
        };
        let data = match self.sample.kind.as_str() {
            "cumulative" => sum(AggregationTemporality::Cumulative, true),
            "delta" => sum(AggregationTemporality::Delta, false),
            _ => Data::Gauge(Gauge::default()),
        };
        let (name, unit) = (self.sample.name.to_string(), self.sample.unit.to_string());
        Metric { name, unit, data: Some(data), ..Metric::default() }
    }
}

/// The metrics of these samples under the resources that they share, in the order in which each was first met; the points of
/// a metric in the order of the samples.
pub fn metrics<'a>(samples: impl IntoIterator<Item = &'a Measured<'a>>) -> Vec<ResourceMetrics> {
    let mut found: Vec<ResourceMetrics> = Vec::new();
    let (mut resources, mut metrics) = (HashMap::new(), HashMap::new());
    for measured in samples {
        let Sample { resource_id, project_id, user_id, user_name, name, unit, kind, .. } = measured.sample;
        let at = *resources.entry((resource_id, project_id, user_id, user_name)).or_insert_with(|| {
            found.push(measured.resource());
            found.len() - 1
        });
        let of_resource = &mut found[at].scope_metrics[0].metrics;
        let metric = *metrics.entry((at, name, unit, kind)).or_insert_with(|| {
            of_resource.push(measured.metric());
            of_resource.len() - 1
        });
        if let Some(Data::Gauge(Gauge { data_points }) | Data::Sum(Sum { data_points, .. })) =
            &mut of_resource[metric].data
        {
            data_points.push(measured.point());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(kind: &str, resource: &str, second: u32, volume: &str) -> Sample {
        let text = format!(
            r#"{{"name": "m.{kind}", "type": "{kind}", "unit": "B", "volume": {volume}, "project_id": "p", "user_name": "u", "resource_id": "{resource}", "timestamp": "1970-01-01T00:00:{second:02}"}}"#
        );
        Sample::from_json(&text).unwrap()
    }

    fn of(samples: &[Sample]) -> Vec<ResourceMetrics> {
        let measured: Vec<_> = samples.iter().filter_map(|sample| Measured::of(sample).unwrap()).collect();
        metrics(&measured)
    }

    fn values(data: &Data) -> Vec<(u64, Value)> {
        let (Data::Gauge(Gauge { data_points }) | Data::Sum(Sum { data_points, .. })) = data else {
            panic!("{data:?} has other points")
        };
        data_points.iter().map(|point| (point.time_unix_nano / 1_000_000_000, point.value.unwrap())).collect()
    }

    #[test]
    fn samples_are_under_their_resources_and_metrics() {
        let found = of(&[
            sample("gauge", "a", 1, "1"),
            sample("cumulative", "a", 1, "7"),
            sample("gauge", "b", 1, "2"),
            sample("gauge", "a", 2, "null"),
            sample("gauge", "a", 3, "-0.5"),
        ]);
        let resources: Vec<_> =
            found.iter().map(|found| &found.resource.as_ref().unwrap().attributes).collect();
        let expected = ["a", "b"].map(|id| {
            [("cloud.resource_id", id), ("cloud.account.id", "p"), ("user.name", "u")]
                .map(|(name, value)| attribute(name, value))
        });
        assert_eq!(resources, expected.each_ref());
        let metrics = &found[0].scope_metrics[0].metrics;
        assert_eq!((metrics.len(), metrics[0].name.as_str(), metrics[0].unit.as_str()), (2, "m.gauge", "B"));
        assert_eq!(
            values(metrics[0].data.as_ref().unwrap()),
            [(1, Value::AsDouble(1.0)), (3, Value::AsDouble(-0.5))]
        );
    }

    #[test]
    fn a_type_is_a_temporality() {
        let kinds = ["cumulative", "delta", "gauge", ""];
        let found = of(&kinds.map(|kind| sample(kind, "a", 1, "1")));
        let data: Vec<_> =
            found[0].scope_metrics[0].metrics.iter().map(|metric| metric.data.as_ref().unwrap()).collect();
        let sum = |data: &Data| match data {
            Data::Sum(sum) => Some((sum.aggregation_temporality(), sum.is_monotonic)),
            _ => None,
        };
        assert_eq!(sum(data[0]), Some((AggregationTemporality::Cumulative, true)));
        assert_eq!(sum(data[1]), Some((AggregationTemporality::Delta, false)));
        assert!(data[2..].iter().all(|data| matches!(data, Data::Gauge(_))));
    }

    #[test]
    fn what_otlp_cannot_say_is_told() {
        let mut early = sample("gauge", "a", 1, "1");
        early.timestamp = "1969-12-31T23:59:59".into();
        let mut late = early.clone();
        late.timestamp = "2555-01-01T00:00:00".into();
        let many = sample("gauge", "a", 1, "\"many\"");
        for (sample, told) in [(early, "before 1970"), (late, "after 2554"), (many, "many")] {
            assert!(Measured::of(&sample).unwrap_err().to_string().contains(told));
        }
    }
}
