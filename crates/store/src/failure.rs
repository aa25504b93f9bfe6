//! What went wrong in a file or in the engine, told by what the caller can do.

use std::io;
use std::path::Path;

use fjall::LsmError;
use nephoscope_gnocchi::Error;

/// A directory that is not what was meant.
pub(crate) fn refused(message: String) -> Error {
    Error::Invalid(message)
}

/// A failure of a file or directory.
pub(crate) fn io_failure(path: &Path, error: io::Error) -> Error {
    let path = path.display();
    let message = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            let message = format!(
                "no room is left for {path}; what was acknowledged is kept, and more is taken when there is room"
            );
            return Error::Unavailable { message, source: Some(Box::new(error)) };
        }
        io::ErrorKind::PermissionDenied => format!("{path} may not be read and written by this user"),
        io::ErrorKind::ReadOnlyFilesystem => format!("{path} is on a read-only file system"),
        io::ErrorKind::NotFound => format!("{path} is not there and cannot be made"),
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => format!("{path} is not a directory"),
        _ => format!("{path} fails"),
    };
    Error::Internal { message, source: Some(Box::new(error)) }
}

/// A failure of the engine.
pub(crate) fn engine_failure(path: &Path, error: fjall::Error) -> Error {
    use fjall::Error as E;
    let at = path.display();
    let message = match error {
        E::Io(cause) | E::Storage(LsmError::Io(cause)) if !is_cut(&cause) => return io_failure(path, cause),
        E::Locked => return refused(format!("another process has {at} open: stop it, then try again")),
        E::InvalidVersion(Some(_)) => {
            return refused(format!(
                "{at} was written by another version of the engine; use the nephoscope that made it"
            ));
        }
        E::Poisoned => {
            let message =
                format!("{at} takes nothing since an earlier failure; what was acknowledged is kept");
            return Error::Unavailable { message, source: Some(Box::new(error)) };
        }
        _ => damaged(path),
    };
    Error::Internal { message, source: Some(Box::new(error)) }
}

/// What to say and to do about a store whose files are damaged beyond what can be read around.
pub(crate) fn damaged(path: &Path) -> String {
    format!(
        "files in {} are damaged or missing; restore the directory from a backup, or move it away and start with an \
         empty one",
        path.display()
    )
}

/// Whether a file is missing, ends too early or leads astray, where the engine knows that it should be there and whole.
fn is_cut(error: &io::Error) -> bool {
    use io::ErrorKind as K;
    matches!(error.kind(), K::UnexpectedEof | K::NotFound | K::InvalidData | K::InvalidInput)
}
