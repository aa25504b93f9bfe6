//! Many series put beside one another: the same periods in all of them.

use std::borrow::Cow;

use nephoscope_gnocchi::{Error, Fill, Result};

use super::Series;

/// Values that a calculation holds at a time, half a GiB: a year of 5 minutes of 600 metrics.
const MAX_VALUES: usize = 64 << 20;

/// Series with the same periods, a row of values for each. What is missing is NaN.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Aligned {
    /// Starts of the periods.
    pub(super) times: Vec<i64>,
    pub(super) rows: Vec<Vec<f64>>,
}

/// Puts series beside one another, and fills what is missing in some. Overlaps are for [`Aligned::overlap`].
pub(super) fn align(series: Vec<Series>, fill: Fill) -> Result<Aligned> {
    let times = union(&series);
    if times.len().saturating_mul(series.len()) > MAX_VALUES {
        return Err(too_many());
    }
    let missing = if let Fill::Number(number) = fill { number } else { f64::NAN };
    let spread = |series: Series| match series.times == times {
        true => series.values,
        false => spread(&series, &times, missing),
    };
    let mut rows: Vec<Vec<f64>> = series.into_iter().map(spread).collect();
    for row in &mut rows {
        match fill {
            Fill::Forward => carry(row.iter_mut()),
            Fill::Backward => carry(row.iter_mut().rev()),
            Fill::FullForward => {
                carry(row.iter_mut());
                carry(row.iter_mut().rev());
            }
            Fill::FullBackward => {
                carry(row.iter_mut().rev());
                carry(row.iter_mut());
            }
            Fill::Overlap(_) | Fill::Number(_) | Fill::Null | Fill::DropNa => {}
        }
    }
    Ok(Aligned { times, rows })
}

/// More values than are held.
pub(super) fn too_many() -> Error {
    Error::Invalid(format!(
        "the calculation is of more than {MAX_VALUES} values; ask for fewer metrics, a shorter time or a coarser granularity"
    ))
}

/// The values at these times, of which those of the series are some.
fn spread(series: &Series, times: &[i64], missing: f64) -> Vec<f64> {
    let mut row = vec![missing; times.len()];
    let mut places = times.iter().zip(&mut row);
    for (time, value) in series.times.iter().zip(&series.values) {
        if let Some((_, place)) = places.find(|(at, _)| *at == time) {
            *place = *value;
        }
    }
    row
}

/// Gives what has no value the one before.
fn carry<'a>(values: impl Iterator<Item = &'a mut f64>) {
    let mut last = f64::NAN;
    for value in values {
        if value.is_nan() {
            *value = last;
        } else {
            last = *value;
        }
    }
}

/// All times of all series, merged two by two, so that it takes time in proportion to them and little where they are the
/// same.
fn union(series: &[Series]) -> Vec<i64> {
    let mut lists: Vec<Cow<'_, [i64]>> = series.iter().map(|series| series.times.as_slice().into()).collect();
    // The same periods in all is what there is nearly always.
    lists.dedup();
    while lists.len() > 1 {
        let mut lists_left = lists.into_iter();
        let mut merged = Vec::with_capacity(lists_left.len().div_ceil(2));
        while let Some(one) = lists_left.next() {
            merged.push(match lists_left.next() {
                Some(other) if other != one => Cow::Owned(merge(&one, &other)),
                _ => one,
            });
        }
        lists = merged;
    }
    lists.pop().unwrap_or_default().into_owned()
}

/// What is in one or the other, in order, each once.
fn merge(one: &[i64], other: &[i64]) -> Vec<i64> {
    let mut merged = Vec::with_capacity(one.len().max(other.len()));
    let (mut one, mut other) = (one.iter().peekable(), other.iter().peekable());
    while let (Some(left), Some(right)) = (one.peek(), other.peek()) {
        let (left, right) = (**left, **right);
        merged.push(left.min(right));
        if left <= right {
            one.next();
        }
        if right <= left {
            other.next();
        }
    }
    merged.extend(one.chain(other));
    merged
}

impl Aligned {
    /// Cuts off, where no boundary was given, what is before the first and behind the last period that is in all series.
    /// What keeps the series from being aggregated, if so many per cent of the periods have to be in all.
    pub(super) fn overlap(&mut self, needed: f64, has_start: bool, has_stop: bool) -> Option<String> {
        let is_in_all =
            |at: usize| self.rows.iter().all(|row| row.get(at).is_some_and(|value| !value.is_nan()));
        let shared: Vec<usize> = (0..self.times.len()).filter(|at| is_in_all(*at)).collect();
        if shared.is_empty() && needed > 0.0 {
            return Some("No overlap".into());
        }
        let mut end = self.times.len();
        let mut start = 0;
        if let (Some(first), Some(last)) = (shared.first(), shared.last()) {
            start = if has_start { start } else { *first };
            end = if has_stop { end } else { last + 1 };
        }
        cut(&mut self.times, start, end);
        self.rows.iter_mut().for_each(|row| cut(row, start, end));
        if self.times.is_empty() {
            return None;
        }
        #[expect(clippy::cast_precision_loss, reason = "there is no memory for 2^53 periods")]
        let percent = shared.len() as f64 * 100.0 / self.times.len() as f64;
        let is_too_little = percent < needed;
        is_too_little
            .then(|| format!("Less than {needed:.6}% of datapoints overlap in this timespan ({percent:.2}%)"))
    }
}

fn cut<T>(list: &mut Vec<T>, start: usize, end: usize) {
    list.truncate(end);
    list.drain(..start);
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAN: f64 = f64::NAN;

    fn series(points: &[(i64, f64)]) -> Series {
        points.iter().copied().collect()
    }

    fn filled(fill: Fill) -> String {
        let one = series(&[(2, 20.0), (4, 40.0)]);
        let other = series(&[(1, 1.0), (3, 3.0), (4, NAN), (5, 5.0)]);
        let aligned = align(vec![one, other], fill).unwrap();
        assert_eq!(aligned.times, [1, 2, 3, 4, 5]);
        format!("{:?}", aligned.rows)
    }

    #[test]
    fn what_is_missing_is_filled_as_was_asked_for() {
        for (fill, rows) in [
            (Fill::Null, "[[NaN, 20.0, NaN, 40.0, NaN], [1.0, NaN, 3.0, NaN, 5.0]]"),
            (Fill::Number(7.0), "[[7.0, 20.0, 7.0, 40.0, 7.0], [1.0, 7.0, 3.0, NaN, 5.0]]"),
            (Fill::Forward, "[[NaN, 20.0, 20.0, 40.0, 40.0], [1.0, 1.0, 3.0, 3.0, 5.0]]"),
            (Fill::Backward, "[[20.0, 20.0, 40.0, 40.0, NaN], [1.0, 3.0, 3.0, 5.0, 5.0]]"),
            (Fill::FullForward, "[[20.0, 20.0, 20.0, 40.0, 40.0], [1.0, 1.0, 3.0, 3.0, 5.0]]"),
            (Fill::FullBackward, "[[20.0, 20.0, 40.0, 40.0, 40.0], [1.0, 3.0, 3.0, 5.0, 5.0]]"),
        ] {
            assert_eq!(filled(fill), rows, "{fill:?}");
        }
    }

    #[test]
    fn an_overlap_is_cut_where_no_boundary_was_given() {
        let one = series(&[(1, 1.0), (2, 2.0), (3, 3.0), (5, 5.0)]);
        let other = series(&[(2, 2.0), (4, 4.0), (5, 5.0), (6, 6.0)]);
        let aligned = align(vec![one, other], Fill::Null).unwrap();
        for (has_start, has_stop, times, percent) in [
            (false, false, &[2, 3, 4, 5][..], "50.00"),
            (true, false, &[1, 2, 3, 4, 5], "40.00"),
            (false, true, &[2, 3, 4, 5, 6], "40.00"),
            (true, true, &[1, 2, 3, 4, 5, 6], "33.33"),
        ] {
            let mut cut = aligned.clone();
            let problem = cut.overlap(99.5, has_start, has_stop).unwrap();
            let expected =
                format!("Less than 99.500000% of datapoints overlap in this timespan ({percent}%)");
            assert_eq!(problem, expected);
            assert_eq!(cut.times, times);
            assert_eq!(aligned.clone().overlap(33.0, has_start, has_stop), None);
        }
    }

    #[test]
    fn without_overlap_nothing_is_cut_and_only_zero_per_cent_will_do() {
        let aligned = align(vec![series(&[(1, 1.0)]), series(&[(2, 2.0)])], Fill::Null).unwrap();
        let mut uncut = aligned.clone();
        assert_eq!(uncut.overlap(0.0, false, false), None);
        assert_eq!(format!("{uncut:?}"), format!("{aligned:?}"));
        assert_eq!(uncut.overlap(0.1, false, false).as_deref(), Some("No overlap"));
    }

    #[test]
    fn more_values_than_fit_are_refused() {
        let many = |from: i64| (from..from + 10_000).map(|time| (time * 7, 0.0)).collect::<Series>();
        let far = (0..100).map(|at| many(at * 10_000)).collect();
        assert!(matches!(align(far, Fill::Null), Err(Error::Invalid(_))));
    }
}
