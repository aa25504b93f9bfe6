//! Values as users write them in conditions, and the numbers and times they mean.

use nephoscope_gnocchi::{Timestamp, Value};

/// As Python's `float`.
pub(super) fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => Some(*number),
        Value::Bool(is) => Some(f64::from(u8::from(*is))),
        Value::String(text) => text.trim().parse().ok(),
        Value::Null => None,
    }
}

/// A moment in any form that measures may have.
pub(super) fn time(value: &Value) -> Option<Timestamp> {
    #[expect(clippy::cast_possible_truncation, reason = "the years to 2262 are within bounds")]
    number(value).map(|seconds| Timestamp::from_nanos((seconds * 1e9) as i64))
}

/// A length of time in seconds.
pub(super) fn span(value: &Value) -> Option<f64> {
    number(value).filter(|seconds| *seconds > 0.0)
}
