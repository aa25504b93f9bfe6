//! Where a row stands: its bucket and its time, which together name it.
//!
//! InfluxDB keeps one row for each series and time: a second one takes the place of the first. So a row's time has to be
//! its own. It is made of the *second* in which what the row tells begins (2^30 ns of it), and of a hash of what the row
//! holds in place of the nanoseconds within: the same row stored again stands in the same place, and another one
//! elsewhere. Two different rows of one bucket and one second meet by a chance of one in 2^30. Of those of one process
//! the second makes way; between processes that write `n` rows a second in all, a row is lost by a chance of `n` in
//! 10^12 (1024 buckets, 2^30 places a second).

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use nephoscope_telemetry::{Id, Timestamp};
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

/// How many series there are: the traces are spread over so many, by a hash of their ids, and not one for each. A trace
/// is found by going through a thousandth of all rows, and a list goes through as many series as InfluxDB is easy with.
const BUCKETS: u64 = 1024;
/// The places in a second, less one.
pub(super) const WITHIN: i64 = (1 << 30) - 1;
/// The times that InfluxDB has, from 1677 to 2262, less a second at both ends. What is beyond stands there.
const FIRST: i64 = i64::MIN + (1 << 30);
const LAST: i64 = i64::MAX - (2 << 30);
/// How many of its own rows a process remembers, to make way for them: more than it writes in a second.
const REMEMBERED: usize = 1 << 17;

/// The bucket of a trace, as its tag.
pub(super) fn bucket(base_id: &Id) -> String {
    format!("{:03x}", base_id.with_str(|text| xxh3_64(text.as_bytes())) % BUCKETS)
}

/// The first place of the second that a time is in. The rows of what begins then stand there or up to [`WITHIN`] later.
pub(super) fn second(time: Timestamp) -> i64 {
    time.as_micros().saturating_mul(1000).clamp(FIRST, LAST) & !WITHIN
}

/// The rows that this process wrote lately, by their places: a hash of each.
#[derive(Debug, Default)]
pub(super) struct Places(Mutex<HashMap<(u64, i64), u64>>);

impl Places {
    /// The place for a row with this hash, in this bucket and second.
    pub(super) fn take(&self, bucket: &str, second: i64, hash: u64) -> i64 {
        let bucket = xxh3_64(bucket.as_bytes());
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.len() >= REMEMBERED {
            taken.clear();
        }
        let mut offset = hash;
        loop {
            let time = second + (offset.cast_signed() & WITHIN);
            if *taken.entry((bucket, time)).or_insert(hash) == hash {
                return time;
            }
            offset = xxh3_64_with_seed(&offset.to_le_bytes(), 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_row_stands_where_it_stood_and_makes_way_for_another() {
        let places = Places::default();
        let first = places.take("000", 0, 5);
        assert_eq!((first, places.take("000", 0, 5)), (5, 5));
        // The same place by its last 30 bits, for another row.
        let other = places.take("000", 0, 5 | 1 << 40);
        assert_ne!(other, first);
        assert_eq!(places.take("000", 0, 5 | 1 << 40), other);
        assert_eq!(places.take("001", 0, 5 | 1 << 40), 5);
    }

    proptest! {
        #[test]
        fn a_second_holds_its_times(micros in -62_135_596_800_000_000_i64..=253_402_300_799_999_999) {
            let second = second(Timestamp::from_micros(micros));
            prop_assert!(second > i64::MIN + 1 && second.checked_add(WITHIN).is_some_and(|last| last < i64::MAX - 1));
            if let Some(nanos) = micros.checked_mul(1000) && (FIRST..=LAST).contains(&nanos) {
                prop_assert!((second..=second + WITHIN).contains(&nanos));
            }
        }
    }
}
