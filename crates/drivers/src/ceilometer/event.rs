//! Events as they come, and the trace points in them.

use std::borrow::Cow;

use nephoscope_http::Answer;
use nephoscope_telemetry::json::{self, Scanner};
use nephoscope_telemetry::{BadRecord, Id, Json, Result, Timestamp, TracePoint};

/// Events in their order.
pub(super) type Events = Vec<Event>;

/// One event, as far as it concerns us.
#[derive(Debug)]
pub(super) struct Event {
    /// Tells it from all others.
    pub(super) message_id: Box<str>,
    pub(super) generated: Timestamp,
    pub(super) point: Result<TracePoint, BadRecord>,
}

/// The events of an answer, in the JSON that Python writes: a payload may hold what an ordinary parser refuses.
pub(super) fn read(answer: &Answer) -> Result<Events> {
    let text = std::str::from_utf8(answer.body()).map_err(|error| answer.strange(&error))?;
    parse(text).map_err(|problem| answer.strange(&problem))
}

pub(super) fn parse(text: &str) -> Result<Events, String> {
    let mut scanner = Scanner::new(text);
    let told = |error: json::InvalidJson| error.to_string();
    scanner.expect(b'[', "expected a list of events").map_err(told)?;
    let mut events = Vec::new();
    while !scanner.eat(b']') {
        if !events.is_empty() {
            scanner.expect(b',', "expected a comma or the end of the list").map_err(told)?;
        }
        events.push(Event::read(scanner.value().map_err(told)?)?);
    }
    scanner.end().map_err(told)?;
    Ok(events)
}

impl Event {
    fn read(text: &str) -> Result<Self, String> {
        let field = |key| value(text, key).and_then(json::decode);
        let message_id = field("message_id").ok_or("an event has no message_id")?;
        let generated = field("generated").ok_or("an event has no time")?;
        Ok(Self {
            message_id: message_id.into(),
            generated: Timestamp::parse(&generated).map_err(|error| error.to_string())?,
            point: point(text),
        })
    }
}

/// The notification, where Ceilometer keeps it (`store_raw`); else what its traits tell.
fn point(event: &str) -> Result<TracePoint, BadRecord> {
    let payload = value(event, "raw").and_then(|raw| value(raw, "payload"));
    match payload.filter(|payload| payload.starts_with('{')) {
        Some(payload) => TracePoint::from_json(payload),
        None => of_traits(value(event, "traits").unwrap_or("[]")),
    }
}

fn of_traits(traits: &str) -> Result<TracePoint, BadRecord> {
    let traits = items(traits);
    let get = |name: &str| -> Option<Cow<'_, str>> {
        let found = traits.iter().find(|item| text(item, "name").is_some_and(|found| found == name))?;
        text(found, "value")
    };
    let need = |name: &str| get(name).ok_or_else(|| BadRecord::missing(name));
    let id = |name: &str| need(name).map(|id| Id::new(&id));
    let ids = (id("base_id")?, id("trace_id")?, id("parent_id")?);
    let mut point = TracePoint::new(&need("name")?, ids.0, ids.1, ids.2, Timestamp::from_micros(0));
    point.set_timestamp_text(&need("timestamp")?)?;
    point.project = get("project").map(Into::into);
    point.service = get("service").map(Into::into);
    if let Some(host) = get("host") {
        point.info = Json::parse(&format!("{{\"host\": {}}}", Json::string(&host))).expect("it is JSON");
    }
    Ok(point)
}

/// The value of a key; of one given twice the last, as in Python.
fn value<'a>(object: &'a str, key: &str) -> Option<&'a str> {
    json::entries(object).filter(|(name, _)| name == key).last().map(|(_, value)| value)
}

fn text<'a>(object: &'a str, key: &str) -> Option<Cow<'a, str>> {
    value(object, key).and_then(json::decode)
}

/// The items of a list that is JSON; none of anything else.
fn items(list: &str) -> Vec<&str> {
    let mut scanner = Scanner::new(list);
    let mut items = Vec::new();
    let mut more = scanner.eat(b'[') && scanner.peek() != Some(b']');
    while more {
        let Ok(item) = scanner.value() else { break };
        items.push(item);
        more = scanner.eat(b',');
    }
    items
}
