//! Which resources or metrics are meant: a condition on their attributes.

mod json;
#[cfg(test)]
mod tests;
mod text;

pub use text::{FilterError, Unexpected};

/// A condition on the attributes of a resource or metric. Attributes are named, and values written, as the user did:
/// whoever evaluates it knows their kinds, and refuses what does not fit.
#[derive(Clone, Debug, PartialEq)]
pub enum Filter {
    /// An attribute compares so with a value.
    Compare(Comparison, String, Value),
    /// An attribute has one of these values.
    In(String, Vec<Value>),
    /// An attribute matches a pattern of SQL: `%` any text, `_` any character.
    Like(String, String),
    /// All of them hold. Of no conditions: it takes all.
    And(Vec<Self>),
    /// One of them holds.
    Or(Vec<Self>),
    /// It does not hold.
    Not(Box<Self>),
}

/// How two values compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `=`
    Equal,
    /// `!=`, which takes those without a value, too.
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

/// A value as the user wrote it.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// None.
    Null,
    /// True or false.
    Bool(bool),
    /// A number.
    Number(f64),
    /// Text: of a date, a timespan, a UUID too.
    String(String),
}

impl Filter {
    /// Whether it says nothing, and so takes all.
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::And(filters) if filters.is_empty())
    }
}
