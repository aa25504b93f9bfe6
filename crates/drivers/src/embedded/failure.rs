//! What went wrong in a file or in the engine, told by what the caller can do.

use std::path::Path;

use nephoscope_disk as disk;
use nephoscope_telemetry::{Error, ErrorKind};

pub(super) use disk::is_damage;

pub(super) const OPEN: &str = "open the trace store";
pub(super) const STORE: &str = "store trace points";
pub(super) const READ: &str = "read a trace";
pub(super) const LIST: &str = "list traces";
pub(super) const PURGE: &str = "purge traces";
pub(super) const CLOSE: &str = "close the trace store";

/// A failure of the engine.
pub(super) fn engine_failure(operation: &'static str, path: &Path, error: fjall::Error) -> Error {
    failure(operation, disk::engine_failure(path, error))
}

/// A failure of the directory or the engine in an operation.
pub(super) fn failure(operation: &'static str, error: disk::Error) -> Error {
    let kind = match error.kind {
        disk::ErrorKind::Config => ErrorKind::Config,
        disk::ErrorKind::Conflict => ErrorKind::Conflict,
        disk::ErrorKind::Unavailable => ErrorKind::Unavailable,
        disk::ErrorKind::Corrupt => ErrorKind::Corrupt,
        disk::ErrorKind::Other => ErrorKind::Other,
    };
    let failure = Error::new(kind, operation, error.message);
    match error.source {
        Some(source) => failure.with_source(source),
        None => failure,
    }
}
