//! Values as users write them in conditions, and the numbers and times they mean.

use nephoscope_gnocchi::{Timespan, Timestamp, Value};

use super::plan::{now, to_micros};

/// As Python's `float`.
pub(super) fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => Some(*number),
        Value::Bool(is) => Some(f64::from(u8::from(*is))),
        Value::String(text) => text.trim().parse().ok(),
        Value::Null => None,
    }
}

/// A moment in any form that measures may have, to the microsecond as resources have their times.
pub(super) fn time(value: &Value) -> Option<Timestamp> {
    let time = match value {
        Value::Number(seconds) => Timestamp::from_seconds_f64(*seconds),
        Value::String(text) => Timestamp::parse(text, now()),
        Value::Null | Value::Bool(_) => return None,
    };
    time.ok().map(to_micros)
}

/// A length of time in seconds.
pub(super) fn span(value: &Value) -> Option<f64> {
    let span = match value {
        Value::Number(seconds) => Timespan::from_seconds_f64(*seconds),
        Value::String(text) => Timespan::parse(text),
        Value::Null | Value::Bool(_) => return None,
    };
    span.ok().map(Timespan::as_seconds)
}
