//! What only `mongodb://` promises: the documents of OSProfiler, kept once, among those of others; and what answers in
//! place of a server.

use std::pin::Pin;
use std::sync::{Arc, LazyLock};

use mongodb::bson::oid::ObjectId;
use mongodb::bson::{DateTime, Document, doc};
use nephoscope_telemetry::{
    ConnectionString, Driver, Error, ErrorKind, Id, Json, Points, Timestamp, TraceFilter, TracePoint,
};
use nephoscope_testkit::server::{FerretdbServer, Missing};
use nephoscope_testkit::{Trial, trial};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

type Case = (&'static str, fn(Bench) -> Pin<Box<dyn Future<Output = ()>>>);

macro_rules! cases {
    ($($name:ident),+ $(,)?) => { [$((stringify!($name), |bench| Box::pin($name(bench)))),+] };
}

const CASES: [Case; 8] = cases!(
    indexes_are_made,
    a_batch_that_is_there_in_part_is_completed,
    fields_that_the_server_refuses_are_kept_as_text,
    documents_of_others_cost_only_themselves,
    a_trace_that_outlasts_others_is_listed_in_its_place,
    an_error_record_is_one_for_each_trace,
    a_certificate_is_checked,
    what_is_no_server_is_unavailable,
);

pub(super) fn trials() -> Vec<Trial> {
    let named = |(name, case): Case| {
        trial(format!("mongodb::documents::{name}"), move || {
            let server = SERVER.as_ref().map_err(|missing| *missing)?;
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
            let bench = Bench { url: server.database_url(name), database: name };
            runtime.expect("it can be built").block_on(case(bench));
            Ok(())
        })
    };
    CASES.into_iter().map(named).collect()
}

static SERVER: LazyLock<Result<FerretdbServer, Missing>> = LazyLock::new(FerretdbServer::start);

/// A database of its own.
struct Bench {
    url: String,
    database: &'static str,
}

impl Bench {
    async fn connect(&self) -> Arc<dyn Driver> {
        connect(&self.url).await.expect("the server is there")
    }

    /// The collection, as a client sees it that is not ours.
    async fn collection(&self, name: &str) -> mongodb::Collection<Document> {
        let url = self.url.split("&database").next().expect("there is a first part");
        let client = mongodb::Client::with_uri_str(url).await.expect("the server is there");
        client.database(self.database).collection(name)
    }
}

async fn connect(url: &str) -> Result<Arc<dyn Driver>, Error> {
    nephoscope_drivers::registry().connect(&ConnectionString::parse(url).expect("it is one")).await
}

fn point(base_id: &str, number: i64) -> TracePoint {
    let time = Timestamp::from_micros(1_767_225_600_000_000 + number);
    TracePoint::new("db-start", base_id.into(), number.to_string().as_str().into(), base_id.into(), time)
}

async fn read(driver: &dyn Driver, id: &str) -> Points {
    driver.points(&Id::new(id)).await.expect("it can be read")
}

async fn indexes_are_made(bench: Bench) {
    let driver = bench.connect().await;
    driver.notify(&[point("a", 0)]).await.expect("it is stored");
    let names = bench.collection("profiler").await.list_index_names().await.expect("they can be listed");
    assert_eq!(names, ["_id_", "nephoscope_time", "nephoscope_trace"]);
}

async fn a_batch_that_is_there_in_part_is_completed(bench: Bench) {
    let driver = bench.connect().await;
    let points: Vec<_> = (0..250).map(|number| point("a", number)).collect();
    driver.notify(&points[50..120]).await.expect("it is stored");
    driver.notify(&points).await.expect("it is stored");
    let count = bench.collection("profiler").await.count_documents(doc! {}).await;
    assert_eq!(count.expect("they can be counted"), 250);
}

async fn fields_that_the_server_refuses_are_kept_as_text(bench: Bench) {
    let driver = bench.connect().await;
    let infos = [
        r#"{"params": [[1, 2], [3, 4]]}"#,
        r#"{"$where": 1, "host": "h"}"#,
        r#"{"a.b": 1, "etype": "ValueError"}"#,
        r#"{"large": Infinity}"#,
        r#"{"fields": "beside it"}"#,
        r#"{"plain": 1}"#,
    ];
    let mut points: Vec<_> = (0..).map(|number| point("a", number)).take(infos.len()).collect();
    for (point, info) in points.iter_mut().zip(infos) {
        point.info = Json::parse(info).expect("it is JSON");
    }
    points[4].extra = vec![("in \"quotes\"".into(), Json::string("FerretDB fails on the whole batch"))];
    driver.notify(&points).await.expect("it is stored");
    let mut stored = read(&*driver, "a").await.good;
    stored.sort_by_key(|point| point.timestamp);
    assert_eq!(stored, points);
    let collection = bench.collection("profiler").await;
    let outlined = collection.count_documents(doc! { "exact_json": { "$exists": true } }).await;
    assert_eq!(outlined.expect("they can be counted"), 5);
    let failed = driver.list_errors(&TraceFilter::default()).await.expect("they can be listed");
    assert_eq!(failed[0].errors, Some(1));
}

async fn documents_of_others_cost_only_themselves(bench: Bench) {
    let collection = bench.collection("profiler").await;
    let theirs = doc! {
        "_id": ObjectId::new(), "name": "wsgi-start", "base_id": "a", "trace_id": "t", "parent_id": "a",
        "timestamp": "2026-01-01T00:00:00.000000",
        "info": { "at": DateTime::from_millis(1), "host": "h" }, "project": "nova", "service": null,
    };
    let foreign = [
        doc! { "base_id": "a", "note": "no point" },
        doc! { "base_id": 7, "timestamp": "2026-01-01T00:00:00.000000" },
        doc! { "timestamp": DateTime::now(), "base_id": "b" },
        doc! { "something": ["else"] },
    ];
    collection.insert_one(theirs).await.expect("it is stored");
    collection.insert_many(foreign).await.expect("they are stored");
    let driver = bench.connect().await;
    let points = read(&*driver, "a").await;
    assert_eq!(points.bad.count(), 1);
    assert_eq!(points.good[0].info.as_str(), r#"{"at": "1970-01-01T00:00:00.001000", "host": "h"}"#);
    let list = driver.list(&TraceFilter::default()).await.expect("they can be listed");
    let ids: Vec<_> = list.iter().map(|line| (line.base_id.to_string(), line.points)).collect();
    assert_eq!(ids, [("a".to_owned(), Some(1))]);
    let purged = driver.purge(point("a", 1).timestamp).await.expect("it is purged");
    assert_eq!(purged.traces, 1);
    let left = collection.count_documents(doc! {}).await.expect("they can be counted");
    assert_eq!(left, 4, "what is no point is not ours to delete");
}

/// A trace that goes on while others come is met late, or early, and in its place either way.
async fn a_trace_that_outlasts_others_is_listed_in_its_place(bench: Bench) {
    let driver = bench.connect().await;
    let long = (0..50).map(|number| point("long", number * 10));
    let short = (0..40).map(|number| point(&format!("short {number}"), number * 10 + 5));
    driver.notify(&long.chain(short).collect::<Vec<_>>()).await.expect("it is stored");
    for limit in [1, 2, 39, 40, 41, 60] {
        let filter = TraceFilter { limit: Some(limit), ..TraceFilter::default() };
        let list = driver.list(&filter).await.expect("they can be listed");
        let expected = (0..40).rev().map(|number| format!("short {number}")).chain(["long".to_owned()]);
        let ids: Vec<_> = list.iter().map(|line| line.base_id.to_string()).collect();
        assert_eq!(ids, expected.take(limit).collect::<Vec<_>>());
    }
}

async fn an_error_record_is_one_for_each_trace(bench: Bench) {
    let driver = connect(&format!("{}&filter_error_trace=true", bench.url)).await.expect("it is there");
    let mut points = [point("a", 0), point("a", 7), point("b", 3), point("a", 5)];
    for point in &mut points {
        point.info = Json::parse(r#"{"etype": "ValueError"}"#).expect("it is JSON");
    }
    driver.notify(&points[..2]).await.expect("it is stored");
    driver.notify(&points[2..]).await.expect("it is stored");
    let records = bench.collection("profiler_error").await;
    assert_eq!(records.count_documents(doc! {}).await.expect("they can be counted"), 2);
    let of_a = records.find_one(doc! { "base_id": "a" }).await.expect("it can be read").expect("it is there");
    assert_eq!(of_a.get_str("timestamp").expect("it has one"), points[3].timestamp.to_string());
}

async fn a_certificate_is_checked(_: Bench) {
    let server = FerretdbServer::start_with_tls().expect("the other one is there, too");
    let driver = connect(&server.url()).await.expect("its authority is known");
    driver.notify(&[point("a", 0)]).await.expect("it is stored");
    let url = server.url();
    let place = url.split("?").next().expect("there is a first part");
    for (options, kind) in [("?tls=true", ErrorKind::Config), ("?tls=false", ErrorKind::Unavailable)] {
        let url = format!("{place}{options}&serverSelectionTimeoutMS=500");
        let error = connect(&url).await.expect_err("it is not trusted");
        assert_eq!(error.kind(), kind, "{error:?}");
    }
}

/// Answers every connection with this, once it was sent something, and keeps it open.
async fn answering(with: &'static [u8]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let port = listener.local_addr().expect("it has an address").port();
    tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((mut connection, _)) = listener.accept().await {
            let read = connection.read(&mut [0; 1]).await;
            assert!(read.is_err() || connection.write_all(with).await.is_ok() || !with.is_empty());
            open.push(connection);
        }
    });
    port
}

async fn what_is_no_server_is_unavailable(_: Bench) {
    for answer in [&b""[..], b"HTTP/1.1 400 Bad Request\r\n\r\n<html></html>", b"\x30\0\0\0\x01\0\0\0\x01\0"]
    {
        let port = answering(answer).await;
        let url =
            format!("mongodb://u:s3cret@127.0.0.1:{port}/?serverSelectionTimeoutMS=300&connectTimeoutMS=100");
        let error = connect(&url).await.expect_err("it is no server");
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
        assert!(error.to_string().contains("serverSelectionTimeoutMS"), "{error}");
        assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
    }
}
