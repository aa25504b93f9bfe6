//! What only ClickHouse promises: its tables, its lists by the hour, and what it refuses.

use std::sync::Arc;

use nephoscope_telemetry::{
    ConnectionString, Driver, Error, ErrorKind, Json, Result, Timestamp, TraceFilter, TracePoint,
};
use nephoscope_testkit::server::{ClickhouseEngine, Missing, OldClickhouseServer, PASSWORD_ENCODED, USER};
use nephoscope_testkit::{Trial, trial};

/// One server for each: they are few.
pub(super) fn trials() -> Vec<Trial> {
    vec![
        trial("clickhouse_tables::any_list_over_days_is_as_that_of_memory", || engine(lists_over_days)),
        trial("clickhouse_tables::points_stored_twice_are_counted_once", || engine(counted_once)),
        trial("clickhouse_tables::a_user_who_may_only_read_reads", || engine(reader)),
        trial("clickhouse_tables::a_retention_is_set_and_changed", || engine(retention)),
        trial("clickhouse_tables::a_row_of_somebody_else_costs_itself", || engine(foreign_row)),
        trial("clickhouse_tables::a_server_that_is_too_old_is_told_so", old_server),
    ]
}

fn engine<F: Future<Output = ()>>(case: fn(ClickhouseEngine) -> F) -> std::result::Result<(), Missing> {
    block_on(case(ClickhouseEngine::start()?));
    Ok(())
}

fn block_on(case: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    runtime.expect("threads can be started").block_on(case);
}

async fn connect(url: &str) -> Result<Arc<dyn Driver>> {
    let to = ConnectionString::parse(url).expect("it is one");
    nephoscope_drivers::registry().connect(&to).await
}

/// So many microseconds after 2026-01-01T00:00:00.
fn point(base_id: &str, number: u64, name: &str, micros: i64) -> TracePoint {
    let time = Timestamp::from_micros(1_767_225_600_000_000 + micros);
    TracePoint::new(name, base_id.into(), number.to_string().as_str().into(), base_id.into(), time)
}

fn failed(mut point: TracePoint) -> TracePoint {
    point.info = Json::parse(r#"{"etype": "ValueError"}"#).expect("it is JSON");
    point
}

/// SplitMix64 (Steele, Lea and Flood, 2014).
fn random(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (*seed ^ (*seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// Traces of one to four points, up to a day and a half apart, over nine days; some before 1970.
fn traces_over_days(seed: &mut u64) -> Vec<TracePoint> {
    const HOUR: u64 = 3_600_000_000;
    let mut points = Vec::new();
    for trace in 0..200 {
        let base_id = format!("trace {trace}");
        let mut micros = (random(seed) % (200 * HOUR)) as i64;
        if trace % 40 == 0 {
            micros -= 1_767_225_600_000_000 + (HOUR / 2) as i64;
        }
        for number in 0..=random(seed) % 4 {
            let name = ["wsgi-start", "db-stop", "rpc-start"][(random(seed) % 3) as usize];
            let mut point = point(&base_id, number, name, micros);
            point.service = random(seed).is_multiple_of(2).then(|| "api".into());
            points.push(if random(seed).is_multiple_of(8) { failed(point) } else { point });
            micros += (random(seed) % (36 * HOUR / (1 << (random(seed) % 12)))) as i64 + 1;
        }
    }
    points
}

async fn lists_over_days(server: ClickhouseEngine) {
    let (driver, model) = (
        connect(&server.url()).await.expect("it connects"),
        connect("memory://").await.expect("it connects"),
    );
    let mut seed = 7;
    let points = traces_over_days(&mut seed);
    for batch in points.chunks(150) {
        driver.notify(batch).await.expect("it is stored");
    }
    model.notify(&points).await.expect("it is stored");
    for _ in 0..40 {
        let filter = any_filter(&mut seed, &points);
        assert_eq!(
            driver.list(&filter).await.expect("traces are listed"),
            model.list(&filter).await.expect("traces are listed"),
            "{filter:?}"
        );
        let errors = model.list_errors(&filter).await.expect("errors are listed");
        assert_eq!(driver.list_errors(&filter).await.expect("errors are listed"), errors, "{filter:?}");
    }
}

fn any_filter(seed: &mut u64, points: &[TracePoint]) -> TraceFilter {
    let one_in = |seed: &mut u64, count| random(seed).is_multiple_of(count);
    let time = |seed: &mut u64| points[(random(seed) % points.len() as u64) as usize].timestamp;
    TraceFilter {
        service: one_in(seed, 4).then(|| "api".into()),
        name: one_in(seed, 4).then(|| "rpc".into()),
        since: one_in(seed, 3).then(|| time(seed)),
        until: one_in(seed, 3).then(|| time(seed)),
        min_duration: one_in(seed, 4).then(|| std::time::Duration::from_secs(random(seed) % 50_000)),
        limit: (!one_in(seed, 3)).then(|| (random(seed) % 30) as usize),
    }
}

async fn counted_once(server: ClickhouseEngine) {
    let driver = connect(&server.url()).await.expect("it connects");
    let points = [point("a", 1, "wsgi-start", 0), failed(point("a", 1, "wsgi-stop", 5))];
    for _ in 0..3 {
        driver.notify(&points).await.expect("it is stored");
    }
    assert_eq!(server.sql("default", "SELECT count() FROM trace_points"), "6", "nothing is merged yet");
    for limit in [None, Some(1)] {
        let list =
            driver.list(&TraceFilter { limit, ..TraceFilter::default() }).await.expect("traces are listed");
        assert_eq!((list[0].points, list[0].errors), (Some(2), Some(1)));
    }
    server.sql("default", "OPTIMIZE TABLE trace_points FINAL");
    assert_eq!(server.sql("default", "SELECT count() FROM trace_points"), "2");
    assert_eq!(driver.points(&"a".into()).await.expect("it is read").good, points);
}

fn is_config<T>(result: Result<T>, cure: &str) {
    let error: Error = result.err().expect("it is refused");
    assert_eq!(error.kind(), ErrorKind::Config, "{error}");
    assert!(error.to_string().contains(cure), "{error}");
}

async fn reader(server: ClickhouseEngine) {
    let url = server.url().replace(USER, "reader");
    is_config(connect(&url).await, "grant it to the user");
    let points = [point("a", 1, "wsgi-start", 0)];
    connect(&server.url()).await.expect("it connects").notify(&points).await.expect("it is stored");
    let driver = connect(&url).await.expect("it connects");
    assert_eq!(driver.points(&"a".into()).await.expect("it is read").good, points);
    assert_eq!(driver.list(&TraceFilter::default()).await.expect("traces are listed").len(), 1);
    is_config(driver.notify(&points).await, "grant it to the user");
    is_config(driver.purge(Timestamp::from_micros(i64::MAX)).await, "grant it to the user");
}

async fn retention(server: ClickhouseEngine) {
    const TTLS: &str = "SELECT concat(name, '=', extract(create_table_query, '\\\\+ ([0-9]+), 4294967295')) \
         FROM system.tables WHERE database = 'default' AND engine LIKE '%MergeTree' ORDER BY name";
    let lived = |seconds: &str| format!("trace_points={seconds}\ntrace_summaries={seconds}");
    connect(&server.url()).await.expect("it connects");
    assert_eq!(server.sql("default", TTLS), lived(""));
    let days = |days: u32| format!("{}?retention={days}d", server.url());
    let driver = connect(&days(7)).await.expect("it connects");
    assert_eq!(server.sql("default", TTLS), lived("604800"));
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("it is after 1970");
    let now = i64::try_from(now.as_micros()).expect("it is before the year 200000");
    let mut new = point("new", 1, "wsgi-start", 0);
    new.timestamp = Timestamp::from_micros(now);
    let mut old = point("old", 1, "wsgi-start", 0);
    old.timestamp = Timestamp::from_micros(now - 9 * 86_400_000_000);
    let mut future = point("future", 1, "wsgi-start", 0);
    future.set_timestamp_text("9999-12-31T23:59:59.999999").expect("it is a time");
    driver.notify(&[old, new, future]).await.expect("it is stored");
    // It happens by itself, some time later.
    server.sql("default", "OPTIMIZE TABLE trace_points FINAL");
    server.sql("default", "OPTIMIZE TABLE trace_summaries FINAL");
    let list = driver.list(&TraceFilter::default()).await.expect("traces are listed");
    let ids: Vec<_> = list.iter().map(|line| line.base_id.to_string()).collect();
    assert_eq!(ids, ["future", "new"]);
    connect(&days(30)).await.expect("it connects");
    assert_eq!(server.sql("default", TTLS), lived("2592000"));
    connect(&server.url()).await.expect("it connects");
    assert_eq!(server.sql("default", TTLS), lived("2592000"), "without the option it stays");
}

async fn foreign_row(server: ClickhouseEngine) {
    let driver = connect(&server.url()).await.expect("it connects");
    let points = [point("a", 1, "wsgi-start", 0), point("a", 1, "wsgi-stop", 5)];
    driver.notify(&points).await.expect("it is stored");
    server.sql("default", "INSERT INTO trace_points (base_id, name, point) SELECT 'a', 'x', '{\"half\": '");
    server.sql("default", "INSERT INTO trace_points (base_id, name, point) SELECT 'a', 'x', unhex('ff')");
    let read = driver.points(&"a".into()).await.expect("it is read");
    assert_eq!((read.good.as_slice(), read.bad.count()), (points.as_slice(), 2));
    assert_eq!(driver.list(&TraceFilter::default()).await.expect("traces are listed").len(), 1);
}

fn old_server() -> std::result::Result<(), Missing> {
    let server = OldClickhouseServer::start()?;
    block_on(async {
        let url = server.database_url("default");
        is_config(connect(&url).await, "it has to be 23.3 or later");
        is_config(connect(&url.replace(PASSWORD_ENCODED, "wrong-cirrus")).await, "mend the login");
        is_config(connect(&server.database_url("no_such")).await, "create the database");
    });
    Ok(())
}
