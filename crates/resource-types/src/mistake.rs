//! What is wrong with a definition file.

use std::fmt;

use crate::yaml::{InvalidYaml, Line, Yaml};

/// A part of a definition file that is wrong, and was left out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Mistake {
    /// The file, as it was called.
    pub file: String,
    /// Where the mistake is.
    pub place: Line,
    /// What is wrong, and what was left out for it.
    pub problem: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.place, self.problem)
    }
}

impl InvalidYaml {
    pub(crate) fn new(at: &Yaml, problem: impl Into<String>) -> Self {
        Self { place: at.place, problem: problem.into() }
    }

    /// Something of another kind was expected.
    pub(crate) fn kind(at: &Yaml, subject: impl fmt::Display, expected: &str) -> Self {
        Self::new(at, format!("{subject} is {}, expected {expected}", at.kind()))
    }

    pub(crate) fn of(self, subject: impl fmt::Display) -> Self {
        Self { problem: format!("{subject}: {}", self.problem), ..self }
    }

    pub(crate) fn in_file(self, file: &str) -> Mistake {
        Mistake { file: file.into(), place: self.place, problem: self.problem }
    }
}
