//! A notification, and its two envelopes.
//!
//! Version 2.0, which every driver but oslo.messaging's own `messaging` sends, is a JSON string inside a JSON object:
//! `{"oslo.version": "2.0", "oslo.message": "{\"message_id\": …}"}`. Without these two keys the body is the message
//! itself. Both are read; [`Outgoing`] is sent as OSProfiler's is, in an envelope of version 2.0.

use std::borrow::Cow;
use std::time::{SystemTime, UNIX_EPOCH};

use nephoscope_telemetry::Timestamp;
use nephoscope_telemetry::json::{self, InvalidJson, Scanner};
use xxhash_rust::xxh3::xxh3_128;

use crate::body::BadMessage;

const VERSION: &str = "oslo.version";
const MESSAGE: &str = "oslo.message";

/// A notification that was received: its text, which is read when it is asked for what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification(String);

impl Notification {
    /// Takes a body out of its envelope, where it has one.
    pub fn open(body: String) -> Result<Self, BadMessage> {
        let (mut version, mut message) = (None, None);
        fields(&body, |key, value| {
            match key {
                VERSION => version = text(value)?,
                MESSAGE => message = text(value)?,
                _ => drop(value.value()?),
            }
            Ok(())
        })?;
        let (Some(version), Some(message)) = (version, message) else { return Ok(Self(body)) };
        check(&version)?;
        Ok(Self(message.into_owned()))
    }

    /// Reads it once. `take` gets its type, such as `compute.instance.create.end`, and stands before its payload, a JSON
    /// value that it has to pass; `null` when there is none. Of a key given twice the last counts, as in Python: where that
    /// comes behind the payload, `take` is called again. What it took in an earlier call is not to be used, nor anything
    /// after an error.
    pub fn read<'a>(
        &'a self,
        mut take: impl FnMut(&str, &mut Scanner<'a>) -> Result<(), InvalidJson>,
    ) -> Result<(), BadMessage> {
        let (mut event_type, mut payload) = (None, "null");
        let mut is_taken = false;
        fields(&self.0, |key, value| {
            match (key, &event_type) {
                ("event_type", _) => {
                    event_type = text(value)?;
                    is_taken = false;
                }
                ("payload", Some(event_type)) => {
                    value.peek();
                    let (rest, start) = (value.rest(), value.position());
                    take(event_type, value)?;
                    payload = &rest[..value.position() - start];
                    is_taken = true;
                }
                ("payload", None) => payload = value.value()?,
                _ => drop(value.value()?),
            }
            Ok(())
        })?;
        if is_taken {
            return Ok(());
        }
        // Its sender writes the payload first, or none.
        take(event_type.as_deref().unwrap_or_default(), &mut Scanner::new(payload))
            .map_err(|error| no_notification(&error))
    }

    /// How many bytes its text has.
    pub fn size(&self) -> usize {
        self.0.len()
    }

    /// Its payload, a JSON value as it was written; `null` when there is none.
    pub fn payload(&self) -> Result<&str, BadMessage> {
        let mut payload = "";
        self.read(|_, value| value.value().map(|value| payload = value))?;
        Ok(payload)
    }
}

/// Passes the value that is next, and returns what it says if it is a string.
fn text<'a>(value: &mut Scanner<'a>) -> Result<Option<Cow<'a, str>>, InvalidJson> {
    match value.peek() {
        Some(b'"') => value.string().map(Some),
        _ => value.value().map(|_| None),
    }
}

/// Calls `take` before every value of the object that is all of the text, with its key. It has to pass the value.
fn fields<'a>(
    text: &'a str,
    mut take: impl FnMut(&str, &mut Scanner<'a>) -> Result<(), InvalidJson>,
) -> Result<(), BadMessage> {
    let mut read = || -> Result<(), InvalidJson> {
        let mut scanner = Scanner::new(text);
        scanner.expect(b'{', "expected an object")?;
        let mut more = !scanner.eat(b'}');
        while more {
            let key = scanner.key()?;
            take(&key, &mut scanner)?;
            more = scanner.eat(b',');
            if !more {
                scanner.expect(b'}', "expected a comma or the end of the object")?;
            }
        }
        scanner.end()
    };
    read().map_err(|error| no_notification(&error))
}

fn no_notification(error: &InvalidJson) -> BadMessage {
    BadMessage::new("json", format!("it is no notification: {error}"))
}

/// As oslo.messaging: the same major version, and no later minor one.
fn check(version: &str) -> Result<(), BadMessage> {
    match version.split_once('.').unwrap_or((version, "0")) {
        ("2", "0") => Ok(()),
        _ => Err(BadMessage::new("envelope", format!("its envelope is of version {version:?}, not 2.0"))),
    }
}

/// A notification to send, of the priority INFO and without a context, as OSProfiler's are.
#[derive(Clone, Debug, PartialEq)]
pub struct Outgoing {
    /// Such as `profiler.api`.
    pub event_type: String,
    /// Who sends it.
    pub publisher_id: String,
    /// What it is about: a JSON value.
    pub payload: String,
}

impl Outgoing {
    /// The body, with its envelope. Its ids are made from the payload, so that receivers know it when it comes twice.
    pub(crate) fn body(&self) -> String {
        let id = fingerprint(&self.payload);
        let mut message = String::with_capacity(self.payload.len() + 400);
        message.push_str("{\"message_id\": \"");
        message.push_str(&uuid(id));
        message.push_str("\", \"publisher_id\": ");
        json::write_string(&mut message, &self.publisher_id);
        message.push_str(", \"event_type\": ");
        json::write_string(&mut message, &self.event_type);
        message.push_str(", \"priority\": \"INFO\", \"payload\": ");
        message.push_str(&self.payload);
        message.push_str(", \"timestamp\": \"");
        message.push_str(&now().to_string().replace('T', " "));
        message.push_str(&format!("\", \"_unique_id\": \"{id:032x}\"}}"));

        let mut body = String::with_capacity(message.len() + message.len() / 4);
        body.push_str("{\"oslo.version\": \"2.0\", \"oslo.message\": ");
        json::write_string(&mut body, &message);
        body.push('}');
        body
    }
}

/// The same for the same text, and for no other in practice.
pub fn fingerprint(text: &str) -> u128 {
    xxh3_128(text.as_bytes())
}

/// A number in the form of a UUID that somebody chose (version 8).
fn uuid(number: u128) -> String {
    const VERSION_AND_VARIANT: u128 = 0xf000_c000_0000_0000_0000;
    let marked = number & !VERSION_AND_VARIANT | 0x8000_8000_0000_0000_0000;
    let hex = format!("{marked:032x}");
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    /// Captured from oslo.messaging 18.3: nova's `compute.instance.create.end`, shortened.
    const WRAPPED: &str = r#"{"oslo.version": "2.0", "oslo.message": "{\"message_id\": \"78548322-8eef-43a1-bd88-71613aa4ffa9\", \"publisher_id\": \"p\", \"event_type\": \"x.y\", \"priority\": \"INFO\", \"payload\": {\"a\": \"\\u00e9\", \"half\": \"\\ud800\", \"n\": NaN}, \"timestamp\": \"2026-11-22 16:48:22.460956\", \"_unique_id\": \"432fd483150f484da49331220c8dc7e3\", \"_context_user\": null}"}"#;
    const PAYLOAD: &str = r#"{"a": "\u00e9", "half": "\ud800", "n": NaN}"#;

    fn open(text: &str) -> Result<Notification, BadMessage> {
        Notification::open(text.to_owned())
    }

    /// Its type and payload.
    fn read(text: &str) -> Result<(String, String), BadMessage> {
        let mut read = Default::default();
        open(text)?.read(|event_type, value| {
            read = (event_type.to_owned(), value.value()?.to_owned());
            Ok(())
        })?;
        Ok(read)
    }

    /// A field of the message in a body that we make.
    fn field(body: &str, wanted: &str) -> String {
        let Notification(text) = open(body).unwrap();
        let value = json::entries(&text).find(|(key, _)| key == wanted).unwrap().1;
        json::decode(value).unwrap().into_owned()
    }

    #[test]
    fn both_envelopes_are_read() {
        assert_eq!(read(WRAPPED).unwrap(), ("x.y".to_owned(), PAYLOAD.to_owned()));
        let inner = json::entries(WRAPPED).find(|(key, _)| key == MESSAGE).unwrap().1;
        let bare = json::decode(inner).unwrap();
        assert_eq!(open(&bare).unwrap(), open(WRAPPED).unwrap());
        assert_eq!(open(&bare).unwrap().payload(), Ok(PAYLOAD));
    }

    #[test]
    fn the_order_of_the_keys_does_not_matter_and_what_is_missing_is_nothing() {
        let read = |text| read(text).unwrap();
        assert_eq!(read(r#"{"payload": [1], "event_type": "e"}"#), ("e".into(), "[1]".into()));
        assert_eq!(read(r#"{"payload": [1], "event_type": 5}"#), (String::new(), "[1]".into()));
        assert_eq!(read(r#"{"event_type": "e"}"#), ("e".into(), "null".into()));
        assert_eq!(open(r#"{"event_type": "e"}"#).unwrap().payload(), Ok("null"));
    }

    #[test]
    fn what_is_no_notification_is_refused_by_its_kind() {
        for (text, kind) in [
            ("", "json"),
            ("[]", "json"),
            ("{\"a\": 1} x", "json"),
            ("{\"a\": 1", "json"),
            (r#"{"oslo.version": "2.0", "oslo.message": "{"}"#, "json"),
            (r#"{"oslo.version": "2.1", "oslo.message": "{}"}"#, "envelope"),
            (r#"{"oslo.version": "3.0", "oslo.message": "{}"}"#, "envelope"),
            (r#"{"oslo.version": "1.0", "oslo.message": "{}"}"#, "envelope"),
        ] {
            assert_eq!(read(text).unwrap_err().kind(), kind, "{text}");
        }
    }

    #[test]
    fn the_ids_are_those_of_the_payload() {
        let body = |payload: &str| {
            Outgoing { event_type: "e".into(), publisher_id: "p".into(), payload: payload.into() }.body()
        };
        let id = |payload: &str, which| field(&body(payload), which);
        assert_eq!(id("{}", "_unique_id"), id("{}", "_unique_id"));
        assert_ne!(id("{}", "message_id"), id("[]", "message_id"));
        let id = id("{}", "message_id");
        assert_eq!((id.len(), &id[14..15], &id[19..20]), (36, "8", &id[19..20]));
        assert!("89ab".contains(&id[19..20]), "{id}");
    }

    proptest! {
        #[test]
        fn what_is_sent_is_received(event_type in ".*", publisher_id in ".*", text in ".*") {
            let payload = nephoscope_telemetry::Json::string(&text).as_str().to_owned();
            let sent = Outgoing { event_type, publisher_id, payload };
            let body = sent.body();
            prop_assert!(body.is_ascii());
            prop_assert_eq!(read(&body).unwrap(), (sent.event_type, sent.payload));
            prop_assert_eq!(field(&body, "publisher_id"), sent.publisher_id);
            prop_assert_eq!(field(&body, "timestamp").len(), 26);
        }

        #[test]
        fn of_a_key_given_twice_the_last_counts(
            fields in vec((select(&["event_type", "payload", "publisher_id"][..]), select(&["5", "\"a\"", "\"b\"", "[1]"][..])), 0..6),
        ) {
            let last = |wanted| fields.iter().rev().find(|(key, _)| *key == wanted).map(|(_, value)| *value);
            let event_type = last("event_type").and_then(json::decode).unwrap_or_default().into_owned();
            let payload = last("payload").unwrap_or("null").to_owned();
            let text: Vec<_> = fields.iter().map(|(key, value)| format!("\"{key}\": {value}")).collect();
            prop_assert_eq!(read(&format!("{{{}}}", text.join(", "))).unwrap(), (event_type, payload));
        }

        #[test]
        fn no_text_makes_it_panic(text in r#"[{}\[\]":,\\a-z0-9.]*"#) {
            let _outcome = read(&text);
        }
    }
}
