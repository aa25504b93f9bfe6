//! Samples as series of Prometheus.
//!
//! | label | what |
//! |---|---|
//! | `__name__` | the meter, as Ceilometer's publisher for Prometheus writes it: `.` and `-` become `_`; so does everything else that Prometheus does not take there, and before a digit stands a `_` |
//! | `meter` | the meter as it is, which tells apart what has one name |
//! | `resource_id`, `project_id`, `user_id` | as of the sample |
//! | `type`, `unit` | as of the sample: `cumulative` is what Prometheus calls a counter |
//!
//! What a sample does not say is no label. Of several values that a series has in a millisecond the last counts. A sample
//! without a volume is passed over.

use std::collections::HashMap;
use std::ops::Range;

use indexmap::IndexMap;
use nephoscope_remote_write::{Label, Sample as Written, TimeSeries};
use nephoscope_telemetry::{Refused, Sample};

/// The values of many samples.
#[derive(Debug, Default)]
pub(super) struct Series<'a> {
    /// What each series is.
    keys: Vec<Key<'a>>,
    /// In order of time.
    pub(super) values: Vec<Value>,
    /// Samples that cannot be written.
    pub(super) refused: Vec<Refused>,
}

#[derive(Debug)]
pub(super) struct Value {
    /// Which sample it is of.
    pub(super) at: usize,
    /// Which series it is of.
    series: usize,
    written: Written,
}

/// What tells series apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key<'a> {
    meter: &'a str,
    project_id: Option<&'a str>,
    resource_id: &'a str,
    kind: &'a str,
    unit: &'a str,
    user_id: Option<&'a str>,
}

impl<'a> Series<'a> {
    pub(super) fn of(samples: &'a [Sample]) -> Self {
        let (mut series, mut places) = (Self::default(), HashMap::new());
        for (at, sample) in samples.iter().enumerate() {
            match sample.measured() {
                Ok(None) => {}
                Ok(Some((time, value))) => {
                    let key = Key::of(sample);
                    let place = *places.entry(key).or_insert_with(|| {
                        series.keys.push(key);
                        series.keys.len() - 1
                    });
                    let written = Written { value, timestamp: time.as_micros().div_euclid(1_000) };
                    series.values.push(Value { at, series: place, written });
                }
                Err(reason) => series.refused.push(Refused { at, reason: reason.to_string() }),
            }
        }
        series.put_in_order();
        series
    }

    /// Of all series together: Prometheus takes nothing that is much older than the newest that it has of any.
    fn put_in_order(&mut self) {
        let moment = |value: &Value| (value.written.timestamp, value.series);
        self.values.sort_by_key(moment);
        // The later one takes the place of the one that is kept.
        self.values.dedup_by(|later, kept| {
            let is_same = moment(later) == moment(kept);
            if is_same {
                std::mem::swap(later, kept);
            }
            is_same
        });
    }

    /// What a request says of these values: each series once.
    pub(super) fn request(&self, values: Range<usize>) -> Vec<TimeSeries> {
        let mut request: IndexMap<usize, Vec<Written>> = IndexMap::new();
        for value in &self.values[values] {
            request.entry(value.series).or_default().push(value.written);
        }
        let series =
            |(series, samples): (usize, _)| TimeSeries { labels: self.keys[series].labels(), samples };
        request.into_iter().map(series).collect()
    }
}

impl<'a> Key<'a> {
    fn of(sample: &'a Sample) -> Self {
        Self {
            meter: &sample.name,
            project_id: sample.project_id.as_deref(),
            resource_id: &sample.resource_id,
            kind: &sample.kind,
            unit: &sample.unit,
            user_id: sample.user_id.as_deref(),
        }
    }

    /// In order of their names, as the specification wants them.
    fn labels(&self) -> Vec<Label> {
        let name = metric_name(self.meter);
        let labels = [
            ("__name__", name.as_str()),
            ("meter", self.meter),
            ("project_id", self.project_id.unwrap_or_default()),
            ("resource_id", self.resource_id),
            ("type", self.kind),
            ("unit", self.unit),
            ("user_id", self.user_id.unwrap_or_default()),
        ];
        let said = labels.into_iter().filter(|(_, value)| !value.is_empty());
        said.map(|(name, value)| Label { name: name.into(), value: value.into() }).collect()
    }
}

/// Source: Ceilometer 27, `ceilometer/publisher/prometheus.py`; of what is legal, Prometheus, "Metric names and labels".
fn metric_name(meter: &str) -> String {
    let legal = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == ':';
    let mut name: String = meter.chars().map(|letter| if legal(letter) { letter } else { '_' }).collect();
    if name.is_empty() || name.starts_with(|letter: char| letter.is_ascii_digit()) {
        name.insert(0, '_');
    }
    name
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sample(meter: &str, resource: &str, second: u32, volume: &str) -> Sample {
        let text = format!(
            r#"{{"name": "{meter}", "type": "gauge", "unit": "B", "volume": {volume}, "project_id": "p", "resource_id": "{resource}", "timestamp": "2026-01-02T03:04:{second:02}.0015+00:00"}}"#
        );
        Sample::from_json(&text).unwrap()
    }

    fn labels(series: &TimeSeries) -> String {
        let labels = series.labels.iter().map(|label| format!("{}={}", label.name, label.value));
        labels.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn names_are_those_of_ceilometer_and_legal() {
        for (meter, name) in [
            ("disk.device.read.bytes", "disk_device_read_bytes"),
            ("hardware.ipmi.fan-speed", "hardware_ipmi_fan_speed"),
            ("compute:x_1", "compute:x_1"),
            ("9.lives", "_9_lives"),
            ("Größe in %", "Gr__e_in__"),
            ("", "_"),
        ] {
            assert_eq!(metric_name(meter), name);
        }
    }

    #[test]
    fn values_are_in_order_of_time_and_those_of_a_series_together() {
        let samples = [
            sample("cpu", "a", 2, "2"),
            sample("cpu", "b", 1, "7"),
            sample("cpu", "a", 1, "1"),
            sample("cpu", "a", 2, "3"),
            sample("c-pu", "a", 2, "4"),
            sample("cpu", "a", 3, "null"),
        ];
        let series = Series::of(&samples);
        let request = series.request(0..series.values.len());
        let told: Vec<_> = request.iter().map(labels).collect();
        assert_eq!(told[0], "__name__=cpu meter=cpu project_id=p resource_id=a type=gauge unit=B");
        assert_eq!((told.len(), &told[2]), (3, &told[0].replace("=cpu meter=cpu", "=c_pu meter=c-pu")));
        let second = 1_767_323_041_001;
        let values: Vec<_> =
            request[0].samples.iter().map(|one| (one.timestamp - second, one.value)).collect();
        assert_eq!(values, [(0, 1.0), (1_000, 3.0)]);
        assert_eq!(series.values.iter().map(|value| value.at).collect::<Vec<_>>(), [2, 1, 3, 4]);
        assert_eq!(series.request(1..3).len(), 2);
    }

    #[test]
    fn what_has_no_time_or_number_is_refused() {
        let mut late = sample("cpu", "a", 1, "1");
        late.timestamp = "late".into();
        let samples = [late, sample("cpu", "a", 1, "1"), sample("cpu", "a", 1, "\"many\"")];
        let refused = Series::of(&samples).refused;
        assert_eq!(refused.iter().map(|refused| refused.at).collect::<Vec<_>>(), [0, 2]);
        assert!(refused[0].reason.contains("`late`") && refused[1].reason.contains("many"), "{refused:?}");
    }

    proptest! {
        #[test]
        fn every_name_is_legal(meter in ".*") {
            let name = metric_name(&meter);
            let legal = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == ':';
            prop_assert!(name.chars().all(legal) && !name.starts_with(|first: char| first.is_ascii_digit()));
            prop_assert_eq!(name.is_empty(), false);
        }
    }
}
