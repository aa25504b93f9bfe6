//! What is noticed while files are read.

use std::fmt;
use std::path::{Path, PathBuf};

/// A line of a file, or a file that is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    file: PathBuf,
    line: Option<usize>,
}

/// Something that has no equivalent here, and what to do about it.
#[derive(Clone, Debug)]
pub(super) struct Finding {
    place: Place,
    /// What it is about, such as an option. Holds no secret.
    what: String,
    advice: String,
}

/// Everything that is noticed.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub(super) findings: Vec<Finding>,
    /// What cannot be read at all, a line each with file and line.
    pub(super) mistakes: Vec<String>,
}

impl Place {
    pub(super) fn new(file: &Path, line: usize) -> Self {
        Self { file: file.into(), line: Some(line) }
    }

    pub(super) fn missing(file: &Path) -> Self {
        Self { file: file.into(), line: None }
    }
}

impl Notes {
    pub(super) fn find(&mut self, place: &Place, what: impl Into<String>, advice: impl Into<String>) {
        self.findings.push(Finding { place: place.clone(), what: what.into(), advice: advice.into() });
    }

    pub(super) fn mistake(&mut self, place: &Place, problem: impl fmt::Display) {
        self.mistakes.push(format!("{place}: {problem}"));
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.file.display();
        match self.line {
            Some(line) => write!(f, "{file}:{line}"),
            None => write!(f, "{file} (there is none)"),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.place, self.what, self.advice)
    }
}
