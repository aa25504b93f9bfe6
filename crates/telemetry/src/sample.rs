//! The sample: one metered value of Ceilometer.

mod text;

use smol_str::SmolStr;

use crate::json;
use crate::{BadRecord, Json, Timestamp};

pub use text::SampleText;

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
        SampleText::of(text).map(|text| text.to_sample())
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

#[cfg(test)]
mod tests;
