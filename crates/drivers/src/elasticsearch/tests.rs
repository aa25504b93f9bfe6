//! Servers that misbehave; real ones are held to the conformance suite.

use std::sync::atomic::{AtomicUsize, Ordering};

use nephoscope_telemetry::{ErrorKind, Id, Json, Timestamp, TraceFilter, TracePoint};
use nephoscope_testkit::http::{HttpDouble, Received, Reply};

use super::*;

/// A driver of a server of today that has the index, and answers everything else so.
async fn driver(reply: impl Fn(&Received) -> Reply + Send + Sync + 'static) -> (Arc<dyn Driver>, HttpDouble) {
    driver_with("", reply).await
}

async fn driver_with(
    options: &str,
    reply: impl Fn(&Received) -> Reply + Send + Sync + 'static,
) -> (Arc<dyn Driver>, HttpDouble) {
    let double = HttpDouble::start(move |request| match (request.method.as_str(), path(request)) {
        ("GET", "/") => Reply::json(405, r#"{"error":"Incorrect HTTP method"}"#),
        ("GET", _) => {
            Reply::json(200, r#"{"traces":{"mappings":{"properties":{"base_id":{"type":"keyword"}}}}}"#)
        }
        _ => reply(request),
    });
    let to = format!("elasticsearch://127.0.0.1:{}?index=traces{options}", double.port());
    (connect(&ConnectionString::parse(&to).unwrap()).await.unwrap(), double)
}

fn path(request: &Received) -> &str {
    request.target.split('?').next().unwrap_or_default()
}

fn point(number: i64) -> TracePoint {
    let time = Timestamp::from_micros(number);
    TracePoint::new("wsgi-start", "b".into(), number.to_string().as_str().into(), "p".into(), time)
}

/// The items of an answer, one for each status.
fn outcomes(outcomes: &[(u16, &str)]) -> Reply {
    let item = |(status, reason): &(u16, &str)| match reason {
        &"" => format!(r#"{{"create":{{"status":{status}}}}}"#),
        reason => format!(r#"{{"create":{{"status":{status},"error":{{"type":"t","reason":"{reason}"}}}}}}"#),
    };
    let items: Vec<_> = outcomes.iter().map(item).collect();
    Reply::json(200, format!(r#"{{"items":[{}]}}"#, items.join(",")))
}

/// How many documents a batch has.
fn documents(request: &Received) -> usize {
    request.text().lines().filter(|line| line.starts_with("{\"create\"")).count()
}

#[tokio::test]
async fn busy_items_are_tried_again_and_no_others_are_counted() {
    let (driver, _double) = driver(|_| outcomes(&[(201, ""), (429, "queue is full"), (409, "there")])).await;
    let error = driver.notify(&[point(1), point(2), point(3)]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().contains("1 of 3") && error.to_string().contains("queue is full"), "{error}");
}

#[tokio::test]
async fn what_is_refused_is_sent_once_more_with_its_text_beside() {
    let (driver, double) = driver(|request| match documents(request) {
        3 => outcomes(&[(201, ""), (400, "mapping"), (400, "too long")]),
        _ => outcomes(&[(201, ""), (400, "still too long")]),
    })
    .await;
    let error = driver.notify(&[point(1), point(2), point(3)]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("1 of 3 points; the first is 3: t: still too long"), "{error}");
    let sent: Vec<_> = double.received().into_iter().filter(|request| request.method == "POST").collect();
    assert_eq!(sent.len(), 2);
    assert_eq!(documents(&sent[1]), 2);
    assert_eq!(sent[1].text().matches("\"nephoscope\": {\"exact\": ").count(), 2);
}

#[tokio::test]
async fn a_full_disk_is_told_with_its_cure() {
    for (status, number) in [(403, "FORBIDDEN"), (429, "TOO_MANY_REQUESTS")] {
        let reason =
            format!("index [traces] blocked by: [{number}/12/disk usage exceeded flood-stage watermark]");
        let (driver, _double) = driver(move |_| outcomes(&[(status, &reason)])).await;
        let error = driver.notify(&[point(1)]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(error.to_string().contains("free disk space"), "{error}");
    }
    let (driver, _double) = driver(|_| outcomes(&[(403, "[FORBIDDEN/8/index write (api)]")])).await;
    assert_eq!(driver.notify(&[point(1)]).await.unwrap_err().kind(), ErrorKind::Config);
}

#[tokio::test]
async fn a_request_too_long_for_a_proxy_is_cut_in_two() {
    let (driver, double) = driver(|request| match documents(request) {
        _ if request.text().contains("too long for anybody") => Reply::empty(413),
        1 => outcomes(&[(201, "")]),
        2 => outcomes(&[(201, ""), (201, "")]),
        _ => Reply::empty(413),
    })
    .await;
    driver.notify(&[point(1), point(2), point(3), point(4), point(5)]).await.unwrap();
    let stored: Vec<_> =
        double.received().iter().filter(|request| documents(request) < 3).map(documents).collect();
    assert_eq!(stored.iter().sum::<usize>(), 5);
    let mut long = point(6);
    long.info = Json::parse(r#"{"x": "too long for anybody"}"#).unwrap();
    let error = driver.notify(&[long, point(7)]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("1 of 2") && error.to_string().contains("6"), "{error}");
}

#[tokio::test]
async fn an_index_that_is_gone_is_made_again() {
    let made = Arc::new(AtomicUsize::new(0));
    let counter = made.clone();
    let double = HttpDouble::start(move |request| match (request.method.as_str(), path(request)) {
        ("GET", "/") => Reply::json(200, r#"{"version":{"number":"8.19.21"}}"#),
        ("GET", _) => Reply::json(404, "{}"),
        ("PUT", "/traces") => {
            counter.fetch_add(1, Ordering::Relaxed);
            Reply::json(200, "{}")
        }
        ("PUT", _) if !request.target.ends_with("?create=true") => Reply::json(500, "overwritten"),
        ("PUT", _) => Reply::json(403, r#"{"error":"no templates for you"}"#),
        _ if counter.load(Ordering::Relaxed) == 1 => outcomes(&[(404, "no such index")]),
        _ => outcomes(&[(201, "")]),
    });
    let to = format!("elasticsearch://127.0.0.1:{}?index=traces", double.port());
    let driver = connect(&ConnectionString::parse(&to).unwrap()).await.unwrap();
    assert_eq!(driver.notify(&[point(1)]).await.unwrap_err().kind(), ErrorKind::Unavailable);
    driver.notify(&[point(1)]).await.unwrap();
    driver.notify(&[point(1)]).await.unwrap();
    assert_eq!(made.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn who_may_not_refresh_reads_all_the_same() {
    let (driver, double) = driver(|request| match path(request) {
        "/traces/_refresh" => Reply::json(403, r#"{"error":{"type":"security_exception"}}"#),
        _ => Reply::json(200, r#"{"hits":{"hits":[]}}"#),
    })
    .await;
    assert_eq!(driver.points(&"b".into()).await.unwrap().good, []);
    assert_eq!(driver.list(&TraceFilter::default()).await.unwrap(), []);
    assert_eq!(double.received().iter().filter(|request| path(request) == "/traces/_search").count(), 2);
}

#[tokio::test]
async fn an_answer_that_is_none_is_told() {
    let cases = [
        (Reply::Answer(200, Vec::new(), b"<html>Welcome</html>".to_vec()), ErrorKind::Config, "web page"),
        (Reply::json(200, r#"{"hits":{"hits":["#), ErrorKind::Config, "what Elasticsearch does not"),
        (
            Reply::Raw(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{\"hits\"".to_vec()),
            ErrorKind::Unavailable,
            "broke off",
        ),
        (Reply::Silence, ErrorKind::Unavailable, "0.3 s"),
        (
            Reply::json(429, r#"{"error":{"type":"circuit_breaking_exception"}}"#),
            ErrorKind::Unavailable,
            "429",
        ),
        (Reply::json(403, r#"{"error":{"type":"security_exception"}}"#), ErrorKind::Config, "grant"),
        (Reply::json(503, r#"{"error":"no shard is there"}"#), ErrorKind::Unavailable, "no shard"),
    ];
    for (reply, kind, text) in cases {
        let impatient = if text.ends_with(" s") { "&timeout=0.3" } else { "" };
        let (driver, _double) = driver_with(impatient, move |request| match path(request) {
            "/traces/_refresh" => Reply::json(200, "{}"),
            _ => reply.clone(),
        })
        .await;
        let trace = Id::new("b");
        let error = driver.points(&trace).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(text), "{error}");
        assert_eq!(driver.list(&TraceFilter::default()).await.unwrap_err().kind(), kind);
        assert_eq!(driver.purge(Timestamp::from_micros(0)).await.unwrap_err().kind(), kind);
    }
}

#[tokio::test]
async fn an_answer_to_another_batch_is_none() {
    let (driver, _double) = driver(|_| outcomes(&[(201, "")])).await;
    let error = driver.notify(&[point(1), point(2)]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("1 items for 2 actions"), "{error}");
}

/// Three shards that count alike: a page ends between two documents of one number, and so does a half.
#[tokio::test]
async fn pages_of_several_shards_lose_nothing_and_give_nothing_twice() {
    const SHARDS: i64 = 3;
    const POINTS: i64 = 2_500;
    let (driver, double) = driver(|request| {
        if path(request) != "/traces/_search" {
            return Reply::json(200, "{}");
        }
        let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
        let after = body["search_after"][0].as_i64().unwrap_or(-1);
        let until =
            body["query"]["bool"]["filter"][1]["range"]["_seq_no"]["lte"].as_i64().unwrap_or(i64::MAX);
        let size = usize::try_from(body["size"].as_u64().unwrap()).unwrap();
        let hit = |number: i64| {
            let (source, sequence) = (point(number).to_json(), number / SHARDS);
            format!(r#"{{"_index":"traces","_id":"{number}","_source":{source},"sort":[{sequence}]}}"#)
        };
        let mut left: Vec<_> =
            (0..POINTS).filter(|number| number / SHARDS > after && number / SHARDS <= until).collect();
        if body["sort"][0]["_seq_no"] == "desc" {
            left.reverse();
        }
        let hits: Vec<_> = left.into_iter().take(size).map(hit).collect();
        Reply::json(200, format!(r#"{{"hits":{{"hits":[{}]}}}}"#, hits.join(",")))
    })
    .await;
    let points = driver.points(&"b".into()).await.unwrap();
    let expected: Vec<_> = (0..POINTS).map(point).collect();
    assert!(points.good == expected, "{} points", points.good.len());
    let searches = double.received().iter().filter(|request| path(request) == "/traces/_search").count();
    assert_eq!(searches, 4, "1,000 points, the highest number, and the rest in two halves");
}

#[tokio::test]
async fn an_api_key_is_sent_and_not_shown() {
    let (driver, double) = driver_with("&api_key=aWQ6a2V5", |_| outcomes(&[(201, "")])).await;
    driver.notify(&[point(1)]).await.unwrap();
    assert!(
        double.received().iter().all(|request| request.header("authorization") == Some("ApiKey aWQ6a2V5"))
    );
    assert!(!format!("{driver:?}").contains("aWQ6a2V5"));
}
