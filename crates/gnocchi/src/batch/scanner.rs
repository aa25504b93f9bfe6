//! JSON from the left to the right, nothing of it kept.

use std::borrow::Cow;

/// How deep values may lie in each other that nobody reads.
const DEEPEST: usize = 128;

/// A text that is no JSON.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{expected} expected at byte {at}")]
pub struct NotJson {
    expected: &'static str,
    at: usize,
}

pub(super) type Scan<T> = Result<T, NotJson>;

/// A value that has no parts, or the beginning of one that has.
#[derive(Debug)]
pub(super) enum Token<'a> {
    Null,
    Bool(bool),
    Number(f64),
    String(Cow<'a, str>),
    Array,
    Object,
}

/// Reads a text: JSON, and the numbers `NaN`, `Infinity` and `-Infinity` that Python writes.
pub(super) struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(body: &'a [u8]) -> Scan<Self> {
        match std::str::from_utf8(body) {
            Ok(text) => Ok(Self { text, at: 0 }),
            Err(error) => Err(NotJson { expected: "UTF-8", at: error.valid_up_to() }),
        }
    }

    fn wrong<T>(&self, expected: &'static str) -> Scan<T> {
        Err(NotJson { expected, at: self.at })
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// The next byte that is no white space.
    fn next(&mut self) -> Option<u8> {
        while let Some(byte) = self.peek() {
            if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return Some(byte);
            }
            self.at += 1;
        }
        None
    }

    fn take(&mut self, byte: u8) -> bool {
        let is_there = self.next() == Some(byte);
        self.at += usize::from(is_there);
        is_there
    }

    fn word(&mut self, word: &'static str) -> bool {
        let is_there = self.text.as_bytes()[self.at..].starts_with(word.as_bytes());
        if is_there {
            self.at += word.len();
        }
        is_there
    }

    /// Nothing may follow.
    pub(super) fn end(&mut self) -> Scan<()> {
        if self.next().is_none() { Ok(()) } else { self.wrong("the end") }
    }

    /// The next value; of an array or object only its beginning.
    #[inline]
    pub(super) fn token(&mut self) -> Scan<Token<'a>> {
        match self.next() {
            Some(b'"') => self.string().map(Token::String),
            Some(b'-' | b'0'..=b'9') => self.number().map(Token::Number),
            Some(b'[') => {
                self.at += 1;
                Ok(Token::Array)
            }
            Some(b'{') => {
                self.at += 1;
                Ok(Token::Object)
            }
            Some(b't') if self.word("true") => Ok(Token::Bool(true)),
            Some(b'f') if self.word("false") => Ok(Token::Bool(false)),
            Some(b'n') if self.word("null") => Ok(Token::Null),
            Some(b'N') if self.word("NaN") => Ok(Token::Number(f64::NAN)),
            Some(b'I') if self.word("Infinity") => Ok(Token::Number(f64::INFINITY)),
            _ => self.wrong("a value"),
        }
    }

    /// Whether an array that has begun goes on: `first` until its first element.
    #[inline]
    pub(super) fn goes_on(&mut self, first: &mut bool) -> Scan<bool> {
        if std::mem::take(first) {
            return Ok(!self.take(b']'));
        }
        match self.next() {
            Some(b',') => {
                self.at += 1;
                Ok(true)
            }
            Some(b']') => {
                self.at += 1;
                Ok(false)
            }
            _ => self.wrong("`,' or `]'"),
        }
    }

    /// The next key of an object that has begun: `first` until its first one.
    #[inline]
    pub(super) fn key(&mut self, first: &mut bool) -> Scan<Option<Cow<'a, str>>> {
        let is_first = std::mem::take(first);
        match self.next() {
            Some(b'}') => {
                self.at += 1;
                return Ok(None);
            }
            Some(b',') if !is_first => self.at += 1,
            _ if is_first => {}
            _ => return self.wrong("`,' or `}'"),
        }
        if self.next() != Some(b'"') {
            return self.wrong("a key");
        }
        let key = self.string()?;
        if self.take(b':') { Ok(Some(key)) } else { self.wrong("`:'") }
    }

    /// The text whose quote is next.
    #[inline]
    fn string(&mut self) -> Scan<Cow<'a, str>> {
        let bytes = self.text.as_bytes();
        let start = self.at + 1;
        let mut end = start;
        while let Some(byte) = bytes.get(end) {
            match byte {
                b'"' => {
                    self.at = end + 1;
                    return Ok(Cow::Borrowed(&self.text[start..end]));
                }
                b'\\' => return self.escaped(end),
                _ => end += 1,
            }
        }
        self.wrong("a closing quote")
    }

    /// The text whose quote is next, and which has a backslash there.
    #[cold]
    fn escaped(&mut self, backslash: usize) -> Scan<Cow<'a, str>> {
        let bytes = self.text.as_bytes();
        let mut end = backslash;
        while let Some(byte) = bytes.get(end) {
            match byte {
                b'"' => break,
                b'\\' => end += 2,
                _ => end += 1,
            }
        }
        let quoted = self.text.get(self.at..=end).and_then(|quoted| serde_json::from_str(quoted).ok());
        let Some(text) = quoted else { return self.wrong("a text") };
        self.at = end + 1;
        Ok(Cow::Owned(text))
    }

    #[inline]
    fn number(&mut self) -> Scan<f64> {
        let bytes = self.text.as_bytes();
        let start = self.at;
        let negative = bytes[start] == b'-';
        let mut at = start + usize::from(negative);
        // Digits as one integer, while they fit.
        let (mut digits, mut fits) = (0_u64, true);
        let mut run = |at: &mut usize| {
            let from = *at;
            while let Some(digit @ b'0'..=b'9') = bytes.get(*at) {
                let next = digits.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
                fits &= digits < EXACT / 10;
                digits = next;
                *at += 1;
            }
            *at - from
        };
        let whole = run(&mut at);
        if whole == 0 && negative && self.text[at..].starts_with("Infinity") {
            self.at = at + "Infinity".len();
            return Ok(f64::NEG_INFINITY);
        }
        if whole == 0 || (whole > 1 && bytes[at - whole] == b'0') {
            return self.wrong("a number");
        }
        let mut places = 0;
        if bytes.get(at) == Some(&b'.') {
            at += 1;
            places = run(&mut at);
            if places == 0 {
                return self.wrong("a number");
            }
        }
        let mut has_exponent = false;
        if let Some(b'e' | b'E') = bytes.get(at) {
            has_exponent = true;
            at += 1 + usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
            let from = at;
            while let Some(b'0'..=b'9') = bytes.get(at) {
                at += 1;
            }
            if at == from {
                return self.wrong("a number");
            }
        }
        self.at = at;
        if fits && !has_exponent && places < POWERS.len() {
            // Both are exact, so their quotient is the closest double there is.
            #[expect(clippy::cast_precision_loss, reason = "it is below 2^53")]
            let value = digits as f64 / POWERS[places];
            return Ok(if negative { -value } else { value });
        }
        self.text[start..at].parse().or_else(|_| self.wrong("a number"))
    }

    /// Passes the rest of a value that has begun.
    pub(super) fn skip(&mut self, token: &Token<'_>) -> Scan<()> {
        // Of each array and object that it is in, whether it is an object, and whether it had nothing yet.
        let mut inside = match token {
            Token::Array => vec![(false, true)],
            Token::Object => vec![(true, true)],
            _ => return Ok(()),
        };
        while let Some((is_object, first)) = inside.last_mut() {
            let goes_on = if *is_object { self.key(first)?.is_some() } else { self.goes_on(first)? };
            if !goes_on {
                inside.pop();
                continue;
            }
            match self.token()? {
                Token::Array | Token::Object if inside.len() == DEEPEST => return self.wrong("less depth"),
                Token::Array => inside.push((false, true)),
                Token::Object => inside.push((true, true)),
                _ => {}
            }
        }
        Ok(())
    }
}

/// All integers up to it are doubles.
const EXACT: u64 = 1 << 53;

/// Powers of ten, all of them exact.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19, 1e20, 1e21, 1e22,
];
