//! A store that an earlier version wrote is read by this one.
//!
//! A new format gets a fixture of its own beside the old ones, which stay as they are. The newest is written by
//! `cargo test -p nephoscope-drivers --test embedded -- --ignored fixture::is_written`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use nephoscope_telemetry::{Id, TracePoint};

use crate::damage::copy;
use crate::goldens::notifications;
use crate::{list, open};

const CASES: [&str; 3] =
    ["exceptions.notifications.jsonl", "nested.notifications.jsonl", "unicode.notifications.jsonl"];

const NEWEST: u32 = 2;

fn folder(format: u32) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/embedded-{format}"))
}

/// The golden traces of the fixture, by their ids.
fn traces() -> BTreeMap<Id, Vec<TracePoint>> {
    let cases = notifications().filter(|(name, _)| CASES.contains(&name.as_str()));
    let traces: BTreeMap<_, _> = cases.map(|(_, points)| (points[0].base_id.clone(), points)).collect();
    assert_eq!(traces.len(), CASES.len());
    traces
}

#[tokio::test]
#[ignore = "writes the fixture, once a format"]
async fn is_written() {
    assert!(!folder(NEWEST).exists(), "a fixture is never written again");
    let driver = open(&folder(NEWEST)).await.unwrap();
    for points in traces().values() {
        driver.notify(points).await.unwrap();
    }
    driver.close().await.unwrap();
}

#[tokio::test]
async fn a_store_of_any_format_is_read_and_written_on() {
    for format in 1..=NEWEST {
        let directory = tempfile::tempdir().unwrap();
        copy(&folder(format), directory.path());
        let driver = open(directory.path()).await.unwrap();
        let traces = traces();
        let lines = list(&*driver).await.into_iter();
        let listed: Vec<_> = lines.map(|line| (line.base_id, line.points)).collect();
        assert_eq!(listed.len(), traces.len());
        for (base_id, points) in &traces {
            assert_eq!(driver.points(base_id).await.unwrap().good, *points);
            assert!(listed.contains(&(base_id.clone(), Some(points.len() as u64))));
            driver.notify(points).await.unwrap();
            assert_eq!(driver.points(base_id).await.unwrap().good, *points, "stored again, kept once");
            let later = renamed(points);
            driver.notify(&later).await.unwrap();
            driver.notify(&later).await.unwrap();
            let all = [points.as_slice(), &later].concat();
            assert_eq!(driver.points(base_id).await.unwrap().good, all, "more was stored, kept once");
        }
        let told = fs::read_to_string(directory.path().join("format")).unwrap();
        assert_eq!(told, format!("nephoscope trace store {NEWEST}\n"), "an earlier version would misread it");
    }
}

/// Other points of the same trace.
fn renamed(points: &[TracePoint]) -> Vec<TracePoint> {
    let mut points = points.to_vec();
    points.iter_mut().for_each(|point| point.name = format!("later-{}", point.name).into());
    points
}
