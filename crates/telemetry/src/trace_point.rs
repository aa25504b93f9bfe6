//! The trace point: one notification of OSProfiler.

use std::borrow::Cow;

use smol_str::SmolStr;

use crate::json::{self, InvalidJson, Scanner};
use crate::{BadRecord, Id, Json, Timestamp};

/// One start or stop notification.
///
/// Every field that came in goes out again as it was: [`info`](Self::info) as its text, unknown fields in
/// [`extra`](Self::extra), ids and the time as they were spelled. Only what no reader tells apart is normalised: the
/// order of the outer keys, white space, an absent `info`, `project` or `service` (written as `{}` and `null`), and
/// an id that came as a number (written as text).
///
/// Source of the form: OSProfiler 4.4, `osprofiler/profiler.py` and `osprofiler/drivers/`.
#[derive(Clone, Debug, PartialEq)]
pub struct TracePoint {
    /// Name of the operation with `-start` or `-stop` behind it. Free text otherwise, dashes included.
    pub name: SmolStr,
    /// Id of the trace.
    pub base_id: Id,
    /// Id of this operation, the same in its start and its stop.
    pub trace_id: Id,
    /// Id of the operation around it; of an outermost one the base id, or what the caller sent in its headers.
    pub parent_id: Id,
    /// When it was emitted.
    pub timestamp: Timestamp,
    /// What the operation tells about itself: an object.
    pub info: Json,
    /// Project of the service, such as `cinder`.
    pub project: Option<SmolStr>,
    /// The service, such as `api`.
    pub service: Option<SmolStr>,
    /// Fields that OSProfiler does not know, in their order.
    pub extra: Vec<(SmolStr, Json)>,
    /// How the time was spelled, unless as [`Timestamp`] displays.
    timestamp_text: Option<Box<str>>,
}

impl TracePoint {
    /// A point with an empty `info` and no project or service.
    pub fn new(name: &str, base_id: Id, trace_id: Id, parent_id: Id, timestamp: Timestamp) -> Self {
        Self {
            name: name.into(),
            base_id,
            trace_id,
            parent_id,
            timestamp,
            info: Json::empty_object(),
            project: None,
            service: None,
            extra: Vec::new(),
            timestamp_text: None,
        }
    }

    /// Reads the JSON object of one notification, in the dialect that Python writes.
    pub fn from_json(text: &str) -> Result<Self, BadRecord> {
        let mut scanner = Scanner::new(text);
        if scanner.peek() != Some(b'{') {
            return Err(BadRecord::whole(match scanner.value() {
                Ok(_) => "is JSON, but no object".into(),
                Err(error) => not_json(&error),
            }));
        }
        let fields = Fields::read(scanner).map_err(|error| BadRecord::whole(not_json(&error)))?;
        fields.into_point()
    }

    /// As [`from_json`](Self::from_json), of bytes that should be UTF-8.
    pub fn from_json_bytes(bytes: &[u8]) -> Result<Self, BadRecord> {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::from_json(text),
            Err(error) => Err(BadRecord::whole(format!("is not UTF-8 at byte {}", error.valid_up_to()))),
        }
    }

    /// Appends the JSON object of the notification, on one line, byte for byte as OSProfiler writes its own.
    pub fn write_json(&self, out: &mut String) {
        out.push_str("{\"name\": ");
        json::write_string(out, &self.name);
        for (key, id) in
            [("base_id", &self.base_id), ("trace_id", &self.trace_id), ("parent_id", &self.parent_id)]
        {
            push_key(out, key);
            id.write_json(out);
        }
        push_key(out, "timestamp");
        match &self.timestamp_text {
            Some(text) => json::write_string(out, text),
            None => {
                out.push('"');
                self.timestamp.write(out);
                out.push('"');
            }
        }
        push_key(out, "info");
        out.push_str(self.info.as_str());
        for (key, value) in [("project", &self.project), ("service", &self.service)] {
            push_key(out, key);
            match value {
                Some(value) => json::write_string(out, value),
                None => out.push_str("null"),
            }
        }
        for (key, value) in &self.extra {
            out.push_str(", ");
            json::write_string(out, key);
            out.push_str(": ");
            out.push_str(value.as_str());
        }
        out.push('}');
    }

    /// The JSON object of the notification; see [`write_json`](Self::write_json).
    pub fn to_json(&self) -> String {
        let mut out = String::with_capacity(self.info.as_str().len() + 300);
        self.write_json(&mut out);
        out
    }

    /// The time as it was spelled.
    pub fn timestamp_text(&self) -> Cow<'_, str> {
        match &self.timestamp_text {
            Some(text) => Cow::Borrowed(text),
            None => Cow::Owned(self.timestamp.to_string()),
        }
    }

    /// How the time was spelled, unless as [`Timestamp`] displays.
    pub fn unusual_timestamp_text(&self) -> Option<&str> {
        self.timestamp_text.as_deref()
    }

    /// Takes the time in the spelling of a backend, which is kept.
    pub fn set_timestamp_text(&mut self, text: &str) -> Result<(), BadRecord> {
        let timestamp =
            Timestamp::parse(text).map_err(|error| BadRecord::field("timestamp", text, error.to_string()))?;
        self.timestamp = timestamp;
        self.timestamp_text = (!Timestamp::is_usual_spelling(text)).then(|| text.into());
        Ok(())
    }

    /// Whether it ends its operation. As for OSProfiler, all that does not is a start.
    pub fn is_stop(&self) -> bool {
        self.name.ends_with("stop")
    }

    /// The name without `-start` or `-stop`.
    pub fn operation(&self) -> &str {
        self.name.strip_suffix("-start").or_else(|| self.name.strip_suffix("-stop")).unwrap_or(&self.name)
    }

    /// Whether it reports an exception: `info.etype` is there and not null.
    pub fn is_error(&self) -> bool {
        self.info.get("etype").is_some_and(|etype| etype != "null")
    }

    /// `info.host`, when it is there and a string.
    pub fn host(&self) -> Option<Cow<'_, str>> {
        self.info.get_str("host")
    }
}

fn push_key(out: &mut String, key: &str) {
    out.push_str(", \"");
    out.push_str(key);
    out.push_str("\": ");
}

fn not_json(error: &InvalidJson) -> String {
    format!("is not JSON: {error}")
}

/// The raw values of the fields, as they are met.
#[derive(Default)]
struct Fields<'a> {
    name: Option<&'a str>,
    base_id: Option<&'a str>,
    trace_id: Option<&'a str>,
    parent_id: Option<&'a str>,
    timestamp: Option<&'a str>,
    info: Option<&'a str>,
    project: Option<&'a str>,
    service: Option<&'a str>,
    extra: Vec<(SmolStr, Json)>,
}

impl<'a> Fields<'a> {
    /// Reads the object that is all of the text, each byte once.
    fn read(mut scanner: Scanner<'a>) -> Result<Self, InvalidJson> {
        let mut fields = Self::default();
        scanner.expect(b'{', "expected an object")?;
        let mut more = !scanner.eat(b'}');
        while more {
            let key = scanner.key()?;
            fields.take(&key, scanner.value()?);
            more = scanner.eat(b',');
            if !more {
                scanner.expect(b'}', "expected a comma or the end of the object or array")?;
            }
        }
        scanner.end()?;
        Ok(fields)
    }

    fn take(&mut self, key: &str, value: &'a str) {
        let slot = match key {
            "name" => &mut self.name,
            "base_id" => &mut self.base_id,
            "trace_id" => &mut self.trace_id,
            "parent_id" => &mut self.parent_id,
            "timestamp" => &mut self.timestamp,
            "info" => &mut self.info,
            "project" => &mut self.project,
            "service" => &mut self.service,
            _ => {
                self.extra.retain(|(earlier, _)| earlier != key);
                self.extra.push((key.into(), Json::from_checked(value)));
                return;
            }
        };
        *slot = Some(value);
    }

    fn into_point(self) -> Result<TracePoint, BadRecord> {
        let mut point = TracePoint {
            name: text("name", self.name)?.into(),
            base_id: id("base_id", self.base_id)?,
            trace_id: id("trace_id", self.trace_id)?,
            parent_id: id("parent_id", self.parent_id)?,
            timestamp: Timestamp::from_micros(0),
            info: info(self.info)?,
            project: optional_text("project", self.project)?,
            service: optional_text("service", self.service)?,
            extra: self.extra,
            timestamp_text: None,
        };
        point.set_timestamp_text(&text("timestamp", self.timestamp)?)?;
        Ok(point)
    }
}

fn text<'a>(field: &str, value: Option<&'a str>) -> Result<Cow<'a, str>, BadRecord> {
    let value = value.ok_or_else(|| BadRecord::missing(field))?;
    json::decode(value).ok_or_else(|| BadRecord::field(field, value, "expected a string"))
}

fn optional_text(field: &str, value: Option<&str>) -> Result<Option<SmolStr>, BadRecord> {
    match value {
        None | Some("null") => Ok(None),
        some => text(field, some).map(|text| Some(text.into())),
    }
}

fn id(field: &str, value: Option<&str>) -> Result<Id, BadRecord> {
    let value = value.ok_or_else(|| BadRecord::missing(field))?;
    match value.as_bytes()[0] {
        b'-' | b'0'..=b'9' => Ok(Id::new(value)),
        b'"' => text(field, Some(value)).map(|text| Id::new(&text)),
        _ => Err(BadRecord::field(field, value, "expected a string or a number")),
    }
}

fn info(value: Option<&str>) -> Result<Json, BadRecord> {
    match value {
        None | Some("null") => Ok(Json::empty_object()),
        Some(value) if value.starts_with('{') => Ok(Json::from_checked(value)),
        Some(value) => Err(BadRecord::field("info", value, "expected an object")),
    }
}

#[cfg(test)]
mod tests;
