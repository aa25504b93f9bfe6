//! Strings in which not every byte stands for itself.

use super::{Result, Scanner};
use crate::json::marks::{Ahead, BLOCK};

/// How many bytes are copied at once: most escapes are closer to each other, and to copy a length that is known when this
/// is compiled takes no call.
const AT_ONCE: usize = 32;
/// How much longer than what was written the target of a block is: it says no more than it has bytes.
const ROOM: usize = BLOCK + AT_ONCE;

impl Scanner<'_> {
    /// Passes a string, from behind its opening quote, and writes down what it says.
    pub(super) fn unescape(&mut self) -> Result<String> {
        let bytes = self.text.as_bytes();
        let (mut out, mut written) = (Vec::new(), 0);
        while self.at < bytes.len() {
            if out.len() < written + ROOM {
                out.resize(2 * out.len() + ROOM, 0);
            }
            let rest = &bytes[self.at..];
            let Ahead { length, mut bits } = self.marks.ahead(bytes, self.at);
            let mut from = 0;
            while bits != 0 {
                let mark = bits.trailing_zeros() as usize;
                copy(&rest[from..], &mut out[written..], mark - from);
                written += mark - from;
                from = match (rest[mark], rest.get(mark + 1)) {
                    // By far the most: a string that is JSON itself is full of them.
                    (b'\\', Some(&byte @ (b'"' | b'\\' | b'/'))) => {
                        out[written] = byte;
                        written += 1;
                        mark + 2
                    }
                    (b'\\', _) => {
                        let start = self.at;
                        self.at += mark;
                        written += self.escape()?.encode_utf8(&mut out[written..]).len();
                        let behind = self.at - start;
                        self.at = start;
                        behind
                    }
                    (b'"', _) => {
                        self.at += mark + 1;
                        out.truncate(written);
                        return Ok(String::from_utf8(out).expect("it is text, cut at ASCII"));
                    }
                    _ => {
                        self.at += mark;
                        return self.fail("expected no control character in a string");
                    }
                };
                bits = if from < BLOCK { bits & u64::MAX << from } else { 0 };
            }
            if from < length {
                copy(&rest[from..], &mut out[written..], length - from);
                written += length - from;
                from = length;
            }
            self.at += from;
        }
        self.fail("expected the end of the string")
    }

    pub(super) fn pass_escape(&mut self) -> Result<()> {
        match self.text.as_bytes().get(self.at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 2,
            Some(b'u') if self.unit().is_some() => self.at += 6,
            Some(b'u') => return self.fail("expected four hexadecimal digits"),
            _ => return self.fail("expected an escape that JSON knows"),
        }
        Ok(())
    }

    /// Passes an escape, both halves of a pair together, and returns what it stands for.
    fn escape(&mut self) -> Result<char> {
        let letter = self.text.as_bytes().get(self.at + 1).copied();
        let unit = self.unit();
        self.pass_escape()?;
        Ok(match (letter, unit) {
            (_, Some(high)) => {
                let pair = self.unit().and_then(|low| char::decode_utf16([high, low]).next()?.ok());
                match pair.filter(|character| character.len_utf16() == 2) {
                    Some(character) => {
                        self.at += 6;
                        character
                    }
                    None => char::from_u32(high.into()).unwrap_or(char::REPLACEMENT_CHARACTER),
                }
            }
            (Some(b'b'), _) => '\u{8}',
            (Some(b'f'), _) => '\u{c}',
            (Some(b'n'), _) => '\n',
            (Some(b'r'), _) => '\r',
            (Some(b't'), _) => '\t',
            (other, _) => other.map_or(char::REPLACEMENT_CHARACTER, char::from),
        })
    }

    /// The unit of UTF-16 that is written here as `\u` and four digits.
    fn unit(&self) -> Option<u16> {
        let [b'\\', b'u', digits @ ..] = self.text.as_bytes()[self.at..].first_chunk::<6>()? else {
            return None;
        };
        let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u16::try_from(digit).ok());
        digits.iter().try_fold(0, |unit: u16, &byte| Some(unit << 4 | digit(byte)?))
    }
}

/// Copies so many bytes, and maybe some behind them.
#[inline]
fn copy(from: &[u8], to: &mut [u8], length: usize) {
    match (from.first_chunk::<AT_ONCE>(), to.first_chunk_mut()) {
        (Some(from), Some(to)) if length <= AT_ONCE => *to = *from,
        _ => to[..length].copy_from_slice(&from[..length]),
    }
}
