//! JSON as Python writes it, kept as text.
//!
//! OSProfiler's notifications come from Python's `json` module: bare `NaN`, `Infinity` and `-Infinity`, integers of
//! any size, and `\ud800` without its second half are all in use, and none of them survives an ordinary parser. What
//! a service put into `info` is nobody's to change, so a value is checked and kept as [`Json`], the text it was.
//!
//! Nothing here recurses: a value may be nested as deep as its text is long.

mod items;
mod marks;
mod scanner;
mod text;

use std::fmt;

use memchr::memmem;

pub use items::{BrokenArray, Items, Passed, items, items_at};
pub use scanner::{InvalidJson, Scanner};
pub(crate) use text::write_escaped;
pub use text::{decode, standard, write_string};

/// One JSON value as its text, on one line.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Json(Box<str>);

impl Json {
    /// The value of this text, which has to hold one value and nothing else but white space.
    pub fn parse(text: &str) -> Result<Self, InvalidJson> {
        let mut scanner = Scanner::new(text);
        let value = scanner.value()?;
        scanner.end()?;
        Ok(Self::from_checked(value))
    }

    /// Takes a text that was just written as one value on one line, and spares looking at it again. To call it with
    /// another text is a mistake that shows only later, so where assertions are checked it panics.
    pub fn written(text: &str) -> Self {
        debug_assert!(Self::parse(text).is_ok_and(|json| *json.0 == *text), "not JSON: {text}");
        Self(text.into())
    }

    /// A JSON string holding this text.
    pub fn string(text: &str) -> Self {
        let mut quoted = String::with_capacity(text.len() + 2);
        write_string(&mut quoted, text);
        Self(quoted.into())
    }

    /// `{}`.
    pub fn empty_object() -> Self {
        Self("{}".into())
    }

    /// Takes a text that a [`Scanner`] returned as a value. Line breaks and tabs are dropped: they can only stand
    /// between tokens, and a value on one line can be a line of a JSON lines file.
    pub(crate) fn from_checked(value: &str) -> Self {
        if value.bytes().any(|byte| matches!(byte, b'\n' | b'\r' | b'\t')) {
            Self(value.replace(['\n', '\r', '\t'], "").into())
        } else {
            Self(value.into())
        }
    }

    /// As [`from_checked`](Self::from_checked), of a text that has no line breaks and tabs.
    pub(crate) fn on_one_line(value: &str) -> Self {
        Self(value.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is an object.
    pub fn is_object(&self) -> bool {
        self.0.starts_with('{')
    }

    /// The value of a key, when this is an object that has it. Of a key given twice the last counts, as in Python.
    pub fn get(&self, key: &str) -> Option<&str> {
        if !self.may_have(key) {
            return None;
        }
        let mut found = None;
        for (name, value) in entries(&self.0) {
            if name == key {
                found = Some(value);
            }
        }
        found
    }

    /// Whether a key may be somewhere in it. Most points are asked for what they do not have, and to search a text is much
    /// faster than to walk through it. Without an escape a key can only be spelled as it is.
    fn may_have(&self, key: &str) -> bool {
        let text = self.0.as_bytes();
        memmem::find(text, key.as_bytes()).is_some() || memchr::memchr(b'\\', text).is_some()
    }

    /// The value of a key as text, when it is a string.
    pub fn get_str(&self, key: &str) -> Option<std::borrow::Cow<'_, str>> {
        self.get(key).and_then(decode)
    }
}

/// The keys and values of an object, in order; nothing when the text is no object.
pub fn entries(object: &str) -> Entries<'_> {
    let mut scanner = Scanner::new(object);
    let open = scanner.eat(b'{');
    Entries { scanner, open, first: true }
}

/// The iterator of [`entries`]. It ends at the first thing that is not JSON.
#[derive(Debug)]
pub struct Entries<'a> {
    scanner: Scanner<'a>,
    open: bool,
    first: bool,
}

impl<'a> Iterator for Entries<'a> {
    type Item = (std::borrow::Cow<'a, str>, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        if !self.open {
            return None;
        }
        self.open = false;
        let separated = std::mem::take(&mut self.first) || self.scanner.eat(b',');
        if !separated || self.scanner.peek() == Some(b'}') {
            return None;
        }
        let key = self.scanner.key().ok()?;
        let value = self.scanner.value().ok()?;
        self.open = true;
        Some((key, value))
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests;
