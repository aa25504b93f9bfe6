//! What went wrong in a file or in the engine, told by what the caller can do.

use std::io;
use std::path::Path;

use fjall::LsmError;

/// A result with an [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What the caller can do about an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// Name another directory, or see to it that this one can be used.
    Config,
    /// Wait until another process lets go of it.
    Conflict,
    /// Try again later.
    Unavailable,
    /// Restore a backup.
    Corrupt,
    /// See what the system says.
    Other,
}

/// Why a directory or an engine cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// What the caller can do.
    pub kind: ErrorKind,
    /// What it is about, and what to do.
    pub message: String,
    /// What the system or the engine says.
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    fn because(self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self { source: Some(Box::new(source)), ..self }
    }
}

/// A failure of a file or directory.
pub fn io_failure(path: &Path, error: io::Error) -> Error {
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
    Error::new(kind, message).because(error)
}

/// A failure of the engine.
pub fn engine_failure(path: &Path, error: fjall::Error) -> Error {
    use fjall::Error as E;
    let at = path.display();
    let (kind, message) = match error {
        E::Io(cause) | E::Storage(LsmError::Io(cause)) if !is_cut(&cause) => return io_failure(path, cause),
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
    Error::new(kind, message).because(error)
}

/// What to say and to do about a store whose files are damaged beyond what can be read around.
pub fn damaged(path: &Path) -> String {
    format!(
        "files in {} are damaged or missing; restore the directory from a backup, or move it away and start with an \
         empty one",
        path.display()
    )
}

/// Whether something in a file is not as it was written.
pub fn is_damage(error: &fjall::Error) -> bool {
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
