//! What was stored is read back as it was.

use nephoscope_telemetry::{Id, Report, TraceFilter, TracePoint};

use super::Case;
use super::bench::{Bench, list, read, sorted, store};
use super::traces::{id, info, pair, point, uuid};

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    cases!(
        false,
        every_field_comes_back,
        odd_info_comes_back_as_text,
        odd_times_keep_their_spelling,
        ids_are_taken_literally,
        ids_that_look_alike_are_different,
        order_of_arrival_is_kept,
        a_point_stored_twice_makes_the_same_report,
        a_point_stored_twice_is_kept_once,
        unknown_id_gives_nothing,
        an_empty_batch_is_stored,
        a_batch_over_many_traces_is_stored,
        ten_thousand_points_in_one_trace,
        an_info_of_ten_megabytes,
        a_point_that_cannot_be_held_costs_only_itself,
    )
}

/// Stores points of one trace and expects to read the same, in whatever order.
async fn survive(bench: &Bench, base_id: &str, points: &[TracePoint]) {
    let driver = bench.connect().await;
    store(&*driver, points).await;
    assert_eq!(sorted(read(&*driver, base_id).await), sorted(points.to_vec()));
}

pub(super) async fn every_field_comes_back(bench: Bench) {
    let base_id = &uuid(1);
    let mut plain = point(base_id, 1, "wsgi-start", 0);
    plain.parent_id = id("not the base id");
    let mut bare = point(base_id, 2, "rpc-stop", 1);
    (bare.project, bare.service, bare.info) = (None, None, info("{}"));
    let mut empty = point(base_id, 3, "", 2);
    (empty.project, empty.service) = (Some("".into()), Some("".into()));
    let mut foreign = point(base_id, 4, "日本語-😀-start", 3);
    (foreign.project, foreign.service) = (Some("проект 'x'; --".into()), Some("söörvice\t\\ \"q\"".into()));
    let mut extended = point(base_id, 5, "db-start", 4);
    extended.extra = vec![
        ("z".into(), info(r#"{"nested": [1, 2.50, null]}"#)),
        ("a key: \"é\"".into(), info("NaN")),
        ("host".into(), info("\"not in info\"")),
        ("id".into(), info("7")),
    ];
    survive(&bench, base_id, &[plain, bare, empty, foreign, extended]).await;
}

pub(super) async fn odd_info_comes_back_as_text(bench: Bench) {
    let base_id = &uuid(1);
    let odd = [
        r#"{"a": NaN, "b": [Infinity, -Infinity, -0.0, 1e400, 1180591620717411303424]}"#,
        r#"{"half a pair": "\ud800", "other half": "\udc00x", "pair": "\ud83d\ude00"}"#,
        r#"{"nul": "\u0000", "line\nbreak": "\\n \\ \/ \" \u2028"}"#,
        r#"{"twice": 1, "twice": 2, "": ""}"#,
        r#"{"unescaped": "日本語 😀", "spaces" :   [ 1,2 ] }"#,
        r#"{"db": {"statement": "SELECT '%s', ? , $1, :x, \\x00; DROP TABLE data; -- </script>"}}"#,
        r#"{"etype": null, "message": {"any": ["type"]}}"#,
    ];
    let points = odd.iter().zip(1..).map(|(text, number)| {
        let mut point = point(base_id, number, "db-start", 0);
        point.info = info(text);
        point
    });
    survive(&bench, base_id, &points.collect::<Vec<_>>()).await;
}

pub(super) async fn odd_times_keep_their_spelling(bench: Bench) {
    let base_id = &uuid(1);
    let spelled = [
        "2026-01-01T00:00:00.123",
        "2026-01-01T00:00:00",
        "2026-01-01 00:00:00.5",
        "2026-01-01T00:00:00Z",
        "2026-1-1T1:2:3",
        "2026-01-01T00:00:00+02:00",
        "2026-01-01T00:00:00.123456789+02:30",
        "0001-01-01T00:00:00.000000",
        "1969-12-31T23:59:59.999999",
        "9999-12-31T23:59:59.999999",
    ];
    let points = spelled.iter().zip(1..).map(|(text, number)| {
        let mut point = point(base_id, number, "db-start", 0);
        point.set_timestamp_text(text).expect("it is a time");
        point
    });
    survive(&bench, base_id, &points.collect::<Vec<_>>()).await;
}

/// Ids that mean something to one backend or the other, or to nobody.
const ODD_IDS: [&str; 24] = [
    "*",
    "osprofiler*",
    "[a-z]?",
    "a:b/c?d#e",
    "'; DROP TABLE data;--",
    "\\",
    "\"quoted\"",
    "%",
    "%25",
    "_",
    "",
    " ",
    " spaces around ",
    "two\nlines\r\n",
    "日本語 😀",
    "null",
    "5",
    "-1e5",
    "{\"$ne\": null}",
    "opt:x",
    "_opt:x",
    "../../etc/passwd",
    "x_y_2026-01-01T00:00:00.000000",
    "urn:uuid:7f4c1a04-3d5e-4a0a-9a3f-0c6d2b1e8f00",
];

pub(super) async fn ids_are_taken_literally(bench: Bench) {
    let long = "long ".repeat(40);
    let ids: Vec<&str> = ODD_IDS.into_iter().chain([long.as_str()]).collect();
    keep_apart(&bench, &ids).await;
}

pub(super) async fn ids_that_look_alike_are_different(bench: Bench) {
    let canonical = "7f4c1a04-3d5e-4a0a-9a3f-0c6d2b1e8f00";
    let upper = canonical.to_uppercase();
    let bare = canonical.replace('-', "");
    let decomposed = "e\u{301}";
    let ids = [canonical, &upper, &bare, "x", "x ", "X", "é", "e", decomposed, "ß", "ss", "а", "a"];
    keep_apart(&bench, &ids).await;
}

/// Each id is that of a trace, of an operation and of a parent.
async fn keep_apart(bench: &Bench, ids: &[&str]) {
    let driver = bench.connect().await;
    let traces: Vec<[TracePoint; 2]> = ids
        .iter()
        .zip(0..)
        .map(|(base_id, number)| {
            let mut points = pair(base_id, number, 0);
            for point in &mut points {
                (point.trace_id, point.parent_id) = (id(base_id), id(ids[0]));
            }
            points
        })
        .collect();
    store(&*driver, &traces.concat()).await;
    for (base_id, points) in ids.iter().zip(&traces) {
        assert_eq!(read(&*driver, base_id).await, points, "of the trace {base_id:?}");
    }
}

pub(super) async fn order_of_arrival_is_kept(bench: Bench) {
    let driver = bench.connect().await;
    let base_id = &uuid(1);
    // Neither in order of time nor of any id, and in batches of all sizes.
    let points: Vec<_> = (0..200_u64)
        .map(|number| point(base_id, number * 77 % 200, "db-start", number as i64 * 31 % 50))
        .collect();
    let mut rest = points.as_slice();
    for size in (1..).take_while(|size| size * (size - 1) / 2 < points.len()) {
        let (batch, after) = rest.split_at(size.min(rest.len()));
        store(&*driver, batch).await;
        rest = after;
    }
    assert_eq!(read(&*driver, base_id).await, points);
}

pub(super) async fn a_point_stored_twice_makes_the_same_report(bench: Bench) {
    let driver = bench.connect().await;
    let points = two_operations(&uuid(1));
    store(&*driver, &points).await;
    store(&*driver, &points[1..]).await;
    store(&*driver, &[points[0].clone(), points[0].clone()]).await;
    let stored = driver.points(&id(&uuid(1))).await.expect("the trace can be read");
    assert_eq!(stored.into_report().to_json(), Report::build(points).to_json());
}

pub(super) async fn a_point_stored_twice_is_kept_once(bench: Bench) {
    let driver = bench.connect().await;
    assert!(driver.capabilities().deduplicates, "it claims not to, and needs an excuse");
    let points = two_operations(&uuid(1));
    store(&*driver, &points).await;
    store(&*driver, &points).await;
    store(&*driver, &[points[3].clone(), points[3].clone()]).await;
    // The same but for one field is another point.
    let mut other = points[3].clone();
    other.info = info(r#"{"host": "node-2"}"#);
    store(&*driver, std::slice::from_ref(&other)).await;
    let stored = read(&*driver, &uuid(1)).await;
    assert_eq!(sorted(stored), sorted([points, vec![other]].concat()));
}

fn two_operations(base_id: &str) -> Vec<TracePoint> {
    let mut inner = pair(base_id, 2, 5000);
    inner.iter_mut().for_each(|point| point.parent_id = id(&uuid(1)));
    let [start, mut stop] = pair(base_id, 1, 0);
    stop.timestamp = super::traces::at(9000);
    let [inner_start, inner_stop] = inner;
    vec![start, inner_start, inner_stop, stop]
}

pub(super) async fn unknown_id_gives_nothing(bench: Bench) {
    let driver = bench.connect().await;
    assert_eq!(read(&*driver, &uuid(1)).await, []);
    store(&*driver, &pair(&uuid(1), 1, 0)).await;
    for unknown in ["*", "", "7f4c1a04-3d5e-4a0a-9a3f", &uuid(2), "%"] {
        assert_eq!(read(&*driver, unknown).await, [], "of {unknown:?}");
    }
}

pub(super) async fn an_empty_batch_is_stored(bench: Bench) {
    let driver = bench.connect().await;
    store(&*driver, &[]).await;
    assert_eq!(list(&*driver, &Default::default()).await, []);
}

pub(super) async fn a_batch_over_many_traces_is_stored(bench: Bench) {
    let driver = bench.connect().await;
    let starts = (0..300).map(|number| pair(&uuid(number), number, 0)[0].clone());
    let stops = (0..300).map(|number| pair(&uuid(number), number, 0)[1].clone());
    store(&*driver, &starts.chain(stops).collect::<Vec<_>>()).await;
    // Not all of them: for one trace, some backends look at all that there are.
    for number in (0..300).step_by(13) {
        assert_eq!(read(&*driver, &uuid(number)).await, pair(&uuid(number), number, 0));
    }
    if driver.capabilities().list {
        assert_eq!(list(&*driver, &TraceFilter::default()).await.len(), 300);
    }
}

pub(super) async fn ten_thousand_points_in_one_trace(bench: Bench) {
    let driver = bench.connect().await;
    let base_id = &uuid(1);
    let points: Vec<_> = (0..5_000).flat_map(|number| pair(base_id, number, number as i64 * 10)).collect();
    let (first, rest) = points.split_at(1_000);
    for batch in first.chunks(100) {
        store(&*driver, batch).await;
    }
    store(&*driver, rest).await;
    assert!(read(&*driver, base_id).await == points, "it reads other points than were stored");
    let summary = &list(&*driver, &Default::default()).await[0];
    assert!(summary.points.is_none_or(|count| count == 10_000), "it counts {:?}", summary.points);
}

pub(super) async fn an_info_of_ten_megabytes(bench: Bench) {
    let driver = bench.connect().await;
    let [mut start, stop] = pair(&uuid(1), 1, 0);
    start.info = info(&format!(r#"{{"db": {{"statement": "{}"}}}}"#, r#"x\"y\n日 "#.repeat(1_000_000)));
    store(&*driver, &[start.clone(), stop.clone()]).await;
    assert!(read(&*driver, &uuid(1)).await == [start, stop], "it reads other points than were stored");
}

pub(super) async fn a_point_that_cannot_be_held_costs_only_itself(bench: Bench) {
    let driver = bench.connect().await;
    let base_id = &uuid(1);
    let [start, stop] = pair(base_id, 1, 0);
    let unholdable = bench.subject.unholdable(base_id).expect("the subject knows a point or has an excuse");
    let batch = [start.clone(), unholdable, stop.clone()];
    super::bench::expect_error(nephoscope_telemetry::ErrorKind::Invalid, driver.notify(&batch)).await;
    assert_eq!(read(&*driver, base_id).await, [start, stop]);
    assert_eq!(driver.points(&Id::new(&uuid(2))).await.expect("it goes on working").good, []);
}
