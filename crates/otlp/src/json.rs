//! OTLP/JSON: Protocol Buffers' JSON with ids in hexadecimal digits, enumerations as numbers, and lowerCamelCase keys.
//!
//! What is read is what the specification allows a sender: numbers of 64 bits as strings or numbers, keys that nobody
//! knows are passed over, a key that is `null` or absent is the default. Taken besides, as Protocol Buffers' own readers
//! do: names of enumeration values, and any of the alphabets of Base64.
//!
//! Source of the form: the OTLP specification, "JSON Protobuf Encoding".

mod read;
mod write;

use crate::proto::ResourceSpans;

pub use nephoscope_telemetry::json::InvalidJson;
pub(crate) use read::read_otlp;
pub(crate) use write::{Object, push_resource, push_scope, push_span_start, push_span_stop};

/// How deep values may be nested in values: as deep as decoders of Protocol Buffers follow, which end at 100 messages, of
/// which a value takes two and the attribute of a resource around it four.
const DEEPEST_VALUE: usize = 48;

/// Reads the `resourceSpans` of an export request, or of a line in a file of traces.
pub fn read(text: &str) -> Result<Vec<ResourceSpans>, InvalidJson> {
    read::request(text)
}

/// Writes an export request: `{"resourceSpans":[…]}`.
pub fn write(spans: &[ResourceSpans]) -> String {
    write::request(spans)
}
