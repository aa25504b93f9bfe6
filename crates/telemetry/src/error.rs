//! What a backend can fail with, told by what the caller can do about it.

use std::error::Error as StdError;
use std::fmt;

/// A result with [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What the caller can do about an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Mend the connection string: unknown scheme or option, wrong password, wrong database.
    Config,
    /// Ask for something else: it is not there.
    NotFound,
    /// Someone else holds it, or changed it in between.
    Conflict,
    /// Use another backend: this one cannot do it at all.
    Unsupported,
    /// Try again: the backend cannot be reached, or is too busy. The only kind that is retried.
    Unavailable,
    /// Look at the store: what it holds is damaged.
    Corrupt,
    /// Mend what was sent: the backend cannot hold it as it is.
    Invalid,
    /// Nothing in particular; the message tells.
    Other,
}

/// A failure of a backend: what kind, in which operation, and why.
///
/// `Display` tells this layer only; [`source`](StdError::source) tells the rest. No secret is ever part of it.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    operation: &'static str,
    message: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// A failure of this kind. The operation is a verb with its object, such as `list traces`.
    pub fn new(kind: ErrorKind, operation: &'static str, message: impl Into<String>) -> Self {
        Self { kind, operation, message: message.into(), source: None }
    }

    /// The same, caused by `source`.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What the caller can do.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// What happened, without the operation.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What caused it, for an error of another type that says the same.
    pub fn into_source(self) -> Option<Box<dyn StdError + Send + Sync>> {
        self.source
    }

    /// What was being done.
    pub fn operation(&self) -> &'static str {
        self.operation
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {}: {}", self.operation, self.message)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
