//! Starts that wait for their stops.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::time::{Duration, Instant};

use nephoscope_telemetry::{Id, TracePoint};
use smol_str::SmolStr;

/// So many starts are held: more than a cloud has operations running at a time.
const MOST: usize = 10_000;
/// So much of their `info` is held: far more than so many have, unless somebody sends documents.
const MOST_BYTES: usize = 64 << 20;
/// So long a start is held: most of what runs longer was broken off.
const LONGEST: Duration = Duration::from_secs(600);

/// What a start and a stop of one operation have in common.
type Operation = (Id, Id, SmolStr);

/// The starts whose stops have not come, in the order of their arrival.
#[derive(Debug, Default)]
pub(super) struct Held {
    starts: BTreeMap<u64, Start>,
    /// Where the starts of an operation are: one, unless somebody uses an id twice.
    operations: HashMap<Operation, Vec<u64>>,
    next: u64,
    load: Load,
}

/// How many starts there are, and how long they are in sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Load {
    count: usize,
    bytes: usize,
}

impl Load {
    fn add(&mut self, point: &TracePoint) {
        self.count += 1;
        self.bytes += point.info.as_str().len();
    }

    fn remove(&mut self, point: &TracePoint) {
        self.count -= 1;
        self.bytes -= point.info.as_str().len();
    }

    fn is_too_much(self) -> bool {
        self.count > MOST || self.bytes > MOST_BYTES
    }
}

#[derive(Debug)]
struct Start {
    point: TracePoint,
    since: Instant,
}

/// What is to be sent now, and what is true when it was.
#[derive(Debug, Default)]
pub(super) struct Sorted {
    /// Points to send, a stop right behind its start.
    pub(super) ready: Vec<TracePoint>,
    /// Which of the held starts are among them.
    taken: BTreeSet<u64>,
    /// Starts to hold.
    waiting: VecDeque<TracePoint>,
}

fn operation(point: &TracePoint) -> Operation {
    (point.base_id.clone(), point.trace_id.clone(), point.operation().into())
}

impl Held {
    /// Says what to send of a batch, and of what is held: whole operations, stops without a start, and starts that
    /// waited too long or are too many. Nothing changes until this is [done](Self::done).
    pub(super) fn sort(&self, batch: &[TracePoint], now: Instant) -> Sorted {
        let mut sorted = Sorted::default();
        let mut open: Vec<Option<&TracePoint>> = Vec::new();
        let mut open_of: HashMap<Operation, Vec<usize>> = HashMap::new();
        for point in batch {
            let operation = operation(point);
            if point.is_stop() {
                let start = open_of.get_mut(&operation).and_then(Vec::pop).and_then(|at| open[at].take());
                match start {
                    Some(start) => sorted.ready.push(start.clone()),
                    None => self.take(&operation, &mut sorted),
                }
                sorted.ready.push(point.clone());
            } else if !self.holds(&operation, point) {
                let same = open_of.entry(operation).or_default();
                if !same.iter().any(|&at| open[at] == Some(point)) {
                    same.push(open.len());
                    open.push(Some(point));
                }
            }
        }
        sorted.waiting = open.into_iter().flatten().cloned().collect();
        self.take_old(now, &mut sorted);
        sorted
    }

    /// Everything that is held.
    pub(super) fn all(&self) -> Sorted {
        let mut sorted = Sorted::default();
        for (&number, start) in &self.starts {
            sorted.take(number, start);
        }
        sorted
    }

    /// What was ready has been sent.
    pub(super) fn done(&mut self, sorted: Sorted, now: Instant) {
        for number in sorted.taken {
            let Some(start) = self.starts.remove(&number) else { continue };
            self.load.remove(&start.point);
            let operation = operation(&start.point);
            let left = self.operations.get_mut(&operation).map_or(0, |numbers| {
                numbers.retain(|other| *other != number);
                numbers.len()
            });
            if left == 0 {
                self.operations.remove(&operation);
            }
        }
        for point in sorted.waiting {
            let operation = operation(&point);
            if !self.holds(&operation, &point) {
                self.load.add(&point);
                self.operations.entry(operation).or_default().push(self.next);
                self.starts.insert(self.next, Start { point, since: now });
                self.next += 1;
            }
        }
    }

    /// The starts of a trace.
    pub(super) fn of(&self, base_id: &Id) -> Vec<TracePoint> {
        let points = self.starts.values().map(|start| &start.point);
        points.filter(|point| point.base_id == *base_id).cloned().collect()
    }

    /// The traces of which something is held.
    pub(super) fn traces(&self) -> BTreeSet<Id> {
        self.starts.values().map(|start| start.point.base_id.clone()).collect()
    }

    fn holds(&self, operation: &Operation, point: &TracePoint) -> bool {
        let numbers = self.operations.get(operation);
        numbers.is_some_and(|numbers| numbers.iter().any(|number| self.starts[number].point == *point))
    }

    /// Takes the latest start of an operation that was not yet taken.
    fn take(&self, operation: &Operation, sorted: &mut Sorted) {
        let numbers = self.operations.get(operation).into_iter().flatten().rev();
        if let Some(&number) = numbers.into_iter().find(|number| !sorted.taken.contains(number)) {
            sorted.take(number, &self.starts[&number]);
        }
    }

    fn take_old(&self, now: Instant, sorted: &mut Sorted) {
        let mut load = self.load;
        sorted.waiting.iter().for_each(|point| load.add(point));
        sorted.taken.iter().for_each(|number| load.remove(&self.starts[number].point));
        for (&number, start) in &self.starts {
            let old = now.saturating_duration_since(start.since) > LONGEST;
            if !old && !load.is_too_much() {
                break;
            }
            if !sorted.taken.contains(&number) {
                sorted.take(number, start);
                load.remove(&start.point);
            }
        }
        // A batch larger than all that may be held: its first ones are sent at once.
        while load.is_too_much() {
            let start = sorted.waiting.pop_front().expect("nothing else is a load");
            load.remove(&start);
            sorted.ready.push(start);
        }
    }
}

impl Sorted {
    fn take(&mut self, number: u64, start: &Start) {
        self.taken.insert(number);
        self.ready.push(start.point.clone());
    }
}

#[cfg(test)]
mod tests {
    use nephoscope_telemetry::{Json, Timestamp};
    use proptest::prelude::*;

    use super::*;

    fn point(number: u8, name: &str) -> TracePoint {
        let id = Id::from_uuid([number; 16]);
        TracePoint::new(name, Id::new("trace"), id.clone(), id, Timestamp::from_micros(i64::from(number)))
    }

    fn start(number: u8) -> TracePoint {
        point(number, "db-start")
    }

    fn stop(number: u8) -> TracePoint {
        point(number, "db-stop")
    }

    /// Sorts a batch as if all was sent, and says what was.
    fn send(held: &mut Held, batch: &[TracePoint], now: Instant) -> Vec<TracePoint> {
        let sorted = held.sort(batch, now);
        let ready = sorted.ready.clone();
        held.done(sorted, now);
        ready
    }

    #[test]
    fn a_start_waits_for_its_stop() {
        let (mut held, now) = (Held::default(), Instant::now());
        let batch = [start(1), start(2), stop(2), start(3)];
        assert_eq!(send(&mut held, &batch, now), [start(2), stop(2)]);
        assert_eq!(held.of(&Id::new("trace")), [start(1), start(3)]);
        assert_eq!(
            send(&mut held, &[stop(3), stop(1), stop(4)], now),
            [start(3), stop(3), start(1), stop(1), stop(4)]
        );
        assert_eq!((held.starts.len(), held.operations.len(), held.load), (0, 0, Load::default()));
    }

    #[test]
    fn a_batch_that_could_not_be_sent_can_be_sent_again() {
        let (mut held, now) = (Held::default(), Instant::now());
        send(&mut held, &[start(1)], now);
        let batch = [stop(1), start(2)];
        let first = held.sort(&batch, now);
        assert_eq!(held.of(&Id::new("trace")), [start(1)]);
        assert_eq!(send(&mut held, &batch, now), first.ready);
        assert_eq!(held.of(&Id::new("trace")), [start(2)]);
    }

    #[test]
    fn a_start_stored_twice_is_held_once() {
        let (mut held, now) = (Held::default(), Instant::now());
        send(&mut held, &[start(1), start(1)], now);
        send(&mut held, &[start(1)], now);
        let mut other = start(1);
        other.timestamp = Timestamp::from_micros(5);
        send(&mut held, &[other.clone()], now);
        assert_eq!(held.of(&Id::new("trace")), [start(1), other]);
    }

    #[test]
    fn what_waited_too_long_is_sent_and_so_is_all_in_the_end() {
        let (mut held, now) = (Held::default(), Instant::now());
        send(&mut held, &[start(1)], now);
        send(&mut held, &[start(2)], now + LONGEST);
        assert_eq!(send(&mut held, &[], now + LONGEST), []);
        assert_eq!(send(&mut held, &[], now + LONGEST + Duration::from_secs(1)), [start(1)]);
        assert_eq!(held.all().ready, [start(2)]);
    }

    #[test]
    fn no_more_than_so_many_are_held() {
        let (mut held, now) = (Held::default(), Instant::now());
        let many = |first: i64, count: i64| -> Vec<_> {
            let starts = (first..first + count).map(|micros| {
                let mut start = start(1);
                start.trace_id = Id::new(&micros.to_string());
                start
            });
            starts.collect()
        };
        assert_eq!(send(&mut held, &many(0, MOST as i64), now), []);
        assert_eq!(send(&mut held, &many(20_000, 3), now), many(0, 3));
        let flood = many(100_000, MOST as i64 + 2);
        let sent = send(&mut held, &flood, now);
        assert_eq!((sent.len(), held.starts.len()), (MOST + 2, MOST));
        assert_eq!(held.of(&Id::new("trace")), flood[2..]);
    }

    #[test]
    fn no_more_bytes_than_so_many_are_held() {
        let (mut held, now) = (Held::default(), Instant::now());
        let large: Vec<_> = (0..6)
            .map(|number| {
                let mut start = start(number);
                start.info = Json::parse(&format!("\"{}\"", "x".repeat(MOST_BYTES / 4))).unwrap();
                start
            })
            .collect();
        // Not shown when it is wrong: it is long.
        assert!(send(&mut held, &large[..3], now).is_empty());
        assert!(send(&mut held, &large[3..4], now) == large[..1]);
        assert!(send(&mut held, &[stop(1), start(9)], now) == [large[1].clone(), stop(1)]);
        let flood = [&large[4..], &large[..3]].concat();
        assert!(send(&mut held, &flood, now) == [&large[2..4], &[start(9)], &large[4..5]].concat());
    }

    proptest! {
        #[test]
        fn no_point_is_lost_or_doubled(batches in prop::collection::vec(prop::collection::vec((0..6_u8, 0..2_u8), 0..8), 0..12)) {
            let (mut held, now) = (Held::default(), Instant::now());
            let (mut given, mut sent, mut serial) = (Vec::new(), Vec::new(), 0);
            for batch in batches {
                let batch: Vec<_> = batch.into_iter().map(|(number, kind)| {
                    let mut point = if kind == 0 { start(number) } else { stop(number) };
                    serial += 1;
                    point.timestamp = Timestamp::from_micros(serial);
                    point
                }).collect();
                given.extend(batch.clone());
                sent.extend(send(&mut held, &batch, now));
            }
            sent.extend(held.all().ready);
            sent.sort_by_key(|point| point.timestamp);
            prop_assert_eq!(sent, given);
        }
    }
}
