//! What is made of the measures of one period, to the last bit as numpy makes it for Gnocchi.

use std::cmp::Ordering;

use nephoscope_gnocchi::Function;

/// The values of one period, with room to put them in order.
#[derive(Debug, Default)]
pub(crate) struct Group {
    /// In order of time.
    values: Vec<f64>,
    /// How many came before them in the same calculation.
    before: u64,
    /// In order of size, once somebody asks.
    sorted: Vec<f64>,
    sum: Option<f64>,
}

impl Group {
    /// Begins another period.
    pub(crate) fn restart(&mut self, before: u64) {
        self.values.clear();
        self.sorted.clear();
        self.sum = None;
        self.before = before;
    }

    /// Takes the next value; before anything is asked.
    pub(crate) fn push(&mut self, value: f64) {
        self.values.push(value);
    }

    pub(crate) fn count(&self) -> u64 {
        self.values.len() as u64
    }

    /// The aggregate. A single value has no deviation; no value has nothing.
    pub(crate) fn aggregate(&mut self, function: Function) -> Option<f64> {
        let (first, last) = (*self.values.first()?, *self.values.last()?);
        Some(match function {
            Function::Mean => self.mean(),
            Function::Sum => self.sum(),
            Function::Last => last,
            Function::First => first,
            Function::Count => self.length(),
            Function::Max => self.values.iter().copied().reduce(greater)?,
            Function::Min => self.values.iter().copied().reduce(less)?,
            Function::Std => return self.deviation(),
            Function::Median => self.median(),
            Function::Percentile(percent) => self.percentile(percent),
        })
    }

    #[expect(clippy::cast_precision_loss, reason = "there is no memory for 2^53 values")]
    fn length(&self) -> f64 {
        self.values.len() as f64
    }

    fn sum(&mut self) -> f64 {
        let values = &self.values;
        // Begins with 0, so that the sum of -0 is 0, as numpy.bincount has it.
        *self.sum.get_or_insert_with(|| values.iter().fold(0.0, |sum, value| sum + value))
    }

    fn mean(&mut self) -> f64 {
        self.sum() / self.length()
    }

    fn deviation(&mut self) -> Option<f64> {
        if self.values.len() < 2 {
            return None;
        }
        let mean = self.mean();
        let squares = self.values.iter().fold(0.0, |sum, value| sum + (value - mean) * (value - mean));
        Some((squares / (self.length() - 1.0)).sqrt())
    }

    fn sort(&mut self) {
        if self.sorted.is_empty() {
            self.sorted.extend_from_slice(&self.values);
            self.sorted.sort_by(|left, right| by_size(*left, *right));
        }
    }

    fn median(&mut self) -> f64 {
        self.sort();
        let length = self.sorted.len();
        (self.sorted[(length - 1) / 2] + self.sorted[length / 2]) / 2.0
    }

    /// Between the two closest ranks. The rank is counted from the start of the whole calculation, as numpy has the values
    /// of all periods in one array: where it falls in between is rounded there.
    #[expect(clippy::cast_precision_loss, reason = "there is no memory for 2^53 values")]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "ranks are whole and small")]
    fn percentile(&mut self, percent: u8) -> f64 {
        self.sort();
        let rank = self.before as f64 + (self.length() - 1.0) * (f64::from(percent) / 100.0);
        let (below, above) = (rank.floor(), rank.ceil());
        let at = |rank: f64| {
            let at = (rank as u64).saturating_sub(self.before) as usize;
            self.sorted[at.min(self.sorted.len() - 1)]
        };
        if below == above {
            return at(below);
        }
        at(below) * (above - rank) + at(above) * (rank - below)
    }
}

/// By size, NaN behind all numbers.
pub(super) fn by_size(left: f64, right: f64) -> Ordering {
    left.partial_cmp(&right).unwrap_or_else(|| left.is_nan().cmp(&right.is_nan()))
}

/// The less of two; NaN only if both are.
fn less(left: f64, right: f64) -> f64 {
    if by_size(right, left).is_lt() { right } else { left }
}

/// The greater of two; NaN if one is.
fn greater(left: f64, right: f64) -> f64 {
    if by_size(right, left).is_lt() { left } else { right }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aggregate(function: Function, values: &[f64]) -> Option<f64> {
        let mut group = Group::default();
        group.restart(0);
        values.iter().for_each(|value| group.push(*value));
        group.aggregate(function)
    }

    #[test]
    fn a_single_value_has_no_deviation_and_none_has_nothing() {
        assert_eq!(aggregate(Function::Std, &[3.0]), None);
        assert_eq!(aggregate(Function::Std, &[3.0, 5.0]), Some(2f64.sqrt()));
        assert_eq!(aggregate(Function::Count, &[]), None);
    }

    #[test]
    fn the_least_leaves_nan_out_and_the_greatest_does_not() {
        let values = [1.0, f64::NAN, 0.5];
        assert_eq!(aggregate(Function::Min, &values), Some(0.5));
        assert!(aggregate(Function::Max, &values).unwrap().is_nan());
        assert_eq!(aggregate(Function::First, &values), Some(1.0));
        assert_eq!(aggregate(Function::Median, &values), Some(1.0));
    }

    #[test]
    fn ranks_fall_between_values() {
        let values = [40.0, 10.0, 30.0, 20.0];
        assert_eq!(aggregate(Function::Median, &values), Some(25.0));
        assert_eq!(aggregate(Function::Percentile(50), &values), Some(25.0));
        assert_eq!(aggregate(Function::Percentile(1), &values), Some(10.299_999_999_999_999));
        assert_eq!(aggregate(Function::Percentile(99), &[7.0]), Some(7.0));
    }
}
