//! Old traces are deleted, and no others.

use nephoscope_telemetry::{Driver, Purged, TraceFilter};

use super::Case;
use super::bench::{Bench, chain, list, list_errors, read, store};
use super::traces::{at, failed, pair, point, uuid};

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    cases!(
        false,
        purge_deletes_the_traces_whose_latest_point_is_older,
        purge_deletes_error_records_too,
        purge_deletes_many_traces,
        a_purged_trace_can_come_back,
    )
}

async fn purge(driver: &dyn Driver, older_than: i64) -> u64 {
    let purged = driver.purge(at(older_than)).await;
    let Purged { traces } = purged.unwrap_or_else(|error| panic!("cannot purge: {}", chain(&error)));
    traces
}

async fn listed(driver: &dyn Driver) -> Vec<String> {
    list(driver, &TraceFilter::default()).await.iter().map(|line| line.base_id.to_string()).collect()
}

pub(super) async fn purge_deletes_the_traces_whose_latest_point_is_older(bench: Bench) {
    let driver = bench.connect().await;
    assert_eq!(purge(&*driver, 0).await, 0);
    let old = [failed(&uuid(1), 1, "wsgi-start", 0), point(&uuid(1), 1, "wsgi-stop", 999)];
    let lasting = [point(&uuid(2), 2, "wsgi-start", 1), point(&uuid(2), 2, "wsgi-stop", 5_000)];
    let on_time = [failed(&uuid(3), 3, "wsgi-start", 1_000)];
    // Its latest point is not the one that came last.
    let disordered = [
        point(&uuid(4), 4, "wsgi-start", 3),
        point(&uuid(4), 5, "db-start", 7_000),
        point(&uuid(4), 4, "wsgi-stop", 4),
    ];
    let odd = [point("*", 6, "wsgi-start", 500)];
    store(&*driver, &[&old[..], &lasting, &on_time, &disordered, &odd].concat()).await;
    assert_eq!(purge(&*driver, 1_000).await, 2);
    assert_eq!(listed(&*driver).await.len(), 3);
    for (base_id, left) in [
        (uuid(1), &[][..]),
        (uuid(2), &lasting),
        (uuid(3), &on_time),
        (uuid(4), &disordered),
        ("*".into(), &[]),
    ] {
        assert_eq!(read(&*driver, &base_id).await, left, "of {base_id:?}");
    }
    assert_eq!(purge(&*driver, 1_000).await, 0);
    assert_eq!(purge(&*driver, 10_000).await, 3);
    assert_eq!(listed(&*driver).await, [""; 0]);
}

pub(super) async fn purge_deletes_error_records_too(bench: Bench) {
    let url = bench.url_with("filter_error_trace=true");
    let driver = bench.try_connect(&url).await.expect("it takes the option");
    store(&*driver, &[failed(&uuid(1), 1, "wsgi-stop", 0), failed(&uuid(2), 2, "wsgi-stop", 1_000)]).await;
    assert_eq!(list_errors(&*driver).await, [uuid(2), uuid(1)]);
    assert_eq!(purge(&*driver, 1_000).await, 1);
    assert_eq!(list_errors(&*driver).await, [uuid(2)]);
    assert_eq!(purge(&*driver, 2_000).await, 1);
    assert_eq!(list_errors(&*driver).await, [""; 0]);
}

pub(super) async fn purge_deletes_many_traces(bench: Bench) {
    let driver = bench.connect().await;
    let points: Vec<_> =
        (0..1_500).flat_map(|trace| pair(&uuid(trace), trace, trace as i64 * 2_000)).collect();
    store(&*driver, &points).await;
    assert_eq!(purge(&*driver, 2_000_000).await, 1_000);
    let left: Vec<_> = (1_000..1_500).rev().map(uuid).collect();
    assert_eq!(listed(&*driver).await, left);
    assert_eq!(read(&*driver, &uuid(999)).await, []);
    assert_eq!(read(&*driver, &uuid(1_000)).await.len(), 2);
}

pub(super) async fn a_purged_trace_can_come_back(bench: Bench) {
    let driver = bench.connect().await;
    let points = pair(&uuid(1), 1, 0);
    store(&*driver, &points).await;
    assert_eq!(purge(&*driver, 5_000).await, 1);
    store(&*driver, &points[1..]).await;
    assert_eq!(read(&*driver, &uuid(1)).await, points[1..]);
    assert_eq!(list(&*driver, &TraceFilter::default()).await[0].timestamp, points[1].timestamp);
}
