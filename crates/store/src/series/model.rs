//! Random programs, held to what is easily said of them: an aggregate is that of all measures that were in time.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use nephoscope_gnocchi::{ArchivePolicy, Definition, Measure, Timespan, Timestamp};
use proptest::prelude::*;
use tokio::runtime::Runtime;

use super::faulty::{Faulty, Unsynced};
use super::{MetricKey, Options, Series};

const METRICS: u64 = 3;
const MINUTE: i64 = 60_000_000_000;
const HOUR: i64 = 60 * MINUTE;
/// How many hours measures may be late.
const BACK_WINDOW: u32 = 2;

#[derive(Clone, Debug)]
enum Step {
    /// Metrics with times in seconds before now, and values; how many seconds go by.
    Write(Vec<(u64, Vec<(i64, i32)>)>, i64),
    Read,
    Checkpoint,
    Compact,
    Reopen,
    PowerCut(bool),
    Forget(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let late = prop_oneof![4 => 0..90_i64, 2 => 0..4_000_i64, 1 => 0..20_000_i64];
    let measures = prop::collection::vec((late, -50..50), 1..6);
    let write = (prop::collection::vec((0..METRICS, measures), 1..4), prop_oneof![0..120_i64, 0..9_000_i64]);
    prop_oneof![
        12 => write.prop_map(|(batch, passed)| Step::Write(batch, passed)),
        2 => Just(Step::Read),
        3 => Just(Step::Checkpoint),
        1 => Just(Step::Compact),
        1 => Just(Step::Reopen),
        2 => any::<bool>().prop_map(Step::PowerCut),
        1 => (0..METRICS).prop_map(Step::Forget),
    ]
}

fn policy() -> Arc<ArchivePolicy> {
    let definition =
        |seconds| Definition { granularity: Timespan::from_seconds(seconds).unwrap(), points: None };
    Arc::new(ArchivePolicy {
        name: "model".into(),
        back_window: BACK_WINDOW,
        definition: vec![definition(60), definition(3600)],
        aggregation_methods: METHODS.map(|(name, _)| name.parse().unwrap()).into(),
    })
}

type Aggregate = fn(&[f64]) -> f64;

const METHODS: [(&str, Aggregate); 6] = [
    ("sum", |values| values.iter().sum()),
    ("count", |values| values.len() as f64),
    ("min", |values| values.iter().copied().fold(f64::INFINITY, f64::min)),
    ("max", |values| values.iter().copied().fold(f64::NEG_INFINITY, f64::max)),
    ("first", |values| values[0]),
    ("last", |values| values[values.len() - 1]),
];

/// All measures of a metric that were in time, by their nanosecond.
#[derive(Clone, Debug, Default)]
struct Model(BTreeMap<i64, f64>);

impl Model {
    fn add(&mut self, batch: &[Measure]) {
        let newest = self.0.last_key_value().map(|(time, _)| *time);
        let window =
            newest.map_or(i64::MIN, |newest| newest.div_euclid(HOUR) * HOUR - i64::from(BACK_WINDOW) * HOUR);
        // Of those of one time in a batch the least stays.
        let mut least = BTreeMap::new();
        for measure in batch {
            let value = least.entry(measure.timestamp.as_nanos()).or_insert(measure.value);
            *value = measure.value.min(*value);
        }
        self.0.extend(least.range(window..));
    }

    fn aggregates(&self, length: i64, aggregate: Aggregate) -> Vec<(i64, f64)> {
        let mut periods: BTreeMap<i64, Vec<f64>> = BTreeMap::new();
        for (time, value) in &self.0 {
            periods.entry(time.div_euclid(length) * length).or_default().push(*value);
        }
        periods.into_iter().map(|(period, values)| (period, aggregate(&values))).collect()
    }
}

struct World {
    runtime: Runtime,
    files: Faulty,
    series: Option<Series>,
    /// By key: keys are never given out again.
    models: BTreeMap<u64, Model>,
    keys: Vec<u64>,
    now: i64,
}

impl World {
    fn new() -> Self {
        let mut world = Self {
            runtime: Runtime::new().unwrap(),
            files: Faulty::default(),
            series: None,
            models: BTreeMap::new(),
            keys: (0..METRICS).collect(),
            now: 1_700_000_000,
        };
        world.open();
        world
    }

    fn open(&mut self) {
        let keys = self.keys.clone();
        let known = |key: MetricKey| keys.contains(&key.0).then(policy);
        let files = Arc::new(self.files.clone());
        self.series = Some(Series::open_in(files, Path::new("series"), &Options::default(), known).unwrap());
    }

    fn series(&self) -> &Series {
        self.series.as_ref().unwrap()
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Write(batch, passed) => {
                self.now += passed;
                let mut written = Vec::new();
                let mut by_key: BTreeMap<u64, Vec<Measure>> = BTreeMap::new();
                for (metric, measures) in batch {
                    let key = self.keys[usize::try_from(*metric).unwrap()];
                    let measure = |(late, value): &(i64, i32)| Measure {
                        timestamp: Timestamp::from_nanos((self.now - late) * 1_000_000_000),
                        value: f64::from(*value),
                    };
                    let measures: Vec<_> = measures.iter().map(measure).collect();
                    by_key.entry(key).or_default().extend(&measures);
                    written.push((MetricKey(key), policy(), measures));
                }
                self.runtime.block_on(self.series().write(written)).unwrap();
                for (key, measures) in by_key {
                    self.models.entry(key).or_default().add(&measures);
                }
            }
            Step::Read => self.check(),
            Step::Checkpoint => {
                self.series().shared.ask_for_checkpoint(&self.series().tasks);
                self.runtime.block_on(self.series().checkpoint()).unwrap();
            }
            Step::Compact => self.runtime.block_on(self.series().compact()).unwrap(),
            Step::Reopen => {
                self.series.take().unwrap().close().unwrap();
                self.open();
            }
            Step::PowerCut(is_all_lost) => {
                let unsynced = if *is_all_lost { Unsynced::Lost } else { Unsynced::Half };
                let left = self.files.after_power_cut(unsynced);
                self.series.take().unwrap().close().unwrap();
                self.files = left;
                self.open();
            }
            Step::Forget(metric) => {
                let next = self.keys.iter().max().unwrap() + 1;
                let key = std::mem::replace(&mut self.keys[usize::try_from(*metric).unwrap()], next);
                self.series().forget(&[MetricKey(key)]);
                self.models.remove(&key);
            }
        }
    }

    /// That every aggregate is that of the model, whole and in part.
    fn check(&self) {
        let nothing = Model::default();
        for key in &self.keys {
            let model = self.models.get(key).unwrap_or(&nothing);
            for (name, aggregate) in METHODS {
                for length in [MINUTE, HOUR] {
                    let granularity = Timespan::from_nanos(length).unwrap();
                    let read = |start: Option<i64>| -> Vec<(i64, f64)> {
                        let start = start.map(Timestamp::from_nanos);
                        let method = name.parse().unwrap();
                        self.series()
                            .points(MetricKey(*key), &policy(), method, granularity, start, None)
                            .unwrap()
                    };
                    let expected = model.aggregates(length, aggregate);
                    assert_eq!(read(None), expected, "{name} of {key}");
                    let Some((middle, _)) = expected.get(expected.len() / 2) else { continue };
                    assert_eq!(read(Some(*middle)), expected[expected.len() / 2..], "{name} of {key}");
                }
            }
        }
        assert_eq!(self.series().check().unwrap().damaged, 0);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn every_aggregate_is_that_of_all_measures_in_time(steps in prop::collection::vec(step(), 1..60)) {
        let mut world = World::new();
        steps.iter().for_each(|step| world.take(step));
        world.check();
        world.take(&Step::PowerCut(true));
        world.check();
        world.series.take().unwrap().close().unwrap();
    }
}
