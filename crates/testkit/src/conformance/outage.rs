//! The server goes away and comes back.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use nephoscope_telemetry::{Driver, ErrorKind, Result, TraceFilter, TracePoint};

use super::Case;
use super::bench::{Bench, check_secrets, expect_error, list, read, until_back};
use super::traces::{at, id, pair, point, uuid};

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    cases!(
        true,
        an_outage_is_unavailable_and_the_same_driver_works_after_it,
        a_server_killed_in_mid_write_loses_nothing_acknowledged,
        connecting_to_a_server_that_is_away_is_unavailable,
    )
}

pub(super) async fn an_outage_is_unavailable_and_the_same_driver_works_after_it(mut bench: Bench) {
    let driver = bench.connect().await;
    let before = pair(&uuid(1), 1, 0);
    super::bench::store(&*driver, &before).await;
    bench.server().kill();
    let (trace, all) = (id(&uuid(1)), TraceFilter::default());
    let after = pair(&uuid(2), 2, 0);
    expect_error(ErrorKind::Unavailable, driver.notify(&after)).await;
    expect_error(ErrorKind::Unavailable, driver.points(&trace)).await;
    expect_error(ErrorKind::Unavailable, driver.list(&all)).await;
    expect_error(ErrorKind::Unavailable, driver.list_errors(&all)).await;
    if driver.capabilities().purge {
        expect_error(ErrorKind::Unavailable, driver.purge(at(0))).await;
    }
    bench.server().restart();
    until_back(|| driver.notify(&after)).await;
    assert_eq!(read(&*driver, &uuid(1)).await, before);
    assert_eq!(read(&*driver, &uuid(2)).await[..2], after);
    assert_eq!(list(&*driver, &all).await.len(), 2);
}

/// Stores batch after batch until one fails, and counts those that did not.
async fn write_until_failure(
    driver: Arc<dyn Driver>,
    writer: u64,
    done: Arc<AtomicU64>,
) -> (Vec<TracePoint>, Result<()>) {
    let mut acknowledged = Vec::new();
    for round in 0.. {
        let batch: Vec<_> = (0..20)
            .map(|number| point(&uuid(writer), round * 20 + number, "db-start", number as i64))
            .collect();
        let result = driver.notify(&batch).await;
        if result.is_err() {
            return (acknowledged, result);
        }
        acknowledged.extend(batch);
        done.fetch_add(1, Ordering::Relaxed);
    }
    unreachable!("the rounds do not end")
}

pub(super) async fn a_server_killed_in_mid_write_loses_nothing_acknowledged(mut bench: Bench) {
    const WRITERS: u64 = 3;
    let driver = bench.connect().await;
    let done = Arc::new(AtomicU64::new(0));
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| tokio::spawn(write_until_failure(driver.clone(), writer, done.clone())))
        .collect();
    while done.load(Ordering::Relaxed) < 30 {
        assert!(
            !writers.iter().any(tokio::task::JoinHandle::is_finished),
            "a writer fails before the outage"
        );
        tokio::task::yield_now().await;
    }
    bench.server().kill();
    let mut acknowledged = Vec::new();
    for writer in writers {
        let (stored, result) = tokio::time::timeout(std::time::Duration::from_secs(30), writer)
            .await
            .expect("it hangs")
            .expect("it ends");
        let error = result.expect_err("it ends by a failure");
        check_secrets(&error);
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{}", super::bench::chain(&error));
        acknowledged.push(stored);
    }
    bench.server().restart();
    until_back(|| driver.notify(&[])).await;
    for (writer, stored) in (0..).zip(&acknowledged) {
        let points = until_back(|| {
            let driver = driver.clone();
            Box::pin(async move { driver.points(&id(&uuid(writer))).await })
        });
        let points = points.await.good;
        assert_eq!(points[..stored.len()], stored[..], "of writer {writer}, when {}", bench.server().log());
    }
    until_back(|| driver.notify(&acknowledged[0][..1])).await;
}

pub(super) async fn connecting_to_a_server_that_is_away_is_unavailable(mut bench: Bench) {
    bench.server().kill();
    expect_error(ErrorKind::Unavailable, bench.try_connect(&bench.place.url)).await;
    bench.server().restart();
    let driver = bench.connect().await;
    super::bench::store(&*driver, &pair(&uuid(1), 1, 0)).await;
}
