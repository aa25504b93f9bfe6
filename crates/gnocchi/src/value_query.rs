//! Which values of series are looked for.

use serde_json::Value as Json;

use crate::schema::{SchemaResult, each};
use crate::{BinaryFunction, SchemaError};

/// How deep conditions may lie in one another.
const MAX_DEPTH: usize = 100;

/// A condition on a value, as `POST /v1/search/metric` takes it: `{"≥": 50}`, `{"and": [{">": 1}, {"<": 5}]}`,
/// `{"=": [{"%": 5}, 0]}`.
#[derive(Clone, Debug, PartialEq)]
pub enum ValueQuery {
    /// A number.
    Number(f64),
    /// The value, and a number.
    OfValue(BinaryFunction, f64),
    /// Two others.
    Of(BinaryFunction, Box<Self>, Box<Self>),
    /// All of them hold.
    All(Vec<Self>),
    /// One of them holds.
    Any(Vec<Self>),
}

/// Why something is no query. Each has the words of Gnocchi.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ValueQueryError {
    /// It has another form.
    #[error("{0}")]
    Shape(SchemaError),
    /// Gnocchi lets it pass, but cannot do it.
    #[error("Unknown operator {0}")]
    UnknownOperator(&'static str),
    /// Conditions lie too deep in one another.
    #[error("conditions lie in one another more than {MAX_DEPTH} deep")]
    TooDeep,
}

impl ValueQuery {
    /// Reads a query.
    pub fn from_json(value: &Json) -> Result<Self, ValueQueryError> {
        if depth(value) > MAX_DEPTH {
            return Err(ValueQueryError::TooDeep);
        }
        let query = condition(value).map_err(ValueQueryError::Shape)?;
        if has_not(value) { Err(ValueQueryError::UnknownOperator("not")) } else { Ok(query) }
    }

    /// Whether it takes a value. What is neither nothing nor false is true.
    pub fn takes(&self, value: f64) -> bool {
        self.evaluate(value) != 0.0
    }

    fn evaluate(&self, value: f64) -> f64 {
        match self {
            Self::Number(number) => *number,
            Self::OfValue(function, number) => function.apply(value, *number),
            Self::Of(function, one, other) => function.apply(one.evaluate(value), other.evaluate(value)),
            Self::All(queries) => f64::from(u8::from(queries.iter().all(|query| query.takes(value)))),
            Self::Any(queries) => f64::from(u8::from(queries.iter().any(|query| query.takes(value)))),
        }
    }
}

/// How many objects lie in one another. Without recursion, for it is not known yet how many.
fn depth(value: &Json) -> usize {
    let mut deepest: usize = 0;
    let mut open = vec![(value, 0)];
    while let Some((value, depth)) = open.pop() {
        deepest = deepest.max(depth);
        match value {
            Json::Array(list) => open.extend(list.iter().map(|value| (value, depth + 1))),
            Json::Object(map) => open.extend(map.values().map(|value| (value, depth + 1))),
            _ => {}
        }
    }
    // A list between two objects is no level of its own.
    deepest.div_ceil(2)
}

fn has_not(value: &Json) -> bool {
    match value {
        Json::Array(list) => list.iter().any(has_not),
        Json::Object(map) => map.contains_key("not") || map.values().any(has_not),
        _ => false,
    }
}

/// The only member of an object.
fn member(value: &Json) -> SchemaResult<(&str, &Json)> {
    let wrong = |reason: &str| Err(SchemaError::new(reason));
    let length = match value {
        Json::Object(map) => map.len(),
        Json::Array(list) => list.len(),
        Json::String(text) => text.chars().count(),
        _ => return wrong("invalid value or type"),
    };
    match length {
        0 => return wrong("length of value must be at least 1"),
        1 => {}
        _ => return wrong("length of value must be at most 1"),
    }
    match value.as_object().and_then(|map| map.iter().next()) {
        Some((name, value)) => Ok((name, value)),
        None => wrong("expected a dictionary"),
    }
}

/// A comparison or calculation, or several of them.
fn condition(value: &Json) -> SchemaResult<ValueQuery> {
    let (name, value) = member(value)?;
    let several: fn(Vec<ValueQuery>) -> ValueQuery = match name {
        "or" | "∨" => ValueQuery::Any,
        // `not` is refused once all the rest is known to be well.
        "and" | "∧" | "not" => ValueQuery::All,
        _ => return calculation(name, value),
    };
    if !value.is_array() {
        return Err(not_valid(name));
    }
    each(value, condition).map(several).map_err(|error| error.in_key(name))
}

/// A comparison or calculation: with a number alone of the value and that, else of two operands.
fn calculation(name: &str, value: &Json) -> SchemaResult<ValueQuery> {
    let function = function(name).ok_or_else(|| not_valid(name))?;
    let expected = || SchemaError::new("expected float").in_key(name);
    if let Some(number) = number(value) {
        return Ok(ValueQuery::OfValue(function, number));
    }
    if !value.is_array() {
        return Err(expected());
    }
    let operands = each(value, operand).map_err(|error| error.in_key(name))?;
    let [one, other] = <[_; 2]>::try_from(operands).map_err(|_| expected())?;
    Ok(ValueQuery::Of(function, Box::new(one), Box::new(other)))
}

fn operand(value: &Json) -> SchemaResult<ValueQuery> {
    if let Some(number) = number(value) {
        return Ok(ValueQuery::Number(number));
    }
    let (name, value) = member(value)?;
    calculation(name, value)
}

fn not_valid(name: &str) -> SchemaError {
    // Said of the key, not of its value.
    SchemaError { path: SchemaError::missing(name).path, reason: "not a valid value".into() }
}

fn number(value: &Json) -> Option<f64> {
    match value {
        Json::Number(number) => number.as_f64(),
        Json::Bool(bool) => Some(f64::from(u8::from(*bool))),
        _ => None,
    }
}

fn function(name: &str) -> Option<BinaryFunction> {
    let function = BinaryFunction::named(name)?;
    let is_known_here =
        !matches!(function, BinaryFunction::ClipMin | BinaryFunction::ClipMax | BinaryFunction::Max);
    is_known_here.then_some(function)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_taken_as_gnocchi_takes_them() {
        for (query, taken, left) in [
            (json!({"=": 12}), 12.0, 13.0),
            (json!({"≥": 12}), 12.5, 11.0),
            (json!({"and": []}), 12.0, f64::INFINITY),
            (json!({"∧": [{"ge": 10}, {"lt": 20.5}]}), 10.0, 20.5),
            (json!({"or": [{"lt": 10}, {"∧": [{"gt": 20}, {"ne": 25}]}]}), 21.0, 25.0),
            (json!({"=": [{"%": 5}, 2]}), 12.0, 13.0),
            (json!({"=": [{"%": 5}, 3]}), -2.0, 2.0),
            (json!({">": [{"+": [{"*": 2}, {"**": 2}]}, 24]}), 5.0, 4.0),
            (json!({"-": 12}), 1.0, 12.0),
            (json!({"=": true}), 1.0, 0.0),
        ] {
            let read = ValueQuery::from_json(&query).unwrap();
            assert!(read.takes(taken), "{query} of {taken}");
            assert!(left.is_infinite() || !read.takes(left), "{query} of {left}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_as_gnocchi_says_it() {
        for (query, error) in [
            (json!({}), "length of value must be at least 1"),
            (json!([]), "length of value must be at least 1"),
            (json!(null), "invalid value or type"),
            (json!("x"), "expected a dictionary"),
            (json!({"=": 1, "<": 2}), "length of value must be at most 1"),
            (json!({"foo": 1}), "not a valid value @ data['foo']"),
            (json!({"max": 1}), "not a valid value @ data['max']"),
            (json!({"=": "x"}), "expected float for dictionary value @ data['=']"),
            (json!({"=": [1]}), "expected float for dictionary value @ data['=']"),
            (json!({"=": [1, 2, 3]}), "expected float for dictionary value @ data['=']"),
            (json!({"=": {"%": 5}}), "expected float for dictionary value @ data['=']"),
            (json!({"=": [1, "x"]}), "expected a dictionary @ data['='][1]"),
            (json!({"=": [1, null]}), "invalid value or type @ data['='][1]"),
            (json!({"=": [[], 1]}), "length of value must be at least 1 @ data['='][0]"),
            (json!({"=": [null, {"foo": 1}]}), "not a valid value @ data['='][1]['foo']"),
            (json!({"=": [1, {"foo": 1}]}), "not a valid value @ data['='][1]['foo']"),
            (json!({"=": [{"and": [{"=": 1}]}, 1]}), "not a valid value @ data['='][0]['and']"),
            (json!({"and": 5}), "not a valid value @ data['and']"),
            (json!({"and": [1]}), "invalid value or type @ data['and'][0]"),
            (
                json!({"or": [{"and": [{"=": "x"}]}]}),
                "expected float for dictionary value @ data['or'][0]['and'][0]['=']",
            ),
            (json!({"not": [{"=": 1}]}), "Unknown operator not"),
            (json!({"not": {"=": 1}}), "not a valid value @ data['not']"),
        ] {
            assert_eq!(ValueQuery::from_json(&query).unwrap_err().to_string(), error, "{query}");
        }
    }

    #[test]
    fn conditions_may_lie_as_deep_in_one_another_as_is_allowed() {
        let nested = |depth| (1..depth).fold(json!({"=": 1}), |inner, _| json!({"and": [inner]}));
        assert!(ValueQuery::from_json(&nested(MAX_DEPTH)).unwrap().takes(1.0));
        assert_eq!(ValueQuery::from_json(&nested(MAX_DEPTH + 1)), Err(ValueQueryError::TooDeep));
    }

    proptest! {
        #[test]
        fn no_body_is_too_strange(text in "[\\[\\]{}\":,0-9a-z=<>%+*≥∧ -]{0,40}", value in any::<f64>()) {
            if let Ok(json) = serde_json::from_str(&text)
                && let Ok(query) = ValueQuery::from_json(&json)
            {
                query.takes(value);
            }
        }
    }
}
