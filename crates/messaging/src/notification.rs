//! A notification, and its two envelopes.
//!
//! Version 2.0, which every driver but oslo.messaging's own `messaging` sends, is a JSON string inside a JSON object:
//! `{"oslo.version": "2.0", "oslo.message": "{\"message_id\": …}"}`. Without these two keys the body is the message
//! itself. Both are read; [`Outgoing`] is sent as OSProfiler's is, in an envelope of version 2.0.

use std::time::{SystemTime, UNIX_EPOCH};

use nephoscope_telemetry::json::{self, InvalidJson, Scanner};
use nephoscope_telemetry::{Json, Timestamp};
use xxhash_rust::xxh3::xxh3_128;

use crate::body::BadMessage;

const VERSION: &str = "oslo.version";
const MESSAGE: &str = "oslo.message";
/// Keys of the request's context begin with it.
const CONTEXT: &str = "_context_";

/// A notification that was received.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Notification {
    /// Such as `compute.instance.create.end` or `profiler.api`.
    pub event_type: String,
    /// Such as `nova.host`.
    pub publisher_id: String,
    /// In upper case, such as `INFO`.
    pub priority: String,
    /// A UUID of the sender.
    pub message_id: String,
    /// When it was sent, as it was spelled.
    pub timestamp: String,
    /// Tells a message from one that was sent again.
    pub unique_id: String,
    /// What it is about: any JSON value, as it was written; `null` when there is none.
    pub payload: String,
    /// The context of the request, its keys without `_context_`.
    pub context: Vec<(String, Json)>,
}

impl Notification {
    /// Reads the text of a message, with an envelope or without.
    pub fn read(text: &str) -> Result<Self, BadMessage> {
        let (mut version, mut message) = (None, None);
        let mut bare = Self { payload: "null".into(), ..Self::default() };
        fields(text, |key, value| match key {
            VERSION => version = json::decode(value),
            MESSAGE => message = json::decode(value),
            _ => bare.take(key, value),
        })?;
        let (Some(version), Some(message)) = (version, message) else { return Ok(bare) };
        check(&version)?;
        let mut wrapped = Self { payload: "null".into(), ..Self::default() };
        fields(&message, |key, value| wrapped.take(key, value))?;
        Ok(wrapped)
    }

    fn take(&mut self, key: &str, value: &str) {
        let slot = match key {
            "event_type" => &mut self.event_type,
            "publisher_id" => &mut self.publisher_id,
            "priority" => &mut self.priority,
            "message_id" => &mut self.message_id,
            "timestamp" => &mut self.timestamp,
            "_unique_id" => &mut self.unique_id,
            "payload" => return value.clone_into(&mut self.payload),
            _ => {
                if let (Some(key), Ok(value)) = (key.strip_prefix(CONTEXT), Json::parse(value)) {
                    self.context.push((key.into(), value));
                }
                return;
            }
        };
        *slot = json::decode(value).unwrap_or_default().into_owned();
    }
}

/// Calls `take` with every key and value of the object that is all of the text.
fn fields<'a>(text: &'a str, mut take: impl FnMut(&str, &'a str)) -> Result<(), BadMessage> {
    let mut read = || -> Result<(), InvalidJson> {
        let mut scanner = Scanner::new(text);
        scanner.expect(b'{', "expected an object")?;
        let mut more = !scanner.eat(b'}');
        while more {
            let key = scanner.key()?;
            take(&key, scanner.value()?);
            more = scanner.eat(b',');
            if !more {
                scanner.expect(b'}', "expected a comma or the end of the object")?;
            }
        }
        scanner.end()
    };
    read().map_err(|error| BadMessage::new("json", format!("it is no notification: {error}")))
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
    use proptest::prelude::*;

    use super::*;

    /// Captured from oslo.messaging 18.3: nova's `compute.instance.create.end`, shortened.
    const WRAPPED: &str = r#"{"oslo.version": "2.0", "oslo.message": "{\"message_id\": \"78548322-8eef-43a1-bd88-71613aa4ffa9\", \"publisher_id\": \"p\", \"event_type\": \"x.y\", \"priority\": \"INFO\", \"payload\": {\"a\": \"\\u00e9\", \"half\": \"\\ud800\", \"n\": NaN}, \"timestamp\": \"2026-11-22 16:48:22.460956\", \"_unique_id\": \"432fd483150f484da49331220c8dc7e3\", \"_context_user\": null}"}"#;

    #[test]
    fn both_envelopes_are_read() {
        let wrapped = Notification::read(WRAPPED).unwrap();
        assert_eq!(wrapped.message_id, "78548322-8eef-43a1-bd88-71613aa4ffa9");
        assert_eq!((wrapped.event_type.as_str(), wrapped.priority.as_str()), ("x.y", "INFO"));
        assert_eq!(wrapped.payload, r#"{"a": "\u00e9", "half": "\ud800", "n": NaN}"#);
        assert_eq!(wrapped.timestamp, "2026-11-22 16:48:22.460956");
        assert_eq!(wrapped.context, [("user".to_owned(), Json::parse("null").unwrap())]);
        let inner = json::entries(WRAPPED).find(|(key, _)| key == MESSAGE).unwrap().1;
        assert_eq!(Notification::read(&json::decode(inner).unwrap()).unwrap(), wrapped);
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
            assert_eq!(Notification::read(text).unwrap_err().kind(), kind, "{text}");
        }
    }

    #[test]
    fn the_ids_are_those_of_the_payload() {
        let outgoing = |payload: &str| Outgoing {
            event_type: "e".into(),
            publisher_id: "p".into(),
            payload: payload.into(),
        };
        let read = |payload| Notification::read(&outgoing(payload).body()).unwrap();
        assert_eq!(read("{}").unique_id, read("{}").unique_id);
        assert_ne!(read("{}").message_id, read("[]").message_id);
        let id = read("{}").message_id;
        assert_eq!((id.len(), &id[14..15], &id[19..20]), (36, "8", &id[19..20]));
        assert!("89ab".contains(&id[19..20]), "{id}");
    }

    proptest! {
        #[test]
        fn what_is_sent_is_received(event_type in ".*", publisher_id in ".*", text in ".*") {
            let payload = Json::string(&text).as_str().to_owned();
            let sent = Outgoing { event_type, publisher_id, payload };
            let body = sent.body();
            prop_assert!(body.is_ascii());
            let received = Notification::read(&body).unwrap();
            prop_assert_eq!(received.event_type, sent.event_type);
            prop_assert_eq!(received.publisher_id, sent.publisher_id);
            prop_assert_eq!(received.payload, sent.payload);
            prop_assert_eq!(received.timestamp.len(), 26);
        }

        #[test]
        fn no_text_makes_it_panic(text in r#"[{}\[\]":,\\a-z0-9.]*"#) {
            let _outcome = Notification::read(&text);
        }
    }
}
