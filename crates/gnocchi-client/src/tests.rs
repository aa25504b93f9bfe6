//! Faults: a Gnocchi that answers as it is told. How the real one answers is in `tests/conformance`.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use nephoscope_gnocchi::{
    AggregationMethod, Comparison, Error, Filter, Gnocchi, MetricChoice, NewMetric, Page, Range,
    ResourceChange, ResourceSelection, Result, Timestamp, Value,
};
use nephoscope_telemetry::{ConnectionString, ErrorKind};
use nephoscope_testkit::http::{HttpDouble, Received, Reply};
use uuid::Uuid;

use crate::{Remote, connect};

const SECRET: &str = "hunter2";
const RANGE: Range = Range {
    start: None,
    stop: None,
    aggregation: AggregationMethod::MEAN,
    granularity: None,
    resample: None,
};

async fn remote(double: &HttpDouble, options: &str) -> Remote {
    let text = format!("gnocchi://nephele:{SECRET}@127.0.0.1:{}{options}", double.port());
    connect(&ConnectionString::parse(&text).unwrap()).await.unwrap()
}

/// One that gives these replies in turn, the last for ever.
fn in_turn(replies: Vec<Reply>) -> HttpDouble {
    let replies = Mutex::new(replies);
    HttpDouble::start(move |_| {
        let mut replies = replies.lock().unwrap();
        if replies.len() > 1 { replies.remove(0) } else { replies[0].clone() }
    })
}

fn refusal(status: u16, description: &str) -> Reply {
    Reply::json(status, format!(r#"{{"code": {status}, "title": "x", "description": {description}}}"#))
}

/// What nobody may show.
fn told(error: &Error) -> String {
    let mut told = format!("{error} {error:?}");
    let mut next: Option<&dyn std::error::Error> = std::error::Error::source(error);
    while let Some(source) = next {
        told.push_str(&format!(" {source}"));
        next = source.source();
    }
    assert!(!told.contains(SECRET), "{told}");
    told
}

#[tokio::test]
async fn an_outage_shorter_than_the_tries_is_not_seen() {
    for away in [
        Reply::empty(503),
        Reply::empty(429),
        Reply::Raw(Vec::new()),
        Reply::Raw(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n[".to_vec()),
    ] {
        let double = in_turn(vec![away.clone(), away, Reply::json(200, "[]")]);
        assert_eq!(remote(&double, "").await.archive_policies().await.unwrap(), []);
        assert_eq!(double.received().len(), 3);
    }
}

#[tokio::test]
async fn a_longer_outage_is_unavailable() {
    let double = in_turn(vec![Reply::empty(503)]);
    let error = remote(&double, "").await.measures(Uuid::nil(), &RANGE).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
    assert_eq!(double.received().len(), 3);
    assert!(told(&error).contains(&format!("Gnocchi at 127.0.0.1:{}", double.port())), "{error}");
}

#[tokio::test]
async fn only_what_may_be_done_twice_is_tried_again() {
    let double = in_turn(vec![Reply::Raw(Vec::new())]);
    let remote = remote(&double, "").await;
    let mut sent = 0;
    let mut tries = |result: Result<()>| {
        assert!(matches!(result, Err(Error::Unavailable { .. })), "{result:?}");
        let before = std::mem::replace(&mut sent, double.received().len());
        sent - before
    };
    let change = ResourceChange { user_id: Some(None), ..ResourceChange::default() };
    assert_eq!(tries(remote.add_measures(vec![]).await), 3);
    assert_eq!(tries(remote.add_resource_measures(vec![], true).await), 3);
    assert_eq!(tries(remote.update_resource("generic", "a", change).await.map(drop)), 3);
    assert_eq!(tries(remote.create_metric(NewMetric::default()).await.map(drop)), 1);
    assert_eq!(tries(remote.delete_metric(Uuid::nil()).await), 1);
    let with_metrics = ResourceChange { metrics: Some(Default::default()), ..ResourceChange::default() };
    assert_eq!(tries(remote.update_resource("generic", "a", with_metrics).await.map(drop)), 1);
}

#[tokio::test]
async fn a_server_that_is_silent_is_unavailable() {
    let double = in_turn(vec![Reply::Silence]);
    let error = remote(&double, "?timeout=0.1").await.delete_metric(Uuid::nil()).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
    assert!(told(&error).contains("option `timeout`"), "{error}");
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let to = ConnectionString::parse(&format!("gnocchi://127.0.0.1:{nobody}")).unwrap();
    let error = connect(&to).await.unwrap().delete_metric(Uuid::nil()).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { source: Some(_), .. }), "{error:?}");
}

#[tokio::test]
async fn refusals_become_errors_of_the_trait() {
    let id = Uuid::from_u128(7);
    let unknown = format!(
        r#"{{"cause": "Unknown resources", "detail": [{{"resource_id": "{id}", "original_resource_id": "a b"}}]}}"#
    );
    let aggregation = r#""Aggregation method 'mean' at granularity '60.0' for metric m does not exist""#;
    let method = r#"{"cause": "Aggregation method does not exist for this metric", "detail": {"metric": "m", "aggregation_method": "mean"}}"#;
    for (status, description, wanted) in [
        (404, r#""Archive policy rule a does not exist""#, "NoSuchArchivePolicyRule(\"a\")"),
        (404, r#""Archive policy a rule does not exist""#, "NoSuchArchivePolicy(\"a rule\")"),
        (
            400,
            r#""Archive policy a does not support change: no""#,
            "UnsupportedArchivePolicyChange(\"a\", \"no\")",
        ),
        (400, r#""Archive policy a is still in use""#, "ArchivePolicyInUse(\"a\")"),
        (409, r#""Named metric cpu already exists""#, "NamedMetricAlreadyExists(\"cpu\")"),
        (
            400,
            r#"{"cause": "Named metric already exists", "detail": "cpu"}"#,
            "NamedMetricAlreadyExists(\"cpu\")",
        ),
        (404, r#""Resource type t does not exist""#, "NoSuchResourceType(\"t\")"),
        (
            400,
            r#""Resource type t has no x attribute""#,
            "NoSuchAttribute { resource_type: \"t\", attribute: \"x\" }",
        ),
        (400, r#""Unknown metrics: a, b/c""#, "UnknownMetrics([\"a\", \"b/c\"])"),
        (
            400,
            &unknown,
            &format!(
                "UnknownResources([UnknownResource {{ resource_id: {id}, original_resource_id: \"a b\" }}])"
            ),
        ),
        (404, aggregation, "NoSuchGranularity { metric: \"m\", method: \"mean\", granularity: 60.0 }"),
        (404, method, "NoSuchAggregation { metric: \"m\", method: \"mean\", granularity: 0.0 }"),
        (
            400,
            r#"{"cause": "Invalid input", "reason": "expected str", "detail": ["a"]}"#,
            "Invalid(\"expected str\")",
        ),
        (
            400,
            r#"{"cause": "Argument value error", "detail": "start", "reason": "odd"}"#,
            "Invalid(\"Argument value error: odd: start\")",
        ),
        (400, r#""nobody knows""#, "Invalid(\"nobody knows\")"),
        (403, r#""""#, "Forbidden(\"Gnocchi does not allow it to this user\")"),
        (412, r#""""#, "RevisionChanged"),
    ] {
        let double = in_turn(vec![refusal(status, description)]);
        let error = remote(&double, "").await.archive_policy("x").await.unwrap_err();
        assert_eq!(format!("{error:?}"), wanted, "{status} {description}");
        assert_eq!(double.received().len(), 1);
        assert_eq!(double.received()[0].header("accept"), Some("application/json"));
    }
}

#[tokio::test]
async fn what_is_no_gnocchi_is_told_by_its_status() {
    let page = |status| Reply::Answer(status, vec![], b"<html><body>nothing here</body></html>".to_vec());
    for (reply, wanted) in [
        (page(404), "Internal"),
        (page(401), "Forbidden"),
        (page(403), "Forbidden"),
        (page(400), "Invalid"),
        (page(502), "Unavailable"),
        (page(200), "Internal"),
        (refusal(401, r#""""#), "Forbidden"),
        (Reply::json(404, "{"), "Internal"),
        (Reply::json(404, "[]"), "Internal"),
        (Reply::json(404, r#"{"description": null}"#), "Internal"),
        (Reply::json(400, r#"{"description": {"cause": "Unknown resources", "detail": [{}]}}"#), "Invalid"),
        (Reply::json(400, format!(r#"{{"description": "{SECRET} is no password"}}"#)), "Invalid"),
        (Reply::Answer(302, vec![("location", "http://elsewhere/".into())], vec![]), "Internal"),
        (Reply::Raw(b"220 mail ready\r\n".to_vec()), "Internal"),
        (Reply::json(200, "{}"), "Internal"),
        (Reply::json(200, r#"{"name": 1}"#), "Internal"),
    ] {
        let double = in_turn(vec![reply.clone()]);
        let error = remote(&double, "").await.delete_archive_policy("x").await;
        // What is made of an answer shows only where one is read.
        let error = match error {
            Ok(()) => remote(&double, "").await.archive_policy("x").await.unwrap_err(),
            Err(error) => error,
        };
        assert!(format!("{error:?}").starts_with(wanted), "{reply:?}: {error:?}");
        told(&error);
    }
}

#[tokio::test]
async fn a_huge_or_endless_answer_is_refused() {
    let endless = |status: &str| {
        let mut bytes = format!("HTTP/1.1 {status}\r\ntransfer-encoding: chunked\r\n\r\n").into_bytes();
        for _ in 0..80 {
            bytes.extend_from_slice(b"100000\r\n");
            bytes.resize(bytes.len() + (1 << 20), b'[');
            bytes.extend_from_slice(b"\r\n");
        }
        Reply::Raw(bytes)
    };
    let double = in_turn(vec![endless("200 OK")]);
    let error = remote(&double, "").await.archive_policies().await.unwrap_err();
    assert!(
        matches!(&error, Error::Internal { .. }) && error.to_string().contains("more than 64 MiB"),
        "{error}"
    );
    let double = in_turn(vec![endless("400 Bad Request")]);
    let error = remote(&double, "").await.archive_policies().await.unwrap_err();
    assert!(matches!(error, Error::Invalid(_)), "{error:?}");
}

#[tokio::test]
async fn deep_json_is_no_answer() {
    let deep = format!(r#"{{"measures": {}"#, r#"{"a":"#.repeat(100_000));
    let double = in_turn(vec![Reply::json(200, deep)]);
    let query = nephoscope_gnocchi::AggregatesQuery {
        operation: nephoscope_gnocchi::Operation::Metrics(vec![]),
        subject: nephoscope_gnocchi::Subject::Metrics,
        start: None,
        stop: None,
        granularity: None,
        fill: nephoscope_gnocchi::Fill::Null,
        details: false,
    };
    let error = remote(&double, "").await.aggregates(&query).await.unwrap_err();
    assert!(matches!(error, Error::Internal { .. }), "{error:?}");
}

#[tokio::test]
async fn points_that_are_no_numbers_are_read() {
    let body = r#"[["2020-01-01T00:00:00+00:00", 60.0, NaN], ["2020-01-01T00:01:00+00:00", 0.001, -Infinity],
        ["2020-01-01T00:02:00+00:00", "M", null], ["2020-01-01T00:03:00+00:00", 300, 1e-3]]"#;
    let double = in_turn(vec![Reply::json(200, body)]);
    let points = remote(&double, "?refresh=true").await.measures(Uuid::nil(), &RANGE).await.unwrap();
    let values: Vec<_> = points.iter().map(|point| point.value.to_string()).collect();
    assert_eq!(values, ["NaN", "-inf", "NaN", "0.001"]);
    use nephoscope_gnocchi::{Resolution, Timespan};
    let span = |nanos| Resolution::Span(Timespan::from_nanos(nanos).unwrap());
    let resolutions: Vec<_> = points.iter().map(|point| point.granularity).collect();
    assert_eq!(
        resolutions,
        [span(60_000_000_000), span(1_000_000), Resolution::Month, span(300_000_000_000)]
    );
    let target = format!("/v1/metric/{}/measures?aggregation=mean&refresh=true", Uuid::nil());
    assert_eq!(double.received()[0].target, target);
    for wrong in [
        r#"[["soon", 60, 1]]"#,
        r#"[["now", 60, 1]]"#,
        r#"[["2020-01-01T00:00:00", 0, 1]]"#,
        r#"[[1, 2]]"#,
        "[[]]",
    ] {
        let double = in_turn(vec![Reply::json(200, wrong)]);
        let read = remote(&double, "").await.measures(Uuid::nil(), &RANGE).await;
        assert!(matches!(read, Err(Error::Internal { .. })), "{wrong}: {read:?}");
    }
}

/// A metric as it is listed.
fn metric(number: u128) -> String {
    let id = Uuid::from_u128(number);
    format!(
        r#"{{"id": "{id}", "creator": "c", "name": null, "unit": null, "resource_id": null, "archive_policy":
            {{"name": "p", "back_window": 0, "aggregation_methods": ["mean", "one of tomorrow"],
              "definition": [{{"granularity": "1 day, 0:00:01", "points": null, "timespan": null}}]}}}}"#
    )
}

/// A list of these, and the next part behind that one.
fn part(numbers: &[u128], next: Option<u128>) -> Reply {
    let body = format!("[{}]", numbers.iter().map(|number| metric(*number)).collect::<Vec<_>>().join(","));
    let link = next.map(|next| {
        (
            "link",
            format!(
                "<http://wrong.example/v9/metric?limit=2&marker={}>; rel=\"next\"",
                Uuid::from_u128(next)
            ),
        )
    });
    Reply::Answer(200, link.into_iter().collect(), body.into_bytes())
}

async fn listed(double: &HttpDouble, page: Page) -> Result<Vec<u128>> {
    let choice = MetricChoice { page, ..MetricChoice::default() };
    Ok(remote(double, "").await.metrics(&choice).await?.iter().map(|metric| metric.id.as_u128()).collect())
}

#[tokio::test]
async fn a_list_is_read_part_by_part() {
    let double = in_turn(vec![part(&[1, 2], Some(2)), part(&[3, 4], Some(4)), part(&[], None)]);
    assert_eq!(listed(&double, Page::default()).await.unwrap(), [1, 2, 3, 4]);
    let targets: Vec<_> = double.received().iter().map(|request| request.target.clone()).collect();
    let marker = |number| format!("/v1/metric?limit=1000&marker={}", Uuid::from_u128(number));
    assert_eq!(targets, ["/v1/metric?limit=1000".to_owned(), marker(2), marker(4)]);

    let double = in_turn(vec![part(&[1, 2], Some(2)), part(&[3, 4], Some(4))]);
    assert_eq!(listed(&double, Page { limit: Some(3), ..Page::default() }).await.unwrap(), [1, 2, 3]);
    assert!(double.received()[1].target.starts_with("/v1/metric?limit=1&"), "{:?}", double.received());
    assert_eq!(listed(&double, Page { limit: Some(0), ..Page::default() }).await.unwrap(), [0; 0]);
}

#[tokio::test]
async fn a_list_that_changes_while_it_is_read_is_read_on() {
    let gone = || refusal(400, r#""Invalid pagination: `Invalid marker: `x''""#);
    let double = in_turn(vec![part(&[1, 2, 3], Some(3)), gone(), part(&[4], None)]);
    assert_eq!(listed(&double, Page::default()).await.unwrap(), [1, 2, 3, 4]);
    assert!(double.received()[2].target.ends_with(&Uuid::from_u128(2).to_string()));
    let double = in_turn(vec![part(&[1, 2], Some(2)), gone()]);
    assert!(matches!(listed(&double, Page::default()).await, Err(Error::Unavailable { .. })));
    let double = in_turn(vec![gone()]);
    assert!(matches!(listed(&double, Page::default()).await, Err(Error::InvalidPagination(_))));
}

#[tokio::test]
async fn a_list_that_goes_round_in_a_circle_ends() {
    let double = in_turn(vec![part(&[1, 2], Some(2)), part(&[3], Some(3)), part(&[1, 2], Some(2))]);
    assert!(matches!(listed(&double, Page::default()).await, Err(Error::Internal { .. })));
    assert_eq!(double.received().len(), 3);
}

#[tokio::test]
async fn a_choice_is_asked_for_as_far_as_gnocchi_can_be() {
    let id = Uuid::from_u128(5);
    let is = |name: &str, value: &str| {
        Filter::Compare(Comparison::Equal, name.into(), Value::String(value.into()))
    };
    for (filter, target) in [
        (
            Filter::And(vec![is("name", "a&b"), is("unit", "%")]),
            "/v1/metric?name=a%26b&unit=%25&limit=2".to_owned(),
        ),
        (is("id", &id.to_string()), format!("/v1/metric?id={id}&limit=2")),
        (Filter::And(vec![is("name", "a"), is("name", "b")]), "/v1/metric?name=a&limit=1000".into()),
        (Filter::Like("name".into(), "%".into()), "/v1/metric?limit=1000".into()),
        (Filter::In("id".into(), vec![Value::String(id.to_string())]), format!("/v1/metric/{id}")),
        (is("resource_id", &id.to_string()), format!("/v1/resource/generic/{id}/metric")),
    ] {
        let double = in_turn(vec![refusal(404, "\"Metric x does not exist\"")]);
        let page = Page { limit: Some(2), ..Page::default() };
        let choice = MetricChoice { filter: Some(filter), page, ..MetricChoice::default() };
        // Some are refused, some find nothing: what was asked is what matters.
        drop(remote(&double, "").await.metrics(&choice).await);
        assert_eq!(double.received()[0].target, target);
    }
}

#[tokio::test]
async fn a_change_under_a_condition_names_the_entity() {
    let resource = |second: u8| {
        format!(
            r#"{{"id": "{}", "original_resource_id": "a", "type": "generic", "creator": "c", "user_id": null,
                "project_id": null, "started_at": "2020-01-01T00:00:00+00:00", "ended_at": null, "metrics": {{}},
                "revision_start": "2020-01-01T00:00:0{second}.000001+00:00", "revision_end": null}}"#,
            Uuid::nil()
        )
    };
    let with_tag =
        |second| Reply::Answer(200, vec![("etag", "\"tag\"".into())], resource(second).into_bytes());
    let start = Timestamp::parse("2020-01-01T00:00:01.000001", Timestamp::EPOCH).unwrap();
    let change = || ResourceChange { if_revision_start: Some(start), ..ResourceChange::default() };
    let double = in_turn(vec![with_tag(1)]);
    remote(&double, "").await.update_resource("generic", "a", change()).await.unwrap();
    let received = double.received();
    assert_eq!((received[1].method.as_str(), received[1].header("if-match")), ("PATCH", Some("\"tag\"")));
    let double = in_turn(vec![with_tag(2)]);
    let changed = remote(&double, "").await.update_resource("generic", "a", change()).await;
    assert!(matches!(changed, Err(Error::RevisionChanged)), "{changed:?}");
    let double = in_turn(vec![Reply::json(200, resource(1))]);
    let changed = remote(&double, "").await.update_resource("generic", "a", change()).await;
    assert!(matches!(changed, Err(Error::Internal { .. })), "{changed:?}");
    let ended = ResourceChange { ended_at: Some(None), ..ResourceChange::default() };
    let changed = remote(&double, "").await.update_resource("generic", "a", ended).await;
    assert!(matches!(changed, Err(Error::Invalid(_))), "{changed:?}");
}

#[tokio::test]
async fn a_slash_never_becomes_part_of_a_path() {
    let double = in_turn(vec![Reply::json(200, "[]")]);
    let remote = remote(&double, "").await;
    let read = remote.resource("generic", "x/history").await;
    assert!(matches!(read, Err(Error::NoSuchResource(id)) if id == "x/history"));
    assert!(matches!(remote.resource("a/b", "x").await, Err(Error::Invalid(_))));
    assert_eq!(double.received(), []);
    // What cannot stand in a path either is looked for.
    assert!(matches!(remote.resource("generic", "..").await, Err(Error::NoSuchResource(_))));
    let received = double.received();
    assert_eq!(received[0].target, "/v1/search/resource/generic?limit=1");
    assert_eq!(received[0].text(), r#"{"=":{"id":".."}}"#);
}

#[tokio::test]
async fn everything_is_below_the_prefix() {
    let double = in_turn(vec![Reply::json(200, "[]")]);
    for (options, target) in [
        ("/metric", "/metric/v1/archive_policy"),
        ("/", "/v1/archive_policy"),
        ("/a/b/?timeout=5", "/a/b/v1/archive_policy"),
    ] {
        remote(&double, options).await.archive_policies().await.unwrap();
        assert_eq!(double.received().pop().unwrap().target, target);
    }
}

#[tokio::test]
async fn who_asks_is_said_as_the_connection_string_has_it() {
    let double = in_turn(vec![Reply::json(200, "[]")]);
    let headers = async |login: &str, options: &str| {
        let text = format!("gnocchi://{login}127.0.0.1:{}{options}", double.port());
        connect(&ConnectionString::parse(&text).unwrap()).await.unwrap().archive_policies().await.unwrap();
        let received = double.received().pop().unwrap();
        ["authorization", "x-user-id", "x-project-id", "x-roles"]
            .map(|name| received.header(name).map(str::to_owned))
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(headers("", "").await, [some("Basic YWRtaW46"), None, None, None]);
    assert_eq!(headers("ab:c@", "?auth=basic").await, [some("Basic YWI6Yw=="), None, None, None]);
    assert_eq!(headers("", "?auth=none").await, [None, some("admin"), None, some("admin")]);
    let with_project = headers("u@", "?auth=none&project_id=p").await;
    assert_eq!(with_project, [None, some("u"), some("p"), some("admin")]);
}

#[tokio::test]
async fn what_makes_no_sense_in_a_connection_string_is_refused() {
    for (text, told) in [
        ("gnocchi://h?auth=magic", "`auth`"),
        ("gnocchi://h?autt=basic", "`autt`"),
        ("gnocchi://h?auth=keystone", "`auth_url`"),
        ("gnocchi://h?token=hunter2", "`token` is for Keystone"),
        ("gnocchi://h?auth=none&region=x", "`region` is for Keystone"),
        ("gnocchi://h?project_id=x", "`project_id` is for Keystone"),
        ("gnocchi://u:hunter2@h?auth=none", "there is no password"),
        ("gnocchi://a%0Ab@h?auth=none", "are ids"),
        ("gnocchi://a%3Ab@h", "no `:`"),
        ("gnocchi://h?refresh=perhaps", "`refresh`"),
        ("gnocchi://h?cacert=/x.pem", "`cacert` is for TLS"),
        ("gnocchi://u:hunter2@a,b?auth_url=http://k", "one address"),
    ] {
        let error = connect(&ConnectionString::parse(text).unwrap()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{text}");
        assert!(error.to_string().contains(told) && !error.to_string().contains(SECRET), "{error}");
    }
}

/// A Keystone whose tokens are numbered, and whose catalog has a Gnocchi at this port.
fn keystone(gnocchi: u16) -> HttpDouble {
    let count = AtomicUsize::new(0);
    HttpDouble::start(move |_| {
        let token = format!("token-{}", count.fetch_add(1, Ordering::Relaxed));
        let body = format!(
            r#"{{"token": {{"issued_at": "2001-01-01T00:00:00Z", "expires_at": "2001-01-01T01:00:00Z", "catalog": [
                {{"type": "metric", "name": "gnocchi", "endpoints": [
                    {{"interface": "public", "region_id": "north", "url": "http://127.0.0.1:1/"}},
                    {{"interface": "public", "region_id": "south", "url": "http://127.0.0.1:{gnocchi}/metric/v1/"}}]}}]}}}}"#
        );
        Reply::Answer(201, vec![("x-subject-token", token)], body.into_bytes())
    })
}

#[tokio::test]
async fn keystone_says_where_gnocchi_is_and_gives_another_token_for_one_that_is_refused() {
    let gnocchi = HttpDouble::start(|request: &Received| match request.header("x-auth-token") {
        Some("token-0") => refusal(401, "\"\""),
        _ => Reply::json(200, "[]"),
    });
    let keystone = keystone(gnocchi.port());
    let to =
        format!("gnocchi://u:{SECRET}@?auth_url=http://127.0.0.1:{}&project=p&region=south", keystone.port());
    let remote = connect(&ConnectionString::parse(&to).unwrap()).await.unwrap();
    for _ in 0..2 {
        remote.archive_policies().await.unwrap();
    }
    let sent: Vec<_> =
        gnocchi.received().iter().map(|it| it.header("x-auth-token").unwrap().to_owned()).collect();
    assert_eq!(sent, ["token-0", "token-1", "token-1"]);
    assert!(gnocchi.received().iter().all(|it| it.target == "/metric/v1/archive_policy"));
    assert_eq!(keystone.received().len(), 2);
    let shown = format!("{remote:?}");
    assert!(!shown.contains(SECRET) && !shown.contains("token-"), "{shown}");
}

#[tokio::test]
async fn a_token_that_is_refused_twice_is_the_users_affair() {
    let gnocchi = in_turn(vec![refusal(401, "\"\"")]);
    let keystone = keystone(gnocchi.port());
    let to = format!(
        "gnocchi://u:{SECRET}@127.0.0.1:{}?auth_url=http://127.0.0.1:{}",
        gnocchi.port(),
        keystone.port()
    );
    let remote = connect(&ConnectionString::parse(&to).unwrap()).await.unwrap();
    let error = remote.archive_policies().await.unwrap_err();
    assert!(
        matches!(error, Error::Forbidden(_)) && error.to_string().contains("mend the login"),
        "{error:?}"
    );
    assert_eq!((gnocchi.received().len(), keystone.received().len()), (2, 2));
    told(&error);
}

#[tokio::test]
async fn attributes_are_of_the_kinds_that_their_type_says() {
    use nephoscope_gnocchi::AttributeValue::{Bool, Datetime, String};
    let resource = |value: &str| {
        format!(
            r#"[{{"id": "{0}", "original_resource_id": "a", "type": "vm", "creator": "c", "user_id": null, "project_id": null,
                "started_at": "2020-01-01T00:00:00+00:00", "ended_at": null, "metrics": {{}}, "since": {value},
                "revision_start": "2020-01-01T00:00:00+00:00", "revision_end": null, "of_tomorrow": [1]}}]"#,
            Uuid::nil()
        )
    };
    let kind = |kind: &str| {
        format!(
            r#"{{"name": "vm", "state": "active", "attributes": {{"since": {{"type": "{kind}", "required": false}}}}}}"#
        )
    };
    let moment = "\"2020-01-02T00:00:00+00:00\"";
    let double = in_turn(vec![
        Reply::json(200, resource(moment)),
        Reply::json(200, kind("datetime")),
        Reply::json(200, resource(moment)),
        Reply::json(200, kind("datetime")),
        // It is another type of that name by now.
        Reply::json(200, resource("true")),
        Reply::json(200, kind("bool")),
        // And gone.
        Reply::json(200, resource(moment)),
        refusal(404, "\"Resource type vm does not exist\""),
    ]);
    let remote = remote(&double, "").await;
    let mut seen = Vec::new();
    for _ in 0..4 {
        let found = remote.resources("vm", &ResourceSelection::default()).await.unwrap();
        assert_eq!(found[0].attributes["of_tomorrow"], String("[1]".into()));
        seen.push(found[0].attributes["since"].clone());
    }
    let time = Timestamp::parse("2020-01-02", Timestamp::EPOCH).unwrap();
    assert_eq!(
        seen,
        [Datetime(time), Datetime(time), Bool(true), String("2020-01-02T00:00:00+00:00".into())]
    );
}
