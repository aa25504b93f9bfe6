//! Traces are listed newest first, as the filter says.

use std::collections::BTreeMap;
use std::time::Duration;

use nephoscope_telemetry::{Driver, Id, TraceFilter, TracePoint, TraceSummary};

use super::Case;
use super::bench::{Bench, list, store};
use super::traces::{at, failed, point, uuid};
use crate::random::Random;

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    cases!(
        false,
        a_list_shows_the_time_of_the_first_point,
        a_trace_of_one_point_is_listed,
        a_list_is_right_when_points_arrive_out_of_order,
        a_list_is_right_while_traces_grow,
        odd_ids_are_listed,
        a_thousand_traces_are_listed_newest_first,
        any_filter_takes_what_it_says,
        a_filter_looks_at_every_point,
    )
}

/// What a list has to show: computed from the points, without any driver.
pub(super) fn model(points: &[TracePoint], filter: &TraceFilter) -> Vec<TraceSummary> {
    let mut traces: BTreeMap<&Id, Vec<TracePoint>> = BTreeMap::new();
    for point in points {
        traces.entry(&point.base_id).or_default().push(point.clone());
    }
    let mut list: Vec<_> = traces
        .values()
        .filter(|points| taken(points, filter))
        .map(|points| TraceSummary::of(points).expect("a trace has a point"))
        .collect();
    list.sort_by_key(|summary| std::cmp::Reverse(summary.timestamp));
    list.truncate(filter.limit.unwrap_or(usize::MAX));
    list
}

fn taken(points: &[TracePoint], filter: &TraceFilter) -> bool {
    let times = || points.iter().map(|point| point.timestamp);
    let first = times().min().expect("a trace has a point");
    let lasted = times().max().map_or(0, |last| last.as_micros() - first.as_micros());
    let lasted = Duration::from_micros(u64::try_from(lasted).expect("the last is not before the first"));
    filter.since.is_none_or(|since| first >= since)
        && filter.until.is_none_or(|until| first < until)
        && filter.min_duration.is_none_or(|least| lasted >= least)
        && filter.name.as_deref().is_none_or(|name| points.iter().any(|point| point.operation() == name))
        && filter
            .service
            .as_deref()
            .is_none_or(|service| points.iter().any(|point| point.service.as_deref() == Some(service)))
}

/// Lists and compares with the model; what the backend does not know may be absent, but not wrong.
async fn check(driver: &dyn Driver, points: &[TracePoint], filter: &TraceFilter) {
    let (listed, expected) = (list(driver, filter).await, model(points, filter));
    let ids = |list: &[TraceSummary]| list.iter().map(|line| line.base_id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&listed), ids(&expected), "of the traces with {filter:?}");
    for (mut line, right) in listed.into_iter().zip(expected) {
        line.name = line.name.or_else(|| right.name.clone());
        line.duration = line.duration.or(right.duration);
        line.points = line.points.or(right.points);
        line.errors = line.errors.or(right.errors);
        // Absent is what the first point has not, too.
        line.service = line.service.or_else(|| right.service.clone());
        line.project = line.project.or_else(|| right.project.clone());
        assert_eq!(line, right, "listed with {filter:?}");
    }
}

pub(super) async fn a_list_shows_the_time_of_the_first_point(bench: Bench) {
    let driver = bench.connect().await;
    let points: Vec<_> =
        (0..6).map(|number| point(&uuid(1), number, "db-start", number as i64 * 1_000)).collect();
    store(&*driver, &points).await;
    assert_eq!(list(&*driver, &TraceFilter::default()).await[0].timestamp, at(0));
    check(&*driver, &points, &TraceFilter::default()).await;
}

pub(super) async fn a_trace_of_one_point_is_listed(bench: Bench) {
    let driver = bench.connect().await;
    let points = [point(&uuid(1), 1, "wsgi-start", 7), point(&uuid(2), 2, "wsgi-stop", 8)];
    store(&*driver, &points).await;
    check(&*driver, &points, &TraceFilter::default()).await;
}

pub(super) async fn a_list_is_right_when_points_arrive_out_of_order(bench: Bench) {
    let driver = bench.connect().await;
    let times = [500, 200, 900, 100, 300];
    let mut points: Vec<_> =
        (0..).zip(times).map(|(number, micros)| point(&uuid(1), number, "db-start", micros)).collect();
    // The earliest point of this one comes last, in a batch of its own.
    points.push(point(&uuid(2), 9, "rpc-stop", 400));
    store(&*driver, &points).await;
    points.push(point(&uuid(2), 9, "rpc-start", 50));
    store(&*driver, &points[6..]).await;
    check(&*driver, &points, &TraceFilter::default()).await;
    let until = TraceFilter { until: Some(at(60)), ..TraceFilter::default() };
    check(&*driver, &points, &until).await;
    let lasted = TraceFilter { min_duration: Some(Duration::from_micros(800)), ..TraceFilter::default() };
    check(&*driver, &points, &lasted).await;
}

pub(super) async fn a_list_is_right_while_traces_grow(bench: Bench) {
    let driver = bench.connect().await;
    let mut points = Vec::new();
    for round in 0..10_i64 {
        let batch: Vec<_> = (0..8_u64)
            .map(|trace| point(&uuid(trace), round as u64, "db-start", round * 1_000 + trace as i64))
            .collect();
        store(&*driver, &batch).await;
        points.extend(batch);
        check(&*driver, &points, &TraceFilter::default()).await;
    }
    let lasted = TraceFilter { min_duration: Some(Duration::from_micros(9_000)), ..TraceFilter::default() };
    check(&*driver, &points, &lasted).await;
}

pub(super) async fn odd_ids_are_listed(bench: Bench) {
    let driver = bench.connect().await;
    let ids = ["*", "a:b/c?d#e", "", "x_y_2026-01-01T00:00:00.000000", "日本語 😀", "'; --", "two\nlines"];
    let points: Vec<_> =
        (0_u64..).zip(ids).map(|(number, id)| point(id, number, "wsgi-start", number as i64)).collect();
    store(&*driver, &points).await;
    check(&*driver, &points, &TraceFilter::default()).await;
}

const NAMES: [&str; 4] = ["wsgi", "db", "rpc-call", "日本"];
const SERVICES: [&str; 4] = ["api", "scheduler", "a%_b", "söörvice"];

/// Traces of one to five points in order of time, each beginning at a time of its own.
fn varied_traces(count: usize, random: &mut Random) -> Vec<TracePoint> {
    let mut points = Vec::new();
    for trace in 0..count {
        let begin = (trace * 7919 % count) as i64 * 10_000;
        let mut micros = begin;
        for number in 0..=random.below(5) {
            let kind = *random.one_of(&["start", "stop"]);
            let name = format!("{}-{kind}", random.one_of(&NAMES));
            let make = if random.below(10) == 0 { failed } else { point };
            let mut point = make(&uuid(trace as u64), number as u64, &name, micros);
            point.service = (random.below(5) > 0).then(|| (*random.one_of(&SERVICES)).into());
            points.push(point);
            micros += random.below(3_000) as i64 + 1;
        }
    }
    points.sort_by_key(|point| point.timestamp);
    points
}

pub(super) async fn a_thousand_traces_are_listed_newest_first(bench: Bench) {
    let driver = bench.connect().await;
    let points = varied_traces(1_000, &mut Random::new(1));
    for batch in points.chunks(700) {
        store(&*driver, batch).await;
    }
    let all = TraceFilter::default();
    assert_eq!(list(&*driver, &all).await.len(), 1_000);
    let middle = Some(at(5_000_000));
    let filters = [
        TraceFilter { limit: Some(10), ..all.clone() },
        TraceFilter { limit: Some(0), ..all.clone() },
        TraceFilter { since: middle, ..all.clone() },
        TraceFilter { until: middle, ..all.clone() },
        TraceFilter { since: middle, until: Some(at(5_000_001)), ..all.clone() },
        TraceFilter { since: middle, until: middle, ..all.clone() },
        TraceFilter { service: Some("scheduler".into()), limit: Some(7), ..all.clone() },
        TraceFilter { name: Some("rpc-call".into()), until: middle, ..all.clone() },
        TraceFilter { min_duration: Some(Duration::from_millis(4)), ..all.clone() },
        all,
    ];
    for filter in filters {
        check(&*driver, &points, &filter).await;
    }
}

pub(super) async fn any_filter_takes_what_it_says(bench: Bench) {
    let driver = bench.connect().await;
    let mut random = Random::new(2);
    let points = varied_traces(150, &mut random);
    store(&*driver, &points).await;
    for _ in 0..60 {
        check(&*driver, &points, &any_filter(&mut random)).await;
    }
}

fn any_filter(random: &mut Random) -> TraceFilter {
    let names = ["wsgi", "db", "rpc-call", "日本", "rpc", "WSGI", "wsg_", "%", ""];
    let services = ["api", "scheduler", "a%_b", "söörvice", "API", "soorvice", "axxb", ""];
    let time = |random: &mut Random| at(random.below(1_600_000) as i64);
    TraceFilter {
        service: (random.below(3) == 0).then(|| (*random.one_of(&services)).into()),
        name: (random.below(3) == 0).then(|| (*random.one_of(&names)).into()),
        since: (random.below(3) == 0).then(|| time(random)),
        until: (random.below(3) == 0).then(|| time(random)),
        min_duration: (random.below(3) == 0).then(|| Duration::from_micros(random.next() % 9_000)),
        limit: (random.below(2) == 0).then(|| random.below(20)),
    }
}

pub(super) async fn a_filter_looks_at_every_point(bench: Bench) {
    let driver = bench.connect().await;
    let mut points: Vec<_> =
        (0..9).map(|number| point(&uuid(1), number, "db-start", number as i64)).collect();
    points[4].service = Some("rare".into());
    points[5].name = "strange-stop".into();
    points.push(point(&uuid(2), 10, "db-start", 20));
    store(&*driver, &points).await;
    for filter in [
        TraceFilter { service: Some("rare".into()), ..TraceFilter::default() },
        TraceFilter { name: Some("strange".into()), ..TraceFilter::default() },
        TraceFilter { name: Some("db".into()), service: Some("rare".into()), ..TraceFilter::default() },
        TraceFilter { name: Some("strange".into()), limit: Some(1), ..TraceFilter::default() },
    ] {
        assert_eq!(model(&points, &filter).len(), 1);
        check(&*driver, &points, &filter).await;
    }
}
