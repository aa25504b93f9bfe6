//! Log Insight as its API is documented: no server can be had.

use std::sync::Mutex;

use nephoscope_testkit::http::{HttpDouble, Received, Reply};
use nephoscope_testkit::server::{PASSWORD, USER};
use serde_json::{Value, json};

/// Events in the order of their arrival, how many sessions there were, and searches in the last.
#[derive(Default)]
struct State {
    events: Vec<Value>,
    sessions: u64,
    searches: u64,
}

/// Log Insight gives so many events for one search.
pub(crate) const MOST: usize = 20_000;
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
            ("GET", "sessions/current") if self.is_current(request) => Reply::json(200, "{}"),
            ("GET", "sessions/current") => timed_out(),
            ("GET", search) => {
                self.searches += 1;
                self.search(request, search)
            }
            other => panic!("the API has no {other:?}"),
        }
    }

    fn is_current(&self, request: &Received) -> bool {
        request.header("x-li-session-id") == Some(&self.sessions.to_string())
    }

    fn search(&self, request: &Received, search: &str) -> Reply {
        if !self.is_current(request) || self.searches > SEARCHES {
            return timed_out();
        }
        let (path, _) = search.split_once('?').expect("it has parameters");
        let constraints: Vec<_> =
            path.strip_prefix("events/").expect("it asks for events").split('/').collect();
        let found = self.events.iter().rev().filter(|event| takes(event, &constraints));
        let events: Vec<_> = found.take(MOST).collect();
        Reply::json(200, json!({"complete": true, "events": events}).to_string())
    }
}

fn timed_out() -> Reply {
    Reply::json(440, r#"{"errorMessage": "This session has timed out."}"#)
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

/// Starts one that knows [`USER`] and keeps what it is sent.
pub(crate) fn start() -> HttpDouble {
    let state = Mutex::new(State::default());
    HttpDouble::start(move |request| state.lock().expect("nobody panics").reply(request))
}
