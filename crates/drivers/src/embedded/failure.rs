//! What went wrong in a file or in the engine, told by what the caller can do.

use std::io;
use std::path::Path;

use fjall::LsmError;
use nephoscope_telemetry::{Error, ErrorKind};

pub(super) const OPEN: &str = "open the trace store";
pub(super) const STORE: &str = "store trace points";
pub(super) const READ: &str = "read a trace";
pub(super) const LIST: &str = "list traces";
pub(super) const PURGE: &str = "purge traces";
pub(super) const CLOSE: &str = "close the trace store";

/// A failure of a file or directory.
pub(super) fn io_failure(operation: &'static str, path: &Path, error: io::Error) -> Error {
    let path = path.display();
    let (kind, message) = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => (
            ErrorKind::Unavailable,
            format!(
                "no room is left for {path}; what was acknowledged is kept, and more is taken when there is room"
            ),
        ),
        io::ErrorKind::PermissionDenied => {
            (ErrorKind::Config, format!("{path} may not be read and written by this user"))
        }
        io::ErrorKind::ReadOnlyFilesystem => {
            (ErrorKind::Config, format!("{path} is on a read-only file system"))
        }
        io::ErrorKind::NotFound => (ErrorKind::Config, format!("{path} is not there and cannot be made")),
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
            (ErrorKind::Config, format!("{path} is not a directory"))
        }
        _ => (ErrorKind::Other, format!("{path} fails")),
    };
    Error::new(kind, operation, message).with_source(error)
}

/// A failure of the engine.
pub(super) fn engine_failure(operation: &'static str, path: &Path, error: fjall::Error) -> Error {
    use fjall::Error as E;
    let at = path.display();
    let (kind, message) = match error {
        E::Io(cause) | E::Storage(LsmError::Io(cause)) if !is_cut(&cause) => {
            return io_failure(operation, path, cause);
        }
        E::Locked => (
            ErrorKind::Conflict,
            format!("another process has the engine of {at} open: stop it, then try again"),
        ),
        E::InvalidVersion(Some(_)) => (
            ErrorKind::Config,
            format!("{at} was written by another version of the engine; use the nephoscope that made it"),
        ),
        E::Poisoned => (
            ErrorKind::Unavailable,
            format!("{at} takes nothing since an earlier failure; what was acknowledged is kept"),
        ),
        _ => (ErrorKind::Corrupt, damaged(path)),
    };
    Error::new(kind, operation, message).with_source(error)
}

/// What to say and to do about a store whose files are damaged beyond what can be read around.
pub(super) fn damaged(path: &Path) -> String {
    format!(
        "files in {} are damaged or missing; restore the directory from a backup, or move it away and start with an \
         empty one",
        path.display()
    )
}

/// Whether something in a file is not as it was written.
pub(super) fn is_damage(error: &fjall::Error) -> bool {
    match error {
        fjall::Error::Io(cause) | fjall::Error::Storage(LsmError::Io(cause)) => is_cut(cause),
        fjall::Error::Poisoned | fjall::Error::Locked | fjall::Error::InvalidVersion(Some(_)) => false,
        _ => true,
    }
}

/// Whether a file is missing, ends too early or leads astray, where the engine knows that it should be there and whole.
fn is_cut(error: &io::Error) -> bool {
    use io::ErrorKind as K;
    matches!(error.kind(), K::UnexpectedEof | K::NotFound | K::InvalidData | K::InvalidInput)
}
