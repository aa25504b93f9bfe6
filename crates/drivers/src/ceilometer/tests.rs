//! A Ceilometer that answers as it is told; a real `/v2/events` is read by the tests of the binary.

use nephoscope_testkit::http::{HttpDouble, Received, Reply};
use proptest::prelude::*;

use super::*;

/// An event without its notification.
fn bare(number: usize, base_id: &str, name: &str, seconds: usize) -> String {
    let traits: Vec<_> = [
        ("base_id", base_id),
        ("trace_id", &format!("t{number}")),
        ("parent_id", base_id),
        ("name", name),
        ("service", "api"),
        ("host", "node \"1\""),
        ("timestamp", &format!("2026-01-01T00:00:{seconds:02}.5")),
    ]
    .map(|(name, value)| serde_json::json!({"name": name, "type": "string", "value": value}).to_string())
    .to_vec();
    let traits = traits.join(",");
    format!(
        r#"{{"message_id": "m{number}", "event_type": "profiler.api", "generated": "2026-01-01T00:00:{seconds:02}",
            "traits": [{traits}], "raw": {{}}}}"#
    )
}

/// The values of a query parameter, decoded as far as these tests need.
fn values(request: &Received, name: &str) -> Vec<String> {
    let query = request.target.split_once('?').map_or("", |(_, query)| query);
    let of_name = query.split('&').filter_map(|part| part.strip_prefix(&format!("{name}=")));
    of_name.map(|value| value.replace("%3A", ":")).collect()
}

/// A Ceilometer with these events: their trace, name and second.
fn ceilometer(events: &'static [(&'static str, &'static str, usize)]) -> HttpDouble {
    HttpDouble::start(move |request| {
        let conditions: Vec<_> =
            values(request, "q.field").into_iter().zip(values(request, "q.value")).collect();
        let ops = values(request, "q.op");
        let limit = values(request, "limit")[0].parse().unwrap();
        let fits = |(base_id, _, second): &(&str, &str, usize)| {
            let time = format!("2026-01-01T00:00:{second:02}.000000");
            conditions.iter().zip(&ops).all(|((field, value), op)| match (field.as_str(), op.as_str()) {
                ("base_id", "eq") => base_id == value,
                ("base_id", "ge") => *base_id >= value.as_str(),
                ("start_timestamp", "eq") => time >= *value,
                ("end_timestamp", "eq") => time <= *value,
                _ => panic!("{field} {op}"),
            })
        };
        let found = events.iter().enumerate().filter(|(_, event)| fits(event)).take(limit);
        let found: Vec<_> =
            found.map(|(number, (base_id, name, second))| bare(number, base_id, name, *second)).collect();
        Reply::json(200, format!("[{}]", found.join(", ")))
    })
}

fn to(double: &HttpDouble, options: &str) -> ConnectionString {
    ConnectionString::parse(&format!("ceilometer://127.0.0.1:{}{options}", double.port())).unwrap()
}

const TWO: &[(&str, &str, usize)] = &[
    ("one", "wsgi-start", 1),
    ("two", "rpc-start", 2),
    ("one", "db-start", 3),
    ("one", "db-stop", 3),
    ("one", "wsgi-stop", 4),
    ("two", "rpc-stop", 5),
];

#[tokio::test]
async fn points_are_made_of_traits_where_the_notification_is_not_kept() {
    let double = ceilometer(TWO);
    let driver = connect(&to(&double, "")).await.unwrap();
    let points = driver.points(&"two".into()).await.unwrap();
    assert_eq!(points.bad.count(), 0);
    let lines: Vec<_> = points.good.iter().map(TracePoint::to_json).collect();
    assert_eq!(
        lines[0],
        r#"{"name": "rpc-start", "base_id": "two", "trace_id": "t1", "parent_id": "two", "timestamp": "2026-01-01T00:00:02.5", "info": {"host": "node \"1\""}, "project": null, "service": "api"}"#
    );
    assert_eq!(lines.len(), 2);
}

#[tokio::test]
async fn a_large_trace_is_read_in_parts() {
    let double = ceilometer(TWO);
    let api = Api::open(&to(&double, "")).await.unwrap();
    let names = |points: Points| points.good.iter().map(|point| point.name.to_string()).collect::<Vec<_>>();
    let points = trace::read_in_parts("read", &api, &"one".into(), 3).await.unwrap();
    assert_eq!(names(points), ["wsgi-start", "db-start", "db-stop", "wsgi-stop"]);
    assert_eq!(double.received().len(), 3);
    // Two events of one time do not let it get further with parts of two.
    let error = trace::read_in_parts("read", &api, &"one".into(), 2).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Other);
}

#[tokio::test]
async fn traces_are_listed_by_their_events() {
    let double = ceilometer(TWO);
    let driver = connect(&to(&double, "")).await.unwrap();
    assert!(driver.capabilities().list);
    let ids = |list: Vec<TraceSummary>| list.iter().map(|line| line.base_id.to_string()).collect::<Vec<_>>();
    let time = |text| Some(Timestamp::parse(text).unwrap());
    let all = TraceFilter::default();
    let listed = driver.list(&all).await.unwrap();
    assert_eq!(listed[1].points, Some(4));
    assert_eq!(ids(listed), ["two", "one"]);
    for (filter, found) in [
        (TraceFilter { since: time("2026-01-01T00:00:02"), ..all.clone() }, vec!["two"]),
        (TraceFilter { until: time("2026-01-01T00:00:02"), ..all.clone() }, vec!["one"]),
        (TraceFilter { name: Some("db".into()), ..all.clone() }, vec!["one"]),
        (TraceFilter { limit: Some(1), ..all.clone() }, vec!["two"]),
    ] {
        assert_eq!(ids(driver.list(&filter).await.unwrap()), found, "{filter:?}");
    }
    assert_eq!(driver.list_errors(&all).await.unwrap(), []);
}

#[tokio::test]
async fn what_the_other_side_cannot_list_is_not_claimed() {
    let double = HttpDouble::start(|request| match values(request, "q.op")[0].as_str() {
        "ge" => Reply::json(501, r#"{"error_message": {"faultstring": "no"}}"#),
        _ => Reply::json(200, "[]"),
    });
    let driver = connect(&to(&double, "")).await.unwrap();
    assert_eq!(driver.capabilities(), Capabilities { read: true, ..Capabilities::default() });
    let error = driver.list(&TraceFilter::default()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert_eq!(driver.points(&"x".into()).await.unwrap().good, []);
}

#[tokio::test]
async fn what_only_reads_says_so() {
    let double = ceilometer(&[]);
    let driver = connect(&to(&double, "")).await.unwrap();
    let time = Timestamp::from_micros(0);
    let point = TracePoint::new("a-start", "b".into(), "c".into(), "d".into(), time);
    let error = driver.notify(&[point]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("`transport_url`"), "{error}");
    assert_eq!(driver.purge(time).await.unwrap_err().kind(), ErrorKind::Unsupported);
}

#[tokio::test]
async fn a_given_token_goes_along_and_is_not_shown() {
    let double = ceilometer(&[]);
    let driver = connect(&to(&double, "/prefix?token=hunter2")).await.unwrap();
    let request = double.received().pop().unwrap();
    assert_eq!(request.header("x-auth-token"), Some("hunter2"));
    assert!(request.target.starts_with("/prefix/v2/events?"), "{}", request.target);
    assert!(!format!("{driver:?}").contains("hunter2"));
}

#[tokio::test]
async fn what_is_no_event_api_is_told() {
    for reply in [
        Reply::json(404, "{}"),
        Reply::json(410, "moved to Panko"),
        Reply::json(401, "who are you"),
        Reply::json(200, "{}"),
        Reply::json(200, r#"[{"message_id": 5}]"#),
        Reply::Answer(200, Vec::new(), b"<html>Welcome</html>".to_vec()),
    ] {
        let double = HttpDouble::start(move |_| reply.clone());
        let error = connect(&to(&double, "")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{error}");
    }
    let double = HttpDouble::start(|_| Reply::json(429, "later"));
    assert_eq!(connect(&to(&double, "")).await.unwrap_err().kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn a_connection_string_that_makes_no_sense_is_refused() {
    for (text, told) in [
        ("ceilometer://", "`auth_url`"),
        ("ceilometer://user:hunter2@host", "`auth_url`"),
        ("ceilometer://host?project=x", "`project`"),
        ("ceilometer://host?region=x", "`region`"),
        ("ceilometer://host?token=a%0Ab", "`token`"),
        ("ceilometer://host?no_such=x", "`no_such`"),
        ("ceilometer://u:hunter2@one,two?auth_url=http://keystone", "one address"),
    ] {
        let error = connect(&ConnectionString::parse(text).unwrap()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{text}");
        assert!(error.to_string().contains(told) && !error.to_string().contains("hunter2"), "{error}");
    }
}

#[test]
fn one_event_that_is_no_point_costs_itself() {
    let odd = r#"{"message_id": "m", "generated": "2026-01-01T00:00:00", "traits": [], "raw": {"payload": {"name": 5, "info": {"x": NaN}}}}"#;
    let events = event::parse(&format!("[{odd}, {}]", bare(1, "one", "db-start", 1))).unwrap();
    assert!(events[0].point.is_err() && events[1].point.is_ok());
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in ".*", json in "[\\[\\]{},:\"a-z0-9 ]*") {
        for text in [text, json.clone(), format!("[{{{json}}}]")] {
            drop(event::parse(&text));
        }
    }
}
