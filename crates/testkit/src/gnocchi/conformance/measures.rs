//! Measures of metrics, and reading them.

use nephoscope_gnocchi::{ArchivePolicy, Error, Measure, Range, Resolution, Timestamp};
use uuid::Uuid;

use super::Case;
use super::bench::{Bench, all, assert_refused, definition, methods, plain, seconds, span};

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    cases![
        what_is_stored_is_read,
        every_method_makes_its_value,
        a_range_is_read_from_its_period_on,
        a_measure_replaces_one_of_the_same_time,
        what_is_too_late_does_not_count,
        the_back_window_takes_what_is_late,
        what_is_too_old_is_let_go,
        a_batch_is_stored_whole_or_not_at_all,
        what_a_policy_does_not_keep_is_not_read,
        a_metric_without_measures_has_none,
        a_series_is_resampled,
        times_have_nanoseconds,
    ]
}

async fn what_is_stored_is_read(bench: Bench) {
    let metric = bench.metric(&bench.policy().await).await;
    bench.store(metric, &[(60, 1.0), (61, 2.0), (3600, 4.0)]).await;
    let points = bench.gnocchi.measures(metric, &all()).await.expect("they are read");
    let read: Vec<_> = points.iter().map(|it| (it.timestamp.seconds(), it.granularity, it.value)).collect();
    let (hour, minute) = (Resolution::Span(span(3600)), Resolution::Span(span(60)));
    assert_eq!(read, [(0, hour, 1.5), (3600, hour, 4.0), (60, minute, 1.5), (3600, minute, 4.0)]);
}

async fn every_method_makes_its_value(bench: Bench) {
    let names = [
        "mean",
        "sum",
        "last",
        "max",
        "min",
        "std",
        "median",
        "first",
        "count",
        "10pct",
        "95pct",
        "rate:mean",
        "rate:max",
    ];
    let policy = bench.policy_of("policy", vec![definition(60, None)], methods(&names)).await;
    let metric = bench.metric(&policy).await;
    bench.store(metric, &[(0, 0.1), (10, 0.7), (20, -3.25), (59, 0.2), (60, 5.0)]).await;
    let mut read = Vec::new();
    for method in names {
        let range = Range { aggregation: methods(&[method])[0], ..all() };
        let points = bench.gnocchi.measures(metric, &range).await.expect("they are read");
        read.push((method, plain(&points)));
    }
    // To the last digit that the real one gives.
    let wanted: [(&str, &[(i64, f64)]); 13] = [
        ("mean", &[(0, -0.5625), (60, 5.0)]),
        ("sum", &[(0, -2.25), (60, 5.0)]),
        ("last", &[(0, 0.2), (60, 5.0)]),
        ("max", &[(0, 0.7), (60, 5.0)]),
        ("min", &[(0, -3.25), (60, 5.0)]),
        ("std", &[(0, 1.8107894226920296)]),
        ("median", &[(0, 0.15000000000000002), (60, 5.0)]),
        ("first", &[(0, 0.1), (60, 5.0)]),
        ("count", &[(0, 4.0), (60, 1.0)]),
        ("10pct", &[(0, -2.245), (60, 5.0)]),
        ("95pct", &[(0, 0.6249999999999998), (60, 5.0)]),
        ("rate:mean", &[(0, 0.03333333333333336), (60, 4.8)]),
        ("rate:max", &[(0, 3.45), (60, 4.8)]),
    ];
    assert_eq!(read, wanted.map(|(method, points)| (method, points.to_vec())));
}

async fn a_range_is_read_from_its_period_on(bench: Bench) {
    let metric = bench.metric(&bench.policy().await).await;
    bench.store(metric, &[(0, 1.0), (60, 2.0), (120, 3.0), (180, 4.0)]).await;
    let read = async |start: Option<i64>, stop: Option<i64>| {
        let (start, stop) = (start.map(seconds), stop.map(seconds));
        let range = Range { start, stop, granularity: Some(span(60)), ..all() };
        plain(&bench.gnocchi.measures(metric, &range).await.expect("they are read"))
    };
    assert_eq!(read(Some(60), Some(180)).await, [(60, 2.0), (120, 3.0)]);
    assert_eq!(read(Some(119), Some(121)).await, [(60, 2.0), (120, 3.0)]);
    assert_eq!(read(Some(120), None).await, [(120, 3.0), (180, 4.0)]);
    assert_eq!(read(None, Some(60)).await, [(0, 1.0)]);
    assert_eq!(read(Some(240), None).await, []);
    assert_eq!(read(Some(120), Some(60)).await, []);
    // All granularities.
    let range = Range { stop: Some(seconds(60)), ..all() };
    let points = bench.gnocchi.measures(metric, &range).await.expect("they are read");
    assert_eq!(plain(&points), [(0, 2.5), (0, 1.0)]);
}

async fn a_measure_replaces_one_of_the_same_time(bench: Bench) {
    let metric = bench.metric(&bench.policy().await).await;
    bench.store(metric, &[(0, 1.0), (10, 2.0)]).await;
    bench.settle(&[metric]).await;
    bench.store(metric, &[(10, 5.0)]).await;
    assert_eq!(bench.minutes(metric).await, [(0, 3.0)]);
    // Of several in one batch the least counts.
    let other =
        bench.metric(&bench.gnocchi.archive_policy(&bench.own("policy")).await.expect("it is there")).await;
    bench.store(other, &[(0, 5.0), (0, 3.0), (0, 9.0)]).await;
    assert_eq!(bench.minutes(other).await, [(0, 3.0)]);
}

async fn what_is_too_late_does_not_count(bench: Bench) {
    let policy = bench.policy_of("policy", vec![definition(60, None)], methods(&["mean"])).await;
    let metric = bench.metric(&policy).await;
    bench.store(metric, &[(600, 1.0)]).await;
    bench.settle(&[metric]).await;
    // Nothing before the newest period, but all of it.
    bench.store(metric, &[(599, 7.0), (659, 3.0), (601, 5.0)]).await;
    assert_eq!(bench.minutes(metric).await, [(600, 3.0)]);
}

async fn the_back_window_takes_what_is_late(bench: Bench) {
    let policy = ArchivePolicy {
        name: bench.own("policy"),
        back_window: 2,
        definition: vec![definition(60, None)],
        aggregation_methods: methods(&["mean"]),
    };
    let policy = bench.gnocchi.create_archive_policy(policy).await.expect("it is made");
    let metric = bench.metric(&policy).await;
    bench.store(metric, &[(600, 1.0)]).await;
    bench.settle(&[metric]).await;
    bench.store(metric, &[(480, 2.0), (479, 3.0), (540, 4.0)]).await;
    assert_eq!(bench.minutes(metric).await, [(480, 2.0), (540, 4.0), (600, 1.0)]);
}

async fn what_is_too_old_is_let_go(bench: Bench) {
    let policy = bench.policy_of("policy", vec![definition(60, Some(3))], methods(&["mean"])).await;
    let metric = bench.metric(&policy).await;
    bench.store(metric, &[(0, 1.0), (60, 2.0), (120, 3.0)]).await;
    assert_eq!(bench.minutes(metric).await, [(0, 1.0), (60, 2.0), (120, 3.0)]);
    bench.store(metric, &[(240, 5.0)]).await;
    assert_eq!(bench.minutes(metric).await, [(120, 3.0), (240, 5.0)]);
}

async fn a_batch_is_stored_whole_or_not_at_all(bench: Bench) {
    let policy = bench.policy().await;
    let (one, other) = (bench.metric(&policy).await, bench.metric(&policy).await);
    let at = |at, value| Measure { timestamp: at, value };
    let (early, late) = (Timestamp::from_nanos(-1), seconds(60));
    let unknown = Uuid::from_u128(77);
    let refused =
        bench.gnocchi.add_measures(vec![(one, vec![at(late, 1.0)]), (unknown, vec![at(late, 1.0)])]).await;
    assert_refused!(refused, Error::UnknownMetrics(ids) if *ids == [unknown.to_string()]);
    let refused =
        bench.gnocchi.add_measures(vec![(one, vec![at(late, 1.0)]), (other, vec![at(early, 1.0)])]).await;
    assert_refused!(refused, Error::Invalid(_));
    bench.settle(&[one, other]).await;
    assert_eq!((bench.minutes(one).await, bench.minutes(other).await), (vec![], vec![]));
    bench.gnocchi.add_measures(vec![]).await.expect("nothing is easily stored");
    let both = vec![(one, vec![at(late, 1.0)]), (other, vec![])];
    bench.gnocchi.add_measures(both).await.expect("they are stored");
    assert_eq!((bench.minutes(one).await, bench.minutes(other).await), (vec![(60, 1.0)], vec![]));
}

async fn what_a_policy_does_not_keep_is_not_read(bench: Bench) {
    let metric = bench.metric(&bench.policy().await).await;
    bench.store(metric, &[(0, 1.0)]).await;
    let read = async |range: Range| bench.gnocchi.measures(metric, &range).await;
    let id = metric.to_string();
    let method = Range { aggregation: methods(&["median"])[0], ..all() };
    assert_refused!(read(method).await, Error::NoSuchAggregation { metric, method, .. } if *metric == id && method == "median");
    let granularity = Range { granularity: Some(span(61)), ..all() };
    assert_refused!(
        read(granularity).await,
        Error::NoSuchGranularity { metric, method, granularity } if *metric == id && method == "mean" && *granularity == 61.0
    );
    let unknown = bench.gnocchi.measures(Uuid::from_u128(78), &all()).await;
    assert_refused!(unknown, Error::NoSuchMetric(it) if *it == Uuid::from_u128(78).to_string());
}

async fn a_metric_without_measures_has_none(bench: Bench) {
    let metric = bench.metric(&bench.policy().await).await;
    assert_eq!(bench.gnocchi.measures(metric, &all()).await.expect("there is nothing"), []);
}

async fn a_series_is_resampled(bench: Bench) {
    let metric = bench.metric(&bench.policy().await).await;
    bench.store(metric, &[(0, 1.0), (60, 2.0), (180, 6.0), (86_400 * 31, 8.0)]).await;
    let read = async |resample| {
        let range = Range { granularity: Some(span(60)), resample: Some(resample), ..all() };
        let points = bench.gnocchi.measures(metric, &range).await.expect("they are read");
        assert!(points.iter().all(|point| point.granularity == resample), "{points:?}");
        plain(&points)
    };
    assert_eq!(read(Resolution::Span(span(120))).await, [(0, 1.5), (120, 6.0), (86_400 * 31, 8.0)]);
    assert_eq!(read(Resolution::Month).await, [(0, 3.0), (86_400 * 31, 8.0)]);
    assert_eq!(read(Resolution::Year).await, [(0, 4.25)]);
}

async fn times_have_nanoseconds(bench: Bench) {
    let policy =
        bench.policy_of("policy", vec![definition(1, None)], methods(&["mean", "count", "last"])).await;
    let metric = bench.metric(&policy).await;
    // Away from the ends of periods: Gnocchi divides times as doubles, and takes what is 100 ns before the end of a
    // second for the next.
    let at = |nanos: i64, value| Measure {
        timestamp: Timestamp::from_nanos(1_700_000_000_500_000_000 + nanos),
        value,
    };
    let measures = vec![at(2, 1.0), at(1, 2.0), at(1_000_000_000, 3.0), at(0, 5.0), at(1, 6.0)];
    bench.gnocchi.add_measures(vec![(metric, measures)]).await.expect("they are stored");
    for (method, wanted) in [("count", [3.0, 1.0]), ("last", [1.0, 3.0]), ("mean", [8.0 / 3.0, 3.0])] {
        let range = Range { aggregation: methods(&[method])[0], ..all() };
        let points = bench.gnocchi.measures(metric, &range).await.expect("they are read");
        let wanted = [(1_700_000_000, wanted[0]), (1_700_000_001, wanted[1])];
        assert_eq!(plain(&points), wanted, "{method}");
    }
}
