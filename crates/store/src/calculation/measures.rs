//! Reading one metric.

use nephoscope_gnocchi::{Error, Metric, Point, Range, Resolution, Result, Timespan, Timestamp};

use super::resampled::resample;
use super::{Series, Source};

/// Periods that Gnocchi keeps in one object. It reads whole ones, so that periods of a resampled series that reach over the
/// start or stop hold all of them that lies in the same object.
const PERIODS_OF_OBJECT: i64 = 3600;

/// Aggregates of a metric, those of coarse granularity first.
pub(crate) fn measures(source: &impl Source, metric: &Metric, range: &Range) -> Result<Vec<Point>> {
    let policy = &metric.archive_policy;
    if !policy.aggregation_methods.contains(&range.aggregation) {
        return Err(Error::NoSuchAggregation {
            metric: metric.id.to_string(),
            method: range.aggregation.to_string(),
            granularity: range.granularity.or(policy.coarsest()).map_or(0.0, Timespan::as_seconds),
        });
    }
    let mut points = Vec::new();
    for granularity in granularities(metric, range)? {
        let (resolution, series) = match range.resample {
            None => {
                let start = range.start.map(|start| start.floor(granularity));
                let series = source.series(metric, range.aggregation, granularity, start, range.stop)?;
                (Resolution::Span(granularity), series)
            }
            Some(resolution) => (resolution, resampled(source, metric, range, granularity, resolution)?),
        };
        points.reserve(series.times.len());
        points.extend(series.times.iter().zip(series.values).map(|(time, value)| Point {
            timestamp: Timestamp::from_nanos(*time),
            granularity: resolution,
            value,
        }));
    }
    Ok(points)
}

/// Those that are asked for, coarse first.
fn granularities(metric: &Metric, range: &Range) -> Result<Vec<Timespan>> {
    let all = metric.archive_policy.definition.iter().map(|definition| definition.granularity);
    let mut granularities: Vec<_> =
        all.filter(|granularity| range.granularity.is_none_or(|wanted| wanted == *granularity)).collect();
    granularities.sort_by_key(|granularity| std::cmp::Reverse(*granularity));
    match range.granularity {
        Some(granularity) if granularities.is_empty() => Err(Error::NoSuchGranularity {
            metric: metric.id.to_string(),
            method: range.aggregation.to_string(),
            granularity: granularity.as_seconds(),
        }),
        _ => Ok(granularities),
    }
}

fn resampled(
    source: &impl Source,
    metric: &Metric,
    range: &Range,
    granularity: Timespan,
    resolution: Resolution,
) -> Result<Series> {
    let object = Timespan::from_nanos(granularity.as_nanos().saturating_mul(PERIODS_OF_OBJECT))
        .expect("a multiple of what is more than nothing");
    let start = range.start.map(|start| start.floor(object));
    let stop = range
        .stop
        .map(|stop| Timestamp::from_nanos(stop.floor(object).as_nanos().saturating_add(object.as_nanos())));
    let series = source.series(metric, range.aggregation, granularity, start, stop)?;
    let mut series = resample(&series.times, &series.values, range.aggregation, resolution)?;
    if let Some(stop) = range.stop {
        let end = series.times.partition_point(|time| *time < stop.as_nanos());
        series.times.truncate(end);
        series.values.truncate(end);
    }
    if let Some(start) = range.start {
        let start = resolution.floor(start).as_nanos();
        let begin = series.times.partition_point(|time| *time < start);
        series.times.drain(..begin);
        series.values.drain(..begin);
    }
    Ok(series)
}
