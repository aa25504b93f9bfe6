//! What is compared.

use std::pin::Pin;
use std::sync::Arc;

use nephoscope_telemetry::{
    ConnectionString, Driver, Id, Json, Timestamp, TraceFilter, TracePoint, TraceSummary,
};
use nephoscope_testkit::osprofiler::Osprofiler;

use super::backend::{Kind, Place};
use super::report::{difference, lines, ours, value, without_exact_text};

pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) run: fn(Peers) -> Pin<Box<dyn Future<Output = ()>>>,
}

macro_rules! cases {
    ($($name:ident),+ $(,)?) => { vec![$(Case { name: stringify!($name), run: |peers| Box::pin($name(peers)) }),+] };
}

/// The cases of such a backend. Only OSProfiler's Redis driver has had two forms of keys. Those for Redis and MongoDB keep
/// error records that it can list; its driver for Elasticsearch lists nothing with a client that it can use, and those for
/// the message bus and Log Insight nothing at all.
pub(super) fn of(kind: Kind) -> Vec<Case> {
    let mut cases = cases!(
        what_osprofiler_writes_is_read,
        osprofiler_reads_what_is_written,
        both_add_to_one_trace,
        errors_of_osprofiler_are_found,
    );
    if !matches!(kind, Kind::LogInsight | Kind::Messaging) {
        cases.extend(cases!(what_is_purged_is_gone_for_osprofiler));
    }
    if !matches!(kind, Kind::Elasticsearch | Kind::LogInsight | Kind::Messaging) {
        cases.extend(cases!(traces_are_listed_alike));
    }
    if matches!(kind, Kind::Mongodb | Kind::Redis) {
        cases.extend(cases!(osprofiler_reads_our_error_records));
    }
    if kind == Kind::Redis {
        cases.extend(cases!(keys_of_the_old_form_are_read_alike));
    }
    cases
}

/// Ours and theirs on one place.
pub(super) struct Peers {
    pub(super) osprofiler: Osprofiler,
    pub(super) place: Place,
    pub(super) kind: Kind,
}

impl Peers {
    async fn connect(&self) -> Arc<dyn Driver> {
        connect(&self.place.ours).await
    }

    /// Their report of what arrived in this order is ours.
    async fn check(&self, base_id: &str, arrived: Vec<TracePoint>) {
        if self.kind == Kind::Elasticsearch {
            // What was stored is seen by the next read of ours, and by theirs within a second.
            read(&*self.connect().await, base_id).await;
        }
        let mut theirs = value(&self.osprofiler.report(&self.place.theirs, base_id));
        if self.kind == Kind::Mongodb {
            without_exact_text(&mut theirs);
        }
        if let Some(difference) = difference(&theirs, &ours(self.kind, arrived)) {
            panic!("their report and ours differ {difference}");
        }
    }
}

async fn connect(url: &str) -> Arc<dyn Driver> {
    let to = ConnectionString::parse(url).expect("it is one");
    nephoscope_drivers::registry().connect(&to).await.expect("the server is there")
}

async fn read(driver: &dyn Driver, base_id: &str) -> Vec<TracePoint> {
    let points = driver.points(&Id::new(base_id)).await.expect("the trace can be read");
    assert_eq!(points.bad.count(), 0, "{:?}", points.bad.first());
    points.good
}

async fn list(driver: &dyn Driver) -> Vec<(String, String)> {
    sorted(driver.list(&TraceFilter::default()).await.expect("traces can be listed"))
}

async fn list_errors(driver: &dyn Driver) -> Vec<(String, String)> {
    sorted(driver.list_errors(&TraceFilter::default()).await.expect("errors can be listed"))
}

fn sorted(list: Vec<TraceSummary>) -> Vec<(String, String)> {
    let mut lines: Vec<_> =
        list.into_iter().map(|line| (line.base_id.to_string(), line.timestamp.to_string())).collect();
    lines.sort();
    lines
}

fn ids(lines: Vec<(String, String)>) -> Vec<String> {
    lines.into_iter().map(|(id, _)| id).collect()
}

/// So many microseconds after 2026-01-01T00:00:00.
fn time(micros: i64) -> Timestamp {
    Timestamp::from_micros(1_767_225_600_000_000 + micros)
}

fn point(base_id: &str, operation: &str, name: &str, micros: i64, info: &str) -> TracePoint {
    let mut point = TracePoint::new(name, base_id.into(), operation.into(), base_id.into(), time(micros));
    point.info = Json::parse(info).expect("it is JSON");
    (point.project, point.service) = (Some("nova".into()), Some("api \u{1f600}".into()));
    point
}

/// Operations inside each other and beside each other in one millisecond, failing, without end or start.
fn trace(base_id: &str) -> Vec<TracePoint> {
    let host = r#"{"host": "node-1"}"#;
    let statement = r#"{"db": {"statement": "SELECT '日本' -- \"\\ %s", "params": [1, 2.5e3, null, "\u0001\ud800"]}, "host": "node-1"}"#;
    let mut points = vec![
        point(base_id, "a", "wsgi-start", 0, host),
        point(base_id, "b", "db-query-start", 1_000, statement),
        point(base_id, "c", "db-start", 1_100, statement),
        point(
            base_id,
            "b",
            "db-query-stop",
            1_400,
            r#"{"etype": "ValueError", "message": "日", "host": "node-1"}"#,
        ),
        point(base_id, "c", "db-stop", 1_900, host),
        point(base_id, "d", "rpc-start", 3_000, host),
        point(base_id, "e", "rpc-stop", 3_500, host),
        point(base_id, "a", "wsgi-stop", 9_999, host),
    ];
    for (child, parent) in [(1, "a"), (2, "a"), (3, "a"), (4, "a"), (5, "b"), (6, "not here")] {
        points[child].parent_id = parent.into();
    }
    points[5].service = None;
    points
}

/// The times that OSProfiler's Redis driver lists are those of the last point but one: the first, when there are two.
fn pair(base_id: &str, micros: i64) -> [TracePoint; 2] {
    let host = r#"{"host": "node-1"}"#;
    [
        point(base_id, "a", "wsgi-start", micros, host),
        point(
            base_id,
            "a",
            "wsgi-stop",
            micros + 500,
            r#"{"etype": "KeyError", "message": null, "host": "node-1"}"#,
        ),
    ]
}

async fn what_osprofiler_writes_is_read(peers: Peers) {
    let base_id = peers.osprofiler.trace(&peers.place.theirs, false);
    let driver = peers.connect().await;
    let points = read(&*driver, &base_id).await;
    assert_eq!(points.len(), 29, "start and stop of 14 operations, and one without an end");
    assert!(points.iter().all(|point| point.project.as_deref() == Some("cinder")));
    peers.check(&base_id, points).await;
}

async fn osprofiler_reads_what_is_written(peers: Peers) {
    let driver = peers.connect().await;
    for base_id in ["7f4c1a04-3d5e-4a0a-9a3f-0c6d2b1e8f00", "no uuid: 日本 '\"%_"] {
        let points = trace(base_id);
        driver.notify(&points).await.expect("it is stored");
        peers.check(base_id, points).await;
    }
}

/// Their driver writes to a table, or keys, that ours made, and the other way round.
async fn both_add_to_one_trace(peers: Peers) {
    let driver = peers.connect().await;
    driver.notify(&pair("before", 0)).await.expect("it is stored");
    let base_id = peers.osprofiler.trace(&peers.place.theirs, false);
    let theirs = read(&*driver, &base_id).await;
    let ours = pair(&base_id, 0);
    driver.notify(&ours).await.expect("it is stored");
    let points = [theirs, ours.to_vec()].concat();
    assert_eq!(read(&*driver, &base_id).await, points);
    peers.check(&base_id, points).await;
}

async fn traces_are_listed_alike(peers: Peers) {
    let driver = peers.connect().await;
    for (number, base_id) in ["one", "two", "7f4c1a04-3d5e-4a0a-9a3f-0c6d2b1e8f00"].into_iter().enumerate() {
        driver.notify(&pair(base_id, number as i64 * 10_000)).await.expect("it is stored");
    }
    let listed = list(&*driver).await;
    assert_eq!(listed.len(), 3);
    assert_eq!(lines(&peers.osprofiler.list(&peers.place.theirs)), listed);

    let base_id = peers.osprofiler.trace(&peers.place.theirs, false);
    let all = ids(list(&*driver).await);
    assert!(all.contains(&base_id) && all.len() == 4, "{base_id} is not in {all:?}");
    assert_eq!(ids(lines(&peers.osprofiler.list(&peers.place.theirs))), all);
}

async fn what_is_purged_is_gone_for_osprofiler(peers: Peers) {
    let driver = peers.connect().await;
    driver.notify(&pair("old", 0)).await.expect("it is stored");
    driver.notify(&pair("new", 5_000)).await.expect("it is stored");
    let purged = driver.purge(pair("new", 5_000)[0].timestamp).await.expect("it is purged");
    assert_eq!(purged.traces, 1);
    peers.check("old", vec![]).await;
    peers.check("new", pair("new", 5_000).to_vec()).await;
    if peers.kind != Kind::Elasticsearch {
        assert_eq!(lines(&peers.osprofiler.list(&peers.place.theirs)).len(), 1);
    }
}

async fn errors_of_osprofiler_are_found(peers: Peers) {
    // With error records, its MongoDB driver raises an exception into the service: PyMongo 4 has no `update` any more.
    let failing = peers.osprofiler.trace(&peers.place.theirs, peers.kind != Kind::Mongodb);
    let driver = peers.connect().await;
    assert_eq!(ids(list_errors(&*driver).await), [failing]);
}

async fn osprofiler_reads_our_error_records(peers: Peers) {
    let separator = if peers.place.ours.contains('?') { '&' } else { '?' };
    let with_option = format!("{}{separator}filter_error_trace=true", peers.place.ours);
    let driver = connect(&with_option).await;
    driver.notify(&[pair("one", 0), pair("日本 two", 10_000)].concat()).await.expect("it is stored");
    let [start, _] = pair("fine", 0);
    driver.notify(&[start]).await.expect("it is stored");
    // Theirs is the time of the error, ours that of the trace.
    let errors = ["one", "日本 two"].map(str::to_owned);
    let times = ["2026-01-01T00:00:00.000500", "2026-01-01T00:00:00.010500"].map(str::to_owned);
    assert_eq!(ids(list_errors(&*driver).await), errors);
    let theirs = lines(&peers.osprofiler.list_errors(&peers.place.theirs));
    assert_eq!(theirs, errors.into_iter().zip(times).collect::<Vec<_>>());
}

async fn keys_of_the_old_form_are_read_alike(peers: Peers) {
    let base_id = "7f4c1a04-3d5e-4a0a-9a3f-0c6d2b1e8f00";
    let mut points = trace(base_id);
    // Redis finds such keys in no order, which must not decide the order of siblings of one millisecond.
    for (point, micros) in points[2..5].iter_mut().zip([2_100, 2_150, 2_200]) {
        point.timestamp = time(micros);
    }
    let (old, new) = points.split_at(4);
    for point in old {
        peers.osprofiler.store_in_old_form(&peers.place.theirs, point);
    }
    let driver = peers.connect().await;
    driver.notify(new).await.expect("it is stored");
    let mut stored = read(&*driver, base_id).await;
    stored.sort_by_key(|point| point.timestamp);
    assert_eq!(stored, points);
    peers.check(base_id, stored).await;
    assert_eq!(list(&*driver).await.len(), 1);
}
