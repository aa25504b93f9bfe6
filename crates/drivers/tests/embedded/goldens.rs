//! Real notifications of OSProfiler go in and come out as they were.

use std::fs;
use std::path::Path;

use nephoscope_telemetry::{Id, TracePoint};

use crate::open;

/// What is in the golden cases and can be read as points, by the names of their files.
pub(crate) fn notifications() -> impl Iterator<Item = (String, Vec<TracePoint>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../telemetry/tests/golden");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| path.to_str().unwrap().ends_with(".notifications.jsonl")).map(|path| {
        let points = fs::read_to_string(&path)
            .unwrap()
            .lines()
            .filter_map(|line| TracePoint::from_json(line).ok())
            .collect();
        (path.file_name().unwrap().to_str().unwrap().to_owned(), points)
    })
}

#[tokio::test]
async fn every_golden_trace_comes_back_in_its_order_after_reopening() {
    let directory = tempfile::tempdir().unwrap();
    let mut traces = Vec::new();
    {
        let driver = open(directory.path()).await.unwrap();
        for (name, mut points) in notifications() {
            // Some cases share an id; each is to be a trace of its own here.
            points.iter_mut().for_each(|point| point.base_id = Id::new(&name));
            driver.notify(&points).await.unwrap();
            let mut once: Vec<TracePoint> = Vec::new();
            points.into_iter().for_each(|point| {
                if !once.contains(&point) {
                    once.push(point);
                }
            });
            traces.push((name, once));
        }
    }
    assert!(traces.len() > 15, "{} golden traces were found", traces.len());
    let driver = open(directory.path()).await.unwrap();
    for (name, points) in traces {
        assert_eq!(driver.points(&Id::new(&name)).await.unwrap().good, points, "{name}");
    }
}
