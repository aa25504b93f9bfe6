//! Series aggregated again to another resolution.

use nephoscope_gnocchi::{AggregationMethod, Error, Function, Resolution, Result, Timestamp};

use super::Series;
use crate::series::Group;

/// Aggregates a series again. A missing value, NaN, counts as a value: it makes sums and means NaN.
pub(super) fn resample(
    times: &[i64],
    values: &[f64],
    method: AggregationMethod,
    resolution: Resolution,
) -> Result<Series> {
    if !method.rate {
        return Ok(group(times.iter().copied().zip(values.iter().copied()), method.function, resolution));
    }
    if !matches!(resolution, Resolution::Span(_)) {
        return Err(Error::Invalid("Cannot derive aggregates on calendar granularities.".into()));
    }
    let pairs = values.iter().zip(values.iter().skip(1));
    let differences = pairs.map(|(earlier, later)| later - earlier);
    Ok(group(times.iter().skip(1).copied().zip(differences), method.function, resolution))
}

fn group(points: impl Iterator<Item = (i64, f64)>, function: Function, resolution: Resolution) -> Series {
    let mut resampled = Series::default();
    let mut group = Group::default();
    let mut period: Option<i64> = None;
    let mut before = 0;
    let mut finish = |group: &mut Group, period: Option<i64>| {
        if let (Some(period), Some(value)) = (period, group.aggregate(function)) {
            resampled.times.push(period);
            resampled.values.push(value);
        }
    };
    for (time, value) in points {
        let start = resolution.floor(Timestamp::from_nanos(time)).as_nanos();
        if period != Some(start) {
            finish(&mut group, period);
            before += group.count();
            group.restart(before);
            period = Some(start);
        }
        group.push(value);
    }
    finish(&mut group, period);
    resampled
}
