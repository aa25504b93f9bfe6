//! What the disk can fail with.

use std::io;
use std::path::Path;

use nephoscope_telemetry::{Error, ErrorKind};

/// What a failure of the file system means to whoever uses the spool.
pub(crate) fn of_disk(operation: &'static str, path: &Path, source: io::Error) -> Error {
    let kind = match source.kind() {
        io::ErrorKind::PermissionDenied
        | io::ErrorKind::NotADirectory
        | io::ErrorKind::ReadOnlyFilesystem => ErrorKind::Config,
        _ => ErrorKind::Unavailable,
    };
    let cure = match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "; make room there",
        io::ErrorKind::PermissionDenied => "; let the daemon's user write there",
        _ => "",
    };
    Error::new(kind, operation, format!("{}: {source}{cure}", path.display())).with_source(source)
}
