//! A value of a resource's attribute, in the order in which lists and ranges have it.

use std::cmp::Ordering;
use std::sync::Arc;

use nephoscope_gnocchi::{AttributeValue, Timestamp};
use uuid::Uuid;

/// A value. Those of one kind are ordered; those of different kinds never meet in a column, but for [`Null`](Self::Null).
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Number(f64),
    Time(Timestamp),
    Text(Arc<str>),
    Uuid(Uuid),
}

impl Value {
    /// Less than every other value.
    pub(crate) const LEAST: Self = Self::Null;

    pub(crate) fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    pub(crate) fn text(text: Option<&Arc<str>>) -> Self {
        text.map_or(Self::Null, |text| Self::Text(text.clone()))
    }

    pub(crate) fn time(time: Option<Timestamp>) -> Self {
        time.map_or(Self::Null, Self::Time)
    }

    fn kind(&self) -> u8 {
        match self {
            Self::Null => 0,
            Self::Bool(_) => 1,
            Self::Number(_) => 2,
            Self::Time(_) => 3,
            Self::Text(_) => 4,
            Self::Uuid(_) => 5,
        }
    }
}

impl Ord for Value {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Bool(one), Self::Bool(other)) => one.cmp(other),
            // The same number in both of its signs, as databases have it.
            (Self::Number(one), Self::Number(other)) => (one + 0.0).total_cmp(&(other + 0.0)),
            (Self::Time(one), Self::Time(other)) => one.cmp(other),
            (Self::Text(one), Self::Text(other)) => one.cmp(other),
            (Self::Uuid(one), Self::Uuid(other)) => one.cmp(other),
            (one, other) => one.kind().cmp(&other.kind()),
        }
    }
}

impl PartialOrd for Value {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Value {}

impl From<&AttributeValue> for Value {
    fn from(value: &AttributeValue) -> Self {
        match value {
            AttributeValue::Null => Self::Null,
            AttributeValue::String(text) => Self::Text(text.as_str().into()),
            AttributeValue::Uuid(uuid) => Self::Uuid(*uuid),
            AttributeValue::Number(number) => Self::Number(*number),
            AttributeValue::Bool(is) => Self::Bool(*is),
            AttributeValue::Datetime(time) => Self::Time(*time),
        }
    }
}

impl From<&Value> for AttributeValue {
    fn from(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Text(text) => Self::String(text.to_string()),
            Value::Uuid(uuid) => Self::Uuid(*uuid),
            Value::Number(number) => Self::Number(*number),
            Value::Bool(is) => Self::Bool(*is),
            Value::Time(time) => Self::Datetime(*time),
        }
    }
}
