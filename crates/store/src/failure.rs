//! What went wrong in a file or in the engine, told as Gnocchi's errors are.

use std::path::Path;

use nephoscope_disk as disk;
use nephoscope_gnocchi::Error;

/// Why a store cannot be opened or made.
pub(crate) fn cannot_open(error: disk::Error) -> Error {
    match error.kind {
        disk::ErrorKind::Config => Error::Invalid(message_and_source(&error)),
        disk::ErrorKind::Conflict => Error::Unavailable { message: error.message, source: error.source },
        _ => failure(error),
    }
}

/// Why a store that is open does not do what it was asked for.
pub(crate) fn failure(error: disk::Error) -> Error {
    match error.kind {
        disk::ErrorKind::Unavailable => Error::Unavailable { message: error.message, source: error.source },
        _ => Error::Internal { message: error.message, source: error.source },
    }
}

/// A failure of the engine.
pub(crate) fn engine_failure(path: &Path, error: fjall::Error) -> Error {
    failure(disk::engine_failure(path, error))
}

/// Files that are damaged beyond what can be read around.
pub(crate) fn damaged(path: &Path) -> Error {
    Error::Internal { message: disk::damaged(path), source: None }
}

fn message_and_source(error: &disk::Error) -> String {
    match &error.source {
        Some(source) => format!("{}: {source}", error.message),
        None => error.message.clone(),
    }
}
