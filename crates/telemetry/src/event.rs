//! The event: a notification of a service, as far as it is of interest.

use std::borrow::Cow;

use smol_str::SmolStr;

use crate::json::{self, InvalidJson, Scanner};
use crate::{BadRecord, Json};

/// Something that happened, such as `compute.instance.create.end`, and its traits.
///
/// Source of the form: Ceilometer 27, `ceilometer/event/models.py`, `Event.serialize`.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Id of the notification, a UUID.
    pub message_id: SmolStr,
    /// What happened.
    pub event_type: SmolStr,
    /// When, as it was spelled.
    pub generated: SmolStr,
    /// What is known of it, in order.
    pub traits: Vec<Trait>,
    /// The notification, where it was to be kept: an object.
    pub raw: Json,
    /// Fields beyond these, in their order: `message_signature`.
    pub extra: Vec<(SmolStr, Json)>,
}

/// One thing that is known of an [`Event`].
#[derive(Clone, Debug, PartialEq)]
pub struct Trait {
    /// Such as `instance_id`.
    pub name: SmolStr,
    /// 1 is text, 2 an integer, 3 a float, 4 a time.
    pub kind: u8,
    /// The value, as it was written.
    pub value: Json,
}

impl Event {
    /// Reads one event, in the JSON dialect that Python writes. Its traits are lists, `["name", 1, "value"]`, or, as the
    /// file publisher writes them, objects.
    pub fn from_json(text: &str) -> Result<Self, BadRecord> {
        let mut scanner = Scanner::new(text);
        let event = Self::read(&mut scanner)?;
        scanner.end().map_err(|error| not_json(&error))?;
        Ok(event)
    }

    /// As [`from_json`](Self::from_json), of the value that is next.
    pub fn read(scanner: &mut Scanner<'_>) -> Result<Self, BadRecord> {
        let text = scanner.value().map_err(|error| not_json(&error))?;
        if !text.starts_with('{') {
            return Err(BadRecord::whole("is JSON, but no object"));
        }
        let (mut message_id, mut event_type, mut generated, mut traits) = (None, None, None, None);
        let (mut raw, mut extra) = (Json::empty_object(), Vec::<(SmolStr, Json)>::new());
        for (key, value) in json::entries(text) {
            match &*key {
                "message_id" => message_id = Some(text_of("message_id", value)?),
                "event_type" => event_type = Some(text_of("event_type", value)?),
                "generated" => generated = Some(text_of("generated", value)?),
                "traits" => traits = Some(read_traits(value)?),
                "raw" if value == "null" => {}
                "raw" => raw = Json::from_checked(value),
                _ => {
                    extra.retain(|(earlier, _)| earlier != &*key);
                    extra.push((key.as_ref().into(), Json::from_checked(value)));
                }
            }
        }
        Ok(Self {
            message_id: message_id.ok_or_else(|| BadRecord::missing("message_id"))?,
            event_type: event_type.ok_or_else(|| BadRecord::missing("event_type"))?,
            generated: generated.ok_or_else(|| BadRecord::missing("generated"))?,
            traits: traits.ok_or_else(|| BadRecord::missing("traits"))?,
            raw,
            extra,
        })
    }

    /// The value of a trait as its text: what a string says, and a number as it was written. Nothing when there is no
    /// such trait, or when it is `null`. Of two with one name the first counts.
    pub fn get(&self, name: &str) -> Option<Cow<'_, str>> {
        let value = self.traits.iter().find(|found| found.name == name)?.value.as_str();
        if value == "null" { None } else { Some(json::decode(value).unwrap_or(Cow::Borrowed(value))) }
    }

    /// Appends the event as a JSON object on one line.
    pub fn write_json(&self, out: &mut String) {
        out.push_str("{\"message_id\": ");
        json::write_string(out, &self.message_id);
        out.push_str(", \"event_type\": ");
        json::write_string(out, &self.event_type);
        out.push_str(", \"generated\": ");
        json::write_string(out, &self.generated);
        out.push_str(", \"traits\": [");
        for (number, one) in self.traits.iter().enumerate() {
            out.push_str(if number == 0 { "[" } else { ", [" });
            json::write_string(out, &one.name);
            out.push_str(", ");
            out.push_str(&one.kind.to_string());
            out.push_str(", ");
            out.push_str(one.value.as_str());
            out.push(']');
        }
        out.push_str("], \"raw\": ");
        out.push_str(self.raw.as_str());
        for (key, value) in &self.extra {
            out.push_str(", ");
            json::write_string(out, key);
            out.push_str(": ");
            out.push_str(value.as_str());
        }
        out.push('}');
    }

    /// The JSON object; see [`write_json`](Self::write_json).
    pub fn to_json(&self) -> String {
        let mut out = String::with_capacity(self.raw.as_str().len() + 100 * (self.traits.len() + 2));
        self.write_json(&mut out);
        out
    }
}

fn not_json(error: &InvalidJson) -> BadRecord {
    BadRecord::whole(format!("is not JSON: {error}"))
}

fn text_of(field: &str, value: &str) -> Result<SmolStr, BadRecord> {
    json::decode(value).map(SmolStr::from).ok_or_else(|| BadRecord::field(field, value, "expected a string"))
}

fn read_traits(list: &str) -> Result<Vec<Trait>, BadRecord> {
    let wrong = |problem: &str| BadRecord::field("traits", list, problem);
    let mut scanner = Scanner::new(list);
    if !scanner.eat(b'[') {
        return Err(wrong("expected a list"));
    }
    let mut traits = Vec::new();
    while !scanner.eat(b']') {
        if !traits.is_empty() {
            scanner.expect(b',', "expected a comma").map_err(|error| not_json(&error))?;
        }
        let item = scanner.value().map_err(|error| not_json(&error))?;
        let (name, kind, value) =
            parts_of_trait(item).ok_or_else(|| wrong("expected name, type and value"))?;
        traits.push(Trait {
            name: json::decode(name).ok_or_else(|| wrong("expected the name of a trait"))?.into(),
            kind: kind.parse().map_err(|_| wrong("expected the type of a trait, a number"))?,
            value: Json::from_checked(value),
        });
    }
    Ok(traits)
}

fn parts_of_trait(item: &str) -> Option<(&str, &str, &str)> {
    if item.starts_with('{') {
        let (mut name, mut kind, mut value) = (None, None, None);
        for (key, found) in json::entries(item) {
            match &*key {
                "name" => name = Some(found),
                "dtype" => kind = Some(found),
                "value" => value = Some(found),
                _ => {}
            }
        }
        return Some((name?, kind?, value?));
    }
    let mut scanner = Scanner::new(item);
    scanner.expect(b'[', "").ok()?;
    let name = scanner.value().ok()?;
    scanner.expect(b',', "").ok()?;
    let kind = scanner.value().ok()?;
    scanner.expect(b',', "").ok()?;
    let value = scanner.value().ok()?;
    scanner.eat(b']').then_some((name, kind, value))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// As Ceilometer 27 serializes what it makes of nova's notification, shortened.
    const EVENT: &str = r#"{"message_id": "22220000-0000-0000-0000-000000000001", "event_type": "compute.instance.create.end", "generated": "2026-01-02T03:04:05.678901", "traits": [["service", 1, "compute"], ["memory_mb", 2, 2048], ["launched_at", 4, "2026-01-02T03:04:05"], ["none", 1, null]], "raw": {}, "message_signature": ""}"#;
    /// As its file publisher writes one.
    const OF_FILE: &str = r#"{"message_id": "m1", "event_type": "a.b", "generated": "2026-01-01 00:00:00", "traits": [{"name": "t", "dtype": 1, "value": "v"}], "raw": {}}"#;

    #[test]
    fn what_ceilometer_sends_comes_out_to_the_byte() {
        assert_eq!(Event::from_json(EVENT).unwrap().to_json(), EVENT);
        let of_file = Event::from_json(OF_FILE).unwrap();
        assert_eq!(
            of_file.to_json(),
            OF_FILE.replace(r#"{"name": "t", "dtype": 1, "value": "v"}"#, r#"["t", 1, "v"]"#)
        );
    }

    #[test]
    fn traits_are_found() {
        let event = Event::from_json(EVENT).unwrap();
        assert_eq!(event.get("service").as_deref(), Some("compute"));
        assert_eq!(event.get("memory_mb").as_deref(), Some("2048"));
        assert_eq!((event.get("none"), event.get("other")), (None, None));
    }

    #[test]
    fn what_is_wrong_is_told() {
        for (from, to, told) in [
            ("\"message_id\"", "\"other\"", "field `message_id` is missing"),
            ("\"traits\"", "\"other\"", "field `traits` is missing"),
            ("\"compute.instance.create.end\"", "5", "field `event_type` holds `5`"),
            ("[\"memory_mb\", 2, 2048]", "[\"memory_mb\", 2]", "expected name, type and value"),
            ("[\"memory_mb\", 2, 2048]", "[\"memory_mb\", 2, 2048, 1]", "expected name, type and value"),
            ("[\"memory_mb\", 2, 2048]", "[5, 2, 2048]", "expected the name of a trait"),
            ("[\"memory_mb\", 2, 2048]", "[\"a\", 2.5, 2048]", "expected the type of a trait"),
            ("\"raw\": {}", "\"raw\": {", "is not JSON"),
        ] {
            let error = Event::from_json(&EVENT.replace(from, to)).unwrap_err().to_string();
            assert!(error.contains(told), "{error}");
        }
        assert!(Event::from_json("[]").unwrap_err().to_string().contains("no object"));
    }

    proptest! {
        #[test]
        fn it_survives(id in ".*", kind in ".*", name in ".*", dtype: u8, value in ".*", key in ".*") {
            let mut event = Event::from_json(OF_FILE).unwrap();
            event.message_id = id.into();
            event.event_type = kind.into();
            event.traits.push(Trait { name: name.into(), kind: dtype, value: Json::string(&value) });
            event.extra.push((format!("x{key}").into(), Json::string(&value)));
            prop_assert_eq!(Event::from_json(&event.to_json()).unwrap(), event);
        }

        #[test]
        fn no_text_makes_it_panic(text in r#"[{}\[\]":,\\a-z_0-9.]*"#) {
            let _outcome = Event::from_json(&text);
            let _outcome = Event::from_json(&EVENT.replace("[[", &text));
        }
    }
}
