//! What was acknowledged is there after a kill.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use nephoscope_telemetry::{Timestamp, TracePoint};

use crate::children::{child, store};
use crate::points::{Chance, START, request};
use crate::{assert_list_and_points_agree, open};

const ROUNDS: u64 = 15;
const WRITERS: u64 = 4;
const ROUND: &str = "NEPHOSCOPE_TEST_ROUND";

/// The points of a trace that tells apart rounds, writers and counts.
fn trace(round: u64, writer: u64, count: u64) -> Vec<TracePoint> {
    let seed = round << 40 | writer << 32 | count;
    request(&mut Chance(seed.wrapping_mul(0x2545_f491_4f6c_dd1d)), START + count.cast_signed() * 1_000, 10)
}

/// Stores later halves before earlier ones, so that the traces move in the indexes all the time.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "the child of a test, killed by it"]
async fn writes_until_it_is_killed() {
    let round = std::env::var(ROUND).unwrap().parse().unwrap();
    let driver = open(&store()).await.unwrap();
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..WRITERS {
        let driver = driver.clone();
        writers.spawn(async move {
            for count in 0.. {
                let points = trace(round, writer, count);
                for (half, points) in [&points[10..], &points[..10]].into_iter().enumerate() {
                    driver.notify(points).await.unwrap();
                    let line = format!("\nstored {writer} {count} {half}\n");
                    std::io::stdout().write_all(line.as_bytes()).unwrap();
                }
            }
        });
    }
    writers.join_all().await;
}

/// Lets a child write for a while, kills it, and gives what it said was stored.
fn acknowledged_before_the_kill(directory: &Path, round: u64, lifetime: Duration) -> Vec<[u64; 3]> {
    let mut command = child("crash::writes_until_it_is_killed", directory);
    let mut child = command.env(ROUND, round.to_string()).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let stored = |line: String| -> Option<[u64; 3]> {
        let numbers = line.strip_prefix("stored ")?.split(' ').map(|number| number.parse().ok());
        numbers.collect::<Option<Vec<_>>>()?.try_into().ok()
    };
    let first = lines.by_ref().find_map(stored).expect("it stores something");
    let killer = std::thread::spawn(move || {
        std::thread::sleep(lifetime);
        child.kill().unwrap();
        child.wait().unwrap();
    });
    let acknowledged = [first].into_iter().chain(lines.filter_map(stored)).collect();
    killer.join().unwrap();
    acknowledged
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_is_there_after_the_process_is_killed() {
    let directory = tempfile::tempdir().unwrap();
    let mut chance = Chance(7);
    let mut kept: BTreeSet<(u64, [u64; 3])> = BTreeSet::new();
    for round in 0..ROUNDS {
        let lifetime = Duration::from_millis(chance.next() % 120);
        let acknowledged = acknowledged_before_the_kill(directory.path(), round, lifetime);
        kept.extend(acknowledged.into_iter().map(|stored| (round, stored)));
        let driver = open(directory.path()).await.unwrap();
        for (round, [writer, count, half]) in &kept {
            let expected = trace(*round, *writer, *count);
            let found = driver.points(&expected[0].base_id).await.unwrap();
            let expected = if *half == 0 { &expected[10..] } else { &expected[..10] };
            for point in expected {
                assert!(found.good.contains(point), "{round} {writer} {count} {half}: {point:?} is lost");
            }
        }
        assert_list_and_points_agree(&*driver).await;
    }
    assert!(kept.len() > ROUNDS as usize * 10, "only {} batches were acknowledged", kept.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn points_in_any_order_and_again_leave_one_trace_with_one_line() {
    let directory = tempfile::tempdir().unwrap();
    let driver = open(directory.path()).await.unwrap();
    let points = request(&mut Chance(3), START, 50);
    for at in [40, 20, 0, 80, 60, 20] {
        driver.notify(&points[at..at + 20]).await.unwrap();
        assert_list_and_points_agree(&*driver).await;
    }
    let mut all = driver.points(&points[0].base_id).await.unwrap();
    assert_eq!(all.good[0], points[40], "the order in which they came");
    all.sort_by_time();
    assert_eq!(all.good, points);
    let mut same_time = points[..30].to_vec();
    same_time.iter_mut().for_each(|point| point.timestamp = Timestamp::from_micros(START));
    same_time.iter_mut().for_each(|point| point.base_id = "same time".into());
    driver.notify(&same_time).await.unwrap();
    assert_eq!(driver.points(&"same time".into()).await.unwrap().good, same_time);
}
