//! Base ids, trace ids and parent ids.

use std::fmt;

use crate::json;

/// An id of a trace or of a trace point, kept exactly as it was given.
///
/// OSProfiler makes UUIDs, but takes whatever a signed header holds, so any text is an id. The canonical
/// spelling of a UUID (36 characters, lower case, with dashes) is kept as its 16 bytes; every other text,
/// including other spellings of a UUID, is kept as text and is a different id, as it is for OSProfiler.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id(Spelling);

#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Spelling {
    Uuid([u8; 16]),
    Text(Box<str>),
}

/// Where the dashes of a canonical UUID stand.
const DASHES: [usize; 4] = [8, 13, 18, 23];
/// Where the two digits of each byte begin.
const PAIRS: [usize; 16] = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];
const HEX: &[u8; 16] = b"0123456789abcdef";
/// What each character is as a lower-case hexadecimal digit; those that are none have a bit above the low four.
const NIBBLES: [u8; 256] = nibbles();

impl Id {
    /// The id with this spelling.
    pub fn new(text: &str) -> Self {
        match uuid_bytes(text.as_bytes()) {
            Some(bytes) => Self(Spelling::Uuid(bytes)),
            None => Self(Spelling::Text(text.into())),
        }
    }

    /// The id whose spelling is the canonical one of this UUID.
    pub const fn from_uuid(bytes: [u8; 16]) -> Self {
        Self(Spelling::Uuid(bytes))
    }

    /// The 16 bytes, when the spelling is the canonical one of a UUID.
    pub fn as_uuid(&self) -> Option<&[u8; 16]> {
        match &self.0 {
            Spelling::Uuid(bytes) => Some(bytes),
            Spelling::Text(_) => None,
        }
    }

    /// Appends the spelling as a JSON string.
    pub(crate) fn write_json(&self, out: &mut String) {
        match &self.0 {
            Spelling::Text(text) => json::write_string(out, text),
            Spelling::Uuid(_) => {
                // Nothing in it has to be escaped.
                out.push('"');
                self.with_str(|text| out.push_str(text));
                out.push('"');
            }
        }
    }

    /// Calls `read` with the spelling, without allocating.
    pub fn with_str<T>(&self, read: impl FnOnce(&str) -> T) -> T {
        match &self.0 {
            Spelling::Text(text) => read(text),
            Spelling::Uuid(bytes) => {
                let text = uuid_text(bytes);
                read(std::str::from_utf8(&text).expect("hexadecimal digits and dashes are ASCII"))
            }
        }
    }
}

const fn nibbles() -> [u8; 256] {
    let mut nibbles = [0xff; 256];
    let mut value = 0;
    while value < 16 {
        nibbles[HEX[value as usize] as usize] = value;
        value += 1;
    }
    nibbles
}

/// The bytes of a canonical UUID. Every point has three of them, so this is a good part of reading it: no branch
/// depends on a single digit.
fn uuid_bytes(text: &[u8]) -> Option<[u8; 16]> {
    let text: &[u8; 36] = text.try_into().ok()?;
    if DASHES.iter().any(|&at| text[at] != b'-') {
        return None;
    }
    let mut bytes = [0; 16];
    let mut seen = 0;
    for (byte, at) in bytes.iter_mut().zip(PAIRS) {
        let (high, low) = (NIBBLES[usize::from(text[at])], NIBBLES[usize::from(text[at + 1])]);
        seen |= high | low;
        *byte = high << 4 | low;
    }
    (seen < 16).then_some(bytes)
}

fn uuid_text(bytes: &[u8; 16]) -> [u8; 36] {
    let mut text = [b'-'; 36];
    let mut at = 0;
    for byte in bytes {
        if DASHES.contains(&at) {
            at += 1;
        }
        text[at] = HEX[usize::from(byte >> 4)];
        text[at + 1] = HEX[usize::from(byte & 15)];
        at += 2;
    }
    text
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.with_str(|text| f.pad(text))
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.with_str(|text| fmt::Debug::fmt(text, f))
    }
}

impl From<&str> for Id {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_the_canonical_spelling_is_a_uuid() {
        let canonical = "7f4c1a04-3d5e-4a0a-9a3f-0c6d2b1e8f00";
        assert_eq!(Id::new(canonical).as_uuid().map(|bytes| bytes[0]), Some(0x7f));
        for other in [
            "7F4C1A04-3D5E-4A0A-9A3F-0C6D2B1E8F00",
            "7f4c1a043d5e4a0a9a3f0c6d2b1e8f00",
            "7f4c1a04-3d5e-4a0a-9a3f-0c6d2b1e8f0é",
            "7f4c1a04_3d5e-4a0a-9a3f-0c6d2b1e8f00",
            "",
            "*",
        ] {
            assert_eq!(Id::new(other).as_uuid(), None, "{other}");
            assert_ne!(Id::new(other), Id::new(canonical));
        }
    }

    proptest! {
        #[test]
        fn a_text_is_kept_as_given(text in ".*") {
            prop_assert_eq!(Id::new(&text).to_string(), text);
        }

        #[test]
        fn a_uuid_is_kept_as_given(bytes: [u8; 16]) {
            let id = Id::from_uuid(bytes);
            prop_assert_eq!(Id::new(&id.to_string()), id);
        }
    }
}
