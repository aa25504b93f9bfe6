//! Exit codes, and the errors that have one of their own.

use std::io;
use std::process::ExitCode;

use nephoscope_telemetry::{Error, ErrorKind};

/// Failed, or did only a part.
const FAILED: u8 = 1;
/// The command line is wrong; also what the parser of the command line exits with.
const USAGE: u8 = 2;
/// What was asked for is not there.
const NOT_FOUND: u8 = 3;
/// The backend cannot be reached.
const UNAVAILABLE: u8 = 4;
/// The configuration or a connection string is wrong.
const BAD_CONFIGURATION: u8 = 64;

/// A failure of a command that no backend told.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The command line asks for something impossible.
    #[error("{0}")]
    Usage(String),
    /// What was asked for is not there.
    #[error("{0}")]
    NotFound(String),
    /// The configuration has mistakes; one a line.
    #[error("{0}")]
    BadConfiguration(String),
    /// The rest was done.
    #[error("{0}")]
    Partly(String),
}

/// The exit code for an error: that of the first cause which has one.
pub fn code(error: &anyhow::Error) -> ExitCode {
    ExitCode::from(error.chain().find_map(code_of).unwrap_or(FAILED))
}

fn code_of(cause: &(dyn std::error::Error + 'static)) -> Option<u8> {
    if let Some(failure) = cause.downcast_ref() {
        return Some(match failure {
            Failure::Usage(_) => USAGE,
            Failure::NotFound(_) => NOT_FOUND,
            Failure::BadConfiguration(_) => BAD_CONFIGURATION,
            Failure::Partly(_) => FAILED,
        });
    }
    if let Some(error) = cause.downcast_ref::<nephoscope_gnocchi::Error>() {
        return Some(match error {
            nephoscope_gnocchi::Error::Invalid(_) => BAD_CONFIGURATION,
            nephoscope_gnocchi::Error::NoSuchArchivePolicy(_) => NOT_FOUND,
            nephoscope_gnocchi::Error::Unavailable { .. } => UNAVAILABLE,
            _ => FAILED,
        });
    }
    cause.downcast_ref::<Error>().map(|error| match error.kind() {
        ErrorKind::Config => BAD_CONFIGURATION,
        ErrorKind::NotFound => NOT_FOUND,
        ErrorKind::Unavailable => UNAVAILABLE,
        _ => FAILED,
    })
}

/// Whether the error is that whoever read the output has gone, which is nobody's mistake: `… | head`.
pub fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let broken_pipe = |error: &io::Error| error.kind() == io::ErrorKind::BrokenPipe;
    error.chain().any(|cause| cause.downcast_ref().is_some_and(broken_pipe))
}
