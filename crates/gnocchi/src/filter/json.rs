//! Filters as JSON: one operator an object, as `{"and": [{"=": {"host": "a"}}, {"in": {"flavor": [1, 2]}}]}`.

use serde_json::{Map, Value as Json, json};

use super::{Comparison, Filter, Value};
use crate::schema::{SchemaError, SchemaResult, each, object, text};

/// How deep conditions may lie in each other: as deep as JSON may that `serde_json` reads, each being an array in an
/// object.
pub(super) const DEEPEST: usize = 64;

/// The operators of comparison, by all their names; the first of each is written.
const COMPARISONS: [(Comparison, &[&str]); 6] = [
    (Comparison::Equal, &["=", "==", "eq"]),
    (Comparison::Less, &["<", "lt"]),
    (Comparison::Greater, &[">", "gt"]),
    (Comparison::LessOrEqual, &["<=", "≤", "le"]),
    (Comparison::GreaterOrEqual, &[">=", "≥", "ge"]),
    (Comparison::NotEqual, &["!=", "≠", "ne"]),
];

pub(super) fn comparison(name: &str) -> Option<Comparison> {
    COMPARISONS.iter().find(|(_, names)| names.contains(&name)).map(|(comparison, _)| *comparison)
}

fn name(comparison: Comparison) -> &'static str {
    COMPARISONS.iter().find(|(known, _)| *known == comparison).map_or("", |(_, names)| names[0])
}

impl Filter {
    /// Reads a filter. `{}` takes all.
    pub fn from_json(json: &Json) -> SchemaResult<Self> {
        read(json, DEEPEST)
    }

    /// As [`from_json`](Self::from_json) reads it.
    pub fn to_json(&self) -> Json {
        match self {
            Self::Compare(comparison, attribute, value) => {
                object_of(name(*comparison), attribute, value.to_json())
            }
            Self::In(attribute, values) => {
                object_of("in", attribute, values.iter().map(Value::to_json).collect())
            }
            Self::Like(attribute, pattern) => object_of("like", attribute, pattern.as_str().into()),
            // No condition at all; Gnocchi refuses an empty list.
            Self::And(filters) if filters.is_empty() => json!({}),
            Self::And(filters) => json!({"and": filters.iter().map(Self::to_json).collect::<Vec<_>>()}),
            Self::Or(filters) => json!({"or": filters.iter().map(Self::to_json).collect::<Vec<_>>()}),
            Self::Not(filter) => json!({"not": filter.to_json()}),
        }
    }
}

fn object_of(operator: &str, attribute: &str, value: Json) -> Json {
    let inner = Map::from_iter([(attribute.to_owned(), value)]);
    Json::Object(Map::from_iter([(operator.to_owned(), Json::Object(inner))]))
}

impl Value {
    fn to_json(&self) -> Json {
        match self {
            Self::Null => Json::Null,
            Self::Bool(value) => (*value).into(),
            Self::Number(number) => (*number).into(),
            Self::String(text) => text.as_str().into(),
        }
    }

    fn from_json(json: &Json) -> SchemaResult<Self> {
        match json {
            Json::Null => Ok(Self::Null),
            Json::Bool(value) => Ok(Self::Bool(*value)),
            Json::Number(number) => Ok(Self::Number(number.as_f64().unwrap_or(f64::NAN))),
            Json::String(text) => Ok(Self::String(text.clone())),
            Json::Array(_) | Json::Object(_) => Err(SchemaError::new("expected str")),
        }
    }
}

fn read(json: &Json, depth: usize) -> SchemaResult<Filter> {
    if depth == 0 {
        return Err(SchemaError::new("conditions lie too deep in each other"));
    }
    let Some((operator, operand)) = only_entry(json, 0)? else { return Ok(Filter::And(Vec::new())) };
    let read = match operator.as_str() {
        "and" | "∧" => conditions(operand, depth).map(Filter::And),
        "or" | "∨" => conditions(operand, depth).map(Filter::Or),
        "not" => read(operand, depth - 1).map(|filter| Filter::Not(Box::new(filter))),
        "in" => attribute(operand, values).map(|(name, values)| Filter::In(name, values)),
        "like" => attribute(operand, pattern).map(|(name, pattern)| Filter::Like(name, pattern)),
        other => match comparison(other) {
            Some(comparison) => {
                attribute(operand, value).map(|(name, value)| Filter::Compare(comparison, name, value))
            }
            None => {
                let path = vec![crate::PathItem::Key(operator.clone())];
                return Err(SchemaError { reason: "not a valid value".into(), path });
            }
        },
    };
    read.map_err(|error| error.in_key(operator))
}

/// The one entry of an object; of an object that may be empty, nothing.
fn only_entry(json: &Json, least: usize) -> SchemaResult<Option<(&String, &Json)>> {
    let length = match json {
        Json::Object(object) => object.len(),
        Json::Array(array) => array.len(),
        Json::String(text) => text.chars().count(),
        Json::Null | Json::Bool(_) | Json::Number(_) => {
            return Err(SchemaError::new("invalid value or type"));
        }
    };
    if length < least {
        return Err(SchemaError::new("length of value must be at least 1"));
    }
    if length > 1 {
        return Err(SchemaError::new("length of value must be at most 1"));
    }
    Ok(object(json)?.iter().next())
}

fn conditions(json: &Json, depth: usize) -> SchemaResult<Vec<Filter>> {
    let conditions = each(json, |condition| read(condition, depth - 1))?;
    not_empty(conditions)
}

fn not_empty<T>(list: Vec<T>) -> SchemaResult<Vec<T>> {
    if list.is_empty() { Err(SchemaError::new("length of value must be at least 1")) } else { Ok(list) }
}

/// An attribute, and what `read` makes of the value for it.
fn attribute<T>(json: &Json, read: impl Fn(&str, &Json) -> SchemaResult<T>) -> SchemaResult<(String, T)> {
    let Some((name, value)) = only_entry(json, 1)? else {
        return Err(SchemaError::new("expected a dictionary"));
    };
    match read(name, value) {
        Ok(read) => Ok((name.clone(), read)),
        Err(error) if error.reason == NO_ID => {
            Err(SchemaError { reason: error.reason, path: vec![crate::PathItem::Key(name.clone())] })
        }
        Err(error) => Err(error.in_key(name)),
    }
}

fn value(name: &str, json: &Json) -> SchemaResult<Value> {
    if name == "id" {
        crate::resource_uuid(text(json)?, &crate::Creator::default())?;
    }
    Value::from_json(json)
}

fn values(name: &str, json: &Json) -> SchemaResult<Vec<Value>> {
    let values = each(json, |json| value(name, json))?;
    not_empty(values)
}

const NO_ID: &str = "value must not be one of ['id']";

fn pattern(name: &str, json: &Json) -> SchemaResult<String> {
    if name == "id" {
        return Err(SchemaError::new(NO_ID));
    }
    match json {
        // They are compared as the text that Python makes of them.
        Json::Bool(is) => Ok(if *is { "True" } else { "False" }.to_owned()),
        Json::Number(_) => Ok(json.to_string()),
        other => text(other).map(str::to_owned),
    }
}
