//! Values as Python's `str` writes them.

use std::borrow::Cow;
use std::fmt::Write;

use nephoscope_telemetry::json::{self, Scanner};

/// A value that is not nested too deep.
#[derive(Clone, Copy)]
pub(super) struct Value<'a>(&'a str);

/// Calls `take` with the keys and values of an object in the order in which they are signed: sorted, those of an object
/// inside with its key and a colon before theirs. Nothing, when it is nested deeper than `depth`.
pub(super) fn signed<'a>(object: &'a str, depth: usize, mut take: impl FnMut(&str, Value<'a>)) -> Option<()> {
    fits(object, depth)?;
    pairs(object, &mut String::new(), &mut take);
    Some(())
}

/// Recurses as deep as [`fits`] allowed.
fn pairs<'a>(object: &'a str, name: &mut String, take: &mut impl FnMut(&str, Value<'a>)) {
    for (key, value) in sorted(object) {
        let length = name.len();
        name.push_str(&key);
        if value.starts_with('{') {
            name.push(':');
            pairs(value, name, take);
        } else {
            take(name, Value(value));
        }
        name.truncate(length);
    }
}

/// The entries of an object by key; of a key given twice the last.
fn sorted(object: &str) -> Vec<(Cow<'_, str>, &str)> {
    let mut entries: Vec<_> = json::entries(object).collect();
    entries.sort_by(|(one, _), (other, _)| one.cmp(other));
    entries.dedup_by(|later, kept| {
        let same = later.0 == kept.0;
        if same {
            kept.1 = later.1;
        }
        same
    });
    entries
}

/// Whether no more than `depth` lists and objects are inside of each other.
fn fits(value: &str, depth: usize) -> Option<()> {
    let (mut open, mut inside_string, mut escaped) = (0_usize, false, false);
    for byte in value.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if inside_string => escaped = true,
            b'"' => inside_string = !inside_string,
            b'[' | b'{' if !inside_string => {
                open += 1;
                if open > depth {
                    return None;
                }
            }
            b']' | b'}' if !inside_string => open = open.saturating_sub(1),
            _ => {}
        }
    }
    Some(())
}

impl Value<'_> {
    /// What `str` makes of it: a text stays itself, a list is written as `repr` does, with its texts as bytes.
    pub(super) fn write(self, out: &mut String) {
        match json::decode(self.0) {
            Some(text) => out.push_str(&text),
            None => write_repr(self.0, out),
        }
    }
}

/// Recurses as deep as [`fits`] allowed.
fn write_repr(value: &str, out: &mut String) {
    match value.as_bytes()[0] {
        b'"' => write_bytes(&json::decode(value).unwrap_or_default(), out),
        b'[' => {
            out.push('[');
            let mut scanner = Scanner::new(&value[1..]);
            let mut first = true;
            while scanner.peek() != Some(b']') {
                if !first {
                    scanner.eat(b',');
                    out.push_str(", ");
                }
                first = false;
                let Ok(item) = scanner.value() else { break };
                write_repr(item, out);
            }
            out.push(']');
        }
        b'{' => {
            out.push('{');
            for (number, (key, item)) in sorted(value).into_iter().enumerate() {
                out.push_str(if number == 0 { "" } else { ", " });
                write_bytes(&key, out);
                out.push_str(": ");
                write_repr(item, out);
            }
            out.push('}');
        }
        b'n' => out.push_str("None"),
        b't' => out.push_str("True"),
        b'f' => out.push_str("False"),
        _ => write_number(value, out),
    }
}

/// A text encoded as UTF-8, as `repr` writes bytes.
fn write_bytes(text: &str, out: &mut String) {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    out.push('b');
    out.push(quote);
    for byte in text.bytes() {
        match byte {
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            byte if char::from(byte) == quote => {
                out.push('\\');
                out.push(quote);
            }
            b' '..=b'~' => out.push(char::from(byte)),
            other => write!(out, "\\x{other:02x}").expect("a String takes all"),
        }
    }
    out.push(quote);
}

fn write_number(number: &str, out: &mut String) {
    match number {
        "NaN" => out.push_str("nan"),
        "Infinity" => out.push_str("inf"),
        "-Infinity" => out.push_str("-inf"),
        // An integer has no sign of its own where it is zero.
        "-0" => out.push('0'),
        _ if number.contains(['.', 'e', 'E']) => match number.parse() {
            Ok(float) => write_float(float, out),
            Err(_) => out.push_str(number),
        },
        _ => out.push_str(number),
    }
}

/// The shortest digits that mean this float: as they are from 0.0001 up to 1e16, with an exponent of at least two digits
/// outside of that.
fn write_float(float: f64, out: &mut String) {
    if float.is_infinite() {
        return out.push_str(if float > 0.0 { "inf" } else { "-inf" });
    }
    let magnitude = float.abs();
    if magnitude == 0.0 || (1e-4..1e16).contains(&magnitude) {
        return write!(out, "{float:?}").expect("a String takes all");
    }
    let scientific = format!("{float:e}");
    let (digits, exponent) = scientific.split_once('e').expect("it was written with an exponent");
    let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |exponent| ('-', exponent));
    write!(out, "{digits}e{sign}{exponent:0>2}").expect("a String takes all");
}
