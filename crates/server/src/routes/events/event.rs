//! A trace point as an event of Ceilometer.

use std::borrow::Cow;

use nephoscope_telemetry::{Id, Json, TracePoint};
use xxhash_rust::xxh3::xxh3_128;

/// Types of events begin with it: the notification of a point is `profiler.` and its service.
pub(super) const TYPE_PREFIX: &str = "profiler.";
/// The traits of an event in the order in which they are told; all of them are strings.
pub(super) const TRAITS: [&str; 8] =
    ["base_id", "host", "name", "parent_id", "project", "service", "timestamp", "trace_id"];
/// A digest in hexadecimal digits.
const DIGEST_LENGTH: usize = 32;

/// The event of a trace point, as Ceilometer's definition of `profiler.*` events makes it.
///
/// Every trait is there, empty where the point has nothing: OSProfiler's driver fails without any of them. The payload
/// is the notification to the byte, in the dialect that Python writes and reads.
#[derive(Debug)]
pub(super) struct Event<'a> {
    pub(super) point: &'a TracePoint,
    notification: String,
}

impl<'a> Event<'a> {
    pub(super) fn of(point: &'a TracePoint) -> Self {
        Self { point, notification: point.to_json() }
    }

    /// Of the whole point.
    pub(super) fn digest(&self) -> u128 {
        xxh3_128(self.notification.as_bytes())
    }

    /// The digest and the id of the trace: enough to find the point again, and the same for the same point.
    pub(super) fn message_id(&self) -> String {
        format!("{:032x}.{}", self.digest(), self.point.base_id)
    }

    /// As OSProfiler's messaging driver makes it, which writes `None` where a service has no name.
    pub(super) fn event_type(&self) -> String {
        format!("{TYPE_PREFIX}{}", self.point.service.as_deref().unwrap_or("None"))
    }

    /// The value of one of the [`TRAITS`], and none of any other.
    pub(super) fn value(&self, name: &str) -> Option<Cow<'a, str>> {
        let point = self.point;
        Some(match name {
            "base_id" => point.base_id.to_string().into(),
            "host" => point.host().unwrap_or_default(),
            "name" => point.name.as_str().into(),
            "parent_id" => point.parent_id.to_string().into(),
            "project" => point.project.as_deref().unwrap_or_default().into(),
            "service" => point.service.as_deref().unwrap_or_default().into(),
            "timestamp" => point.timestamp_text(),
            "trace_id" => point.trace_id.to_string().into(),
            _ => return None,
        })
    }

    pub(super) fn write_json(&self, out: &mut String) {
        let quoted = |text: &str| Json::string(text);
        let generated = self.point.timestamp.to_string();
        let fields = [
            ("{\"message_id\": ", self.message_id()),
            (", \"event_type\": ", self.event_type()),
            (", \"generated\": ", generated),
        ];
        for (key, value) in fields {
            out.push_str(key);
            out.push_str(quoted(&value).as_str());
        }
        let mut separator = ", \"traits\": [{\"name\": \"";
        for name in TRAITS {
            let value = self.value(name).expect("it is one of the traits");
            for piece in
                [separator, name, "\", \"type\": \"string\", \"value\": ", quoted(&value).as_str(), "}"]
            {
                out.push_str(piece);
            }
            separator = ", {\"name\": \"";
        }
        out.push_str("], \"raw\": {\"payload\": ");
        out.push_str(&self.notification);
        out.push_str("}}");
    }
}

/// The trace of the event with this id, if it can be an id of ours.
pub(super) fn base_id(message_id: &str) -> Option<Id> {
    let (digest, base_id) = message_id.split_once('.')?;
    let ours = digest.len() == DIGEST_LENGTH && digest.bytes().all(|digit| digit.is_ascii_hexdigit());
    ours.then(|| Id::new(base_id))
}
