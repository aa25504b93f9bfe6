//! A point is kept once, in the place in which it came first, however it was stored: alone, or packed with others.

use std::collections::HashSet;

use nephoscope_telemetry::{Driver, Id, TracePoint};

use crate::points::{Chance, START, request};
use crate::{assert_list_and_points_agree, open};

/// What was stored of some traces, in the order in which it came first.
#[derive(Default)]
struct Stored {
    points: Vec<TracePoint>,
    known: HashSet<String>,
}

impl Stored {
    fn add(&mut self, points: &[TracePoint]) {
        for point in points {
            if self.known.insert(point.to_json()) {
                self.points.push(point.clone());
            }
        }
    }

    async fn assert_is_all_there(&self, driver: &dyn Driver, base_id: &Id) {
        let expected: Vec<_> = self.points.iter().filter(|point| point.base_id == *base_id).collect();
        let read = driver.points(base_id).await.unwrap();
        assert_eq!(read.bad.count(), 0);
        assert!(read.good.iter().eq(expected), "a trace is read as it came");
    }
}

/// Batches that overlap, of one point and of many, of a small and of a large trace, with the store opened anew in between.
#[tokio::test(flavor = "multi_thread")]
async fn points_of_overlapping_batches_are_kept_once_in_their_order() {
    let directory = tempfile::tempdir().unwrap();
    let mut chance = Chance(11);
    let traces = [request(&mut chance, START, 40), request(&mut chance, START, 2_500)];
    let mut driver = open(directory.path()).await.unwrap();
    let mut stored = Stored::default();
    for round in 0..120 {
        let mut batch = Vec::new();
        for points in &traces {
            let below = |bound: usize, chance: &mut Chance| (chance.next() % bound as u64) as usize;
            let most = [2, 30, 700][round % 3];
            let from = below(points.len(), &mut chance);
            let to = (from + below(most, &mut chance)).min(points.len());
            batch.extend_from_slice(&points[from..to]);
            batch.extend_from_slice(&points[from..to.min(from + round % 2)]);
        }
        driver.notify(&batch).await.unwrap();
        stored.add(&batch);
        if round % 40 == 39 {
            driver.close().await.unwrap();
            drop(driver);
            driver = open(directory.path()).await.unwrap();
        }
    }
    assert!(stored.points.len() > 3_000, "more than are packed: {}", stored.points.len());
    for points in &traces {
        stored.assert_is_all_there(&*driver, &points[0].base_id).await;
    }
    assert_list_and_points_agree(&*driver).await;
}

/// The same information at another time, or with another part of it, is another point.
#[tokio::test]
async fn points_that_differ_little_are_all_kept() {
    let directory = tempfile::tempdir().unwrap();
    let driver = open(directory.path()).await.unwrap();
    let points = request(&mut Chance(12), START, 20);
    let mut later = points.clone();
    later.iter_mut().for_each(|point| point.set_timestamp_text("2026-05-05T05:05:05.000005").unwrap());
    let mut spelled = points.clone();
    for point in &mut spelled {
        let text = format!("{}Z", point.timestamp);
        point.set_timestamp_text(&text).unwrap();
    }
    let all = [points, later, spelled].concat();
    for part in [&all[..40], &all[40..80], &all[80..], &all] {
        driver.notify(part).await.unwrap();
    }
    assert_eq!(driver.points(&all[0].base_id).await.unwrap().good, all);
}
