//! Traces with an exception are found.

use nephoscope_telemetry::TraceFilter;

use super::Case;
use super::bench::{Bench, list, list_errors, store};
use super::traces::{at, failed, info, pair, point, uuid};

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    cases!(
        false,
        errors_are_found_in_the_points,
        a_list_of_errors_obeys_the_filter,
        errors_are_listed_from_their_records,
        errors_without_the_option_leave_no_record,
    )
}

/// Three traces that fail, and three that only look as if they did. The last point of each comes at its number.
fn some_fail() -> Vec<nephoscope_telemetry::TracePoint> {
    let mut null = failed(&uuid(4), 4, "db-stop", 4);
    null.info = info(r#"{"etype": null, "host": "h"}"#);
    let mut nested = failed(&uuid(5), 5, "db-stop", 5);
    nested.info = info(r#"{"db": {"etype": "x"}, "text": "\"etype\": \"ValueError\""}"#);
    let mut odd = failed(&uuid(6), 6, "db-start", 6);
    odd.info = info(r#"{"etype": "日本 \ud800", "message": null}"#);
    vec![
        pair(&uuid(1), 1, 0)[0].clone(),
        failed(&uuid(1), 1, "wsgi-stop", 1),
        failed(&uuid(2), 2, "wsgi-stop", 2),
        point(&uuid(2), 3, "wsgi-start", 3),
        null,
        nested,
        odd,
        point(&uuid(7), 7, "wsgi-start", 7),
    ]
}

pub(super) async fn errors_are_found_in_the_points(bench: Bench) {
    let driver = bench.connect().await;
    assert!(driver.capabilities().search_errors, "it claims not to, and needs an excuse");
    store(&*driver, &some_fail()).await;
    assert_eq!(list_errors(&*driver).await, [uuid(6), uuid(2), uuid(1)]);
    let listed = driver.list_errors(&TraceFilter::default()).await.expect("errors can be listed");
    let times: Vec<_> = listed.iter().map(|line| line.timestamp).collect();
    assert_eq!(times, [at(6), at(2), at(0)], "each is of the first point");
}

pub(super) async fn a_list_of_errors_obeys_the_filter(bench: Bench) {
    let driver = bench.connect().await;
    assert!(driver.capabilities().search_errors, "it claims not to, and needs an excuse");
    let mut points = some_fail();
    points.push(failed(&uuid(8), 8, "strange-stop", 8));
    points[8].service = Some("rare".into());
    store(&*driver, &points).await;
    for (filter, found) in [
        (TraceFilter { limit: Some(1), ..TraceFilter::default() }, vec![uuid(8)]),
        (
            TraceFilter { since: Some(at(2)), until: Some(at(8)), ..TraceFilter::default() },
            vec![uuid(6), uuid(2)],
        ),
        (TraceFilter { service: Some("rare".into()), ..TraceFilter::default() }, vec![uuid(8)]),
        (TraceFilter { name: Some("wsgi".into()), limit: Some(1), ..TraceFilter::default() }, vec![uuid(2)]),
        (
            TraceFilter { min_duration: Some(std::time::Duration::from_micros(1)), ..TraceFilter::default() },
            vec![uuid(2), uuid(1)],
        ),
    ] {
        let listed = driver.list_errors(&filter).await.expect("errors can be listed");
        let ids: Vec<_> = listed.iter().map(|line| line.base_id.to_string()).collect();
        assert_eq!(ids, found, "with {filter:?}");
    }
}

pub(super) async fn errors_are_listed_from_their_records(bench: Bench) {
    let driver =
        bench.try_connect(&bench.url_with("filter_error_trace=true")).await.expect("it takes the option");
    assert!(driver.capabilities().error_records, "it claims not to, and needs an excuse");
    store(&*driver, &some_fail()).await;
    assert_eq!(list_errors(&*driver).await, [uuid(6), uuid(2), uuid(1)]);
    // The records are no traces of their own.
    assert_eq!(list(&*driver, &TraceFilter::default()).await.len(), 6);
    // A trace that fails twice is one line.
    store(&*driver, &[failed(&uuid(1), 9, "db-stop", 9)]).await;
    let mut again = list_errors(&*driver).await;
    again.sort();
    assert_eq!(again, [uuid(1), uuid(2), uuid(6)]);
    let newest = TraceFilter { limit: Some(1), ..TraceFilter::default() };
    assert_eq!(driver.list_errors(&newest).await.expect("errors can be listed").len(), 1);
}

pub(super) async fn errors_without_the_option_leave_no_record(bench: Bench) {
    let driver = bench.connect().await;
    assert!(!driver.capabilities().search_errors, "it finds them in the points, and needs an excuse");
    store(&*driver, &some_fail()).await;
    assert_eq!(list_errors(&*driver).await, [""; 0]);
    assert_eq!(list(&*driver, &TraceFilter::default()).await.len(), 6);
}
