//! Walks through JSON text.

use std::borrow::Cow;

/// Text that is not JSON, and where it stops being it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem} at byte {at}")]
pub struct InvalidJson {
    /// What was expected.
    pub problem: &'static str,
    /// How many bytes before the place.
    pub at: usize,
}

type Result<T> = std::result::Result<T, InvalidJson>;

/// A place in JSON text, moved on one token or one value at a time.
#[derive(Clone, Debug)]
pub struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

#[derive(Clone, Copy, PartialEq)]
enum Inside {
    Object,
    Array,
}

impl<'a> Scanner<'a> {
    /// At the beginning of the text.
    pub fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// How many bytes were passed.
    pub fn position(&self) -> usize {
        self.at
    }

    /// What was not passed yet.
    pub fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn here(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn fail<T>(&self, problem: &'static str) -> Result<T> {
        Err(InvalidJson { problem, at: self.at })
    }

    /// The next byte that is not white space.
    pub fn peek(&mut self) -> Option<u8> {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.here() {
            self.at += 1;
        }
        self.here()
    }

    /// Passes this byte if it is next.
    pub fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// Passes this byte, which has to be next; `problem` says so otherwise.
    pub fn expect(&mut self, byte: u8, problem: &'static str) -> Result<()> {
        if self.eat(byte) { Ok(()) } else { self.fail(problem) }
    }

    /// Passes a string and returns what it says.
    pub fn string(&mut self) -> Result<Cow<'a, str>> {
        if self.peek() != Some(b'"') {
            return self.fail("expected a string");
        }
        let (start, bytes) = (self.at + 1, self.text.as_bytes());
        let end = start + plain(&bytes[start..]);
        if bytes.get(end) == Some(&b'"') {
            self.at = end + 1;
            return Ok(Cow::Borrowed(&self.text[start..end]));
        }
        self.at = start;
        self.unescape().map(Cow::Owned)
    }

    /// Passes a string, from behind its opening quote, and writes down what it says.
    fn unescape(&mut self) -> Result<String> {
        let bytes = self.text.as_bytes();
        // Always longer than what was written by a word and the longest character.
        let (mut out, mut written) = (vec![0; 64], 0);
        loop {
            if out.len() < written + 16 {
                // No more than all that is left, which is never shorter than what it says.
                out.resize((2 * out.len()).min(written + bytes.len() - self.at + 16), 0);
            }
            let plain = match bytes[self.at..].first_chunk() {
                Some(word) => {
                    out[written..written + 8].copy_from_slice(word);
                    plain_in(*word)
                }
                None => {
                    let rest = &bytes[self.at..];
                    out[written..written + rest.len()].copy_from_slice(rest);
                    plain(rest)
                }
            };
            self.at += plain;
            written += plain;
            match bytes.get(self.at) {
                _ if plain == 8 => {}
                Some(b'"') => {
                    self.at += 1;
                    out.truncate(written);
                    return Ok(String::from_utf8(out).expect("it is text, cut at ASCII"));
                }
                Some(b'\\') => written += self.escape()?.encode_utf8(&mut out[written..]).len(),
                Some(_) => return self.fail("expected no control character in a string"),
                None => return self.fail("expected the end of the string"),
            }
        }
    }

    /// Passes a key of an object and its colon.
    pub fn key(&mut self) -> Result<Cow<'a, str>> {
        let key = self.string()?;
        self.expect(b':', "expected a colon")?;
        Ok(key)
    }

    /// Fails unless only white space is left.
    pub fn end(&mut self) -> Result<()> {
        if self.peek().is_none() { Ok(()) } else { self.fail("expected the end") }
    }

    /// Passes one whole value and returns its text.
    pub fn value(&mut self) -> Result<&'a str> {
        self.peek();
        let start = self.at;
        let mut open: Vec<Inside> = Vec::new();
        loop {
            let entered = match self.peek() {
                Some(b'{') => Some(Inside::Object),
                Some(b'[') => Some(Inside::Array),
                _ => None,
            };
            if let Some(inside) = entered {
                self.at += 1;
                if !self.eat(closing(inside)) {
                    open.push(inside);
                    self.pass_key(inside)?;
                    continue;
                }
            } else {
                self.pass_scalar()?;
            }
            loop {
                let Some(&inside) = open.last() else {
                    return Ok(&self.text[start..self.at]);
                };
                if self.eat(b',') {
                    self.pass_key(inside)?;
                    break;
                }
                self.expect(closing(inside), "expected a comma or the end of the object or array")?;
                open.pop();
            }
        }
    }

    fn pass_key(&mut self, inside: Inside) -> Result<()> {
        if inside == Inside::Array {
            return Ok(());
        }
        if self.peek() != Some(b'"') {
            return self.fail("expected a key in quotes");
        }
        self.pass_string()?;
        self.expect(b':', "expected a colon")
    }

    fn pass_scalar(&mut self) -> Result<()> {
        match self.here() {
            Some(b'"') => self.pass_string(),
            Some(b'-' | b'0'..=b'9') => self.pass_number(),
            Some(_) => self.pass_word(),
            None => self.fail("expected a value, not the end"),
        }
    }

    fn pass_word(&mut self) -> Result<()> {
        let rest = &self.text[self.at..];
        let words = ["null", "true", "false", "NaN", "Infinity", "-Infinity"];
        match words.into_iter().find(|word| rest.starts_with(word)) {
            Some(word) => {
                self.at += word.len();
                Ok(())
            }
            None => self.fail("expected a value"),
        }
    }

    fn pass_number(&mut self) -> Result<()> {
        let start = self.at;
        self.at += usize::from(self.here() == Some(b'-'));
        if self.here() == Some(b'I') {
            self.at = start;
            return self.pass_word();
        }
        if self.here() == Some(b'0') {
            self.at += 1;
        } else {
            self.pass_digits()?;
        }
        if self.here() == Some(b'.') {
            self.at += 1;
            self.pass_digits()?;
        }
        if let Some(b'e' | b'E') = self.here() {
            self.at += 1;
            self.at += usize::from(matches!(self.here(), Some(b'+' | b'-')));
            self.pass_digits()?;
        }
        Ok(())
    }

    fn pass_digits(&mut self) -> Result<()> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.here() {
            self.at += 1;
        }
        if self.at == start { self.fail("expected a digit") } else { Ok(()) }
    }

    /// From the opening quote to behind the closing one.
    fn pass_string(&mut self) -> Result<()> {
        self.at += 1;
        let bytes = self.text.as_bytes();
        loop {
            self.at += plain(&bytes[self.at..]);
            match bytes.get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'\\') => self.pass_escape()?,
                Some(_) => return self.fail("expected no control character in a string"),
                None => return self.fail("expected the end of the string"),
            }
        }
    }

    fn pass_escape(&mut self) -> Result<()> {
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
        let unit = self.unit();
        let letter = self.text.as_bytes().get(self.at + 1).copied();
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

/// How many bytes come before one that means something in a string: a quote, a backslash or a control character.
fn plain(bytes: &[u8]) -> usize {
    let (words, rest) = bytes.as_chunks();
    let mut passed = 0;
    for word in words {
        let plain = plain_in(*word);
        passed += plain;
        if plain < 8 {
            return passed;
        }
    }
    let means_something = |byte: &u8| matches!(byte, b'"' | b'\\' | ..b' ');
    passed + rest.iter().position(means_something).unwrap_or(rest.len())
}

/// As [`plain`], of eight bytes at once.
fn plain_in(word: [u8; 8]) -> usize {
    const LOW: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);
    let word = u64::from_le_bytes(word);
    // The high bit of each byte that is below `limit`, of ASCII and exact up to the first.
    let below = |word: u64, limit: u8| word.wrapping_sub(LOW * u64::from(limit)) & !word & HIGH;
    let equal = |byte: u8| below(word ^ (LOW * u64::from(byte)), 1);
    let found = below(word, b' ') | equal(b'"') | equal(b'\\');
    found.trailing_zeros() as usize / 8
}

fn closing(inside: Inside) -> u8 {
    match inside {
        Inside::Object => b'}',
        Inside::Array => b']',
    }
}
