//! What was acknowledged is there after a kill, and no aggregate is wrong.

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use nephoscope_gnocchi::{ArchivePolicy, Definition, Measure, Timespan, Timestamp};
use nephoscope_store::series::{MetricKey, Options, Series};

const STORE: &str = "NEPHOSCOPE_TEST_CHILD_STORE";
/// How many rounds there are, where more are wanted than usual.
const ROUNDS: &str = "NEPHOSCOPE_TEST_CRASH_ROUNDS";
const WRITERS: u64 = 4;
const START: i64 = 1_700_000_100;

fn policy() -> Arc<ArchivePolicy> {
    let methods = ["sum", "count", "rate:count"];
    Arc::new(ArchivePolicy {
        name: "crash".into(),
        back_window: 0,
        definition: vec![Definition { granularity: Timespan::from_seconds(60).unwrap(), points: None }],
        aggregation_methods: methods.iter().map(|method| method.parse().unwrap()).collect(),
    })
}

fn open(directory: &Path) -> Series {
    Series::open(directory, &Options::default(), |_| Some(policy())).unwrap()
}

fn sums(series: &Series, writer: u64, method: &str) -> Vec<f64> {
    let granularity = Timespan::from_seconds(60).unwrap();
    let points = series
        .points(MetricKey(writer), &policy(), method.parse().unwrap(), granularity, None, None)
        .unwrap();
    points.into_iter().map(|(_, value)| value).collect()
}

/// Each writer goes on behind what is there: measure `n` is `n`, 20 seconds after the one before.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "the child of a test, killed by it"]
async fn writes_until_it_is_killed() {
    let directory = env::var_os(STORE).expect("this is started as a child by another test");
    let series = Arc::new(open(Path::new(&directory)));
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..WRITERS {
        let series = Arc::clone(&series);
        writers.spawn(async move {
            let first = sums(&series, writer, "count").iter().sum::<f64>() as i64;
            for number in first.. {
                let timestamp = Timestamp::from_nanos((START + 20 * number) * 1_000_000_000);
                let batch = vec![Measure { timestamp, value: number as f64 }];
                series.write(vec![(MetricKey(writer), policy(), batch)]).await.unwrap();
                let line = format!("\nstored {writer} {number}\n");
                std::io::stdout().write_all(line.as_bytes()).unwrap();
                match number % 97 {
                    5 => series.checkpoint().await.unwrap(),
                    66 if writer == 0 => series.compact().await.unwrap(),
                    _ => {}
                }
            }
        });
    }
    writers.join_all().await;
}

/// Lets a child write for a while, kills it, and gives the last measure of each writer that it said was stored.
fn killed(directory: &Path, lifetime: Duration, last: &mut [i64]) {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["crash::writes_until_it_is_killed", "--exact", "--ignored", "--nocapture"]);
    let mut child = command.env(STORE, directory).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let stored = |line: String| -> Option<(usize, i64)> {
        let (writer, number) = line.strip_prefix("stored ")?.split_once(' ')?;
        Some((writer.parse().ok()?, number.parse().ok()?))
    };
    let first = lines.by_ref().find_map(stored).expect("it stores something");
    let killer = std::thread::spawn(move || {
        std::thread::sleep(lifetime);
        child.kill().unwrap();
        child.wait().unwrap();
    });
    for (writer, number) in [first].into_iter().chain(lines.filter_map(stored)) {
        last[writer] = last[writer].max(number);
    }
    killer.join().unwrap();
}

#[test]
fn what_was_acknowledged_is_there_after_the_process_is_killed_and_no_aggregate_is_wrong() {
    let rounds = env::var(ROUNDS).map_or(12, |rounds| rounds.parse().unwrap());
    let directory = tempfile::tempdir().unwrap();
    let mut last = [-1; WRITERS as usize];
    for round in 0..rounds {
        killed(directory.path(), Duration::from_millis(round * 37 % 150), &mut last);
        let series = open(directory.path());
        assert_eq!(series.check().unwrap().damaged, 0);
        for (writer, last) in last.iter().enumerate() {
            let counts = sums(&series, writer as u64, "count");
            let all = counts.iter().sum::<f64>() as i64;
            assert!(all > *last, "round {round}: {last} of writer {writer} is lost, there are {all}");
            // The first minute begins 20 seconds before the first measure.
            let minute = |number: i64| (START + 20 * number).div_euclid(60);
            let mut expected = std::collections::BTreeMap::<i64, (f64, f64)>::new();
            for number in 0..all {
                let (sum, count) = expected.entry(minute(number)).or_default();
                *sum += number as f64;
                *count += 1.0;
            }
            assert_eq!(counts, expected.values().map(|(_, count)| *count).collect::<Vec<_>>());
            let found = sums(&series, writer as u64, "sum");
            assert_eq!(found, expected.values().map(|(sum, _)| *sum).collect::<Vec<_>>());
            let differences = sums(&series, writer as u64, "rate:count").iter().sum::<f64>() as i64;
            assert_eq!(differences, (all - 1).max(0));
        }
        let stats = series.stats();
        assert_eq!((stats.damaged_frames, stats.damaged_blocks), (0, 0));
        series.close().unwrap();
    }
    assert!(last.iter().sum::<i64>() > rounds as i64, "only {last:?} were acknowledged");
}
