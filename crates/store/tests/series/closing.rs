//! What a close leaves for the next start.

use std::path::Path;
use std::sync::Arc;

use nephoscope_gnocchi::{AggregationMethod, ArchivePolicy, Definition, Measure, Timespan, Timestamp};
use nephoscope_store::series::{MetricKey, Options, Series};

fn policy() -> Arc<ArchivePolicy> {
    Arc::new(ArchivePolicy {
        name: "closing".into(),
        back_window: 0,
        definition: vec![Definition { granularity: Timespan::from_seconds(60).unwrap(), points: None }],
        aggregation_methods: vec![AggregationMethod::MEAN],
    })
}

fn open(directory: &Path) -> Series {
    Series::open(directory, &Options::default(), |_| Some(policy())).unwrap()
}

/// Names of files by what they are, and how long the journals are in all.
fn files(directory: &Path) -> (usize, usize, u64) {
    let (mut segments, mut journals, mut bytes) = (0, 0, 0);
    for entry in std::fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        if entry.path().extension().is_some_and(|extension| extension == "segment") {
            segments += 1;
        } else {
            journals += 1;
            bytes += entry.metadata().unwrap().len();
        }
    }
    (segments, journals, bytes)
}

#[tokio::test]
async fn after_a_close_there_is_nothing_to_read_again() {
    const EMPTY_JOURNAL: u64 = 16;
    let directory = tempfile::tempdir().unwrap();
    let series = open(directory.path());
    let measures = vec![Measure { timestamp: Timestamp::from_nanos(0), value: 7.0 }];
    series.write(vec![(MetricKey(1), policy(), measures)]).await.unwrap();
    assert_eq!(files(directory.path()).0, 0);
    series.close().unwrap();
    assert_eq!(files(directory.path()), (1, 1, EMPTY_JOURNAL));
    // However often it is done.
    for _ in 0..3 {
        let series = open(directory.path());
        let minute = Timespan::from_seconds(60).unwrap();
        let points =
            series.points(MetricKey(1), &policy(), AggregationMethod::MEAN, minute, None, None).unwrap();
        assert_eq!(points.len(), 1);
        series.close().unwrap();
        assert_eq!(files(directory.path()), (1, 1, EMPTY_JOURNAL));
    }
}
