//! Stands in for `series` until that is here: measures in memory alone, and the simplest of the aggregates.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use nephoscope_gnocchi::{AggregationMethod, Definition, Function, Point, Timestamp};

use crate::index::{Batch, MetricKey};

#[derive(Debug, Default)]
pub(crate) struct Series {
    raw: Mutex<HashMap<MetricKey, BTreeMap<Timestamp, f64>>>,
}

impl Series {
    pub(crate) fn write(&self, batch: Batch) {
        let mut raw = self.raw.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, _, measures) in batch {
            let series = raw.entry(key).or_default();
            series.extend(measures.iter().map(|measure| (measure.timestamp, measure.value)));
        }
    }

    pub(crate) fn forget(&self, keys: &[MetricKey]) {
        let mut raw = self.raw.lock().unwrap_or_else(PoisonError::into_inner);
        raw.retain(|key, _| !keys.contains(key));
    }

    pub(crate) fn points(
        &self,
        key: MetricKey,
        method: AggregationMethod,
        definition: &Definition,
        start: Option<Timestamp>,
        stop: Option<Timestamp>,
    ) -> Vec<Point> {
        let raw = self.raw.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(series) = raw.get(&key) else { return Vec::new() };
        let mut periods: BTreeMap<Timestamp, Vec<f64>> = BTreeMap::new();
        for (time, value) in series {
            periods.entry(time.floor(definition.granularity)).or_default().push(*value);
        }
        let start =
            start.map_or(Timestamp::from_nanos(i64::MIN), |start| start.floor(definition.granularity));
        periods
            .into_iter()
            .filter(|(time, _)| *time >= start && stop.is_none_or(|stop| *time < stop))
            .filter_map(|(timestamp, values)| {
                let value = aggregate(method.function, &values)?;
                Some(Point { timestamp, granularity: definition.granularity.into(), value })
            })
            .collect()
    }
}

fn aggregate(function: Function, values: &[f64]) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "few measures")]
    let count = values.len() as f64;
    let sum: f64 = values.iter().sum();
    Some(match function {
        Function::Mean => sum / count,
        Function::Sum => sum,
        Function::Count => count,
        Function::First => *values.first()?,
        Function::Last => *values.last()?,
        Function::Min => values.iter().copied().fold(f64::INFINITY, f64::min),
        Function::Max => values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        Function::Std | Function::Median | Function::Percentile(_) => return None,
    })
}
