//! What a check came to.

use std::fmt;

use serde_json::{Value, json};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Status {
    Ok,
    /// It works, or may work, and somebody should look.
    Warning,
    /// It does not work.
    Problem,
}

/// One line of the report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) status: Status,
    /// What was looked at, without secrets.
    subject: String,
    told: String,
    /// What to do, unless all is well.
    cure: String,
}

impl Finding {
    pub(super) fn ok(subject: impl Into<String>, told: impl Into<String>) -> Self {
        Self { status: Status::Ok, subject: subject.into(), told: told.into(), cure: String::new() }
    }

    pub(super) fn warning(
        subject: impl Into<String>,
        told: impl Into<String>,
        cure: impl Into<String>,
    ) -> Self {
        Self { status: Status::Warning, cure: cure.into(), ..Self::ok(subject, told) }
    }

    pub(super) fn problem(
        subject: impl Into<String>,
        told: impl Into<String>,
        cure: impl Into<String>,
    ) -> Self {
        Self { status: Status::Problem, ..Self::warning(subject, told, cure) }
    }

    pub(super) fn to_json(&self) -> Value {
        let mut json =
            json!({ "status": self.status.to_string(), "subject": self.subject, "told": self.told });
        if !self.cure.is_empty() {
            json["cure"] = self.cure.as_str().into();
        }
        json
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Problem => "problem",
        })
    }
}

impl fmt::Display for Finding {
    /// A line, whatever a server answered.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { status, subject, told, cure } = self;
        let line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        write!(f, "{status:<8} {}: {}", line(subject), line(told))?;
        if cure.is_empty() { Ok(()) } else { write!(f, "; {}", line(cure)) }
    }
}
