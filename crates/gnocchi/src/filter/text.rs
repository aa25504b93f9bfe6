//! Filters as text: `server_group = "a" and not (display_name like "%b" or id in [c, d])`.

use std::fmt;
use std::mem;

use serde_json::{Value as Json, json};

use super::Filter;
use super::json::{DEEPEST, comparison};
use crate::SchemaError;

/// Why a text is no filter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// It cannot be read.
    #[error("Invalid filter: {0}")]
    Text(Unexpected),
    /// It can be read, and what it says makes no sense.
    #[error(transparent)]
    Schema(#[from] SchemaError),
}

/// What was expected at some place of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unexpected {
    /// In words.
    pub expected: &'static str,
    /// At this character, counted from 0.
    pub at: usize,
    /// The word that is there; empty at the end.
    pub found: String,
}

impl fmt::Display for Unexpected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { expected, at, found } = self;
        match found.as_str() {
            "" => write!(f, "Expected {expected}, found end of text")?,
            found => write!(f, "Expected {expected}, found '{found}'")?,
        }
        write!(f, "  (at char {at})")
    }
}

impl Filter {
    /// Reads a filter as the query parameter `filter` has it. `not` binds closest, then `and`, then `or`; `∧` and `∨` are
    /// other names of them, and bind a little less. A value is quoted by `"` or `'`, or is a word, a number, a UUID, `true`, `false` or `none`.
    pub fn from_text(text: &str) -> Result<Self, FilterError> {
        let mut reader = Reader { text, rest: text };
        let filter = reader.any(DEEPEST).map_err(FilterError::Text)?;
        reader.skip_space();
        if !reader.rest.is_empty() {
            return Err(FilterError::Text(reader.unexpected("end of text")));
        }
        Ok(Self::from_json(&filter)?)
    }
}

/// Makes the filter's JSON, whose checks are then the same.
struct Reader<'a> {
    text: &'a str,
    rest: &'a str,
}

type Read = Result<Json, Unexpected>;

impl<'a> Reader<'a> {
    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
    }

    fn unexpected(&self, expected: &'static str) -> Unexpected {
        let at = self.text[..self.text.len() - self.rest.len()].chars().count();
        let word = self.rest.find(|c: char| !is_word(c)).unwrap_or(self.rest.len());
        let end = if word == 0 { self.rest.chars().next().map_or(0, char::len_utf8) } else { word };
        Unexpected { expected, at, found: self.rest[..end].into() }
    }

    /// One of these, wherever it ends.
    fn take(&mut self, tokens: &[&'static str]) -> Option<&'static str> {
        self.skip_space();
        let token = tokens.iter().find(|token| self.rest.starts_with(**token))?;
        self.rest = &self.rest[token.len()..];
        Some(token)
    }

    /// The word `word`, and not the beginning of a longer one.
    fn take_word(&mut self, word: &str) -> bool {
        self.skip_space();
        match self.rest.strip_prefix(word) {
            Some(rest) if !rest.starts_with(is_word) => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    /// What binds least comes first: `∨`, `or`, `∧`, `and`.
    fn any(&mut self, depth: usize) -> Read {
        self.chain("∨", depth, |reader, depth| {
            reader.chain("or", depth, |reader, depth| {
                reader.chain("∧", depth, |reader, depth| reader.chain("and", depth, Self::condition))
            })
        })
    }

    /// Conditions with an operator between them. Gnocchi puts them together from the last to the first, which shows in what it says
    /// of those that are wrong.
    fn chain(&mut self, operator: &'static str, depth: usize, read: fn(&mut Self, usize) -> Read) -> Read {
        let (mut earlier, mut whole) = (Vec::new(), read(self, depth)?);
        while self.take(&[operator]).is_some() {
            earlier.push(mem::replace(&mut whole, Json::Null));
            whole = read(self, depth)?;
        }
        while let Some(condition) = earlier.pop() {
            match whole.get_mut(operator).and_then(Json::as_array_mut) {
                Some(conditions) => conditions.push(condition),
                None => whole = json!({ operator: [whole, condition] }),
            }
        }
        Ok(whole)
    }

    fn condition(&mut self, depth: usize) -> Read {
        let Some(depth) = depth.checked_sub(1) else {
            return Err(self.unexpected("conditions less deep in each other"));
        };
        let before = self.rest;
        if self.take_word("not") {
            self.skip_space();
            // An attribute may be called so.
            if !self.rest.starts_with(['=', '!', '<', '>', '≠', '≤', '≥']) {
                return Ok(json!({"not": self.condition(depth)?}));
            }
            self.rest = before;
        }
        if self.take(&["("]).is_some() {
            let inner = self.any(depth)?;
            return match self.take(&[")"]) {
                Some(_) => Ok(inner),
                None => Err(self.unexpected("`)'")),
            };
        }
        self.comparison()
    }

    fn comparison(&mut self) -> Read {
        self.skip_space();
        let before = self.rest;
        let Json::String(attribute) = self.value()? else {
            self.rest = before;
            return Err(self.unexpected("an attribute"));
        };
        // In this order; `==` is an operator of JSON alone.
        const OPERATORS: [&str; 17] = [
            ">=", "<=", "!=", ">", "<", "=", "eq", "ne", "lt", "gt", "ge", "le", "in", "like", "≠", "≥", "≤",
        ];
        let Some(operator) = self.take(&OPERATORS) else { return Err(self.unexpected("an operator")) };
        self.skip_space();
        let value = if self.rest.starts_with('[') { self.list()? } else { self.value()? };
        debug_assert!(comparison(operator).is_some() || ["in", "like"].contains(&operator));
        Ok(json!({ operator: { attribute: value } }))
    }

    fn list(&mut self) -> Read {
        self.take(&["["]);
        let mut values = Vec::new();
        if self.take(&["]"]).is_some() {
            return Ok(Json::Array(values));
        }
        loop {
            values.push(self.value()?);
            match self.take(&[",", "]"]) {
                Some(",") => {}
                Some(_) => return Ok(Json::Array(values)),
                None => return Err(self.unexpected("`,' or `]'")),
            }
        }
    }

    fn value(&mut self) -> Read {
        self.skip_space();
        match self.rest.chars().next() {
            Some(quote @ ('"' | '\'')) => self.quoted(quote),
            Some(c) if c.is_ascii_alphanumeric() || matches!(c, '+' | '-') => self.bare(),
            _ => Err(self.unexpected("a value")),
        }
    }

    fn quoted(&mut self, quote: char) -> Read {
        let inner = &self.rest[1..];
        match inner.find([quote, '\n', '\r']) {
            Some(end) if inner[end..].starts_with(quote) => {
                self.rest = &inner[end + 1..];
                Ok(inner[..end].into())
            }
            _ => Err(self.unexpected("a closing quote")),
        }
    }

    /// A UUID, a word or a number.
    fn bare(&mut self) -> Read {
        if let Some(length) = uuid_length(self.rest) {
            return Ok(self.split(length).into());
        }
        if self.rest.starts_with(|c: char| c.is_ascii_alphabetic()) {
            let end = self.rest.find(|c| !is_word(c)).unwrap_or(self.rest.len());
            return Ok(match self.split(end) {
                "None" | "none" | "null" => Json::Null,
                "True" | "true" => true.into(),
                "False" | "false" => false.into(),
                word => word.into(),
            });
        }
        let length = number_length(self.rest);
        match self.rest[..length].parse::<f64>() {
            Ok(number) if number.is_finite() => {
                self.rest = &self.rest[length..];
                Ok(number.into())
            }
            _ => Err(self.unexpected("a value")),
        }
    }

    fn split(&mut self, length: usize) -> &'a str {
        let (text, rest) = self.rest.split_at(length);
        self.rest = rest;
        text
    }
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// Length of the UUID that a text begins with: its groups parted by dashes, or not.
fn uuid_length(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 0;
    for (place, digits) in [8, 4, 4, 4, 12].into_iter().enumerate() {
        if place > 0 && bytes.get(at) == Some(&b'-') {
            at += 1;
        }
        let group = bytes.get(at..at + digits)?;
        if !group.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        at += digits;
    }
    Some(at)
}

/// Length of the number that a text may begin with.
fn number_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let digits = |from: usize| bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut at = usize::from(matches!(bytes.first(), Some(b'+' | b'-')));
    at += digits(at);
    if bytes.get(at) == Some(&b'.') {
        at += 1;
        at += digits(at);
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
        match digits(at + 1 + sign) {
            0 => {}
            exponent => at += 1 + sign + exponent,
        }
    }
    at
}
