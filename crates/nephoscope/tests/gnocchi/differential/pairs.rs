//! What two servers call the same thing, each by a name of its own making: ids of metrics, times of creation, ETags.

use std::collections::HashMap;

use serde_json::{Map, Value};

/// The names of one server, and those of the other.
#[derive(Debug, Default)]
pub(crate) struct Pairs {
    ours: HashMap<String, String>,
    real: HashMap<String, String>,
    /// Pairs that were made in the comparison that is going on.
    new: Vec<(String, String)>,
}

impl Pairs {
    /// A text that holds names of the real one, with ours instead.
    pub(crate) fn to_ours(&self, text: &str) -> String {
        translate(text, &self.ours)
    }

    /// Where two answers that should be the same differ; names that are seen for the first time become a pair, if they do not.
    pub(crate) fn compare(&mut self, real: &Value, ours: &Value) -> Result<(), String> {
        let result = self.compare_at("", real, ours);
        self.keep_new(result.is_ok());
        result
    }

    fn keep_new(&mut self, are_pairs: bool) {
        for (real, ours) in self.new.drain(..).filter(|_| !are_pairs) {
            self.ours.remove(&real);
            self.real.remove(&ours);
        }
    }

    fn compare_at(&mut self, place: &str, real: &Value, ours: &Value) -> Result<(), String> {
        match (real, ours) {
            (Value::Object(one), Value::Object(other)) => {
                let other: Map<_, _> =
                    other.iter().map(|(key, value)| (translate(key, &self.real), value.clone())).collect();
                for (key, value) in one {
                    let Some(found) = other.get(key) else {
                        return Err(format!("{place}/{key}: only the real one has it: {value}"));
                    };
                    self.compare_at(&format!("{place}/{key}"), value, found)?;
                }
                match other.iter().find(|(key, _)| !one.contains_key(*key)) {
                    Some((key, value)) => Err(format!("{place}/{key}: only ours has it: {value}")),
                    None => Ok(()),
                }
            }
            (Value::Array(one), Value::Array(other)) => {
                if one.len() != other.len() {
                    return Err(format!("{place}: {} items, ours {}", one.len(), other.len()));
                }
                for (at, (real, ours)) in one.iter().zip(other).enumerate() {
                    self.compare_at(&format!("{place}/{at}"), real, ours)?;
                }
                Ok(())
            }
            (Value::String(one), Value::String(other)) => {
                self.compare_pieces(one, other).map_err(|()| format!("{place}: {one:?}, ours {other:?}"))
            }
            // What it just took in, Gnocchi tells as it was sent: `2` for what is `2.0` later.
            (Value::Number(one), Value::Number(other)) if one.as_f64() == other.as_f64() => Ok(()),
            (one, other) if one == other => Ok(()),
            (one, other) => Err(format!("{place}: {one}, ours {other}")),
        }
    }

    /// As [`compare`](Self::compare), for texts.
    pub(crate) fn compare_texts(&mut self, real: &str, ours: &str) -> Result<(), ()> {
        let result = self.compare_pieces(real, ours);
        self.keep_new(result.is_ok());
        result
    }

    /// A name that both have is a pair, too: no other is to take its place.
    fn compare_pieces(&mut self, real: &str, ours: &str) -> Result<(), ()> {
        let (one, other) = (pieces(real), pieces(ours));
        if one.len() != other.len() {
            return Err(());
        }
        for (real, ours) in one.into_iter().zip(other) {
            match (real, ours) {
                (Piece::Name(real), Piece::Name(ours)) if real.len() == ours.len() => {
                    match (self.ours.get(real), self.real.get(ours)) {
                        (Some(known), Some(other)) if known == ours && other == real => {}
                        (None, None) => {
                            self.ours.insert(real.to_owned(), ours.to_owned());
                            self.real.insert(ours.to_owned(), real.to_owned());
                            self.new.push((real.to_owned(), ours.to_owned()));
                        }
                        _ => return Err(()),
                    }
                }
                (Piece::Now, Piece::Now) => {}
                (Piece::Text(real), Piece::Text(ours)) if real == ours => {}
                _ => return Err(()),
            }
        }
        Ok(())
    }

    /// A text without the ids in it.
    pub(crate) fn without_names(&self, text: &str) -> String {
        let kept = |piece: Piece<'_>| match piece {
            Piece::Text(text) => text.to_owned(),
            Piece::Name(_) | Piece::Now => String::new(),
        };
        split(text, false).into_iter().map(kept).collect()
    }

    /// One of our texts as the real one has it, and with every name that is not known yet left out: what lists without an order
    /// are put in order by.
    pub(crate) fn sort_key(&self, text: &str) -> String {
        let mut key = String::new();
        for piece in pieces(text) {
            match piece {
                Piece::Name(name) if self.ours.contains_key(name) => key.push_str(name),
                Piece::Name(name) => key.push_str(self.real.get(name).map_or("", String::as_str)),
                Piece::Now => {}
                Piece::Text(text) => key.push_str(text),
            }
        }
        key
    }
}

fn translate(text: &str, names: &HashMap<String, String>) -> String {
    let name = |piece: &Piece<'_>| match *piece {
        Piece::Name(name) => match names.get(&name.to_lowercase()) {
            Some(other) if name.bytes().any(|byte| byte.is_ascii_uppercase()) => other.to_uppercase(),
            other => other.map_or_else(|| name.to_owned(), Clone::clone),
        },
        Piece::Text(text) => text.to_owned(),
        Piece::Now => unreachable!("`pieces` was asked for names only"),
    };
    split(text, false).iter().map(name).collect()
}

enum Piece<'a> {
    /// An id or an ETag.
    Name(&'a str),
    /// A moment since the tests began, which no two servers have to the microsecond.
    Now,
    Text(&'a str),
}

fn pieces(text: &str) -> Vec<Piece<'_>> {
    split(text, true)
}

fn split(text: &str, times: bool) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let (mut start, mut at) = (0, 0);
    while at < text.len() {
        let rest = &text[at..];
        let (length, piece) = match (name(rest), if times { moment(rest) } else { 0 }) {
            (0, 0) => {
                at += rest.chars().next().map_or(1, char::len_utf8);
                continue;
            }
            (0, length) => (length, Piece::Now),
            (length, _) => (length, Piece::Name(&rest[..length])),
        };
        if start < at {
            pieces.push(Piece::Text(&text[start..at]));
        }
        pieces.push(piece);
        at += length;
        start = at;
    }
    if start < text.len() {
        pieces.push(Piece::Text(&text[start..]));
    }
    pieces
}

/// How long the UUID or SHA-1 is that a text begins with.
fn name(text: &str) -> usize {
    let digits =
        |length: usize| text.len() >= length && text.as_bytes()[..length].iter().all(u8::is_ascii_hexdigit);
    let is_uuid = |bytes: &[u8]| {
        bytes.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
    };
    match text.as_bytes().get(..36) {
        Some(bytes) if is_uuid(bytes) => 36,
        _ if digits(40) => 40,
        _ => 0,
    }
}

/// How long the moment of this year or a later one is that a text begins with: everything that tests store is older.
fn moment(text: &str) -> usize {
    const NEWER: &str = "2025";
    let form = "0000-00-00T00:00:00";
    let fits = |(byte, form): (&u8, u8)| if form == b'0' { byte.is_ascii_digit() } else { *byte == form };
    let Some(bytes) = text.as_bytes().get(..form.len()) else { return 0 };
    if !bytes.iter().zip(form.bytes()).all(fits) || &text[..4] < NEWER {
        return 0;
    }
    let rest = &text[form.len()..];
    let fraction =
        rest.strip_prefix('.').map_or(0, |digits| 1 + digits.bytes().take_while(u8::is_ascii_digit).count());
    form.len() + fraction
}
