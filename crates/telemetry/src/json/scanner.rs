//! Walks through JSON text.

mod escapes;

use std::borrow::Cow;

use super::marks::Marks;

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
    marks: Marks,
}

#[derive(Clone, Copy, PartialEq)]
enum Inside {
    Object,
    Array,
}

impl<'a> Scanner<'a> {
    /// At the beginning of the text.
    pub fn new(text: &'a str) -> Self {
        Self { text, at: 0, marks: Marks::default() }
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
        self.at += 1;
        let start = self.at;
        self.pass_plain();
        if self.here() == Some(b'"') {
            let end = self.at;
            self.at += 1;
            return Ok(Cow::Borrowed(&self.text[start..end]));
        }
        self.at = start;
        self.unescape().map(Cow::Owned)
    }

    /// Passes what stands for itself in a string.
    fn pass_plain(&mut self) {
        self.at = self.marks.next(self.text.as_bytes(), self.at);
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
    ///
    /// All that passes a part of it is one function with it: so the place stays in a register, which takes a fifth of the time off.
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

    #[inline(always)]
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

    #[inline(always)]
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
    #[inline(always)]
    fn pass_string(&mut self) -> Result<()> {
        self.at += 1;
        loop {
            self.pass_plain();
            match self.here() {
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
}

fn closing(inside: Inside) -> u8 {
    match inside {
        Inside::Object => b'}',
        Inside::Array => b']',
    }
}
