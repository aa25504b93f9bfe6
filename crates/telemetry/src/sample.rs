//! The sample: one metered value of Ceilometer.

use std::borrow::Cow;

use smol_str::SmolStr;

use crate::json::{self, Scanner};
use crate::{BadRecord, Json, Timestamp};

/// One value of one meter at one moment, with what is known of the resource it was measured at.
///
/// Every field that came in goes out again as it was: the volume and the metadata as their text, unknown fields in
/// [`extra`](Self::extra), the time as it was spelled. Only the order of the outer keys and white space are normalised.
///
/// Two forms are in use. On the bus and over UDP and TCP a sample is a *metering message* (`counter_name`,
/// `message_id` …); Ceilometer's HTTP and file publishers write a *dictionary* (`name`, `id` …). Both are read, key by
/// key.
///
/// Source of the forms: Ceilometer 27, `ceilometer/publisher/utils.py` and `ceilometer/sample.py`.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// The meter, such as `cpu`.
    pub name: SmolStr,
    /// `gauge`, `delta` or `cumulative`; empty, when nothing was said.
    pub kind: SmolStr,
    /// Such as `ns`; empty, when nothing was said.
    pub unit: SmolStr,
    /// The value: a number as it was written. Some senders put it into a string, and `null` stands for none.
    pub volume: Json,
    /// What was measured. Any text.
    pub resource_id: SmolStr,
    /// When it was measured, as it was spelled.
    pub timestamp: SmolStr,
    /// The project that the resource belongs to.
    pub project_id: Option<SmolStr>,
    /// Its name, where the sender looked it up.
    pub project_name: Option<SmolStr>,
    /// The user that the resource belongs to.
    pub user_id: Option<SmolStr>,
    /// Its name, where the sender looked it up.
    pub user_name: Option<SmolStr>,
    /// What is known of the resource: an object.
    pub metadata: Json,
    /// Where the sample comes from, such as `openstack`.
    pub source: Option<SmolStr>,
    /// Id of this sample, a UUID.
    pub id: Option<SmolStr>,
    /// Fields beyond these, in their order: `monotonic_time`, `message_signature`, `publisher_id` …
    pub extra: Vec<(SmolStr, Json)>,
}

/// Which names the fields get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SampleForm {
    /// The metering message: `counter_name`, `counter_type`, `counter_unit`, `counter_volume`, `message_id`.
    Message,
    /// The dictionary: `name`, `type`, `unit`, `volume`, `id`.
    Dictionary,
}

impl Sample {
    /// A gauge without a unit, of which nothing is known but what every sample says. The other fields can be set.
    pub fn new(name: &str, volume: Json, resource_id: &str, timestamp: &str) -> Self {
        Self {
            name: name.into(),
            kind: "gauge".into(),
            unit: SmolStr::default(),
            volume,
            resource_id: resource_id.into(),
            timestamp: timestamp.into(),
            project_id: None,
            project_name: None,
            user_id: None,
            user_name: None,
            metadata: Json::empty_object(),
            source: None,
            id: None,
            extra: Vec::new(),
        }
    }

    /// Reads one sample in either form, in the JSON dialect that Python writes.
    ///
    /// A name, a volume, a resource and a time have to be there; a volume that is `null` is there.
    pub fn from_json(text: &str) -> Result<Self, BadRecord> {
        let mut scanner = Scanner::new(text);
        let sample = Self::read(&mut scanner)?;
        scanner.end().map_err(|error| BadRecord::whole(format!("is not JSON: {error}")))?;
        Ok(sample)
    }

    /// As [`from_json`](Self::from_json), of the value that is next.
    pub fn read(scanner: &mut Scanner<'_>) -> Result<Self, BadRecord> {
        let fields = Fields::of(scanner)?;
        fields.check()?;
        Ok(fields.into_sample())
    }

    /// Passes the value that is next, which has to be one that [`read`](Self::read) takes. Nothing is made of it.
    pub fn check(scanner: &mut Scanner<'_>) -> Result<(), BadRecord> {
        Fields::of(scanner)?.check()
    }

    /// The value as a number, with the grammar of Python's `float`; nothing, when it is none. A boolean is 0 or 1.
    pub fn value(&self) -> Option<f64> {
        match self.volume.as_str() {
            "true" => Some(1.0),
            "false" => Some(0.0),
            text => match json::decode(text) {
                Some(text) => python_float(&text),
                None => python_float(text),
            },
        }
    }

    /// When what was measured, for a place that keeps numbers over time; nothing of a sample without a volume. What has no
    /// time or number is an error.
    pub fn measured(&self) -> Result<Option<(Timestamp, f64)>, BadRecord> {
        if self.volume.as_str() == "null" {
            return Ok(None);
        }
        let time = Timestamp::parse(&self.timestamp)
            .map_err(|_| BadRecord::field("timestamp", &self.timestamp, "expected a time"))?;
        let volume = self.volume.as_str();
        let value = self.value().ok_or_else(|| BadRecord::field("volume", volume, "expected a number"))?;
        Ok(Some((time, value)))
    }

    /// Appends the sample as a JSON object on one line.
    pub fn write_json(&self, form: SampleForm, out: &mut String) {
        let (name, kind, unit, volume) = match form {
            SampleForm::Message => {
                optional(out, "{\"source\": ", self.source.as_deref());
                (
                    ", \"counter_name\": ",
                    ", \"counter_type\": ",
                    ", \"counter_unit\": ",
                    ", \"counter_volume\": ",
                )
            }
            SampleForm::Dictionary => ("{\"name\": ", ", \"type\": ", ", \"unit\": ", ", \"volume\": "),
        };
        string(out, name, &self.name);
        string(out, kind, &self.kind);
        string(out, unit, &self.unit);
        raw(out, volume, &self.volume);
        optional(out, ", \"user_id\": ", self.user_id.as_deref());
        optional(out, ", \"user_name\": ", self.user_name.as_deref());
        optional(out, ", \"project_id\": ", self.project_id.as_deref());
        optional(out, ", \"project_name\": ", self.project_name.as_deref());
        string(out, ", \"resource_id\": ", &self.resource_id);
        string(out, ", \"timestamp\": ", &self.timestamp);
        raw(out, ", \"resource_metadata\": ", &self.metadata);
        match form {
            SampleForm::Message => optional(out, ", \"message_id\": ", self.id.as_deref()),
            SampleForm::Dictionary => {
                optional(out, ", \"source\": ", self.source.as_deref());
                optional(out, ", \"id\": ", self.id.as_deref());
            }
        }
        for (key, value) in &self.extra {
            out.push_str(", ");
            json::write_string(out, key);
            raw(out, ": ", value);
        }
        out.push('}');
    }

    /// The JSON object; see [`write_json`](Self::write_json).
    pub fn to_json(&self, form: SampleForm) -> String {
        let mut out = String::with_capacity(self.metadata.as_str().len() + 500);
        self.write_json(form, &mut out);
        out
    }
}

fn string(out: &mut String, key: &str, value: &str) {
    out.push_str(key);
    json::write_string(out, value);
}

fn optional(out: &mut String, key: &str, value: Option<&str>) {
    match value {
        Some(value) => string(out, key, value),
        None => {
            out.push_str(key);
            out.push_str("null");
        }
    }
}

fn raw(out: &mut String, key: &str, value: &Json) {
    out.push_str(key);
    out.push_str(value.as_str());
}

/// What Python's `float` makes of a text: white space around it, a sign, `nan`, `inf` and `infinity` in any case, and one
/// `_` between digits are all taken.
fn python_float(text: &str) -> Option<f64> {
    let text = text
        .trim_matches(|character: char| character.is_whitespace() || ('\x1c'..='\x1f').contains(&character));
    if !text.contains('_') {
        return text.parse().ok();
    }
    let between_digits = |at: usize| {
        let bytes = text.as_bytes();
        at > 0 && bytes[at - 1].is_ascii_digit() && bytes.get(at + 1).is_some_and(u8::is_ascii_digit)
    };
    let sound = text.bytes().enumerate().all(|(at, byte)| byte != b'_' || between_digits(at));
    if sound { text.replace('_', "").parse().ok() } else { None }
}

/// The raw values of the fields, as they are met. Of a key given twice the last counts, as in Python.
#[derive(Default)]
struct Fields<'a> {
    name: Option<&'a str>,
    kind: Option<&'a str>,
    unit: Option<&'a str>,
    volume: Option<&'a str>,
    resource_id: Option<&'a str>,
    timestamp: Option<&'a str>,
    project_id: Option<&'a str>,
    project_name: Option<&'a str>,
    user_id: Option<&'a str>,
    user_name: Option<&'a str>,
    metadata: Option<&'a str>,
    source: Option<&'a str>,
    id: Option<&'a str>,
    extra: Vec<(Cow<'a, str>, &'a str)>,
}

impl<'a> Fields<'a> {
    fn of(scanner: &mut Scanner<'a>) -> Result<Self, BadRecord> {
        if scanner.peek() != Some(b'{') {
            return Err(BadRecord::whole(match scanner.value() {
                Ok(_) => "is JSON, but no object".into(),
                Err(error) => format!("is not JSON: {error}"),
            }));
        }
        let mut fields = Self::default();
        fields.read(scanner).map_err(|error| BadRecord::whole(format!("is not JSON: {error}")))?;
        Ok(fields)
    }

    fn read(&mut self, scanner: &mut Scanner<'a>) -> Result<(), json::InvalidJson> {
        scanner.expect(b'{', "expected an object")?;
        let mut more = !scanner.eat(b'}');
        while more {
            let key = scanner.key()?;
            self.take(key, scanner.value()?);
            more = scanner.eat(b',');
            if !more {
                scanner.expect(b'}', "expected a comma or the end of the object")?;
            }
        }
        Ok(())
    }

    fn take(&mut self, key: Cow<'a, str>, value: &'a str) {
        let slot = match &*key {
            "counter_name" | "name" => &mut self.name,
            "counter_type" | "type" => &mut self.kind,
            "counter_unit" | "unit" => &mut self.unit,
            "counter_volume" | "volume" => &mut self.volume,
            "resource_id" => &mut self.resource_id,
            "timestamp" => &mut self.timestamp,
            "project_id" => &mut self.project_id,
            "project_name" => &mut self.project_name,
            "user_id" => &mut self.user_id,
            "user_name" => &mut self.user_name,
            "resource_metadata" => &mut self.metadata,
            "source" => &mut self.source,
            "message_id" | "id" => &mut self.id,
            _ => {
                self.extra.retain(|(earlier, _)| *earlier != key);
                self.extra.push((key, value));
                return;
            }
        };
        *slot = Some(value);
    }

    /// Whether each is what it has to be.
    fn check(&self) -> Result<(), BadRecord> {
        for (field, value) in
            [("counter_name", self.name), ("resource_id", self.resource_id), ("timestamp", self.timestamp)]
        {
            let value = value.ok_or_else(|| BadRecord::missing(field))?;
            is_text(field, value)?;
        }
        let volume = self.volume.ok_or_else(|| BadRecord::missing("counter_volume"))?;
        if volume.starts_with(['{', '[']) {
            return Err(BadRecord::field("counter_volume", volume, "expected a number"));
        }
        for (field, value) in [
            ("counter_type", self.kind),
            ("counter_unit", self.unit),
            ("project_id", self.project_id),
            ("project_name", self.project_name),
            ("user_id", self.user_id),
            ("user_name", self.user_name),
            ("source", self.source),
            ("message_id", self.id),
        ] {
            if let Some(value) = value.filter(|value| *value != "null") {
                is_text(field, value)?;
            }
        }
        match self.metadata {
            Some(value) if value != "null" && !value.starts_with('{') => {
                Err(BadRecord::field("resource_metadata", value, "expected an object"))
            }
            _ => Ok(()),
        }
    }

    /// Of fields that were checked.
    fn into_sample(self) -> Sample {
        let text = |value: Option<&str>| value.and_then(json::decode).map(SmolStr::from);
        let metadata = self.metadata.filter(|value| *value != "null");
        Sample {
            name: text(self.name).unwrap_or_default(),
            kind: text(self.kind).unwrap_or_default(),
            unit: text(self.unit).unwrap_or_default(),
            volume: Json::from_checked(self.volume.unwrap_or("null")),
            resource_id: text(self.resource_id).unwrap_or_default(),
            timestamp: text(self.timestamp).unwrap_or_default(),
            project_id: text(self.project_id),
            project_name: text(self.project_name),
            user_id: text(self.user_id),
            user_name: text(self.user_name),
            metadata: metadata.map_or_else(Json::empty_object, Json::from_checked),
            source: text(self.source),
            id: text(self.id),
            extra: self
                .extra
                .into_iter()
                .map(|(key, value)| (key.into(), Json::from_checked(value)))
                .collect(),
        }
    }
}

fn is_text(field: &str, value: &str) -> Result<(), BadRecord> {
    match value.starts_with('"') {
        true => Ok(()),
        false => Err(BadRecord::field(field, value, "expected a string")),
    }
}

#[cfg(test)]
mod tests;
