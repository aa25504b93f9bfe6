//! Ids of traces and spans, as OSProfiler and OpenTelemetry spell them.
//!
//! | OpenTelemetry | OSProfiler |
//! |---|---|
//! | trace id, 16 bytes | base id: the UUID of these bytes |
//! | span id, 8 bytes | trace id or parent id: the UUID whose last 8 bytes are these, and whose first are 0 |
//! | no parent | the parent id is the base id |
//!
//! The way back is OSProfiler's own (`uuid_to_int128` and `shorten_id`): all bytes of a UUID in any of its spellings, or
//! its last eight. An id that is no UUID gets a hash of its text, always the same; OSProfiler takes a new random number
//! each time. All zeros are no id in OpenTelemetry, and never come out.

use nephoscope_telemetry::Id;
use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

/// Version, trace id, parent id and flags of `traceparent`, version 00.
const TRACEPARENT_LENGTH: usize = 55;

/// The trace id of a base id.
pub fn trace_id(base_id: &Id) -> [u8; 16] {
    let uuid = uuid(base_id).filter(|uuid| *uuid != [0; 16]);
    uuid.unwrap_or_else(|| base_id.with_str(|text| xxh3_128(text.as_bytes()).max(1).to_be_bytes()))
}

/// The span id of a trace id or parent id.
pub fn span_id(id: &Id) -> [u8; 8] {
    let low = uuid(id).and_then(|uuid| uuid.last_chunk().copied()).filter(|low| *low != [0; 8]);
    low.unwrap_or_else(|| id.with_str(|text| xxh3_64(text.as_bytes()).max(1).to_be_bytes()))
}

/// The base id of a trace id.
pub fn base_id(trace_id: [u8; 16]) -> Id {
    Id::from_uuid(trace_id)
}

/// The trace id, or parent id, of a span id.
pub fn point_id(span_id: [u8; 8]) -> Id {
    let mut uuid = [0; 16];
    uuid[8..].copy_from_slice(&span_id);
    Id::from_uuid(uuid)
}

/// The base id whose trace id is written as 32 hexadecimal digits, as W3C Trace Context and most tools show it.
pub fn base_id_of_hex(text: &str) -> Option<Id> {
    unhex(text.as_bytes()).filter(|bytes| *bytes != [0; 16]).map(base_id)
}

/// Base id and parent id for what is called with this `traceparent` header of W3C Trace Context; nothing when it is
/// invalid. The flags are not looked at.
pub fn from_traceparent(header: &str) -> Option<(Id, Id)> {
    let bytes = header.as_bytes();
    let version: [u8; 1] = unhex(bytes.get(..2)?)?;
    // A later version may have more behind another dash.
    let ends = match version {
        [0xff] => false,
        [0] => bytes.len() == TRACEPARENT_LENGTH,
        _ => bytes.len() == TRACEPARENT_LENGTH || bytes.get(TRACEPARENT_LENGTH) == Some(&b'-'),
    };
    let dashes = [2, 35, 52].iter().all(|&at| bytes.get(at) == Some(&b'-'));
    let lower = !bytes.iter().take(TRACEPARENT_LENGTH).any(u8::is_ascii_uppercase);
    let trace: [u8; 16] = unhex(bytes.get(3..35)?)?;
    let span: [u8; 8] = unhex(bytes.get(36..52)?)?;
    let _flags: [u8; 1] = unhex(bytes.get(53..TRACEPARENT_LENGTH)?)?;
    let valid = ends && dashes && lower && trace != [0; 16] && span != [0; 8];
    valid.then(|| (base_id(trace), point_id(span)))
}

/// The `traceparent` header of W3C Trace Context for what an operation calls: its base id and its own trace id. Traces of
/// OSProfiler are always recorded, so the flag `sampled` is set.
pub fn to_traceparent(base: &Id, operation: &Id) -> String {
    let mut header = String::with_capacity(TRACEPARENT_LENGTH);
    header.push_str("00-");
    push_hex(&mut header, &trace_id(base));
    header.push('-');
    push_hex(&mut header, &span_id(operation));
    header.push_str("-01");
    header
}

/// The bytes of a UUID in any spelling that Python's `uuid.UUID` takes.
fn uuid(id: &Id) -> Option<[u8; 16]> {
    if let Some(uuid) = id.as_uuid() {
        return Some(*uuid);
    }
    id.with_str(|text| {
        let text = text.replace("urn:", "").replace("uuid:", "");
        let digits = text.trim_matches(['{', '}']).replace('-', "");
        unhex(digits.as_bytes())
    })
}

/// Bytes of exactly as many hexadecimal digits as they need.
pub(crate) fn unhex<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    if digits.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
    }
    Some(bytes)
}

/// The value of a hexadecimal digit, in upper or lower case.
pub(crate) fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

/// Appends bytes as lower-case hexadecimal digits.
pub(crate) fn push_hex(out: &mut String, bytes: &[u8]) {
    for byte in bytes {
        for nibble in [byte >> 4, byte & 15] {
            out.push(char::from(b"0123456789abcdef"[usize::from(nibble)]));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BASE: &str = "4bf92f35-77b3-4da6-a3ce-929d0e0e4736";

    #[test]
    fn every_spelling_of_a_uuid_is_the_same_trace_as_for_osprofiler() {
        let bytes = trace_id(&Id::new(BASE));
        assert_eq!(u128::from_be_bytes(bytes), 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736);
        for other in [
            "4bf92f3577b34da6a3ce929d0e0e4736",
            "{4BF92F35-77B3-4DA6-A3CE-929D0E0E4736}",
            "urn:uuid:4bf92f35-77b3-4da6-a3ce-929d0e0e4736",
        ] {
            assert_eq!(trace_id(&Id::new(other)), bytes, "{other}");
            assert_eq!(span_id(&Id::new(other)), bytes[8..], "{other}");
        }
    }

    #[test]
    fn a_text_gets_an_id_that_is_always_the_same() {
        let id = Id::new("req-*/é");
        assert_eq!(trace_id(&id), trace_id(&Id::new("req-*/é")));
        assert_ne!(trace_id(&id), trace_id(&Id::new("req-*/e")));
        assert_ne!(span_id(&id), span_id(&Id::new("req-*/e")));
    }

    #[test]
    fn a_header_is_read_as_w3c_says() {
        let header = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let ids = (Id::new(BASE), Id::new("00000000-0000-0000-00f0-67aa0ba902b7"));
        assert_eq!(from_traceparent(header), Some(ids.clone()));
        assert_eq!(to_traceparent(&ids.0, &ids.1), header);
        assert_eq!(from_traceparent(&format!("42{}-what-comes", &header[2..])), Some(ids.clone()));
        for invalid in [
            "",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "42-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01more",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0x",
            "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ] {
            assert_eq!(from_traceparent(invalid), None, "{invalid}");
        }
    }

    #[test]
    fn the_hexadecimal_digits_that_tools_show_name_a_trace() {
        assert_eq!(base_id_of_hex("4bf92f3577b34da6a3ce929d0e0e4736"), Some(Id::new(BASE)));
        assert_eq!(base_id_of_hex("4BF92F3577B34DA6A3CE929D0E0E4736"), Some(Id::new(BASE)));
        for other in [BASE, "00000000000000000000000000000000", "4bf92f3577b34da6a3ce929d0e0e473", "x"] {
            assert_eq!(base_id_of_hex(other), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn ids_of_opentelemetry_come_back(trace: [u8; 16], span: [u8; 8]) {
            prop_assume!(trace != [0; 16] && span != [0; 8]);
            prop_assert_eq!(trace_id(&base_id(trace)), trace);
            prop_assert_eq!(span_id(&point_id(span)), span);
            let header = to_traceparent(&base_id(trace), &point_id(span));
            prop_assert_eq!(from_traceparent(&header), Some((base_id(trace), point_id(span))));
        }

        #[test]
        fn no_text_gives_zeros_or_a_panic(text in "(.*|[0-]{30,40})") {
            let id = Id::new(&text);
            prop_assert_ne!(trace_id(&id), [0; 16]);
            prop_assert_ne!(span_id(&id), [0; 8]);
            let _ = (from_traceparent(&text), base_id_of_hex(&text));
        }
    }
}
