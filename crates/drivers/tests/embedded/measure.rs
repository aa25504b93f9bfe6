//! Figures for the documents: `cargo test --release -p nephoscope-drivers --test embedded -- --ignored measure --nocapture`.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use nephoscope_telemetry::{Driver, TraceFilter, TracePoint};

use crate::damage::copy;
use crate::open;
use crate::points::{Chance, START, request};

/// What a directory takes on disk: blocks, as `du` counts.
pub(crate) fn disk_bytes(path: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    let entries = fs::read_dir(path).unwrap().map(Result::unwrap);
    entries
        .map(|entry| match entry.metadata().unwrap() {
            metadata if metadata.is_dir() => disk_bytes(&entry.path()),
            metadata => metadata.blocks() * 512,
        })
        .sum()
}

/// Stores traces in batches of 500 points, many traces at a time as they come from many requests.
async fn fill(
    driver: &dyn Driver,
    traces: usize,
    operations: usize,
    at_a_time: usize,
) -> (usize, Duration, Duration) {
    let mut chance = Chance(1);
    let (mut stored, mut spent, mut worst) = (0, Duration::ZERO, Duration::ZERO);
    for round in 0..traces / at_a_time {
        let mut group: Vec<_> = (0..at_a_time)
            .flat_map(|at| {
                let start = START + (round * at_a_time + at) as i64 * 30_000;
                request(&mut chance, start, operations)
            })
            .collect();
        group.sort_by_key(|point: &TracePoint| point.timestamp);
        for batch in group.chunks(500) {
            let started = Instant::now();
            driver.notify(batch).await.unwrap();
            let took = started.elapsed();
            spent += took;
            worst = worst.max(took);
            stored += batch.len();
        }
    }
    (stored, spent, worst)
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "measures: a minute in a release build"]
async fn measure_a_million_points() {
    let directory = tempfile::tempdir().unwrap();
    let driver = open(directory.path()).await.unwrap();
    let (stored, spent, worst) = fill(&*driver, 5_000, 100, 20).await;
    println!(
        "{stored} points in batches of 500: {:.0} points/s, worst batch {worst:?}",
        stored as f64 / spent.as_secs_f64()
    );
    println!("while open: {:.1} bytes a point on disk", disk_bytes(directory.path()) as f64 / stored as f64);
    let killed = tempfile::tempdir().unwrap();
    copy(directory.path(), killed.path());
    let started = Instant::now();
    drop(open(killed.path()).await.unwrap());
    println!("open, as after a kill, and drop: {:?}", started.elapsed());
    let started = Instant::now();
    driver.close().await.unwrap();
    println!("close: {:?}", started.elapsed());
    println!("closed: {:.1} bytes a point on disk", disk_bytes(directory.path()) as f64 / stored as f64);
    let started = Instant::now();
    let driver = open(directory.path()).await.unwrap();
    println!("open: {:?}", started.elapsed());
    let filter = TraceFilter { limit: Some(10), ..TraceFilter::default() };
    let newest = driver.list(&filter).await.unwrap();
    let started = Instant::now();
    for trace in &newest {
        assert_eq!(driver.points(&trace.base_id).await.unwrap().good.len(), 200);
    }
    println!("read a trace of 200 points: {:?}", started.elapsed() / 10);
    tokio::time::sleep(Duration::from_secs(5)).await;
    println!("reopened: {:.1} bytes a point on disk", disk_bytes(directory.path()) as f64 / stored as f64);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "measures: a minute in a release build"]
async fn measure_a_hundred_thousand_traces() {
    let directory = tempfile::tempdir().unwrap();
    let driver = open(directory.path()).await.unwrap();
    let (stored, spent, worst) = fill(&*driver, 100_000, 2, 100).await;
    println!(
        "{stored} points of small traces: {:.0} points/s, worst batch {worst:?}",
        stored as f64 / spent.as_secs_f64()
    );
    driver.close().await.unwrap();
    println!("closed: {:.1} bytes a point on disk", disk_bytes(directory.path()) as f64 / stored as f64);
    let driver = open(directory.path()).await.unwrap();
    for what in ["first", "again"] {
        let started = Instant::now();
        let newest = driver.list(&TraceFilter { limit: Some(100), ..TraceFilter::default() }).await.unwrap();
        println!("newest {} of 100,000 traces, {what}: {:?}", newest.len(), started.elapsed());
    }
    let started = Instant::now();
    let filter = TraceFilter { service: Some("absent".into()), ..TraceFilter::default() };
    assert!(driver.list(&filter).await.unwrap().is_empty());
    println!("100,000 traces looked through for a service: {:?}", started.elapsed());
    let started = Instant::now();
    let purged =
        driver.purge(nephoscope_telemetry::Timestamp::from_micros(START + 50_000 * 30_000)).await.unwrap();
    println!(
        "{} traces purged in {:?}: {} bytes left",
        purged.traces,
        started.elapsed(),
        disk_bytes(directory.path())
    );
    driver.close().await.unwrap();
    println!("closed: {} bytes", disk_bytes(directory.path()));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "measures: a minute in a release build"]
async fn measure_writers_at_the_same_time() {
    for writers in [1, 4, 16, 64] {
        let directory = tempfile::tempdir().unwrap();
        let driver = open(directory.path()).await.unwrap();
        let batches = 2_000 / writers;
        let started = Instant::now();
        let mut tasks = tokio::task::JoinSet::new();
        for writer in 0..writers {
            let driver = driver.clone();
            tasks.spawn(async move {
                let mut chance = Chance(writer);
                for at in 0..batches {
                    driver.notify(&request(&mut chance, START + at.cast_signed() * 1_000, 10)).await.unwrap();
                }
            });
        }
        tasks.join_all().await;
        println!(
            "{writers} writers: {:.0} batches of 20 a second",
            2_000.0 / started.elapsed().as_secs_f64()
        );
    }
}
