//! A store that an earlier version wrote is read by this one.
//!
//! A new format gets a fixture of its own beside the old ones, which stay as they are. This one was written by
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

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/embedded-1")
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
    assert!(!folder().exists(), "a fixture is never written again");
    let driver = open(&folder()).await.unwrap();
    for points in traces().values() {
        driver.notify(points).await.unwrap();
    }
    driver.close().await.unwrap();
}

#[tokio::test]
async fn a_store_of_format_1_is_read_and_written_on() {
    let directory = tempfile::tempdir().unwrap();
    copy(&folder(), directory.path());
    let driver = open(directory.path()).await.unwrap();
    let traces = traces();
    let listed: Vec<_> = list(&*driver).await.into_iter().map(|line| (line.base_id, line.points)).collect();
    assert_eq!(listed.len(), traces.len());
    for (base_id, points) in &traces {
        assert_eq!(driver.points(base_id).await.unwrap().good, *points);
        assert!(listed.contains(&(base_id.clone(), Some(points.len() as u64))));
        driver.notify(points).await.unwrap();
        assert_eq!(driver.points(base_id).await.unwrap().good, *points, "stored again, kept once");
    }
    assert_eq!(fs::read_to_string(directory.path().join("format")).unwrap(), "nephoscope trace store 1\n");
}
