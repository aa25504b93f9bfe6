//! What the bodies of requests say: read by hand, so that what is wrong with them is told in Gnocchi's words.

mod archive_policy;
mod metric;
mod question;
mod resource;
mod resource_type;

use nephoscope_gnocchi::{BatchError, SchemaError, SchemaResult, Timestamp, TimestampError};
use serde_json::{Map, Value};

use super::fault::Fault;

pub(super) use archive_policy::{read_policy, read_policy_change, read_rule, read_rule_name};
pub(super) use metric::{names_without_policy, read_named_metrics, read_new_metric};
pub(super) use question::{Question, read_question, resource_type_of_question};
pub(super) use resource::{read_change, read_resource};
pub(super) use resource_type::{read_patch, read_type};

/// A fault of a body: of its form, or of something that it says.
impl From<SchemaError> for Fault {
    fn from(error: SchemaError) -> Self {
        Self::invalid(error.to_string(), &error.detail())
    }
}

impl From<BatchError> for Fault {
    fn from(error: BatchError) -> Self {
        match error {
            BatchError::Undecodable(error) => Self::undecodable(error.to_string()),
            BatchError::Schema(error) => error.into(),
        }
    }
}

/// Reads JSON.
pub(super) fn parse(bytes: &[u8]) -> Result<Value, Fault> {
    if bytes.is_empty() {
        return Err(Fault::undecodable("Expected object or value"));
    }
    serde_json::from_slice(bytes).map_err(|error| Fault::undecodable(error.to_string()))
}

/// Hands each entry of an object to `take`, which gives nothing for a key that must not be there.
fn fields<'v>(
    json: &'v Value,
    mut take: impl FnMut(&'v str, &'v Value) -> Option<SchemaResult<()>>,
) -> SchemaResult<()> {
    for (key, value) in object(json)? {
        take(key, value).ok_or_else(|| SchemaError::extra(key))?.map_err(|error| error.in_key(key))?;
    }
    Ok(())
}

/// Keeps what was read of a field.
fn keep<T>(place: &mut Option<T>, read: SchemaResult<T>) -> Option<SchemaResult<()>> {
    Some(read.map(|read| *place = Some(read)))
}

fn object(json: &Value) -> SchemaResult<&Map<String, Value>> {
    json.as_object().ok_or_else(|| SchemaError::new("expected a dictionary"))
}

fn text(json: &Value) -> SchemaResult<String> {
    json.as_str().map(str::to_owned).ok_or_else(|| SchemaError::new("expected str"))
}

fn text_or_null(json: &Value) -> SchemaResult<Option<String>> {
    match json {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text.clone())),
        _ => Err(SchemaError::new("not a valid value")),
    }
}

fn boolean(json: &Value) -> SchemaResult<bool> {
    json.as_bool().ok_or_else(|| SchemaError::new("expected bool"))
}

/// A whole number, or what Python's `int` makes one of: digits, and numbers whose fraction is cut off.
fn whole(json: &Value, at_least: i64) -> SchemaResult<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "what is too large becomes the largest")]
    let number = match json {
        Value::Number(number) => number.as_i64().or_else(|| number.as_f64().map(|number| number as i64)),
        Value::String(digits) => digits.trim().parse().ok(),
        Value::Bool(is) => Some(i64::from(*is)),
        _ => None,
    };
    match number {
        None => Err(SchemaError::new("expected int")),
        Some(number) if number < at_least => {
            Err(SchemaError::new(format!("value must be at least {at_least}")))
        }
        Some(number) => Ok(number),
    }
}

/// A moment in any form, to the microsecond.
fn moment(json: &Value, now: Timestamp) -> SchemaResult<Timestamp> {
    let read = match json {
        Value::String(text) => Timestamp::parse(text, now),
        json => number(json).ok_or(TimestampError::Unreadable).and_then(Timestamp::from_seconds_f64),
    };
    read.map(Timestamp::rounded_to_micros).map_err(|error| SchemaError::new(error.to_string()))
}

/// A number. To Python a truth value is one, too.
fn number(json: &Value) -> Option<f64> {
    match json {
        Value::Number(number) => number.as_f64(),
        Value::Bool(is) => Some(f64::from(u8::from(*is))),
        _ => None,
    }
}
