//! What only `influxdb://` promises: how rows are kept, and who may do what. On a real 1.x.

use std::sync::Arc;
use std::time::SystemTime;

use nephoscope_telemetry::{ConnectionString, Driver, ErrorKind, Result, Timestamp, TraceFilter, TracePoint};
use nephoscope_testkit::server::{InfluxdbServer, Missing};
use nephoscope_testkit::{Trial, trial};

pub(super) fn trials() -> Vec<Trial> {
    let make = |name: &str, case: fn(&InfluxdbServer)| {
        trial(format!("influxdb::{name}"), move || {
            case(&start()?);
            Ok(())
        })
    };
    vec![
        make("who_may_only_read_reads_and_is_told_so", reader),
        make("an_administrator_makes_the_database_and_others_are_told_how", missing_database),
        make("a_retention_policy_has_to_be_there_and_keeps_rows_apart", retention_policy),
        make("points_beyond_the_retention_are_told_and_no_others", beyond_retention),
        make("a_conflict_of_types_is_told", conflict),
        make("the_same_batch_again_is_no_new_row_and_traces_are_no_new_series", rows_and_series),
        make("no_id_is_a_statement", statements),
    ]
}

fn start() -> Result<InfluxdbServer, Missing> {
    let server = InfluxdbServer::start()?;
    server.create_database("osp");
    Ok(server)
}

/// Runs to the end what a case does.
fn run<T>(case: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("it can be built").block_on(case)
}

async fn try_connect(url: &str) -> Result<Arc<dyn Driver>> {
    nephoscope_drivers::registry().connect(&ConnectionString::parse(url).expect("it is one")).await
}

async fn connect(url: &str) -> Arc<dyn Driver> {
    try_connect(url).await.unwrap_or_else(|error| panic!("{error}"))
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("it is after 1970");
    Timestamp::from_micros(i64::try_from(since.as_micros()).expect("it is before 2262"))
}

fn point(base_id: &str, name: &str, timestamp: Timestamp) -> TracePoint {
    TracePoint::new(name, base_id.into(), "t".into(), base_id.into(), timestamp)
}

fn reader(server: &InfluxdbServer) {
    run(async {
        let points = [point("b", "wsgi-start", now())];
        connect(&server.url("osp")).await.notify(&points).await.expect("it may");
        let driver = connect(&server.reader_url("osp")).await;
        assert_eq!(driver.points(&"b".into()).await.expect("it may").good, points);
        assert_eq!(driver.list(&TraceFilter::default()).await.expect("it may").len(), 1);
        let error = driver.notify(&points).await.expect_err("it may not");
        assert_eq!(error.kind(), ErrorKind::Config, "{error}");
        assert!(error.to_string().contains("grant it to the user"), "{error}");
        let error = driver.purge(now()).await.expect_err("it may not");
        assert_eq!(error.kind(), ErrorKind::Config, "{error}");
    });
}

fn missing_database(server: &InfluxdbServer) {
    run(async {
        let error =
            try_connect(&server.url("new")).await.expect_err("it is not there, and it may not make it");
        assert_eq!(error.kind(), ErrorKind::Config, "{error}");
        assert!(error.to_string().contains("CREATE DATABASE"), "{error}");
        let driver = connect(&server.administrator_url("new")).await;
        driver.notify(&[point("b", "wsgi-start", now())]).await.expect("it is there now");
        assert!(server.query("", "SHOW DATABASES").contains("\"new\""));
    });
}

fn retention_policy(server: &InfluxdbServer) {
    run(async {
        let url = server.url("osp") + "?retention_policy=month";
        let error = try_connect(&url).await.expect_err("there is none");
        assert_eq!(error.kind(), ErrorKind::Config, "{error}");
        assert!(error.to_string().contains("month"), "{error}");
        server.query("", "CREATE RETENTION POLICY month ON osp DURATION 30d REPLICATION 1");
        let driver = connect(&url).await;
        let points = [point("b", "wsgi-start", now())];
        driver.notify(&points).await.expect("it is there now");
        assert_eq!(driver.points(&"b".into()).await.expect("it is there").good, points);
        assert_eq!(connect(&server.url("osp")).await.points(&"b".into()).await.expect("it works").good, []);
        let purged = driver.purge(Timestamp::from_micros(now().as_micros() + 1)).await.expect("it may");
        assert_eq!(purged.traces, 1);
        assert_eq!(driver.points(&"b".into()).await.expect("it works").good, []);
    });
}

fn beyond_retention(server: &InfluxdbServer) {
    run(async {
        server.query("", "CREATE RETENTION POLICY brief ON osp DURATION 1h REPLICATION 1 DEFAULT");
        let driver = connect(&server.url("osp")).await;
        let old = Timestamp::from_micros(now().as_micros() - 86_400_000_000);
        let new = [point("new", "a-start", now()), point("newer", "a-start", now())];
        let past = ["old", "older", "oldest"].map(|id| point(id, "a-start", old));
        let [first, second] = new.clone();
        let [one, two, three] = past;
        let error = driver.notify(&[one, first, two, second, three]).await.expect_err("some are too old");
        assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
        let told = error.to_string();
        assert!(told.contains("3 of 5 points") && told.contains("of trace old:"), "{told}");
        assert!(told.contains("points beyond retention policy"), "{told}");
        for point in new {
            assert_eq!(driver.points(&point.base_id).await.expect("it is there").good, [point]);
        }
        assert_eq!(driver.list(&TraceFilter::default()).await.expect("it works").len(), 2);
    });
}

fn conflict(server: &InfluxdbServer) {
    run(async {
        let driver = connect(&server.url("osp")).await;
        // Somebody else's rows in our measurement: one with a type that is not ours, one with nothing of ours.
        server.query("osp", "CREATE RETENTION POLICY theirs ON osp DURATION 0s REPLICATION 1");
        server.write("osp", "osprofiler_traces,bucket=x theirs=5,text=7 1763700000000000000");
        let points = [point("b", "wsgi-start", now())];
        driver.notify(&points).await.expect("the conflict is with another shard");
        assert_eq!(driver.list(&TraceFilter::default()).await.expect("theirs is passed over").len(), 1);
        let time = Timestamp::from_micros(1_763_700_000_000_000);
        let error = driver.notify(&[point("c", "wsgi-start", time)]).await.expect_err("the types differ");
        assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
        assert!(error.to_string().contains("field type conflict"), "{error}");
        assert_eq!(driver.points(&"b".into()).await.expect("it is there").good, points);
    });
}

fn rows_and_series(server: &InfluxdbServer) {
    run(async {
        let driver = connect(&server.url("osp")).await;
        let points: Vec<_> = (0..5_000).map(|number| point(&number.to_string(), "a-start", now())).collect();
        driver.notify(&points).await.expect("it can be stored");
        let count = || server.query("osp", "SELECT count(batch) FROM osprofiler_traces");
        let before = count();
        assert!(before.contains(",5000]"), "{before}");
        // Another process knows nothing of the first.
        connect(&server.url("osp")).await.notify(&points).await.expect("it can be stored again");
        assert_eq!(count(), before);
        let series = server.query("osp", "SHOW SERIES EXACT CARDINALITY");
        let series =
            series.rsplit_once("[[").and_then(|(_, count)| count.split_once(']')).expect("a count").0;
        assert!((900..=1024).contains(&series.parse::<u32>().expect("a count")), "{series}");
    });
}

fn statements(server: &InfluxdbServer) {
    run(async {
        let driver = connect(&server.url("osp")).await;
        let kept = [point("kept", "wsgi-start", now())];
        driver.notify(&kept).await.expect("it can be stored");
        for id in [
            "' OR '' = '",
            "x' OR \"base_id\" =~ /./ --",
            "kept'; DROP MEASUREMENT osprofiler_traces; --",
            "$id0",
            "/./",
            "\\'",
        ] {
            assert_eq!(driver.points(&id.into()).await.expect("it is an id").good, [], "{id}");
            let own = [point(id, &format!("{id}-start"), now())];
            driver.notify(&own).await.expect("it is an id");
            assert_eq!(driver.points(&id.into()).await.expect("it is an id").good, own, "{id}");
            let filter = TraceFilter { name: Some(id.into()), ..TraceFilter::default() };
            let listed = driver.list(&filter).await.expect("it is a name");
            assert_eq!(listed.len(), 1, "{id}");
        }
        assert_eq!(driver.points(&"kept".into()).await.expect("it is there").good, kept);
    });
}
