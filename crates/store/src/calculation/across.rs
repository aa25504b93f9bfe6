//! Functions of many values that leave out what is no number: those that numpy names `nanmean`, `nanstd` and so on.

use nephoscope_gnocchi::CrossFunction;

/// Numbers that numpy adds up in one go, in eight sums; more are halved first.
const PAIRWISE_BLOCK: usize = 128;

/// What a function makes of these rows, column by column.
///
/// With one column numpy has all values in a line, and adds them up pairwise; else row after row.
pub(super) fn across_rows(function: CrossFunction, rows: &[Vec<f64>]) -> Vec<f64> {
    let Some(first) = rows.first() else { return Vec::new() };
    if let [_] = first.as_slice() {
        let values: Vec<f64> = rows.iter().filter_map(|row| row.first().copied()).collect();
        return vec![over(function, &values, &mut Vec::new())];
    }
    let width = first.len();
    match function {
        CrossFunction::Mean => means(rows, &counts(rows, width)),
        CrossFunction::Sum => sums(rows, width, |value, _| value),
        CrossFunction::Count => counts(rows, width),
        CrossFunction::Min => fold(rows, width, f64::min),
        CrossFunction::Max => fold(rows, width, f64::max),
        CrossFunction::Var => variances(rows, width),
        CrossFunction::Std => variances(rows, width).into_iter().map(f64::sqrt).collect(),
        CrossFunction::Median => {
            let mut column = Vec::with_capacity(rows.len());
            let median = |at: usize| {
                column.clear();
                column.extend(rows.iter().filter_map(|row| row.get(at)).filter(|value| !value.is_nan()));
                median(&mut column)
            };
            (0..width).map(median).collect()
        }
    }
}

/// What a function makes of neighbouring values.
pub(super) fn over(function: CrossFunction, values: &[f64], scratch: &mut Vec<f64>) -> f64 {
    let count = || {
        #[expect(clippy::cast_precision_loss, reason = "there is no memory for 2^53 values")]
        let count = values.iter().filter(|value| !value.is_nan()).count() as f64;
        count
    };
    let sum =
        |of: &dyn Fn(f64) -> f64| pairwise_sum(values, &|value| if value.is_nan() { 0.0 } else { of(value) });
    match function {
        CrossFunction::Mean => sum(&|value| value) / count(),
        CrossFunction::Sum => sum(&|value| value),
        CrossFunction::Count => count(),
        CrossFunction::Min => values.iter().copied().fold(f64::NAN, f64::min),
        CrossFunction::Max => values.iter().copied().fold(f64::NAN, f64::max),
        CrossFunction::Var | CrossFunction::Std => {
            let count = count();
            let mean = sum(&|value| value) / count;
            let variance = sum(&|value| (value - mean) * (value - mean)) / count;
            if function == CrossFunction::Std { variance.sqrt() } else { variance }
        }
        CrossFunction::Median => {
            scratch.clear();
            scratch.extend(values.iter().filter(|value| !value.is_nan()));
            median(scratch)
        }
    }
}

/// The middle one, or the mean of the middle two; NaN of nothing.
fn median(values: &mut [f64]) -> f64 {
    let length = values.len();
    let (smaller, upper, _) = match length {
        0 => return f64::NAN,
        _ => values.select_nth_unstable_by(length / 2, f64::total_cmp),
    };
    let upper = *upper;
    let lower =
        if length % 2 == 1 { upper } else { smaller.iter().copied().fold(f64::NEG_INFINITY, f64::max) };
    (lower + upper) / 2.0
}

fn counts(rows: &[Vec<f64>], width: usize) -> Vec<f64> {
    let mut counts = vec![0.0; width];
    for row in rows {
        for (count, value) in counts.iter_mut().zip(row) {
            *count += if value.is_nan() { 0.0 } else { 1.0 };
        }
    }
    counts
}

/// Sums of what becomes of each value, given its column.
fn sums(rows: &[Vec<f64>], width: usize, of: impl Fn(f64, usize) -> f64) -> Vec<f64> {
    // So begins numpy, for sums of -0 to be -0.
    let mut sums = vec![-0.0; width];
    for row in rows {
        for (at, (sum, value)) in sums.iter_mut().zip(row).enumerate() {
            *sum += if value.is_nan() { 0.0 } else { of(*value, at) };
        }
    }
    sums
}

fn means(rows: &[Vec<f64>], counts: &[f64]) -> Vec<f64> {
    let sums = sums(rows, counts.len(), |value, _| value);
    sums.into_iter().zip(counts).map(|(sum, count)| sum / count).collect()
}

fn variances(rows: &[Vec<f64>], width: usize) -> Vec<f64> {
    let counts = counts(rows, width);
    let means = means(rows, &counts);
    let square = |value: f64, at: usize| {
        let distance = value - means.get(at).copied().unwrap_or(f64::NAN);
        distance * distance
    };
    let squares = sums(rows, width, square);
    squares.into_iter().zip(counts).map(|(sum, count)| sum / count).collect()
}

fn fold(rows: &[Vec<f64>], width: usize, function: fn(f64, f64) -> f64) -> Vec<f64> {
    let mut folded = vec![f64::NAN; width];
    for row in rows {
        for (folded, value) in folded.iter_mut().zip(row) {
            *folded = function(*folded, *value);
        }
    }
    folded
}

/// The sum, added up in the order in which numpy does it.
fn pairwise_sum(values: &[f64], of: &dyn Fn(f64) -> f64) -> f64 {
    let length = values.len();
    if length < 8 {
        return values.iter().fold(-0.0, |sum, value| sum + of(*value));
    }
    if length <= PAIRWISE_BLOCK {
        let (eights, rest) = values.as_chunks::<8>();
        let mut sums = [-0.0; 8];
        for eight in eights {
            for (sum, value) in sums.iter_mut().zip(eight) {
                *sum += of(*value);
            }
        }
        let [a, b, c, d, e, f, g, h] = sums;
        let sum = ((a + b) + (c + d)) + ((e + f) + (g + h));
        return rest.iter().fold(sum, |sum, value| sum + of(*value));
    }
    let half = length / 2;
    let (left, right) = values.split_at(half - half % 8);
    pairwise_sum(left, of) + pairwise_sum(right, of)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(function: CrossFunction, values: &[f64]) -> f64 {
        over(function, values, &mut Vec::new())
    }

    #[test]
    fn what_is_no_number_is_left_out_and_nothing_has_no_mean() {
        let nan = f64::NAN;
        assert_eq!(of(CrossFunction::Mean, &[1.0, nan, 2.0]), 1.5);
        assert_eq!(of(CrossFunction::Count, &[1.0, nan, 2.0]), 2.0);
        assert_eq!(of(CrossFunction::Var, &[1.0, nan, 3.0]), 1.0);
        assert_eq!(of(CrossFunction::Median, &[3.0, nan, 1.0, 2.0, 4.0]), 2.5);
        assert_eq!(of(CrossFunction::Min, &[nan, 3.0, 1.0]), 1.0);
        assert_eq!(of(CrossFunction::Sum, &[nan]), 0.0);
        for function in [CrossFunction::Mean, CrossFunction::Std, CrossFunction::Median, CrossFunction::Max] {
            assert!(of(function, &[nan, nan]).is_nan(), "{function:?}");
        }
    }

    #[test]
    fn rows_and_windows_agree_where_rounding_does_not_matter() {
        let rows = vec![vec![1.0, f64::NAN, 4.0], vec![3.0, 8.0, 4.0], vec![2.0, 6.0, f64::NAN]];
        for function in [
            CrossFunction::Mean,
            CrossFunction::Median,
            CrossFunction::Min,
            CrossFunction::Max,
            CrossFunction::Sum,
            CrossFunction::Var,
            CrossFunction::Std,
            CrossFunction::Count,
        ] {
            let columns: Vec<f64> =
                (0..3).map(|at| of(function, &rows.iter().map(|row| row[at]).collect::<Vec<_>>())).collect();
            assert_eq!(across_rows(function, &rows), columns, "{function:?}");
        }
    }

    const NUMPY: f64 = 6.282663880299504;

    #[test]
    fn long_sums_are_halved_at_multiples_of_eight() {
        // What numpy.sum gives of 1, 1/2, … 1/300.
        let values: Vec<f64> = (1..=300).map(|x| 1.0 / f64::from(x)).collect();
        assert_eq!(pairwise_sum(&values, &|x| x), NUMPY);
        assert_ne!(values.iter().sum::<f64>(), NUMPY);
    }
}
