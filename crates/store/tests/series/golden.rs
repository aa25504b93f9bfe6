//! What Gnocchi's own classes make of random programs, captured by `golden/capture.py`, to the last bit.

use std::sync::Arc;

use nephoscope_gnocchi::{ArchivePolicy, Definition, Measure, Timespan, Timestamp};
use nephoscope_store::series::{MetricKey, Options, Series};
use serde::Deserialize;
use tempfile::TempDir;

#[derive(Deserialize)]
struct Program {
    policy: Policy,
    steps: Vec<Step>,
}

#[derive(Deserialize)]
struct Policy {
    back_window: u32,
    definition: Vec<(f64, Option<u64>)>,
    aggregation_methods: Vec<String>,
}

/// NaN is null.
#[derive(Deserialize)]
#[serde(untagged)]
enum Step {
    Batch {
        batch: Vec<(i64, Option<f64>)>,
    },
    Policy {
        policy: Policy,
    },
    Read {
        method: String,
        granularity: f64,
        start: Option<i64>,
        stop: Option<i64>,
        points: Vec<(i64, Option<f64>)>,
    },
}

fn span(seconds: f64) -> Timespan {
    Timespan::from_nanos((seconds * 1e9) as i64).unwrap()
}

fn policy(policy: &Policy) -> Arc<ArchivePolicy> {
    let definition = |(granularity, points): &(f64, Option<u64>)| Definition {
        granularity: span(*granularity),
        points: *points,
    };
    Arc::new(ArchivePolicy {
        name: "policy".into(),
        back_window: policy.back_window,
        definition: policy.definition.iter().map(definition).collect(),
        aggregation_methods: policy.aggregation_methods.iter().map(|name| name.parse().unwrap()).collect(),
    })
}

fn same(left: f64, right: Option<f64>) -> bool {
    right.map_or(left.is_nan(), |right| left == right)
}

/// What is done between the steps.
#[derive(Clone, Copy)]
enum Between {
    Nothing,
    /// Checkpoints, compaction and new starts.
    Upkeep,
}

#[tokio::test]
async fn every_point_is_the_one_that_gnocchi_gives() {
    run(Between::Nothing).await;
}

#[tokio::test]
async fn every_point_is_the_same_from_memory_from_journals_and_from_segments() {
    run(Between::Upkeep).await;
}

fn copy_of(directory: &TempDir) -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
    }
    copy
}

async fn run(between: Between) {
    let programs: Vec<Program> = serde_json::from_str(include_str!("golden/series.json")).unwrap();
    let mut directory = tempfile::tempdir().unwrap();
    let some_policy = policy(&programs[0].policy);
    let open = |directory: &TempDir| {
        Series::open(directory.path(), &Options::default(), |_| Some(Arc::clone(&some_policy))).unwrap()
    };
    let mut series = open(&directory);
    let mut points_seen = 0;
    for (number, program) in programs.iter().enumerate() {
        let key = MetricKey(number as u64);
        let mut now = policy(&program.policy);
        for (at, step) in program.steps.iter().enumerate() {
            if matches!(between, Between::Upkeep) {
                match (number * 7 + at) % 48 {
                    5 | 11 | 23 | 24 => series.checkpoint().await.unwrap(),
                    13 => series.compact().await.unwrap(),
                    19 => {
                        series.close().unwrap();
                        series = open(&directory);
                    }
                    // As if the machine had stopped: all is read from the journal again.
                    31 | 37 => {
                        let left = copy_of(&directory);
                        series.close().unwrap();
                        series = open(&left);
                        directory = left;
                    }
                    _ => {}
                }
            }
            match step {
                Step::Batch { batch } => {
                    let measure = |(time, value): &(i64, Option<f64>)| Measure {
                        timestamp: Timestamp::from_nanos(*time),
                        value: value.unwrap_or(f64::NAN),
                    };
                    let batch = batch.iter().map(measure).collect();
                    series.write(vec![(key, Arc::clone(&now), batch)]).await.unwrap();
                }
                // The next batch or read follows it.
                Step::Policy { policy: new } => now = policy(new),
                Step::Read { method, granularity, start, stop, points } => {
                    let (start, stop) = (start.map(Timestamp::from_nanos), stop.map(Timestamp::from_nanos));
                    let method_of = method.parse().unwrap();
                    let found = series.points(key, &now, method_of, span(*granularity), start, stop).unwrap();
                    let is_same = found.len() == points.len()
                        && found
                            .iter()
                            .zip(points)
                            .all(|(left, right)| left.0 == right.0 && same(left.1, right.1));
                    assert!(
                        is_same,
                        "program {number}, step {at}: {method} at {granularity}:\n  ours {found:?}\ntheirs {points:?}"
                    );
                    points_seen += points.len();
                }
            }
        }
    }
    assert!(points_seen > 5_000, "the programs hold only {points_seen} points");
    let checked = series.check().unwrap();
    assert_eq!(checked.damaged, 0);
    assert!(matches!(between, Between::Nothing) || checked.blocks > 1000);
}
