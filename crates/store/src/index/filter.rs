//! A condition made ready for rows of one kind: attributes looked up, values of the attributes' kinds.
//!
//! As SQL has it, a condition on a value that is missing is neither true nor false, and neither is its negation.

use std::sync::Arc;

use nephoscope_gnocchi::{
    Comparison, Creator, Error, Filter, Result, Value as Written, like_matches, resource_uuid,
};

use super::convert;
use super::value::Value;

/// What values an attribute has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    /// Of a resource: other text stands for the UUID that is made of it.
    ResourceId,
    Uuid,
    Number,
    Integer,
    Bool,
    Time,
    /// Seconds.
    Span,
}

/// An attribute of some kind of rows.
pub(super) trait Attribute: Clone {
    /// Which rows.
    type Row<'a>;

    fn kind(&self) -> Kind;
    fn value(&self, row: &Self::Row<'_>) -> Value;
}

/// The attributes that rows have.
pub(super) trait Attributes {
    type Attribute: Attribute;

    /// The type of the rows, for messages.
    fn type_name(&self) -> &str;
    fn find(&self, name: &str) -> Option<Self::Attribute>;
    /// The one that tells who made it.
    fn creator(&self) -> Self::Attribute;
}

/// A condition on rows with such attributes.
#[derive(Clone, Debug)]
pub(super) enum Condition<A> {
    IsNull(A),
    Compare(Comparison, A, Value),
    /// The values are in order. Whether a value is nothing nobody knows, so with nothing among them it is true or unknown.
    In(A, Vec<Value>),
    Like(A, Arc<str>),
    /// Never true, nor false: a comparison with nothing.
    Unknown,
    And(Vec<Self>),
    Or(Vec<Self>),
    Not(Box<Self>),
}

impl<A: Attribute> Condition<A> {
    /// Makes a condition ready, and refuses attributes that are not there and values that do not fit them.
    pub(super) fn new<R: Attributes<Attribute = A>>(
        filter: &Filter,
        attributes: &R,
        creator: &Creator,
    ) -> Result<Self> {
        if filter.is_empty() { Ok(Self::And(Vec::new())) } else { Self::part(filter, attributes, creator) }
    }

    /// A condition in others, which has to say something.
    fn part<R: Attributes<Attribute = A>>(
        filter: &Filter,
        attributes: &R,
        creator: &Creator,
    ) -> Result<Self> {
        let all = |filters: &[Filter]| -> Result<Vec<Self>> {
            filters.iter().map(|filter| Self::part(filter, attributes, creator)).collect()
        };
        Ok(match filter {
            empty if empty.is_empty() => {
                return Err(Error::Invalid("Unable to parse this query".into()));
            }
            Filter::And(filters) => Self::And(all(filters)?),
            // Of nothing, Gnocchi makes what is always true.
            Filter::Or(filters) if filters.is_empty() => Self::And(Vec::new()),
            Filter::Or(filters) => Self::Or(all(filters)?),
            Filter::Not(filter) => Self::Not(Box::new(Self::part(filter, attributes, creator)?)),
            Filter::Compare(comparison, name, value) => {
                match created_by(name, &shown(value)) {
                    // Gnocchi finds these by patterns on the creator.
                    Some(pattern) => {
                        let like = Self::Like(attributes.creator(), pattern.into());
                        return match comparison {
                            Comparison::Equal => Ok(like),
                            Comparison::NotEqual => Ok(Self::Not(Box::new(like))),
                            _ => Err(invalid(name, &shown(value))),
                        };
                    }
                    None => Self::compare(*comparison, find(attributes, name)?, name, value, creator)?,
                }
            }
            Filter::In(name, values) => {
                if created_by(name, "").is_some() {
                    return Err(invalid(name, &list(values)));
                }
                let attribute = find(attributes, name)?;
                let mut values = values
                    .iter()
                    .map(|value| in_value(attribute.kind(), value, creator))
                    .collect::<Option<Vec<_>>>()
                    .ok_or_else(|| invalid(name, &list(values)))?;
                values.sort();
                values.dedup();
                Self::In(attribute, values)
            }
            Filter::Like(name, pattern) => match created_by(name, pattern) {
                Some(pattern) => Self::Like(attributes.creator(), pattern.into()),
                None => {
                    let attribute = find(attributes, name)?;
                    if attribute.kind() != Kind::Text {
                        return Err(invalid(name, pattern));
                    }
                    Self::Like(attribute, pattern.as_str().into())
                }
            },
        })
    }

    fn compare(
        comparison: Comparison,
        attribute: A,
        name: &str,
        value: &Written,
        creator: &Creator,
    ) -> Result<Self> {
        if *value == Written::Null && attribute.kind() != Kind::Span {
            return Ok(match comparison {
                Comparison::Equal => Self::IsNull(attribute),
                Comparison::NotEqual => Self::Not(Box::new(Self::IsNull(attribute))),
                _ => Self::Unknown,
            });
        }
        let value = convert(attribute.kind(), value, creator).ok_or_else(|| invalid(name, &shown(value)))?;
        let compare = Self::Compare(comparison, attribute.clone(), value);
        Ok(match comparison {
            Comparison::NotEqual => Self::Or(vec![Self::IsNull(attribute), compare]),
            _ => compare,
        })
    }

    /// Whether a row fulfils it.
    pub(super) fn takes(&self, row: &A::Row<'_>) -> bool {
        self.holds(row) == Some(true)
    }

    fn holds(&self, row: &A::Row<'_>) -> Option<bool> {
        let known = |value: Value| (!value.is_null()).then_some(value);
        match self {
            Self::Unknown => None,
            Self::IsNull(attribute) => Some(attribute.value(row).is_null()),
            Self::Compare(comparison, attribute, with) => {
                let order = known(attribute.value(row))?.cmp(with);
                Some(match comparison {
                    Comparison::Equal => order.is_eq(),
                    Comparison::NotEqual => order.is_ne(),
                    Comparison::Less => order.is_lt(),
                    Comparison::LessOrEqual => order.is_le(),
                    Comparison::Greater => order.is_gt(),
                    Comparison::GreaterOrEqual => order.is_ge(),
                })
            }
            Self::In(attribute, values) => match values.binary_search(&known(attribute.value(row))?) {
                Ok(_) => Some(true),
                Err(_) => values.first().is_none_or(|least| !least.is_null()).then_some(false),
            },
            Self::Like(attribute, pattern) => match known(attribute.value(row))? {
                Value::Text(text) => Some(like_matches(pattern, &text)),
                _ => None,
            },
            Self::And(all) => fold(all, row, false),
            Self::Or(any) => fold(any, row, true),
            Self::Not(condition) => condition.holds(row).map(|holds| !holds),
        }
    }
}

/// The first that decides; else unknown, if one of them is.
fn fold<A: Attribute>(conditions: &[Condition<A>], row: &A::Row<'_>, decisive: bool) -> Option<bool> {
    let mut result = Some(!decisive);
    for condition in conditions {
        match condition.holds(row) {
            Some(holds) if holds == decisive => return Some(decisive),
            Some(_) => {}
            None => result = None,
        }
    }
    result
}

fn find<R: Attributes>(attributes: &R, name: &str) -> Result<R::Attribute> {
    attributes.find(name).ok_or_else(|| Error::NoSuchAttribute {
        resource_type: attributes.type_name().into(),
        attribute: name.into(),
    })
}

/// The pattern on the creator that stands for the attributes which are parts of it.
fn created_by(name: &str, value: &str) -> Option<String> {
    match name {
        "created_by_user_id" => Some(format!("{value}:%")),
        "created_by_project_id" => Some(format!("%:{value}")),
        _ => None,
    }
}

/// A value of an attribute of some kind; nothing where it is none.
fn convert(kind: Kind, value: &Written, creator: &Creator) -> Option<Value> {
    Some(match kind {
        Kind::Text => Value::Text(shown(value).into()),
        Kind::ResourceId => match value {
            Written::String(text) => Value::Uuid(resource_uuid(text, creator).ok()?),
            _ => return None,
        },
        Kind::Uuid => match value {
            Written::String(text) => Value::Uuid(nephoscope_gnocchi::parse_uuid(text)?),
            _ => return None,
        },
        Kind::Number => Value::Number(convert::number(value)?),
        Kind::Integer => Value::Number(convert::number(value)?.trunc()),
        Kind::Bool => match value {
            Written::Bool(is) => Value::Bool(*is),
            Written::Number(number) if *number == 0.0 => Value::Bool(false),
            Written::Number(number) if *number == 1.0 => Value::Bool(true),
            Written::String(text) => Value::Bool(convert::truth(text)?),
            _ => return None,
        },
        Kind::Time => Value::Time(convert::time(value)?),
        Kind::Span => Value::Number(convert::span(value)?),
    })
}

/// In a list nothing stays nothing, but in one of texts it is the text that Python makes of it.
fn in_value(kind: Kind, value: &Written, creator: &Creator) -> Option<Value> {
    match (kind, value) {
        (Kind::Uuid | Kind::Bool | Kind::Number, Written::Null) => Some(Value::Null),
        _ => convert(kind, value, creator),
    }
}

/// As Python's `str`.
fn shown(value: &Written) -> String {
    match value {
        Written::Null => "None".into(),
        Written::Bool(true) => "True".into(),
        Written::Bool(false) => "False".into(),
        Written::Number(number) => number.to_string(),
        Written::String(text) => text.clone(),
    }
}

/// As Python's `repr` of a list.
fn list(values: &[Written]) -> String {
    let shown: Vec<_> = values
        .iter()
        .map(|value| match value {
            Written::String(text) => format!("'{text}'"),
            value => shown(value),
        })
        .collect();
    format!("[{}]", shown.join(", "))
}

fn invalid(field: &str, value: &str) -> Error {
    Error::InvalidFilterValue { field: field.into(), value: value.into() }
}
