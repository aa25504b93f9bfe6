//! Operations from JSON: the list form, or the Lisp form as text.

use serde_json::Value as Json;

use super::{BinaryFunction, MAX_OPERATION_DEPTH, Operation, UnaryFunction, text};
use crate::schema::{Quoted, class_of};
use crate::time::parse_number;
use crate::{AggregationMethod, Resolution, SchemaError, Timespan};

/// Why something is no operation. Each has the words of Gnocchi.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OperationError {
    /// The text is no Lisp; where that shows.
    #[error("Fail to parse the operations string")]
    Text(String),
    /// It is none of the operations there are.
    #[error("{0}")]
    Shape(SchemaError),
    /// Operations lie too deep in one another.
    #[error("operations lie in one another more than {MAX_OPERATION_DEPTH} deep")]
    TooDeep,
}

impl Operation {
    /// Reads the list form, `["+", 2, ["metric", "cpu", "mean"]]`, or the Lisp form as one text.
    ///
    /// Numbers may be text. Whether any metric is named is not looked at.
    pub fn from_json(value: &Json) -> Result<Self, OperationError> {
        let list;
        let value = match value {
            Json::String(lisp) => {
                list = text::parse(lisp)?;
                &list
            }
            value => value,
        };
        operation(value, 1)
    }
}

/// An operation: of these, Gnocchi reports what keeps it from being one of series where nothing inside is known better.
fn operation(value: &Json, depth: usize) -> Result<Operation, OperationError> {
    let wrong = |reason: String| OperationError::Shape(SchemaError::new(reason));
    let list = value
        .as_array()
        .ok_or_else(|| wrong(format!("Expected a tuple/list, got a <class '{}'>", class_of(value))))?;
    let (name, arguments) = list.split_first().ok_or_else(|| wrong("Operation must not be empty".into()))?;
    if arguments.is_empty() {
        return Err(wrong("Operation need at least one argument".into()));
    }
    if depth > MAX_OPERATION_DEPTH {
        return Err(OperationError::TooDeep);
    }
    if name == "metric" {
        return metrics(arguments).map(Operation::Metrics).map_err(OperationError::Shape);
    }
    let invalid = || wrong(format!("'{}' operation invalid", Shown(name)));
    let name = name.as_str().ok_or_else(invalid)?;
    known(name, arguments, depth).map_err(|error| error.unwrap_or_else(invalid))
}

/// An operation on others; an error where it can be told what is wrong.
fn known(name: &str, arguments: &[Json], depth: usize) -> Result<Operation, Option<OperationError>> {
    let inner = |value: &Json| operand(value, depth + 1).map(Box::new);
    let function = |value: &Json| value.as_str().and_then(|name| name.parse().ok()).ok_or(None);
    match (name, arguments) {
        ("aggregate", [aggregation, of]) => Ok(Operation::Aggregate(function(aggregation)?, inner(of)?)),
        ("rolling", [aggregation, window, of]) => {
            Ok(Operation::Rolling(function(aggregation)?, window_of(window).ok_or(None)?, inner(of)?))
        }
        ("resample", [method, span, of]) => {
            let method: AggregationMethod =
                method.as_str().and_then(|method| method.parse().ok()).ok_or(None)?;
            let span = timespan(span).ok_or(None)?;
            Ok(Operation::Resample(method, Resolution::Span(span), inner(of)?))
        }
        ("clip", [of, least]) => Ok(Operation::Clip(inner(of)?, inner(least)?, None)),
        ("clip", [of, least, most]) => Ok(Operation::Clip(inner(of)?, inner(least)?, Some(inner(most)?))),
        (_, [one, other]) => {
            let function = BinaryFunction::named(name).ok_or(None)?;
            Ok(Operation::Binary(function, inner(one)?, inner(other)?))
        }
        (_, [of]) => Ok(Operation::Unary(UnaryFunction::named(name).ok_or(None)?, inner(of)?)),
        _ => Err(None),
    }
}

/// An operation or a number. Of an operation that is none, only what is wrong with its metrics is told apart.
fn operand(value: &Json, depth: usize) -> Result<Operation, Option<OperationError>> {
    match value {
        Json::Array(_) => operation(value, depth).map_err(|error| match error {
            OperationError::Shape(error) if error.path.is_empty() => None,
            error => Some(error),
        }),
        value => number(value).map(Operation::Number).ok_or(None),
    }
}

/// `X, aggregate` or `[X, aggregate], …`
fn metrics(arguments: &[Json]) -> Result<Vec<(String, String)>, SchemaError> {
    if let [Json::String(metric), Json::String(aggregation)] = arguments {
        return Ok(vec![(metric.clone(), aggregation.clone())]);
    }
    let pairs = arguments.iter().enumerate().map(|(at, pair)| match pair.as_array().map(Vec::as_slice) {
        Some([Json::String(metric), Json::String(aggregation)]) => Ok((metric.clone(), aggregation.clone())),
        Some([_, _]) => Err(SchemaError::new("expected str").in_index(at)),
        // Gnocchi knows no better.
        _ => Err(SchemaError::new("None").in_index(at)),
    });
    pairs.collect()
}

/// What Python's `float()` makes of it.
fn number(value: &Json) -> Option<f64> {
    match value {
        Json::Number(number) => number.as_f64(),
        Json::String(text) => parse_number(text),
        Json::Bool(bool) => Some(f64::from(u8::from(*bool))),
        _ => None,
    }
}

/// At least one, and what Python's `int()` makes of it.
fn window_of(value: &Json) -> Option<usize> {
    let number = match value {
        Json::String(text) if text.contains(|c: char| c.is_alphabetic() || c == '.') => None,
        value => number(value),
    }?;
    // Of one that is too large to be, all are as good.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it saturates")]
    let window = number.trunc() as usize;
    (number.is_finite() && number >= 1.0).then_some(window)
}

fn timespan(value: &Json) -> Option<Timespan> {
    match value {
        Json::String(text) => Timespan::parse(text).ok(),
        value => Timespan::from_seconds_f64(number(value)?).ok(),
    }
}

/// A value as Python shows it, text at the top without quotes.
struct Shown<'a>(&'a Json);

impl std::fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Json::String(text) => f.write_str(text),
            value => show(value, f),
        }
    }
}

fn show(value: &Json, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
    match value {
        Json::Null => f.write_str("None"),
        Json::Bool(true) => f.write_str("True"),
        Json::Bool(false) => f.write_str("False"),
        Json::Number(number) => write!(f, "{number}"),
        Json::String(text) => write!(f, "{}", Quoted(text)),
        Json::Array(list) => {
            for (at, value) in list.iter().enumerate() {
                f.write_str(if at == 0 { "[" } else { ", " })?;
                show(value, f)?;
            }
            f.write_str(if list.is_empty() { "[]" } else { "]" })
        }
        Json::Object(map) => {
            for (at, (key, value)) in map.iter().enumerate() {
                write!(f, "{}{}: ", if at == 0 { "{" } else { ", " }, Quoted(key))?;
                show(value, f)?;
            }
            f.write_str(if map.is_empty() { "{}" } else { "}" })
        }
    }
}
