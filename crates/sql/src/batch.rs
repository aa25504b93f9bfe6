//! Many rows, in transactions and statements of a size that databases take.

/// Rows of one `INSERT` where each value is a parameter. A power of two: what is left over goes in ever smaller ones,
/// so that ten statements, kept prepared, serve batches of all sizes. 15 × 512 parameters are far below the limits
/// of SQLite (32,766), MySQL and PostgreSQL (65,535).
const MOST_ROWS: usize = 512;

/// How long the rows of one transaction are in sum: far more than a usual batch, far below the 1 GiB that PostgreSQL
/// takes as one parameter.
const MOST_BYTES: usize = 64 << 20;

/// A row, or several that belong together.
pub trait Length {
    /// How long all values are in sum.
    fn bytes(&self) -> usize;
}

/// Rows in the parts that are stored as one transaction each, in their order. One, unless they are very long or
/// the database refuses some.
#[derive(Debug)]
pub struct Transactions<'r, R> {
    /// The next one is the last.
    parts: Vec<&'r [R]>,
}

impl<'r, R: Length> Transactions<'r, R> {
    /// Of all these rows.
    pub fn of(rows: &'r [R]) -> Self {
        let mut parts: Vec<_> = split(rows, |rest| fitting(rest, MOST_BYTES)).collect();
        parts.reverse();
        Self { parts }
    }

    /// Puts the halves of a part in its place, because the database refuses something of it. Of a single row there are
    /// none, and it is returned: it is what is refused.
    pub fn halve(&mut self, part: &'r [R]) -> Option<&'r R> {
        if let [row] = part {
            return Some(row);
        }
        let (first, second) = part.split_at(part.len() / 2);
        self.parts.extend([second, first]);
        None
    }
}

impl<'r, R> Iterator for Transactions<'r, R> {
    type Item = &'r [R];

    fn next(&mut self) -> Option<Self::Item> {
        self.parts.pop()
    }
}

/// Splits rows into statements: powers of two that are no longer in sum than a packet; a longer row stands alone.
pub fn chunks<R: Length>(rows: &[R], packet: usize) -> impl Iterator<Item = &[R]> {
    split(rows, move |rest| 1 << fitting(rest, packet).min(MOST_ROWS).ilog2())
}

/// Takes slices off the front, as long as `count` says of the rest.
fn split<T>(rows: &[T], count: impl Fn(&[T]) -> usize) -> impl Iterator<Item = &[T]> {
    let mut rest = rows;
    std::iter::from_fn(move || {
        let (slice, after) = (!rest.is_empty()).then(|| rest.split_at(count(rest)))?;
        rest = after;
        Some(slice)
    })
}

/// How many rows from the front are no longer in sum than this; at least one.
fn fitting<R: Length>(rows: &[R], most_bytes: usize) -> usize {
    let mut bytes = 0;
    let fitting = rows.iter().take_while(|row| {
        bytes += row.bytes();
        bytes <= most_bytes
    });
    fitting.count().max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A row that is so long.
    #[derive(Clone, Debug, PartialEq)]
    struct Long(usize);

    impl Length for Long {
        fn bytes(&self) -> usize {
            self.0
        }
    }

    fn sizes(rows: &[Long], packet: usize) -> Vec<usize> {
        chunks(rows, packet).map(<[_]>::len).collect()
    }

    #[test]
    fn any_number_of_rows_is_split_into_powers_of_two() {
        let rows = vec![Long(1); 1300];
        assert_eq!(sizes(&rows, 1 << 20), [512, 512, 256, 16, 4]);
        assert_eq!(sizes(&rows[..1], 1 << 20), [1]);
        assert_eq!(sizes(&[], 1 << 20), [0; 0]);
    }

    #[test]
    fn a_chunk_is_no_longer_than_a_packet_unless_it_is_one_row() {
        let rows = [600, 600, 5000, 100, 100, 100].map(Long);
        assert_eq!(sizes(&rows, 1000), [1, 1, 1, 2, 1]);
    }

    #[test]
    fn what_is_refused_is_found_by_halves_and_the_rest_keeps_its_order() {
        let rows: Vec<_> = (0..100).map(Long).collect();
        let mut transactions = Transactions::of(&rows);
        let (mut stored, mut refused) = (Vec::new(), Vec::new());
        while let Some(part) = transactions.next() {
            if part.iter().any(|row| row.0 % 30 == 7) {
                refused.extend(transactions.halve(part));
            } else {
                stored.extend(part);
            }
        }
        assert_eq!(refused, [&Long(7), &Long(37), &Long(67), &Long(97)]);
        assert!(stored.is_sorted_by_key(|row| row.0));
        assert_eq!(stored.len(), 96);
    }

    #[test]
    fn very_long_rows_are_of_several_transactions() {
        let rows = [MOST_BYTES - 1, 1, 1, 2 * MOST_BYTES, 1].map(Long);
        let parts = Transactions::of(&rows).map(<[_]>::len);
        assert_eq!(parts.collect::<Vec<_>>(), [2, 1, 1, 1]);
    }
}
