//! Strings to JSON and back.

use std::borrow::Cow;
use std::fmt::Write;

use memchr::memchr2;

use super::Scanner;

/// What a JSON string says; nothing when the value is no string.
///
/// Half of a surrogate pair, which Python writes for a lone surrogate, becomes U+FFFD: no Rust string can hold it.
pub fn decode(value: &str) -> Option<Cow<'_, str>> {
    let quoted = value.strip_prefix('"')?;
    // Most are short and say what they spell, for which no scanner has to look at a whole block.
    match memchr2(b'"', b'\\', quoted.as_bytes()) {
        Some(end) if quoted.as_bytes()[end] == b'"' => Some(Cow::Borrowed(&quoted[..end])),
        _ => Some(Scanner::new(value).string().unwrap_or_default()),
    }
}

/// Whether a byte stands for itself in a JSON string of ASCII.
fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\'
}

/// Appends a text as a JSON string, in ASCII only, as Python's `json.dumps` does.
pub fn write_string(out: &mut String, text: &str) {
    out.push('"');
    write_escaped(out, text);
    out.push('"');
}

/// Appends what stands between the quotes of [`write_string`].
pub(crate) fn write_escaped(out: &mut String, text: &str) {
    let mut rest = text;
    // Bytes that stand for themselves are ASCII, so the first that does not begins a character.
    while let Some(plain) = rest.bytes().position(|byte| !is_plain(byte)) {
        out.push_str(&rest[..plain]);
        let character = rest[plain..].chars().next().expect("there is a byte that is not plain");
        rest = &rest[plain + character.len_utf8()..];
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            other => {
                for unit in other.encode_utf16(&mut [0; 2]) {
                    write!(out, "\\u{unit:04x}").expect("a String takes all");
                }
            }
        }
    }
    out.push_str(rest);
}

/// Makes text of the Python dialect standard JSON: `NaN` becomes `null`, `Infinity` a number too large for a double,
/// which JavaScript and Python read as infinity.
///
/// Takes any run of whole tokens, and borrows what needs no change.
pub fn standard(text: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let mut copied = 0;
    let mut at = 0;
    let bytes = text.as_bytes();
    while let Some(found) = memchr::memchr3(b'"', b'N', b'I', &bytes[at..]) {
        at += found;
        let (word, replacement) = match bytes[at] {
            b'"' => {
                at = end_of_string(bytes, at);
                continue;
            }
            b'N' => ("NaN", "null"),
            _ => ("Infinity", "1e999"),
        };
        out.push_str(&text[copied..at]);
        out.push_str(replacement);
        at = (at + word.len()).min(bytes.len());
        copied = at;
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[copied..]);
    Cow::Owned(out)
}

/// The place behind the closing quote of the string that opens here.
fn end_of_string(bytes: &[u8], open: usize) -> usize {
    let mut at = open + 1;
    while let Some(found) = memchr2(b'"', b'\\', &bytes[at.min(bytes.len())..]) {
        at += found;
        if bytes[at] == b'"' {
            return at + 1;
        }
        at += 2;
    }
    bytes.len()
}
