//! What a segment has of one metric: its window, and chunks of aggregates; `docs/store-format.md` has the bytes.

use std::iter;

use nephoscope_disk::fields::{Fields, push_number, push_signed};
use nephoscope_gnocchi::{AggregationMethod, Measure, Timestamp};

use super::column;
use super::journal::{check, method_number, method_of};
use super::plan::Plan;
use super::rows::is_present;
use super::window::{Aggregates, Window};

/// What a record begins with: where to look for the next one when the index is lost.
pub(super) const RECORD: &[u8; 4] = b"\x9eNsr";
/// Length of the fixed part: the above, lengths of the head and of all, the key, a checksum of these and the head.
pub(super) const FIXED: usize = 24;
/// How many periods a chunk holds at most: all of it is read for any of it, and a day of five minutes is a usual question.
/// With five times as many it would take a twentieth less room.
const LONGEST_CHUNK: usize = 720;

/// A record in the making.
#[derive(Debug, Default)]
pub(super) struct Record {
    head: Vec<u8>,
    body: Vec<u8>,
    chunks: Vec<u8>,
    count: u64,
    /// The first and the last period in it.
    pub(super) span: Option<(i64, i64)>,
}

impl Record {
    /// Sets the window, as [`window`] gives it.
    pub(super) fn put_window(&mut self, window: Option<&[u8]>) {
        let window = window.unwrap_or_default();
        push_number(&mut self.head, window.len() as u64);
        if !window.is_empty() {
            self.head.extend(check(window));
        }
        self.body.extend(window);
    }

    /// Adds aggregates of one granularity. The values of a column are asked for by its place.
    pub(super) fn put_rows(
        &mut self,
        length: i64,
        periods: &[i64],
        methods: &[AggregationMethod],
        value: impl Fn(usize, usize) -> f64,
    ) {
        let mut values = Vec::new();
        for (number, periods) in periods.chunks(LONGEST_CHUNK).enumerate() {
            let first = number * LONGEST_CHUNK;
            self.count += 1;
            push_number(&mut self.chunks, length.cast_unsigned());
            put_periods(&mut self.chunks, length, periods);
            let mut columns = Vec::new();
            let mut count = 0;
            for (column, method) in methods.iter().enumerate() {
                values.clear();
                values.extend((first..first + periods.len()).map(|row| value(row, column)));
                let begin = self.body.len();
                column::put(&mut self.body, &values);
                let bytes = &self.body[begin..];
                if !bytes.is_empty() {
                    count += 1;
                    columns.push(method_number(*method));
                    push_number(&mut columns, bytes.len() as u64);
                    columns.extend(check(bytes));
                }
            }
            push_number(&mut self.chunks, count);
            self.chunks.append(&mut columns);
            if let [first, .., last] | [first @ last] = periods {
                let span = self.span.unwrap_or((*first, *last));
                self.span = Some((span.0.min(*first), span.1.max(*last)));
            }
        }
    }

    /// The bytes of the record.
    pub(super) fn finish(mut self, key: u64) -> Vec<u8> {
        push_number(&mut self.head, self.count);
        self.head.append(&mut self.chunks);
        let all = FIXED + self.head.len() + self.body.len();
        let mut out = Vec::with_capacity(all);
        out.extend(RECORD);
        out.extend(u32::try_from(self.head.len()).unwrap_or(u32::MAX).to_le_bytes());
        out.extend(u32::try_from(all).unwrap_or(u32::MAX).to_le_bytes());
        out.extend(key.to_le_bytes());
        let both = [&out[..], &self.head].concat();
        out.extend(check(&both));
        out.extend(self.head);
        out.extend(self.body);
        out
    }
}

/// Periods as steps of the granularity: how often each step follows itself.
fn put_periods(out: &mut Vec<u8>, length: i64, periods: &[i64]) {
    push_number(out, periods.len() as u64);
    push_signed(out, periods.first().map_or(0, |first| first.div_euclid(length)));
    let mut runs: Vec<(u64, u64)> = Vec::new();
    for pair in periods.windows(2) {
        let step = (pair[1].wrapping_sub(pair[0]) / length).cast_unsigned();
        match runs.last_mut() {
            Some((same, count)) if *same == step => *count += 1,
            _ => runs.push((step, 1)),
        }
    }
    push_number(out, runs.len() as u64);
    for (step, count) in runs {
        push_number(out, step);
        push_number(out, count);
    }
}

/// The periods of a chunk, as they are written.
#[derive(Clone, Debug)]
pub(super) struct Periods {
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) count: usize,
    /// How far it is to the next, and how often.
    runs: Vec<(i64, u64)>,
}

impl Periods {
    /// Nothing when they are none, or more than a chunk has.
    fn read(input: &mut Fields<'_>, length: i64) -> Option<Self> {
        let count =
            usize::try_from(input.number()?).ok().filter(|count| (1..=LONGEST_CHUNK).contains(count))?;
        let first = input.signed()?.checked_mul(length)?;
        let changes = input.count(2)?;
        let (mut last, mut steps) = (first, 0u64);
        let mut run = |_| {
            let (step, often) = (i64::try_from(input.number()?).ok()?.checked_mul(length)?, input.number()?);
            last = last.checked_add(step.checked_mul(often.try_into().ok()?)?)?;
            steps = steps.checked_add(often)?;
            Some((step, often))
        };
        let runs = (0..changes).map(&mut run).collect::<Option<_>>()?;
        (steps == count as u64 - 1).then_some(Self { first, last, count, runs })
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = i64> {
        let steps = self.runs.iter().flat_map(|(step, often)| (0..*often).map(|_| *step));
        let mut period = self.first;
        let later = steps.map(move |step| {
            period += step;
            period
        });
        iter::once(self.first).chain(later)
    }
}

/// What stands at the beginning of a record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fixed {
    pub(super) head: usize,
    pub(super) all: usize,
    pub(super) key: u64,
}

impl Fixed {
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let mut input = Fields(bytes);
        (input.bytes(4)? == RECORD).then_some(())?;
        let (head, all, key) = (input.u32()? as usize, input.u32()? as usize, input.u64()?);
        (FIXED + head <= all).then_some(Self { head, all, key })
    }
}

/// What a record holds, and where.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) key: u64,
    pub(super) window: Option<Piece>,
    pub(super) chunks: Vec<Chunk>,
}

/// Some bytes of a record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    pub(super) offset: usize,
    pub(super) length: usize,
    check: [u8; 4],
}

impl Piece {
    /// Whether these are the bytes that were written.
    pub(super) fn is(&self, bytes: &[u8]) -> bool {
        check(bytes) == self.check
    }
}

/// Aggregates of one granularity.
#[derive(Debug)]
pub(super) struct Chunk {
    pub(super) length: i64,
    pub(super) periods: Periods,
    pub(super) columns: Vec<(AggregationMethod, Piece)>,
}

impl Head {
    /// Reads the fixed part and the head. Nothing when they are not what was written.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let fixed = Fixed::read(bytes)?;
        let head = bytes.get(FIXED..FIXED + fixed.head)?;
        let both = [&bytes[..FIXED - 4], head].concat();
        (check(&both) == bytes[FIXED - 4..FIXED]).then_some(())?;
        let mut input = Fields(head);
        let mut offset = FIXED + fixed.head;
        let mut piece = |length: u64, check: &[u8]| {
            let length = usize::try_from(length).ok()?;
            let piece = Piece { offset, length, check: check.try_into().ok()? };
            offset = offset.checked_add(length).filter(|end| *end <= fixed.all)?;
            Some(piece)
        };
        let window = match input.number()? {
            0 => None,
            length => Some(piece(length, input.bytes(4)?)?),
        };
        let mut chunks = Vec::new();
        for _ in 0..input.count(5)? {
            let length = input.number()?.cast_signed();
            (length > 0).then_some(())?;
            let periods = Periods::read(&mut input, length)?;
            let columns = input.count(6)?;
            let mut column = |_| {
                let method = method_of(input.byte()?)?;
                Some((method, piece(input.number()?, input.bytes(4)?)?))
            };
            let columns = (0..columns).map(&mut column).collect::<Option<_>>()?;
            chunks.push(Chunk { length, periods, columns });
        }
        Some(Self { key: fixed.key, window, chunks })
    }
}

impl Chunk {
    /// The points of a column that are there.
    pub(super) fn points(&self, column: &[u8]) -> Option<impl Iterator<Item = (i64, f64)>> {
        let values = column::read(column, self.periods.count)?;
        Some(self.periods.iter().zip(values).filter(|(_, value)| is_present(*value)))
    }
}

/// A window in bytes.
pub(super) fn window(plan: &Plan, window: &Window, applied: u64) -> Vec<u8> {
    let mut out = Vec::new();
    push_number(&mut out, applied);
    push_number(&mut out, plan.grains.len() as u64);
    // Most often they are the least there is: that is short this way.
    let put_time =
        |out: &mut Vec<u8>, time: i64| push_number(out, time.wrapping_sub(i64::MIN).cast_unsigned());
    for (grain, aggregates) in plan.grains.iter().zip(&window.grains) {
        push_number(&mut out, grain.length.cast_unsigned());
        aggregates.kept_from.iter().for_each(|time| put_time(&mut out, *time));
        put_time(&mut out, aggregates.lazy_from);
    }
    let raw = window.raw();
    push_number(&mut out, raw.len() as u64);
    let mut before = 0i64;
    for measure in raw {
        let time = measure.timestamp.as_nanos();
        push_signed(&mut out, time.wrapping_sub(before));
        before = time;
    }
    let values: Vec<_> = raw.iter().map(|measure| measure.value).collect();
    column::put(&mut out, &values);
    out
}

/// What a window holds that is of no plan: of each granularity from when it is kept, and from when raw measures count.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) applied: u64,
    pub(super) grains: Vec<(i64, [i64; 4], i64)>,
    pub(super) raw: Vec<Measure>,
}

impl Stored {
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let mut input = Fields(bytes);
        let applied = input.number()?;
        let mut grains = Vec::new();
        for _ in 0..input.count(6)? {
            let length = input.number()?.cast_signed();
            let mut time = || Some(input.number()?.cast_signed().wrapping_add(i64::MIN));
            let kept_from = [time()?, time()?, time()?, time()?];
            grains.push((length, kept_from, time()?));
        }
        let count = input.count(1)?;
        let mut time = 0i64;
        let mut next = |_| {
            time = time.wrapping_add(input.signed()?);
            Some(Timestamp::from_nanos(time))
        };
        let times = (0..count).map(&mut next).collect::<Option<Vec<_>>>()?;
        let values = if count > 0 { column::read(input.0, count)? } else { Vec::new() };
        let raw = times.into_iter().zip(values).map(|(timestamp, value)| Measure { timestamp, value });
        Some(Self { applied, grains, raw: raw.collect() })
    }

    /// From when on the aggregates of a granularity are kept.
    pub(super) fn kept_from(&self, length: i64) -> Option<[i64; 4]> {
        self.grains.iter().find(|grain| grain.0 == length).map(|(_, kept_from, _)| *kept_from)
    }

    /// The window in memory.
    pub(super) fn into_window(self, plan: &Plan) -> Window {
        let grains = plan.grains.iter().map(|grain| {
            let stored = self.grains.iter().find(|(length, _, _)| *length == grain.length);
            stored.map_or_else(Aggregates::default, |(_, kept_from, lazy_from)| Aggregates {
                kept_from: *kept_from,
                lazy_from: *lazy_from,
                ..Aggregates::default()
            })
        });
        Window::restored(self.raw, grains.collect())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn periods_come_out_as_they_went_in(mut steps in prop::collection::btree_set(-5000i64..5000, 0..200)) {
            steps.insert(0);
            let periods: Vec<_> = steps.into_iter().map(|step| step * 60).collect();
            let mut out = Vec::new();
            put_periods(&mut out, 60, &periods);
            let read = Periods::read(&mut Fields(&out), 60).unwrap();
            prop_assert_eq!((read.first, read.last), (periods[0], periods[periods.len() - 1]));
            prop_assert_eq!(read.iter().collect::<Vec<_>>(), periods);
        }

        #[test]
        fn no_bytes_are_a_reason_to_panic(bytes: Vec<u8>) {
            let _window = Stored::read(&bytes);
            let mut record = Record::default();
            record.put_window(Some(&bytes));
            let mut record = record.finish(7);
            prop_assert!(Head::read(&record).is_some());
            let at = bytes.len() % record.len();
            record[at] ^= 1;
            // Only the body may differ unnoticed here: that has checksums of its own.
            let _head = Head::read(&record);
        }
    }

    #[test]
    fn a_record_comes_out_as_it_went_in() {
        let periods: Vec<_> = (0..4000).map(|number| number * 60).collect();
        let mut record = Record::default();
        record.put_window(Some(b"window"));
        record.put_rows(60, &periods, &[AggregationMethod::MEAN], |row, _| row as f64 / 7.0);
        assert_eq!(record.span, Some((0, 3999 * 60)));
        let bytes = record.finish(9);
        let head = Head::read(&bytes).unwrap();
        assert_eq!((head.key, head.chunks.len()), (9, 6));
        let mut points = Vec::new();
        for chunk in &head.chunks {
            let piece = chunk.columns[0].1;
            let bytes = &bytes[piece.offset..piece.offset + piece.length];
            assert!(piece.is(bytes));
            points.extend(chunk.points(bytes).unwrap());
        }
        let expected: Vec<_> =
            periods.iter().enumerate().map(|(row, period)| (*period, row as f64 / 7.0)).collect();
        assert_eq!(points, expected);
    }
}
