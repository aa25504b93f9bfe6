//! What is too old goes, and gives its space back.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use nephoscope_telemetry::{Driver, Timestamp, TracePoint};

use crate::measure::disk_bytes;
use crate::points::{Chance, START, request};
use crate::{assert_list_and_points_agree, list, open, open_with};

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros() as i64
}

async fn until_listed(driver: &dyn Driver, count: usize) {
    let started = Instant::now();
    while list(driver).await.len() != count {
        assert!(started.elapsed() < Duration::from_secs(30), "{} are listed", list(driver).await.len());
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn traces_older_than_the_retention_are_gone_after_opening() {
    let directory = tempfile::tempdir().unwrap();
    let driver = open(directory.path()).await.unwrap();
    let mut chance = Chance(5);
    let hour = 3_600_000_000;
    let old: Vec<_> = (0..3_000).flat_map(|_| request(&mut chance, now() - 30 * hour, 1)).collect();
    let fresh = request(&mut chance, now() - hour, 10);
    // It began long ago, but its latest point is fresh.
    let mut lasting = request(&mut chance, now() - 40 * hour, 10);
    lasting[19].timestamp = Timestamp::from_micros(now() - hour);
    for points in [&old, &fresh, &lasting] {
        driver.notify(points).await.unwrap();
    }
    until_listed(&*driver, 3_002).await;
    drop(driver);
    let driver = open_with(directory.path(), "?retention=1d").await.unwrap();
    until_listed(&*driver, 2).await;
    assert_list_and_points_agree(&*driver).await;
    assert!(driver.points(&old[0].base_id).await.unwrap().good.is_empty());
    assert_eq!(driver.points(&lasting[0].base_id).await.unwrap().good, lasting);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purge_gives_the_space_back() {
    let directory = tempfile::tempdir().unwrap();
    let driver = open(directory.path()).await.unwrap();
    // One trace that is larger than a step of a purge, and many small ones.
    let large = request(&mut Chance(1), START, 20_000);
    let mut chance = Chance(2);
    let small: Vec<TracePoint> = (0..500).flat_map(|at| request(&mut chance, START + at, 10)).collect();
    for points in [&large, &small] {
        driver.notify(points).await.unwrap();
    }
    driver.close().await.unwrap();
    drop(driver);
    let full = disk_bytes(directory.path());
    let driver = open(directory.path()).await.unwrap();
    let purged = driver.purge(Timestamp::from_micros(START + 3_600_000_000)).await.unwrap();
    assert_eq!(purged.traces, 501);
    assert!(list(&*driver).await.is_empty());
    driver.close().await.unwrap();
    let empty = disk_bytes(directory.path());
    assert!(empty < full / 4, "{full} bytes before, {empty} after");
}
