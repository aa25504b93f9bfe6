//! Many write at once, and all of it is there.

use std::sync::Arc;

use nephoscope_telemetry::{Driver, TraceFilter, TracePoint};

use super::Case;
use super::bench::{Bench, list, read, store};
use super::traces::{point, uuid};

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    cases!(
        false,
        eight_writers_to_one_trace,
        eight_writers_to_traces_of_their_own,
        a_read_sees_what_was_just_stored,
        readers_are_not_disturbed_by_writers,
    )
}

const WRITERS: u64 = 8;
const BATCHES: u64 = 25;
const POINTS: u64 = 8;

/// What one writer stores; the id of the operation tells writer and number.
fn work(base_id: &str, writer: u64) -> Vec<TracePoint> {
    (0..BATCHES * POINTS)
        .map(|number| point(base_id, writer * 1_000 + number, "db-start", number as i64))
        .collect()
}

async fn write_all(driver: &Arc<dyn Driver>, base_id_of: impl Fn(u64) -> String) {
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..WRITERS {
        let (driver, points) = (driver.clone(), work(&base_id_of(writer), writer));
        writers.spawn(async move {
            for batch in points.chunks(POINTS as usize) {
                store(&*driver, batch).await;
            }
        });
    }
    while let Some(ended) = writers.join_next().await {
        ended.expect("a writer does not panic");
    }
}

pub(super) async fn eight_writers_to_one_trace(bench: Bench) {
    let driver = bench.connect().await;
    write_all(&driver, |_| uuid(1)).await;
    let stored = read(&*driver, &uuid(1)).await;
    assert_eq!(stored.len() as u64, WRITERS * BATCHES * POINTS);
    for writer in 0..WRITERS {
        let written = work(&uuid(1), writer);
        let of_writer: Vec<_> = stored.iter().filter(|point| written.contains(point)).cloned().collect();
        assert_eq!(of_writer, written, "of writer {writer}");
    }
}

pub(super) async fn eight_writers_to_traces_of_their_own(bench: Bench) {
    let driver = bench.connect().await;
    write_all(&driver, uuid).await;
    for writer in 0..WRITERS {
        assert_eq!(read(&*driver, &uuid(writer)).await, work(&uuid(writer), writer));
    }
    assert_eq!(list(&*driver, &TraceFilter::default()).await.len() as u64, WRITERS);
}

pub(super) async fn a_read_sees_what_was_just_stored(bench: Bench) {
    let driver = bench.connect().await;
    let points = work(&uuid(1), 0);
    for count in 1..=40 {
        store(&*driver, &points[count - 1..count]).await;
        assert_eq!(read(&*driver, &uuid(1)).await, points[..count]);
        assert_eq!(list(&*driver, &TraceFilter::default()).await.len(), 1);
    }
}

pub(super) async fn readers_are_not_disturbed_by_writers(bench: Bench) {
    let driver = bench.connect().await;
    let before = work(&uuid(99), 99);
    store(&*driver, &before).await;
    let writing = tokio::spawn({
        let driver = driver.clone();
        async move { write_all(&driver, uuid).await }
    });
    while !writing.is_finished() {
        assert_eq!(read(&*driver, &uuid(99)).await, before);
        let listed = list(&*driver, &TraceFilter::default()).await;
        assert!(
            listed.iter().any(|line| line.base_id == uuid(99).as_str().into()),
            "it is not in {listed:?}"
        );
    }
    writing.await.expect("the writers do not panic");
}
