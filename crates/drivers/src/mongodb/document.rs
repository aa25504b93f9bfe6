//! A trace point as a document, and back.

use mongodb::bson::Binary;
use mongodb::bson::raw::{CStr, RawBson, RawDocument, RawDocumentBuf, cstr};
use mongodb::bson::spec::BinarySubtype;
use nephoscope_telemetry::{BadRecord, TracePoint};
use xxhash_rust::xxh3::xxh3_128;

use super::{decode, encode};

/// The field with the exact text of a notification that BSON does not hold as it is.
const EXACT: &CStr = cstr!("exact_json");
/// `maxBsonObjectSize` of every server.
const MAX_BYTES: usize = 16 << 20;

/// What is stored of one point.
pub(super) struct Stored {
    pub(super) document: RawDocumentBuf,
    /// Whether it is the outline with the exact text, and not all of the point as fields.
    pub(super) outline: bool,
}

impl Stored {
    /// The document of a point: its fields as OSProfiler stores them and, if these do not say exactly the same, its
    /// text beside them. A point whose fields cannot be stored is [outlined](Self::outline).
    pub(super) fn of(point: &TracePoint) -> Result<Self, BadRecord> {
        let text = point.to_json();
        match fields(point, &text).filter(fits) {
            Some(document) => Ok(Self { document, outline: false }),
            None => outline(point, &text),
        }
    }

    /// The text of a point, and of its fields only those that are searched for and those that OSProfiler cannot do
    /// without.
    pub(super) fn outline(point: &TracePoint) -> Result<Self, BadRecord> {
        outline(point, &point.to_json())
    }
}

fn fits(document: &RawDocumentBuf) -> bool {
    document.as_bytes().len() <= MAX_BYTES
}

fn fields(point: &TracePoint, text: &str) -> Option<RawDocumentBuf> {
    if point.extra.iter().any(|(key, _)| key == "_id" || key == EXACT.as_str()) {
        return None;
    }
    let mut document = identified(text);
    let spelled = point.timestamp_text();
    let usual = point.timestamp.to_string();
    if spelled == usual {
        encode::append(&mut document, text).ok()?;
    } else {
        // Sorted as text, times are in their order when all have one form.
        let mut point = point.clone();
        point.set_timestamp_text(&usual).ok()?;
        encode::append(&mut document, &point.to_json()).ok()?;
    }
    let mut read = String::with_capacity(text.len());
    decode::write(&mut read, &document).ok()?;
    if read != text {
        document.append(EXACT, text);
    }
    Some(document)
}

fn outline(point: &TracePoint, text: &str) -> Result<Stored, BadRecord> {
    let mut document = identified(text);
    document.append(cstr!("name"), point.name.as_str());
    for (key, id) in [
        (cstr!("base_id"), &point.base_id),
        (cstr!("trace_id"), &point.trace_id),
        (cstr!("parent_id"), &point.parent_id),
    ] {
        id.with_str(|id| document.append(key, id));
    }
    document.append(cstr!("timestamp"), point.timestamp.to_string());
    let mut info = RawDocumentBuf::new();
    if point.is_error() {
        info.append(cstr!("etype"), encode::text(point.info.get("etype").unwrap_or_default()));
    }
    if let Some(host) = point.host() {
        info.append(cstr!("host"), host.as_ref());
    }
    document.append(cstr!("info"), info);
    for (key, value) in [(cstr!("project"), &point.project), (cstr!("service"), &point.service)] {
        document
            .append(key, value.as_ref().map_or(RawBson::Null, |value| RawBson::String(value.to_string())));
    }
    document.append(EXACT, text);
    if fits(&document) {
        return Ok(Stored { document, outline: true });
    }
    let bytes = document.as_bytes().len();
    Err(BadRecord::whole(format!("takes {bytes} bytes; a document of MongoDB has at most {MAX_BYTES}")))
}

/// A document with the id that this text always gets: stored again, it meets itself.
fn identified(text: &str) -> RawDocumentBuf {
    let bytes = xxh3_128(text.as_bytes()).to_be_bytes().to_vec();
    let mut document = RawDocumentBuf::new();
    document.append(cstr!("_id"), Binary { subtype: BinarySubtype::Generic, bytes });
    document
}

/// The point of a document, whoever stored it. The buffer is for its text, and used again and again.
pub(super) fn point(document: &RawDocument, buffer: &mut String) -> Result<TracePoint, BadRecord> {
    if let Ok(exact) = document.get_str(EXACT)
        && let Ok(point) = TracePoint::from_json(exact)
        && document.get_str("base_id").is_ok_and(|id| point.base_id == id.into())
    {
        return Ok(point);
    }
    buffer.clear();
    decode::write(buffer, document)?;
    TracePoint::from_json(buffer)
}

#[cfg(test)]
mod tests;
