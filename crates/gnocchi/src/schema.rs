//! What is wrong with a part of a body, and where it is.

use std::fmt;

use serde_json::Value as Json;

use crate::InvalidResourceId;

/// A part of a body that is not what it has to be. `Display` is the sentence that Gnocchi answers:
/// `expected str for dictionary value @ data['name']`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct SchemaError {
    /// What it has to be.
    pub reason: String,
    /// Where it is, from the outside in.
    pub path: Vec<PathItem>,
}

/// A step into a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathItem {
    /// Of an object.
    Key(String),
    /// Of an array.
    Index(usize),
}

impl SchemaError {
    /// The value itself is wrong, wherever it is.
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), path: Vec::new() }
    }

    /// An object has no such key, and has to.
    pub fn missing(key: &str) -> Self {
        Self { reason: "required key not provided".into(), path: vec![PathItem::Key(key.into())] }
    }

    /// An object has such a key, and must not.
    pub fn extra(key: &str) -> Self {
        Self { reason: "extra keys not allowed".into(), path: vec![PathItem::Key(key.into())] }
    }

    /// Found in the value of that key: of an object whose keys are fields, or names.
    #[must_use]
    pub fn in_key(mut self, key: &str) -> Self {
        // Of the value itself, that it is one is said too; of its parts it is not.
        if self.path.is_empty() {
            self.reason.push_str(" for dictionary value");
        }
        self.path.insert(0, PathItem::Key(key.into()));
        self
    }

    /// Found in that element of an array.
    #[must_use]
    pub fn in_index(mut self, index: usize) -> Self {
        self.path.insert(0, PathItem::Index(index));
        self
    }

    /// The steps of the path as text.
    pub fn detail(&self) -> Vec<String> {
        let text = |item: &PathItem| match item {
            PathItem::Key(key) => key.clone(),
            PathItem::Index(index) => index.to_string(),
        };
        self.path.iter().map(text).collect()
    }
}

impl From<InvalidResourceId> for SchemaError {
    fn from(error: InvalidResourceId) -> Self {
        Self::new(error.to_string())
    }
}

impl fmt::Display for SchemaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)?;
        if self.path.is_empty() {
            return Ok(());
        }
        f.write_str(" @ data")?;
        for item in &self.path {
            match item {
                PathItem::Key(key) => write!(f, "[{}]", Quoted(key))?,
                PathItem::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

/// Text as Python's `repr` shows it.
pub(crate) struct Quoted<'a>(pub(crate) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use std::fmt::Write;
        let quote = if self.0.contains('\'') && !self.0.contains('"') { '"' } else { '\'' };
        f.write_char(quote)?;
        for c in self.0.chars() {
            match c {
                '\\' => f.write_str("\\\\")?,
                '\n' => f.write_str("\\n")?,
                '\r' => f.write_str("\\r")?,
                '\t' => f.write_str("\\t")?,
                c if c == quote => write!(f, "\\{c}")?,
                c if c.is_ascii_control() => write!(f, "\\x{:02x}", u32::from(c))?,
                c => f.write_char(c)?,
            }
        }
        f.write_char(quote)
    }
}

/// A result of reading a body.
pub type SchemaResult<T> = Result<T, SchemaError>;

/// The object that a value is.
pub(crate) fn object(value: &Json) -> SchemaResult<&serde_json::Map<String, Json>> {
    value.as_object().ok_or_else(|| SchemaError::new("expected a dictionary"))
}

/// The array that a value is.
pub(crate) fn array(value: &Json) -> SchemaResult<&Vec<Json>> {
    value.as_array().ok_or_else(|| SchemaError::new("expected a list"))
}

/// What `read` makes of each element of the array that a value is. Of several errors it is the first that lies inside of
/// an element, before one of an element itself.
pub fn each<T>(value: &Json, mut read: impl FnMut(&Json) -> SchemaResult<T>) -> SchemaResult<Vec<T>> {
    let array = array(value)?;
    let (mut values, mut first_error) = (Vec::with_capacity(array.len()), None);
    for (index, element) in array.iter().enumerate() {
        match read(element) {
            Ok(value) => values.push(value),
            Err(error) if !error.path.is_empty() => return Err(error.in_index(index)),
            Err(error) => first_error = first_error.or_else(|| Some(error.in_index(index))),
        }
    }
    first_error.map_or(Ok(values), Err)
}

/// The text that a value is.
pub(crate) fn text(value: &Json) -> SchemaResult<&str> {
    value.as_str().ok_or_else(|| SchemaError::new("expected str"))
}

/// The class that Python has for a value, which some of Gnocchi's words name.
pub fn class_of(value: &Json) -> &'static str {
    match value {
        Json::Null => "NoneType",
        Json::Bool(_) => "bool",
        Json::Number(number) if number.is_f64() => "float",
        Json::Number(_) => "int",
        Json::String(_) => "str",
        Json::Array(_) => "list",
        Json::Object(_) => "dict",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_what_is_wrong_and_where_as_gnocchi_does() {
        let error = SchemaError::new("expected str").in_key("a").in_index(2).in_key("in");
        assert_eq!(error.to_string(), "expected str for dictionary value @ data['in'][2]['a']");
        assert_eq!(error.detail(), ["in", "2", "a"]);
        assert_eq!(SchemaError::new("not a valid value").to_string(), "not a valid value");
        let error = SchemaError::missing("name").in_key("x");
        assert_eq!(error.to_string(), "required key not provided @ data['x']['name']");
    }

    #[test]
    fn keys_are_quoted_as_python_quotes_them() {
        for (key, quoted) in [
            ("a", "'a'"),
            ("it's", "\"it's\""),
            ("it's \"it\"", "'it\\'s \"it\"'"),
            ("\\\n\x01é", "'\\\\\\n\\x01é'"),
        ] {
            assert_eq!(Quoted(key).to_string(), quoted);
        }
    }
}
