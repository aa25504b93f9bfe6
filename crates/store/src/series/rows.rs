//! Aggregates of one granularity, a row for each period and a column for each method.

/// Stands where a row has no value: a NaN that no calculation gives.
const ABSENT: u64 = 0x7ff5_ab5e_0000_0001;

/// A value that is not there.
pub(super) const fn absent() -> f64 {
    f64::from_bits(ABSENT)
}

/// Whether a value is there.
pub(super) const fn is_present(value: f64) -> bool {
    value.to_bits() != ABSENT
}

/// Rows in order of time.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Rows {
    /// Start of each period.
    periods: Vec<i64>,
    /// Row behind row.
    values: Vec<f64>,
}

impl Rows {
    pub(super) fn is_empty(&self) -> bool {
        self.periods.is_empty()
    }

    pub(super) fn periods(&self) -> &[i64] {
        &self.periods
    }

    /// The row of a period, made if there is none.
    pub(super) fn row(&mut self, period: i64, width: usize) -> &mut [f64] {
        let at = match self.periods.last() {
            Some(last) if *last == period => self.periods.len() - 1,
            Some(last) if *last > period => match self.periods.binary_search(&period) {
                Ok(at) => at,
                Err(at) => {
                    self.periods.insert(at, period);
                    self.values.splice(at * width..at * width, (0..width).map(|_| absent()));
                    at
                }
            },
            _ => {
                self.periods.push(period);
                self.values.resize(self.values.len() + width, absent());
                self.periods.len() - 1
            }
        };
        &mut self.values[at * width..(at + 1) * width]
    }

    /// One value.
    pub(super) fn value(&self, row: usize, column: usize, width: usize) -> f64 {
        self.values[row * width + column]
    }

    /// Removes the values of periods before a time, which each column has.
    pub(super) fn remove_before(&mut self, kept_from: &[i64]) {
        let width = kept_from.len();
        let Some(earliest) = kept_from.iter().min() else { return };
        let gone = self.periods.partition_point(|period| period < earliest);
        self.periods.drain(..gone);
        self.values.drain(..gone * width);
        for (period, row) in self.periods.iter().zip(self.values.chunks_exact_mut(width)) {
            for (value, kept_from) in row.iter_mut().zip(kept_from) {
                if period < kept_from {
                    *value = absent();
                }
            }
        }
    }

    /// Sets the values that are there in the other rows, which are newer.
    pub(super) fn overlay(&mut self, newer: &Self, width: usize) {
        for (period, values) in newer.iter(width) {
            let row = self.row(period, width);
            for (old, new) in row.iter_mut().zip(values) {
                if is_present(*new) {
                    *old = *new;
                }
            }
        }
    }

    pub(super) fn iter(&self, width: usize) -> impl Iterator<Item = (i64, &[f64])> {
        // A policy without methods has rows without values.
        let rows = (0..self.periods.len()).map(move |at| &self.values[at * width..(at + 1) * width]);
        self.periods.iter().copied().zip(rows)
    }

    /// The values of one column that are there, and of a time.
    pub(super) fn column(
        &self,
        column: usize,
        width: usize,
        (from, until): (i64, i64),
    ) -> impl Iterator<Item = (i64, f64)> {
        let begin = self.periods.partition_point(|period| *period < from);
        let end = self.periods.partition_point(|period| *period < until).max(begin);
        let values = (begin..end).map(move |row| (self.periods[row], self.value(row, column, width)));
        values.filter(|(_, value)| is_present(*value))
    }

    /// How much memory the rows take.
    pub(super) fn bytes(&self) -> usize {
        8 * (self.periods.capacity() + self.values.capacity())
    }
}

/// Puts newer points over older ones; both in order of time.
pub(super) fn overlay(points: &mut Vec<(i64, f64)>, newer: impl IntoIterator<Item = (i64, f64)>) {
    let mut newer = newer.into_iter().peekable();
    let Some((first, _)) = newer.peek().copied() else { return };
    let at = points.partition_point(|(period, _)| *period < first);
    if at == points.len() {
        points.extend(newer);
        return;
    }
    let older = points.split_off(at);
    let mut older = older.into_iter().peekable();
    for point in newer {
        while let Some(old) = older.next_if(|(period, _)| *period < point.0) {
            points.push(old);
        }
        let _replaced = older.next_if(|(period, _)| *period == point.0);
        points.push(point);
    }
    points.extend(older);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newer_rows_replace_what_they_have() {
        let mut rows = Rows::default();
        rows.row(20, 2).copy_from_slice(&[1.0, 2.0]);
        rows.row(10, 2)[0] = 3.0;
        let mut newer = Rows::default();
        newer.row(20, 2)[1] = 9.0;
        newer.row(15, 2)[0] = f64::NAN;
        rows.overlay(&newer, 2);
        let all = (i64::MIN, i64::MAX);
        assert_eq!(rows.column(0, 2, all).map(|(period, _)| period).collect::<Vec<_>>(), [10, 15, 20]);
        assert_eq!(rows.column(1, 2, all).collect::<Vec<_>>(), [(20, 9.0)]);
        assert_eq!(rows.column(0, 2, (11, 20)).map(|(period, _)| period).collect::<Vec<_>>(), [15]);
    }

    #[test]
    fn newer_points_replace_older_ones() {
        let mut points = vec![(1, 1.0), (2, 2.0), (4, 4.0)];
        overlay(&mut points, [(2, 20.0), (3, 30.0)]);
        assert_eq!(points, [(1, 1.0), (2, 20.0), (3, 30.0), (4, 4.0)]);
        overlay(&mut points, [(9, 9.0)]);
        overlay(&mut points, [(0, 0.0)]);
        assert_eq!(points, [(0, 0.0), (1, 1.0), (2, 20.0), (3, 30.0), (4, 4.0), (9, 9.0)]);
    }
}
