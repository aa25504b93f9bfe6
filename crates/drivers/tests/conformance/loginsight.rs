//! `loginsight://`, on a double that does what its API documents: no server can be had.

use std::sync::{Arc, Mutex};

use nephoscope_telemetry::{ConnectionString, Timestamp, TraceFilter, TracePoint};
use nephoscope_testkit::conformance::{Excuse, Place, Subject};
use nephoscope_testkit::http::{HttpDouble, Received, Reply};
use nephoscope_testkit::server::{Missing, PASSWORD, PASSWORD_ENCODED, USER};
use nephoscope_testkit::{Trial, trial};
use serde_json::{Value, json};

use super::{Subjects, excuse};

pub(super) fn subjects() -> Subjects {
    vec![Arc::new(Double)]
}

struct Double;

/// Events in the order of their arrival, how many sessions there were, and searches in the last.
#[derive(Default)]
struct State {
    events: Vec<Value>,
    sessions: u64,
    searches: u64,
}

/// Log Insight gives so many events for one search.
const MOST: usize = 20_000;
/// A session is good for so many searches.
const SEARCHES: u64 = 5;

impl State {
    fn reply(&mut self, request: &Received) -> Reply {
        let target = request.target.strip_prefix("/api/v1/").expect("all is below it");
        match (request.method.as_str(), target) {
            ("POST", "sessions") => {
                let login: Value = serde_json::from_slice(&request.body).expect("it is JSON");
                if login != json!({"username": USER, "password": PASSWORD}) {
                    return Reply::json(401, r#"{"errorMessage": "Invalid username or password."}"#);
                }
                self.sessions += 1;
                self.searches = 0;
                Reply::json(200, json!({"sessionId": self.sessions.to_string(), "ttl": 1800}).to_string())
            }
            ("POST", "events/ingest/F52D775B-6017-4787-8C8A-F21AE0AEC057") => {
                let body: Value = serde_json::from_slice(&request.body).expect("it is JSON");
                let events = body["events"].as_array().expect("events are an array");
                let arrived = self.events.len();
                self.events.extend(events.iter().cloned().map(|mut event| {
                    event["timestamp"] = json!(1_000 + arrived);
                    event
                }));
                Reply::json(200, json!({"status": "ok", "ingested": events.len()}).to_string())
            }
            ("GET", search) => {
                self.searches += 1;
                self.search(request, search)
            }
            other => panic!("the API has no {other:?}"),
        }
    }

    fn search(&self, request: &Received, search: &str) -> Reply {
        let current = self.sessions.to_string();
        if request.header("x-li-session-id") != Some(&current) || self.searches > SEARCHES {
            return Reply::json(440, r#"{"errorMessage": "This session has timed out."}"#);
        }
        let (path, _) = search.split_once('?').expect("it has parameters");
        let constraints: Vec<_> =
            path.strip_prefix("events/").expect("it asks for events").split('/').collect();
        let found = self.events.iter().rev().filter(|event| takes(event, &constraints));
        let events: Vec<_> = found.take(MOST).collect();
        Reply::json(200, json!({"complete": true, "events": events}).to_string())
    }
}

fn takes(event: &Value, constraints: &[&str]) -> bool {
    let base_id = event["fields"][0]["content"].as_str().expect("it is the first field");
    let arrived = event["timestamp"].as_i64().expect("it is a number");
    let mut constraints = constraints.iter();
    while let Some(&field) = constraints.next() {
        let constraint = constraints.next().expect("a field has a constraint");
        let fits = match (field, constraint.split_once('+')) {
            ("base_id", None) => *constraint == "EXISTS",
            ("base_id", Some(("CONTAINS", words))) => base_id.contains(&decode(words)),
            ("timestamp", Some(("GT", time))) => arrived > time.parse().expect("it is a number"),
            ("timestamp", Some(("LE", time))) => arrived <= time.parse().expect("it is a number"),
            other => panic!("the API has no {other:?}"),
        };
        if !fits {
            return false;
        }
    }
    true
}

/// What is percent-encoded in a path.
fn decode(text: &str) -> String {
    let mut bytes = text.bytes();
    let mut decoded = Vec::new();
    while let Some(byte) = bytes.next() {
        let mut digit = || char::from(bytes.next().expect("two follow")).to_digit(16).expect("a digit");
        decoded.push(if byte == b'%' { (digit() * 16 + digit()) as u8 } else { byte });
    }
    String::from_utf8(decoded).expect("ids are UTF-8")
}

/// What the driver promises besides.
pub(super) fn trials() -> Vec<Trial> {
    vec![trial("loginsight_double::more_events_than_the_server_gives_at_once_are_read", || {
        let place = Double.place()?;
        let runtime = tokio::runtime::Runtime::new().expect("threads can be started");
        runtime.block_on(read_in_parts(&place.url));
        Ok(())
    })]
}

async fn read_in_parts(url: &str) {
    let to = ConnectionString::parse(url).expect("it is one");
    let driver = nephoscope_drivers::registry().connect(&to).await.expect("it is there");
    let count = MOST + MOST / 2;
    let point = |number: usize| {
        let time = Timestamp::from_micros(number as i64);
        // Every tenth is of another trace, which a search for this one does not find.
        let base_id = if number.is_multiple_of(10) { "other" } else { "large" };
        TracePoint::new("a-start", base_id.into(), number.to_string().as_str().into(), base_id.into(), time)
    };
    let points: Vec<_> = (0..count).map(point).collect();
    driver.notify(&points).await.expect("it is stored");
    let read = driver.points(&"large".into()).await.expect("it is read").good;
    let expected: Vec<_> = points.iter().filter(|point| point.base_id == "large".into()).cloned().collect();
    assert!(expected.len() > MOST && read == expected, "{} of {} points", read.len(), expected.len());
    let listed = driver.list(&TraceFilter::default()).await.expect("they are listed");
    assert_eq!(listed.iter().filter_map(|line| line.points).sum::<u64>(), count as u64);
}

impl Subject for Double {
    fn name(&self) -> &'static str {
        "loginsight_double"
    }

    fn place(&self) -> Result<Place, Missing> {
        let state = Mutex::new(State::default());
        let double = HttpDouble::start(move |request| state.lock().expect("nobody panics").reply(request));
        let url = format!("loginsight://{USER}:{PASSWORD_ENCODED}@127.0.0.1:{}?tls=false", double.port());
        Ok(Place {
            wrong_password: Some(url.replace(PASSWORD_ENCODED, "wrong-cirrus")),
            url,
            ..Place::default()
        })
    }

    fn unholdable(&self, base_id: &str) -> Option<TracePoint> {
        let time = Timestamp::from_micros(0);
        Some(TracePoint::new(&"x".repeat(20_000), base_id.into(), "t".into(), base_id.into(), time))
    }

    fn excuses(&self) -> &'static [Excuse] {
        const SEARCHES: &str = "it finds them in the points";
        const DOUBLE: &str = "a double cannot be taken away";
        const KEEPS: &str = "the server deletes by itself";
        const {
            &[
                excuse("errors_are_listed_from_their_records", SEARCHES),
                excuse("errors_without_the_option_leave_no_record", SEARCHES),
                excuse("an_outage_is_unavailable_and_the_same_driver_works_after_it", DOUBLE),
                excuse("a_server_killed_in_mid_write_loses_nothing_acknowledged", DOUBLE),
                excuse("connecting_to_a_server_that_is_away_is_unavailable", DOUBLE),
                excuse("a_wrong_database_is_a_mistake_in_the_connection_string", "it has one place only"),
                excuse("an_info_of_ten_megabytes", "a field holds 16 KiB"),
                excuse("purge_deletes_the_traces_whose_latest_point_is_older", KEEPS),
                excuse("purge_deletes_error_records_too", KEEPS),
                excuse("purge_deletes_many_traces", KEEPS),
                excuse("a_purged_trace_can_come_back", KEEPS),
            ]
        }
    }
}
