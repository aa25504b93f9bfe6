//! The directory of a store: whose it is, which version made it, and that one process at a time has it.
//!
//! ```text
//! format   "nephoscope trace store 2" and a line feed: the version of everything below
//! lock     locked by the process that has the store open; holds its id, for the message to the next one
//! engine/  what the engine keeps; complete as soon as it has this name
//! ```

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::process;

use nephoscope_telemetry::{Error, ErrorKind, Result};

use super::failure::{OPEN, io_failure};

const FORMAT: &str = "format";
const LOCK: &str = "lock";
const ENGINE: &str = "engine";
/// The name of `engine` until it is complete.
const UNFINISHED: &str = "engine.unfinished";
const PRODUCT: &str = "nephoscope trace store ";
const VERSION: &str = "2";
/// What is read as it is, and written on in the form of [`VERSION`]: it has no packs.
const EARLIER: &str = "1";

/// A directory that is ours, locked until it is dropped.
#[derive(Debug)]
pub(super) struct Directory {
    path: PathBuf,
    _lock: File,
}

impl Directory {
    /// Takes a directory, which is made when it is missing. One that holds anything else, that another process has, or
    /// that a later version made is refused and left as it is.
    pub(super) fn take(path: &Path) -> Result<Self> {
        let failed = |error| io_failure(OPEN, path, error);
        fs::create_dir_all(path).map_err(failed)?;
        check_owner(path)?;
        let lock = lock(path)?;
        let format = path.join(FORMAT);
        let is_current = match fs::read(&format) {
            Ok(text) => check_version(path, &text)? == VERSION,
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            Err(error) => return Err(failed(error)),
        };
        if !is_current {
            // Before anything is written that an earlier version would take for damage.
            write_durably(&format, format!("{PRODUCT}{VERSION}\n").as_bytes()).map_err(failed)?;
        }
        Ok(Self { path: path.to_owned(), _lock: lock })
    }

    /// Where the engine keeps its files.
    pub(super) fn engine(&self) -> PathBuf {
        self.path.join(ENGINE)
    }

    /// Has the engine's directory made by `make`, unless there is one. It gets its name when it is complete, so that
    /// a directory of that name in which something is missing is a damaged one, and not one half made.
    pub(super) fn make_engine(&self, make: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
        let failed = |error| io_failure(OPEN, &self.path, error);
        let (engine, unfinished) = (self.engine(), self.path.join(UNFINISHED));
        if engine.try_exists().map_err(failed)? {
            return Ok(());
        }
        match fs::remove_dir_all(&unfinished) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        make(&unfinished)?;
        fs::rename(&unfinished, &engine).and_then(|()| sync_directory(&self.path)).map_err(failed)
    }
}

/// Writes a file so that after a crash it is there as a whole or not at all.
pub(super) fn write_durably(path: &Path, content: &[u8]) -> io::Result<()> {
    let unfinished = path.with_extension("unfinished");
    let mut file = File::create(&unfinished)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&unfinished, path)?;
    path.parent().map_or(Ok(()), sync_directory)
}

fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

fn check_owner(path: &Path) -> Result<()> {
    let failed = |error| io_failure(OPEN, path, error);
    if path.join(FORMAT).try_exists().map_err(failed)? {
        return Ok(());
    }
    for entry in fs::read_dir(path).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        // Left behind by a first opening that was cut short.
        if name != LOCK && name != "format.unfinished" {
            return Err(Error::new(
                ErrorKind::Config,
                OPEN,
                format!(
                    "{} is not a trace store, and not empty (it holds {}); name another directory",
                    path.display(),
                    name.display()
                ),
            ));
        }
    }
    Ok(())
}

/// The version of a store, which is one that can be opened here.
fn check_version(path: &Path, text: &[u8]) -> Result<&'static str> {
    let text = String::from_utf8_lossy(text);
    let problem = match text.trim_end().strip_prefix(PRODUCT) {
        Some(VERSION) => return Ok(VERSION),
        Some(EARLIER) => return Ok(EARLIER),
        Some(later) if later.bytes().all(|byte| byte.is_ascii_digit()) && !later.is_empty() => Error::new(
            ErrorKind::Config,
            OPEN,
            format!(
                "{} has format {later}, this version of nephoscope knows format {VERSION}; use the version that made it",
                path.display()
            ),
        ),
        _ => Error::new(
            ErrorKind::Corrupt,
            OPEN,
            format!(
                "the file {} is damaged: its line should read `{PRODUCT}{VERSION}`; write it anew if this is your store",
                path.join(FORMAT).display()
            ),
        ),
    };
    Err(problem)
}

fn lock(path: &Path) -> Result<File> {
    let failed = |error| io_failure(OPEN, path, error);
    let open = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path.join(LOCK));
    let mut file = open.map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::Error(error)) => return Err(failed(error)),
        Err(TryLockError::WouldBlock) => return Err(taken(path, &mut file)),
    }
    // The id is for a message only: a full disk must not keep the store from being read.
    let _no_id =
        file.set_len(0).and_then(|()| file.rewind()).and_then(|()| write!(file, "{}", process::id()));
    Ok(file)
}

fn taken(path: &Path, lock: &mut File) -> Error {
    let mut id = String::new();
    let holder = match lock.read_to_string(&mut id).ok().and_then(|_| id.parse::<u32>().ok()) {
        Some(id) if id == process::id() => "this process has it open already".to_owned(),
        Some(id) => format!("process {id} has it open: stop it or use its HTTP API"),
        None => "another process has it open: stop it or use its HTTP API".to_owned(),
    };
    Error::new(ErrorKind::Conflict, OPEN, format!("{}: {holder}", path.display()))
}
