//! Values, and what Python does with them.

use std::borrow::Cow;
use std::cmp::Ordering;

use nephoscope_telemetry::json::{self, Scanner};

use super::node::{Comparison, Literal, Operator};
use super::number::write_float;
use super::text::{MAX_TEXT, matches_from_start};
use crate::keys::text_of;

/// The most elements that an operation may make of an array.
const MAX_ELEMENTS: usize = 1 << 16;
/// How deep two values are compared.
const MAX_COMPARED_DEPTH: usize = 64;

/// What a path finds: a value of the document, or one that was calculated.
#[derive(Clone, Debug)]
pub enum Value<'a> {
    /// A value of the document, as its text.
    Json(&'a str),
    /// A text.
    Text(Cow<'a, str>),
    /// A whole number.
    Integer(i128),
    /// A number.
    Float(f64),
    /// An array.
    Array(Vec<Value<'a>>),
}

/// A value by its kind.
pub(super) enum Kind<'v> {
    Null,
    Bool(bool),
    Number(Number),
    Text(Cow<'v, str>),
    Array,
    Object,
}

/// A number as Python has it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Number {
    Integer(i128),
    Float(f64),
}

impl Number {
    #[expect(clippy::cast_precision_loss, reason = "Python converts so, too")]
    pub(super) fn as_float(self) -> f64 {
        match self {
            Self::Integer(integer) => integer as f64,
            Self::Float(float) => float,
        }
    }

    /// A number that does not fit becomes the nearest double.
    fn parse(text: &str) -> Self {
        match text {
            "NaN" => Self::Float(f64::NAN),
            "Infinity" => Self::Float(f64::INFINITY),
            "-Infinity" => Self::Float(f64::NEG_INFINITY),
            _ => match text.parse() {
                Ok(integer) => Self::Integer(integer),
                Err(_) => Self::Float(text.parse().unwrap_or(f64::NAN)),
            },
        }
    }

    pub(super) fn compare(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Integer(left), Self::Integer(right)) => Some(left.cmp(&right)),
            _ => self.as_float().partial_cmp(&other.as_float()),
        }
    }
}

impl<'a> Value<'a> {
    /// As JSON, in the dialect that Python writes.
    pub fn to_json(&self) -> Cow<'a, str> {
        match self {
            Self::Json(text) => Cow::Borrowed(text),
            other => {
                let mut out = String::new();
                other.write_json(&mut out);
                Cow::Owned(out)
            }
        }
    }

    fn write_json(&self, out: &mut String) {
        match self {
            Self::Json(text) => out.push_str(text),
            Self::Text(text) => json::write_string(out, text),
            Self::Integer(integer) => out.push_str(&integer.to_string()),
            Self::Float(float) => write_float(*float, out),
            Self::Array(elements) => {
                out.push('[');
                for (nth, element) in elements.iter().enumerate() {
                    out.push_str(if nth > 0 { ", " } else { "" });
                    element.write_json(out);
                }
                out.push(']');
            }
        }
    }

    /// Whether it is `null`.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Json("null"))
    }

    /// What it says, when it is a text.
    pub fn as_text(&self) -> Option<Cow<'_, str>> {
        match self.kind() {
            Kind::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The number it is, when it is one, or true or false, which are 1 and 0.
    pub fn as_number(&self) -> Option<f64> {
        self.number().map(Number::as_float)
    }

    pub(super) fn kind(&self) -> Kind<'_> {
        match self {
            Self::Json(text) => match text.as_bytes().first() {
                Some(b'n') => Kind::Null,
                Some(b't') => Kind::Bool(true),
                Some(b'f') => Kind::Bool(false),
                Some(b'"') => Kind::Text(text_of(text).unwrap_or_default()),
                Some(b'[') => Kind::Array,
                Some(b'{') => Kind::Object,
                _ => Kind::Number(Number::parse(text)),
            },
            Self::Text(text) => Kind::Text(Cow::Borrowed(text)),
            Self::Integer(integer) => Kind::Number(Number::Integer(*integer)),
            Self::Float(float) => Kind::Number(Number::Float(*float)),
            Self::Array(_) => Kind::Array,
        }
    }

    pub(super) fn number(&self) -> Option<Number> {
        match self.kind() {
            Kind::Number(number) => Some(number),
            Kind::Bool(bool) => Some(Number::Integer(i128::from(bool))),
            _ => None,
        }
    }

    /// Its elements, when it is an array.
    pub(super) fn elements(&self) -> Option<Vec<Self>> {
        match self {
            Self::Array(elements) => Some(elements.clone()),
            Self::Json(text) if text.starts_with('[') => Some(elements(text).map(Value::Json).collect()),
            _ => None,
        }
    }

    /// Its keys and values, when it is an object: each key once, where it was first, with its last value.
    pub(super) fn entries(&self) -> Option<Vec<(Cow<'a, str>, Self)>> {
        let Self::Json(text) = self else { return None };
        if !text.starts_with('{') {
            return None;
        }
        let mut entries: Vec<(Cow<'a, str>, Self)> = Vec::new();
        let mut known = std::collections::HashMap::new();
        for (key, value) in json::entries(text) {
            match known.entry(key.clone()) {
                std::collections::hash_map::Entry::Occupied(at) => {
                    let at: usize = *at.get();
                    entries[at].1 = Value::Json(value);
                }
                std::collections::hash_map::Entry::Vacant(new) => {
                    new.insert(entries.len());
                    entries.push((key, Value::Json(value)));
                }
            }
        }
        Some(entries)
    }

    /// A key by which values are known that Python takes for the same; none, where Python does not take one for a key.
    /// [`Yaml::identity`](crate::yaml::Yaml) gives the same ones.
    pub(crate) fn identity(&self) -> Option<String> {
        Some(match self.kind() {
            Kind::Null => "null".into(),
            Kind::Bool(bool) => format!("number {}", u8::from(bool)),
            Kind::Number(Number::Integer(integer)) => format!("number {integer}"),
            Kind::Number(Number::Float(float)) => format!("number {float}"),
            Kind::Text(text) => format!("text {text}"),
            Kind::Array | Kind::Object => return None,
        })
    }

    /// What Python's `str` makes of it. Of an array or object it is the JSON.
    pub(crate) fn to_python_text(&self) -> Cow<'_, str> {
        match self.kind() {
            Kind::Text(text) => text,
            Kind::Null => Cow::Borrowed("None"),
            Kind::Bool(true) => Cow::Borrowed("True"),
            Kind::Bool(false) => Cow::Borrowed("False"),
            Kind::Number(Number::Integer(integer)) => Cow::Owned(integer.to_string()),
            Kind::Number(Number::Float(float)) if float.is_nan() => Cow::Borrowed("nan"),
            Kind::Number(Number::Float(float)) if float == f64::INFINITY => Cow::Borrowed("inf"),
            Kind::Number(Number::Float(float)) if float == f64::NEG_INFINITY => Cow::Borrowed("-inf"),
            Kind::Number(Number::Float(float)) => Value::Float(float).to_json(),
            Kind::Array | Kind::Object => self.to_json(),
        }
    }

    /// What Python's `==` says.
    pub(crate) fn equals(&self, other: &Self) -> bool {
        self.equals_to(other, MAX_COMPARED_DEPTH)
    }

    fn equals_to(&self, other: &Self, depth: usize) -> bool {
        if depth == 0 {
            return false;
        }
        if let (Some(left), Some(right)) = (self.number(), other.number()) {
            return left.compare(right) == Some(Ordering::Equal);
        }
        match (self.kind(), other.kind()) {
            (Kind::Null, Kind::Null) => true,
            (Kind::Text(left), Kind::Text(right)) => left == right,
            (Kind::Array, Kind::Array) => {
                let (left, right) =
                    (self.elements().unwrap_or_default(), other.elements().unwrap_or_default());
                left.len() == right.len()
                    && left.iter().zip(&right).all(|(left, right)| left.equals_to(right, depth - 1))
            }
            (Kind::Object, Kind::Object) => {
                let (left, right) = (self.entries().unwrap_or_default(), other.entries().unwrap_or_default());
                left.len() == right.len()
                    && left.iter().all(|(key, value)| {
                        let same = right.iter().find(|(other, _)| other == key);
                        same.is_some_and(|(_, other)| value.equals_to(other, depth - 1))
                    })
            }
            _ => false,
        }
    }

    /// What Python's `<` and `>` go by; nothing, where they fail.
    pub(super) fn order(&self, other: &Self) -> Option<Ordering> {
        if let (Some(left), Some(right)) = (self.number(), other.number()) {
            return left.compare(right);
        }
        match (self.kind(), other.kind()) {
            (Kind::Text(left), Kind::Text(right)) => Some(left.cmp(&right)),
            _ => None,
        }
    }

    /// Whether a comparison with a literal is fulfilled; nothing, where Python fails.
    pub(super) fn fulfils(&self, comparison: Comparison, literal: &Literal) -> Option<bool> {
        let (subject, object) = match literal {
            Literal::Text(text) => {
                if comparison == Comparison::Matches {
                    return matches_from_start(text, &self.as_text()?);
                }
                (self.clone(), Value::Text(Cow::Borrowed(text)))
            }
            Literal::Float(float) => (self.clone(), Value::Float(*float)),
            // What is compared with a whole number, or with a boolean, is made one.
            Literal::Integer(integer) => match self.truncated()? {
                Some(whole) => (Value::Integer(whole), Value::Integer(*integer)),
                None => return Some(false),
            },
            Literal::Bool(bool) => match self.truncated()? {
                Some(whole) => (Value::Integer(whole), Value::Integer(i128::from(*bool))),
                None => return Some(false),
            },
        };
        Some(match comparison {
            Comparison::Equal => subject.equals(&object),
            Comparison::NotEqual => !subject.equals(&object),
            Comparison::Less => subject.order(&object)?.is_lt(),
            Comparison::LessOrEqual => subject.order(&object)?.is_le(),
            Comparison::Greater => subject.order(&object)?.is_gt(),
            Comparison::GreaterOrEqual => subject.order(&object)?.is_ge(),
            Comparison::Matches => return None,
        })
    }

    /// What Python's `int` makes of it: nothing, where it fails; nothing inside, where it only says that it is none.
    fn truncated(&self) -> Option<Option<i128>> {
        match self.kind() {
            Kind::Bool(bool) => Some(Some(i128::from(bool))),
            Kind::Number(Number::Integer(integer)) => Some(Some(integer)),
            Kind::Number(Number::Float(float)) if float.is_nan() => Some(None),
            Kind::Number(Number::Float(float)) if float.is_infinite() => None,
            #[expect(clippy::cast_possible_truncation, reason = "that is what it is for; it saturates")]
            Kind::Number(Number::Float(float)) => Some(Some(float as i128)),
            Kind::Text(text) => Some(python_int(&text)),
            _ => None,
        }
    }

    /// What an operation results in; nothing, where Python fails.
    pub(super) fn calculate(&self, operator: Operator, other: &Self) -> Option<Self> {
        if let (Some(left), Some(right)) = (self.number(), other.number()) {
            return calculate(left, operator, right);
        }
        match operator {
            Operator::Add => self.joined(other),
            Operator::Multiply => match (self.number(), other.number()) {
                (Some(Number::Integer(times)), None) => other.repeated(times),
                (None, Some(Number::Integer(times))) => self.repeated(times),
                _ => None,
            },
            Operator::Subtract | Operator::Divide => None,
        }
    }

    fn joined(&self, other: &Self) -> Option<Self> {
        match (self.kind(), other.kind()) {
            (Kind::Text(left), Kind::Text(right)) if left.len() + right.len() <= MAX_TEXT => {
                Some(Value::Text(Cow::Owned(left.into_owned() + &right)))
            }
            (Kind::Array, Kind::Array) => {
                let mut joined = self.elements()?;
                joined.extend(other.elements()?);
                (joined.len() <= MAX_ELEMENTS).then_some(Value::Array(joined))
            }
            _ => None,
        }
    }

    fn repeated(&self, times: i128) -> Option<Self> {
        let times = usize::try_from(times.max(0)).ok()?;
        match self.kind() {
            Kind::Text(text) if text.len().checked_mul(times)? <= MAX_TEXT => {
                Some(Value::Text(Cow::Owned(text.repeat(times))))
            }
            Kind::Array => {
                let elements = self.elements()?;
                (elements.len().checked_mul(times)? <= MAX_ELEMENTS)
                    .then(|| Value::Array(std::iter::repeat_n(elements, times).flatten().collect()))
            }
            _ => None,
        }
    }
}

impl<'a> From<&'a Literal> for Value<'a> {
    fn from(literal: &'a Literal) -> Self {
        match literal {
            Literal::Text(text) => Self::Text(Cow::Borrowed(text)),
            Literal::Integer(integer) => Self::Integer(*integer),
            Literal::Float(float) => Self::Float(*float),
            Literal::Bool(true) => Self::Json("true"),
            Literal::Bool(false) => Self::Json("false"),
        }
    }
}

fn calculate<'a>(left: Number, operator: Operator, right: Number) -> Option<Value<'a>> {
    let (a, b) = (left.as_float(), right.as_float());
    if let (Number::Integer(left), Number::Integer(right)) = (left, right) {
        let exact = match operator {
            Operator::Add => left.checked_add(right),
            Operator::Subtract => left.checked_sub(right),
            Operator::Multiply => left.checked_mul(right),
            Operator::Divide => None,
        };
        if let Some(exact) = exact {
            return Some(Value::Integer(exact));
        }
    }
    Some(Value::Float(match operator {
        Operator::Add => a + b,
        Operator::Subtract => a - b,
        Operator::Multiply => a * b,
        Operator::Divide if b == 0.0 => return None,
        Operator::Divide => a / b,
    }))
}

/// What Python's `int` reads: digits with a sign, white space around them, and single underscores between them.
fn python_int(text: &str) -> Option<i128> {
    let text = text.trim();
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let sound = !digits.is_empty()
        && digits.split('_').all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
    sound.then(|| text.replace('_', "").parse().ok()).flatten()
}

/// The elements of an array; nothing when the text is none.
fn elements(array: &str) -> impl Iterator<Item = &str> {
    let mut scanner = Scanner::new(array);
    let mut more = scanner.eat(b'[') && scanner.peek() != Some(b']');
    std::iter::from_fn(move || {
        if !more {
            return None;
        }
        let value = scanner.value().ok()?;
        more = scanner.eat(b',');
        Some(value)
    })
}
