use std::cell::{Cell, RefCell};
use std::future::{pending, ready};

use nephoscope_telemetry::json;

use super::*;

fn point(name: &str) -> TracePoint {
    let mut text = String::from("{\"name\": ");
    json::write_string(&mut text, name);
    text.push_str(
        ", \"base_id\": \"b\", \"trace_id\": \"t\", \"parent_id\": \"b\", \"timestamp\": \"2026-01-31T12:00:00.000001\", \"info\": {}}",
    );
    TracePoint::from_json(&text).unwrap()
}

fn failing(kind: ErrorKind) -> Result<()> {
    Err(Error::new(kind, "test", "told to fail"))
}

fn notification(event_type: &str, payload: &str) -> Result<Notification, BadMessage> {
    Notification::open(format!("{{\"event_type\": \"{event_type}\", \"payload\": {payload}}}"))
}

#[test]
fn notifications_are_told_apart_by_their_type() {
    let sample = r#"{"counter_name": "cpu", "counter_volume": 1, "resource_id": "vm", "timestamp": "2026-01-02T03:04:05"}"#;
    let event = r#"{"message_id": "m", "event_type": "e", "generated": "2026-01-02T03:04:05", "traits": []}"#;
    let trace_point = point("a-start").to_json();
    let messages = [
        notification("telemetry.polling", &format!("{{\"samples\": [{sample}, {sample}]}}")),
        notification("metering", &format!("[{sample}, {{}}]")),
        notification("metering.cpu", sample),
        notification("event", &format!("[{event}]")),
        notification("profiler.nova", &trace_point),
        notification("profiler.nova", "{}"),
        notification("compute.instance.create.end", "{}"),
        notification("telemetry.polling", "{}"),
        notification("telemetry.polling", &format!("{{\"samples\": [{sample} {sample}]}}")),
        Err(BadMessage::new("json", "it is none")),
    ];
    let contents = Contents::of(messages.into(), None);
    assert_eq!((contents.points.len(), contents.places.as_slice(), contents.others), (1, [4].as_slice(), 1));
    assert_eq!(contents.bad.iter().map(|(place, _)| *place).collect::<Vec<_>>(), [5, 8, 9]);
    let packed = contents.load.pack();
    assert_eq!((packed.samples, packed.events, packed.bad.len()), (4, 1, 2));
}

#[test]
fn of_a_key_given_twice_the_last_counts() {
    let sample = |name: &str| {
        format!(
            r#"[{{"counter_name": "{name}", "counter_volume": 1, "resource_id": "vm", "timestamp": "2026-01-02T03:04:05"}}]"#
        )
    };
    let [first, second] = ["first", "second"].map(sample);
    let polling = |text| format!(r#"{{"event_type": "telemetry.polling", "payload": {text}}}"#);
    for (text, counted) in [
        (format!(r#"{{"event_type": "metering", "payload": {first}, "payload": {second}}}"#), (1, 0, 0)),
        (format!(r#"{{"event_type": "metering", "payload": {first}, "event_type": "x"}}"#), (0, 0, 1)),
        (format!(r#"{{"event_type": "x", "payload": {second}, "event_type": "metering"}}"#), (1, 0, 0)),
        (r#"{"event_type": "profiler.x", "payload": {}, "event_type": "x"}"#.to_owned(), (0, 0, 1)),
        (polling(format!(r#"{{"samples": {first}, "samples": {second}}}"#)), (1, 0, 0)),
        (polling(format!(r#"{{"samples": {first}, "samples": 5}}"#)), (0, 1, 0)),
    ] {
        let contents = Contents::of(vec![Notification::open(text.clone())], None);
        assert_eq!((contents.bad.len(), contents.points.len()), (0, 0), "{text}");
        let packed = contents.load.pack();
        assert_eq!((packed.samples, packed.bad.len(), contents.others), counted, "{text}");
        let payload = packed.records.first().map(|record| String::from_utf8_lossy(&record.payload));
        assert!(payload.is_none_or(|payload| payload.contains("second")), "{text}");
    }
}

#[tokio::test]
async fn only_what_is_invalid_is_refused() {
    let points = ["a-start", "bad-start", "c-start", "bad-start"].map(point);
    let stored = RefCell::new(Vec::new());
    let store = async |points: &[TracePoint]| {
        if points.iter().any(|point| point.name.starts_with("bad")) {
            return failing(ErrorKind::Invalid);
        }
        stored.borrow_mut().extend(points.iter().map(|point| point.name.to_string()));
        Ok(())
    };
    let refused = store_together(&points, &store).await.unwrap();
    assert_eq!(refused.iter().map(|(place, _)| *place).collect::<Vec<_>>(), [1, 3]);
    assert_eq!(*stored.borrow(), ["a-start", "c-start"]);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_stored_now_is_tried_until_it_can() {
    let tries = Cell::new(0);
    let store = async |points: &[TracePoint]| {
        assert_eq!(points.len(), 1);
        tries.set(tries.get() + 1);
        match tries.get() {
            1 => failing(ErrorKind::Unavailable),
            2 => failing(ErrorKind::Config),
            _ => Ok(()),
        }
    };
    let outcome = store_until_done("test", &[point("a-start")], &store, pin!(pending())).await;
    assert!(matches!(outcome, ControlFlow::Continue(refused) if refused.is_empty()));
    assert_eq!(tries.get(), 3);
}

#[tokio::test]
async fn the_end_does_not_wait_for_a_store_that_is_away() {
    let store = async |_: &[TracePoint]| failing(ErrorKind::Unavailable);
    let outcome = store_until_done("test", &[point("a-start")], &store, pin!(ready(()))).await;
    assert!(outcome.is_break());
}
