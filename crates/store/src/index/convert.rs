//! Values as users write them in conditions, and the numbers and times they mean.

use nephoscope_gnocchi::{Timespan, Timestamp, Value};

use super::plan::now;

/// As Python's `float`.
pub(super) fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => Some(*number),
        Value::Bool(is) => Some(f64::from(u8::from(*is))),
        Value::String(text) => text.trim().parse().ok(),
        Value::Null => None,
    }
}

/// A text that PostgreSQL, on which Gnocchi keeps its index, takes for true or false: the beginning of a word that is no
/// other's, too.
pub(super) fn truth(text: &str) -> Option<bool> {
    let text = text.trim().to_ascii_lowercase();
    let begins = |word: &str, least: usize| text.len() >= least && word.starts_with(&text);
    if begins("true", 1) || begins("yes", 1) || begins("on", 2) || text == "1" {
        Some(true)
    } else if begins("false", 1) || begins("no", 1) || begins("off", 2) || text == "0" {
        Some(false)
    } else {
        None
    }
}

/// A moment in any form that measures may have, to the microsecond as resources have their times. To Python a truth value is a
/// number.
pub(super) fn time(value: &Value) -> Option<Timestamp> {
    let time = match value {
        Value::Number(seconds) => Timestamp::from_seconds_f64(*seconds),
        Value::Bool(is) => Timestamp::from_seconds_f64(f64::from(u8::from(*is))),
        Value::String(text) => Timestamp::parse(text, now()),
        Value::Null => return None,
    };
    time.ok().map(Timestamp::rounded_to_micros)
}

/// A length of time in seconds.
pub(super) fn span(value: &Value) -> Option<f64> {
    let span = match value {
        Value::Number(seconds) => Timespan::from_seconds_f64(*seconds),
        Value::Bool(is) => Timespan::from_seconds_f64(f64::from(u8::from(*is))),
        Value::String(text) => Timespan::parse(text),
        Value::Null => return None,
    };
    span.ok().map(Timespan::as_seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn truth_is_what_postgresql_takes_for_it() {
        for text in ["true", "T", " yes ", "y", "ON", "1", "tru"] {
            assert_eq!(truth(text), Some(true), "{text}");
        }
        for text in ["false", "F", "no", "n", "off", "of", "0"] {
            assert_eq!(truth(text), Some(false), "{text}");
        }
        for text in ["", "o", "2", "truely", "maybe", "10"] {
            assert_eq!(truth(text), None, "{text}");
        }
    }
}
