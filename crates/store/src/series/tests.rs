//! Files that fail, are damaged or cut off at any point.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use nephoscope_gnocchi::{
    AggregationMethod, ArchivePolicy, Definition, Error, Measure, Result, Timespan, Timestamp,
};
use tokio::runtime::Runtime;

use super::faulty::{Fault, Faulty, Unsynced};
use super::{MetricKey, Options, Series};

/// How many batches a program writes. Measure `n` is two to the power of `n`: a sum tells what is in it.
const BATCHES: u32 = 24;
const METRICS: u64 = 2;

fn policy() -> Arc<ArchivePolicy> {
    let minute = Timespan::from_seconds(60).unwrap();
    let hour = Timespan::from_seconds(3600).unwrap();
    let definition = |granularity| Definition { granularity, points: None };
    Arc::new(ArchivePolicy {
        name: "faults".into(),
        back_window: 0,
        definition: vec![definition(minute), definition(hour)],
        aggregation_methods: ["sum", "count", "max", "rate:count"]
            .map(|method| method.parse().unwrap())
            .into(),
    })
}

fn open(files: &Faulty) -> Result<Series> {
    Series::open_in(Arc::new(files.clone()), Path::new("series"), &Options::default(), |_| Some(policy()))
}

/// Eight measures an hour.
fn time(number: u32) -> i64 {
    i64::from(number) * 450 + 7
}

fn batch(number: u32) -> Vec<(MetricKey, Arc<ArchivePolicy>, Vec<Measure>)> {
    let measure = Measure {
        timestamp: Timestamp::from_nanos(time(number) * 1_000_000_000),
        value: f64::from(1_u32 << number),
    };
    (0..METRICS).map(|key| (MetricKey(key), policy(), vec![measure])).collect()
}

fn points(series: &Series, key: u64, method: &str, seconds: i64) -> BTreeMap<i64, f64> {
    let granularity = Timespan::from_seconds(seconds).unwrap();
    let method: AggregationMethod = method.parse().unwrap();
    let points = series.points(MetricKey(key), &policy(), method, granularity, None, None).unwrap();
    points.into_iter().map(|(period, value)| (period / 1_000_000_000, value)).collect()
}

/// What the aggregates of these measures are.
fn expected(measures: u32, method: &str, seconds: i64) -> BTreeMap<i64, f64> {
    let mut expected = BTreeMap::new();
    for number in (0..BATCHES).filter(|number| measures & 1 << number != 0) {
        let value = f64::from(1_u32 << number);
        let period = time(number).div_euclid(seconds) * seconds;
        let aggregate = expected.entry(period).or_insert(0.0);
        *aggregate = match method {
            "sum" => *aggregate + value,
            "count" => *aggregate + 1.0,
            "max" => value.max(*aggregate),
            _ => unreachable!("{method}"),
        };
    }
    expected
}

/// Which measures the sums hold, of which every aggregate has to be right.
fn measures_in(series: &Series, key: u64) -> u32 {
    let all: f64 = points(series, key, "sum", 60).values().sum();
    let measures = all as u32;
    for method in ["sum", "count", "max"] {
        for seconds in [60, 3600] {
            let expected = expected(measures, method, seconds);
            assert_eq!(
                points(series, key, method, seconds),
                expected,
                "{method} of {measures:b} at {seconds}"
            );
        }
    }
    measures
}

/// All metrics have the same measures: a batch is there as a whole or not at all.
fn all_measures(series: &Series) -> u32 {
    let measures = measures_in(series, 0);
    (1..METRICS).for_each(|key| assert_eq!(measures_in(series, key), measures));
    measures
}

/// That a refusal says what can be done about it.
fn assert_tells(error: &Error) {
    let told = error.to_string();
    assert!(matches!(error, Error::Unavailable { .. } | Error::Internal { .. }), "{error:?}");
    assert!(told.contains("send what was refused again") || told.contains("cannot be"), "{told}");
}

/// Writes from a batch on, with checkpoints and compactions in between. Which batches were acknowledged.
fn write(runtime: &Runtime, series: &Series, batches: std::ops::Range<u32>) -> u32 {
    let mut acknowledged = 0;
    for number in batches {
        match runtime.block_on(series.write(batch(number))) {
            Ok(()) => acknowledged |= 1 << number,
            Err(error) => assert_tells(&error),
        }
        let upkeep = match number % 12 {
            2 | 5 | 8 => runtime.block_on(series.checkpoint()),
            10 => runtime.block_on(series.compact()),
            _ => Ok(()),
        };
        upkeep.unwrap_or_else(|error| assert_tells(&error));
        if number % 6 == 5 {
            let there = all_measures(series);
            assert_eq!(there & acknowledged, acknowledged, "{there:b} is read of {acknowledged:b}");
        }
    }
    acknowledged
}

/// Everything there is afterwards, and that all goes on as ever.
fn assert_recovers(runtime: &Runtime, files: &Faulty, acknowledged: u32, what: &str) {
    let series = open(files).unwrap_or_else(|error| panic!("{what}: {error}"));
    let there = all_measures(&series);
    assert_eq!(there & acknowledged, acknowledged, "{what}: {there:b} is there of {acknowledged:b}");
    assert_eq!(series.check().unwrap().damaged, 0, "{what}");
    let last = BATCHES - 1;
    runtime.block_on(series.write(batch(last))).unwrap();
    series.close().unwrap();
    let series = open(files).unwrap();
    assert_eq!(all_measures(&series), there | 1 << last, "{what}");
    series.close().unwrap();
}

const UNSYNCED: [Unsynced; 3] = [Unsynced::Lost, Unsynced::Half, Unsynced::Kept];

/// Runs the program with one fault at each operation in turn.
fn sweep(fault: Fault) {
    let runtime = Runtime::new().unwrap();
    let mut failed = 0;
    for operation in 0.. {
        let files = Faulty::default();
        files.fail_at(operation, fault);
        let mut acknowledged = 0;
        // Where nothing could be opened, and where nothing could be closed any more.
        let mut left = Vec::new();
        match open(&files) {
            Ok(series) => {
                acknowledged = write(&runtime, &series, 0..BATCHES - 2);
                if fault == Fault::Full {
                    // When there is room again all goes on, without a new start.
                    files.heal();
                    let number = BATCHES - 2;
                    runtime.block_on(series.write(batch(number))).unwrap();
                    acknowledged |= 1 << number;
                }
                failed += series.stats().failed_writes;
                left.extend(UNSYNCED.map(|unsynced| (unsynced, files.after_power_cut(unsynced))));
                series.close().unwrap();
            }
            Err(error) => assert_tells(&error),
        }
        let operations = files.operations();
        left.push((Unsynced::Lost, files.after_power_cut(Unsynced::Lost)));
        for (unsynced, left) in left {
            assert_recovers(
                &runtime,
                &left,
                acknowledged,
                &format!("{fault:?} at {operation}, the rest {unsynced:?}"),
            );
        }
        if operations <= operation {
            assert!(operation > 100, "the program is {operation} operations long");
            break;
        }
    }
    assert!(failed > 0 || fault == Fault::FlippedBit, "no write was refused");
}

/// Files of a series that was never closed: several segments, and journals of what came last.
fn some_files(runtime: &Runtime) -> BTreeMap<String, Vec<u8>> {
    let files = Faulty::default();
    let series = open(&files).unwrap();
    let batches = BATCHES - 1;
    for number in 0..batches {
        runtime.block_on(series.write(batch(number))).unwrap();
        if [3, 4, 11, 17].contains(&number) {
            runtime.block_on(series.checkpoint()).unwrap();
        }
    }
    let contents = files.contents();
    assert_eq!(contents.len(), 5, "{:?}", contents.keys());
    series.close().unwrap();
    contents
}

/// What is lost of the sums of each metric, as measures by the minute. What is there has to be right.
fn lost(series: &Series) -> Vec<u32> {
    let each = (0..METRICS).map(|key| {
        let sums = points(series, key, "sum", 60);
        let all = expected(!0 >> (33 - BATCHES), "sum", 60);
        assert!(sums.iter().all(|(period, sum)| all.get(period) == Some(sum)), "{sums:?}");
        for (period, sum) in points(series, key, "sum", 3600) {
            let hour = expected(!0 >> (33 - BATCHES), "sum", 3600)[&period] as u32;
            assert_eq!(sum as u32 & !hour, 0, "{sum} at {period}");
        }
        for method in ["count", "max"] {
            let all = expected(!0 >> (33 - BATCHES), method, 60);
            assert!(
                points(series, key, method, 60).iter().all(|(period, value)| all.get(period) == Some(value))
            );
        }
        all.values().sum::<f64>() as u32 & !(sums.values().sum::<f64>() as u32)
    });
    each.collect()
}

/// Opens damaged files, and looks whether no more is lost than may be, that it is told, and that all goes on.
fn assert_bounded(runtime: &Runtime, contents: &BTreeMap<String, Vec<u8>>, name: &str, what: &str) {
    let files = Faulty::with(contents);
    let series = open(&files).unwrap_or_else(|error| panic!("{what}: {error}"));
    let lost = lost(&series);
    let (checked, stats) = (series.check().unwrap(), series.stats());
    let told = checked.damaged + stats.damaged_frames + stats.damaged_blocks + stats.missing_files;
    let torn = series.shared.counters.torn_bytes.load(Ordering::Relaxed);
    if name.ends_with(".journal") {
        assert!(told > 0 || torn > 0, "{what} is not told");
        assert!(
            lost.iter().all(|measures| *measures == lost[0] && measures.count_ones() <= 1),
            "{what}: {lost:?}"
        );
    } else {
        assert!(told > 0, "{what} is not told");
        let hit = lost.iter().filter(|measures| **measures != 0).count();
        assert!(hit <= 1, "{what}: {lost:?}");
    }
    runtime.block_on(series.write(batch(BATCHES - 1))).unwrap();
    runtime.block_on(series.compact()).unwrap();
    series.close().unwrap();
    let series = open(&files).unwrap();
    assert_eq!(series.check().unwrap().damaged, 0, "{what}");
    assert!(points(&series, 0, "sum", 60).contains_key(&(time(BATCHES - 1) / 60 * 60)), "{what}");
    let kept = files.contents().keys().filter(|name| name.ends_with(".damaged")).count();
    // A last frame that is wrong at its beginning looks like one that was never written as a whole.
    assert!(kept > 0 || told == 0 || lost.iter().all(|lost| *lost == 0), "{what}: nothing is kept");
    series.close().unwrap();
}

#[test]
fn a_flipped_bit_costs_one_block_and_is_told() {
    let runtime = Runtime::new().unwrap();
    let contents = some_files(&runtime);
    for (name, content) in &contents {
        for at in 0..content.len() {
            let mut damaged = contents.clone();
            damaged.get_mut(name).unwrap()[at] ^= 1 << (at % 8);
            assert_bounded(&runtime, &damaged, name, &format!("bit {} of byte {at} of {name}", at % 8));
        }
    }
}

#[test]
fn a_segment_that_is_cut_off_or_missing_costs_what_was_behind_and_is_told() {
    let runtime = Runtime::new().unwrap();
    let contents = some_files(&runtime);
    for (name, content) in contents.iter().filter(|(name, _)| name.ends_with(".segment")) {
        for length in (0..content.len()).step_by(7) {
            let mut damaged = contents.clone();
            damaged.get_mut(name).unwrap().truncate(length);
            let series = open(&Faulty::with(&damaged)).unwrap();
            let lost = lost(&series);
            assert!(series.check().unwrap().damaged > 0, "{name} cut at {length} is not told");
            // Behind the last record there is only what tells where they are.
            assert!(length < content.len() - 60 || lost.iter().all(|lost| *lost == 0), "{name} at {length}");
            series.close().unwrap();
        }
        let mut damaged = contents.clone();
        damaged.remove(name);
        let series = open(&Faulty::with(&damaged)).unwrap();
        assert_eq!(series.stats().missing_files, 1, "{name}");
        lost(&series);
        series.close().unwrap();
    }
}

#[test]
fn a_journal_that_is_cut_off_costs_what_was_behind() {
    let runtime = Runtime::new().unwrap();
    let contents = some_files(&runtime);
    let (name, content) = contents.last_key_value().unwrap();
    let frames = (BATCHES - 1) - 18;
    let each = (content.len() - 16) / frames as usize;
    for length in 0..content.len() {
        let mut damaged = contents.clone();
        damaged.get_mut(name).unwrap().truncate(length);
        let series = open(&Faulty::with(&damaged)).unwrap();
        let whole = length.saturating_sub(16) / each;
        let there = (0..METRICS).map(|key| points(&series, key, "sum", 60).len());
        assert!(there.clone().all(|there| there == 18 + whole), "{whole} at {length}: {there:?}");
        series.close().unwrap();
    }
}

/// Has everything done that a checkpoint brings with it.
fn keep_up(runtime: &Runtime, series: &Series) {
    series.shared.ask_for_checkpoint(&series.tasks);
    // One task is done after the other.
    runtime.block_on(series.checkpoint()).unwrap();
}

fn minutes(minutes: std::ops::Range<i64>) -> Vec<Measure> {
    let measure = |minute| Measure {
        timestamp: Timestamp::from_nanos(minute * 60_000_000_000),
        value: (minute % 1000) as f64 / 7.0,
    };
    minutes.map(measure).collect()
}

#[test]
fn what_is_no_longer_kept_is_neither_read_nor_left_on_disk_though_nothing_is_merged() {
    let runtime = Runtime::new().unwrap();
    let minute = Timespan::from_seconds(60).unwrap();
    let policy = Arc::new(ArchivePolicy {
        name: "short".into(),
        back_window: 0,
        definition: vec![Definition { granularity: minute, points: Some(10) }],
        aggregation_methods: vec![AggregationMethod::MEAN],
    });
    let files = Faulty::default();
    let series = open(&files).unwrap();
    let write =
        |minutes| runtime.block_on(series.write(vec![(MetricKey(1), policy.clone(), minutes)])).unwrap();
    let read = |from: i64| {
        let start = Some(Timestamp::from_nanos(from * 60_000_000_000));
        series.points(MetricKey(1), &policy, AggregationMethod::MEAN, minute, start, None).unwrap().len()
    };
    // A piece of Gnocchi's is 3600 periods.
    // Of one batch no more is stored than is kept, of several all until there is another piece.
    for from in (0..3600).step_by(9) {
        write(minutes(from..from + 9));
    }
    keep_up(&runtime, &series);
    let before = series.stats();
    assert_eq!((before.segments, read(0)), (1, 10));
    write(minutes(7200..7203));
    keep_up(&runtime, &series);
    let after = series.stats();
    assert_eq!(after.segments, 2, "they are too few to be merged");
    assert!(after.segment_bytes * 3 < before.segment_bytes, "{after:?} of {before:?}");
    assert_eq!(read(0), 3);
    series.close().unwrap();
}

#[test]
fn what_is_forgotten_gives_its_space_back() {
    let runtime = Runtime::new().unwrap();
    let files = Faulty::default();
    let series = open(&files).unwrap();
    for key in 0..2 {
        runtime.block_on(series.write(vec![(MetricKey(key), policy(), minutes(0..3000))])).unwrap();
    }
    keep_up(&runtime, &series);
    let (before, kept) = (series.stats(), points(&series, 1, "sum", 60));
    assert_eq!(kept.len(), 3000);
    series.forget(&[MetricKey(0)]);
    // A measure that was on its way is no reason to keep the rest.
    runtime.block_on(series.write(vec![(MetricKey(1), policy(), minutes(3000..3001))])).unwrap();
    keep_up(&runtime, &series);
    let after = series.stats();
    assert!(after.segment_bytes * 3 < before.segment_bytes * 2, "{after:?} of {before:?}");
    assert_eq!(points(&series, 0, "sum", 60), BTreeMap::new());
    assert_eq!(points(&series, 1, "sum", 60).len(), 3001);
    series.close().unwrap();
    // Of one that was deleted before the last end, too.
    let known = |key: MetricKey| (key != MetricKey(1)).then(policy);
    let series =
        Series::open_in(Arc::new(files.clone()), Path::new("series"), &Options::default(), known).unwrap();
    runtime.block_on(series.compact()).unwrap();
    series.close().unwrap();
    let left = files.contents();
    assert!(left.values().map(Vec::len).sum::<usize>() < 200, "{:?}", left.keys());
}

#[test]
fn measures_wait_while_memory_is_full_and_are_refused_when_it_stays_so() {
    let runtime = Runtime::new().unwrap();
    let files = Faulty::default();
    let mut series = open(&files).unwrap();
    series.most_pending = 1;
    // Aggregates are finished, and wait for a checkpoint, when their hour is over.
    for number in 0..12 {
        runtime.block_on(series.write(batch(number))).unwrap();
    }
    assert!(series.stats().segments > 0, "nothing had to wait");
    while series.shared.counters.pending_bytes.load(Ordering::Relaxed) == 0 {
        let number = (series.stats().measures / METRICS) as u32;
        runtime.block_on(series.write(batch(number))).unwrap();
    }
    files.fail_now(Fault::Full);
    let refused = runtime.block_on(series.write(batch(BATCHES - 1))).unwrap_err();
    assert!(refused.to_string().contains("memory holds no more"), "{refused}");
    files.heal();
    // What was refused has asked for the checkpoint that makes room.
    while runtime.block_on(series.write(batch(BATCHES - 1))).is_err() {}
    series.close().unwrap();
}

#[test]
fn no_operation_that_fails_loses_what_was_acknowledged() {
    sweep(Fault::Fails);
}

#[test]
fn no_operation_that_is_done_by_half_loses_what_was_acknowledged() {
    sweep(Fault::Half);
}

#[test]
fn a_full_disk_loses_nothing_and_is_written_to_again_when_there_is_room() {
    sweep(Fault::Full);
}

#[test]
fn a_bit_that_is_flipped_on_the_way_is_read_again() {
    sweep(Fault::FlippedBit);
}
