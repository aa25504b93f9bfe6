//! What is wrong with a trace point or a sample that cannot be taken.

use std::fmt;

use smol_str::SmolStr;

/// How much of an offending value an error repeats.
const SHOWN_CHARACTERS: usize = 80;

/// Why something is not a trace point or a sample: the field, its value and what was expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct BadRecord {
    field: Option<SmolStr>,
    value: Option<String>,
    problem: String,
}

impl BadRecord {
    /// The whole is none, whatever its fields.
    pub fn whole(problem: impl Into<String>) -> Self {
        Self { field: None, value: None, problem: problem.into() }
    }

    /// A field that has to be there is not.
    pub fn missing(field: &str) -> Self {
        Self { field: Some(field.into()), value: None, problem: "is missing".into() }
    }

    /// A field holds what it must not hold. Of a long value only the beginning is kept.
    pub fn field(field: &str, value: &str, problem: impl Into<String>) -> Self {
        let mut shown: String = value.chars().take(SHOWN_CHARACTERS).collect();
        if shown.len() < value.len() {
            shown.push('…');
        }
        Self { field: Some(field.into()), value: Some(shown), problem: problem.into() }
    }

    /// The field that is wrong, unless it is the whole.
    pub fn field_name(&self) -> Option<&str> {
        self.field.as_deref()
    }
}

impl fmt::Display for BadRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(field) = &self.field {
            write!(f, "field `{field}` ")?;
        }
        match &self.value {
            Some(value) => write!(f, "holds `{}`: {}", value.escape_debug(), self.problem),
            None => f.write_str(&self.problem),
        }
    }
}
