//! The directory of a store: whose it is, which version made it, and that one process at a time has it.
//!
//! ```text
//! format   "nephoscope metric store 1" and a line feed: the version of everything below
//! lock     locked by the process that has the store open; holds its id, for the message to the next one
//! index/   who there is, as the engine keeps it; complete as soon as it has this name
//! series/  what was measured
//! ```

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::process;

use nephoscope_gnocchi::{Error, Result};

use crate::failure::{damaged, io_failure, refused};

const FORMAT: &str = "format";
const LOCK: &str = "lock";
const INDEX: &str = "index";
const SERIES: &str = "series";
/// The name of `index` until it is complete.
const UNFINISHED: &str = "index.unfinished";
const PRODUCT: &str = "nephoscope metric store ";
const VERSION: &str = "1";

/// A directory that is ours, locked until it is dropped.
#[derive(Debug)]
pub(crate) struct Directory {
    path: PathBuf,
    _lock: File,
}

impl Directory {
    /// Takes a directory, which is made when it is missing. One that holds anything else, that another process has, or
    /// that a later version made is refused and left as it is.
    pub(crate) fn take(path: &Path) -> Result<Self> {
        let failed = |error| io_failure(path, error);
        fs::create_dir_all(path).map_err(failed)?;
        check_owner(path)?;
        let directory = Self { path: path.to_owned(), _lock: lock(path)? };
        match fs::read(path.join(FORMAT)) {
            Ok(text) => check_version(path, &text)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => directory.complete()?,
            Err(error) => return Err(failed(error)),
        }
        Ok(directory)
    }

    /// Takes a directory with nothing in it, which is made when it is missing. It is that of a store only when it is
    /// [complete](Self::complete).
    pub(crate) fn take_empty(path: &Path) -> Result<Self> {
        let failed = |error| io_failure(path, error);
        fs::create_dir_all(path).map_err(failed)?;
        if is_store(path).map_err(failed)? {
            return Err(refused(format!("{} holds a store already; name another directory", path.display())));
        }
        check_owner(path)?;
        Ok(Self { path: path.to_owned(), _lock: lock(path)? })
    }

    /// Says what the directory is, which makes it that of a store.
    pub(crate) fn complete(&self) -> Result<()> {
        let content = format!("{PRODUCT}{VERSION}\n");
        write_durably(&self.path.join(FORMAT), content.as_bytes())
            .map_err(|error| io_failure(&self.path, error))
    }

    /// Where the series are.
    pub(crate) fn series(&self) -> PathBuf {
        self.path.join(SERIES)
    }

    /// Where the index is. It is made by `make` unless it is there, and gets its name when it is complete, so that a
    /// directory of that name in which something is missing is a damaged one, and not one half made.
    pub(crate) fn index(&self, make: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
        let failed = |error| io_failure(&self.path, error);
        let (index, unfinished) = (self.path.join(INDEX), self.path.join(UNFINISHED));
        if index.try_exists().map_err(failed)? {
            return Ok(index);
        }
        match fs::remove_dir_all(&unfinished) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        make(&unfinished)?;
        fs::rename(&unfinished, &index).and_then(|()| sync_directory(&self.path)).map_err(failed)?;
        Ok(index)
    }
}

/// Writes a file so that after a crash it is there as a whole or not at all.
fn write_durably(path: &Path, content: &[u8]) -> io::Result<()> {
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

/// Whether a directory is that of a store.
pub(crate) fn is_store(path: &Path) -> io::Result<bool> {
    path.join(FORMAT).try_exists()
}

fn check_owner(path: &Path) -> Result<()> {
    let failed = |error| io_failure(path, error);
    if is_store(path).map_err(failed)? {
        return Ok(());
    }
    for entry in fs::read_dir(path).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        // Left behind by a first opening that was cut short.
        if name != LOCK && name != "format.unfinished" {
            let (path, name) = (path.display(), name.display());
            return Err(refused(format!(
                "{path} is not a metric store, and not empty (it holds {name}); name another directory"
            )));
        }
    }
    Ok(())
}

fn check_version(path: &Path, text: &[u8]) -> Result<()> {
    let text = String::from_utf8_lossy(text);
    match text.trim_end().strip_prefix(PRODUCT) {
        Some(VERSION) => Ok(()),
        Some(later) if later.bytes().all(|byte| byte.is_ascii_digit()) && !later.is_empty() => {
            Err(refused(format!(
                "{} has format {later}, this version of nephoscope knows format {VERSION}; use the version that made it",
                path.display()
            )))
        }
        _ => Err(Error::Internal {
            message: format!(
                "the file {} is damaged: its line should read `{PRODUCT}{VERSION}`; write it anew if this is your store",
                path.join(FORMAT).display()
            ),
            source: Some(damaged(path).into()),
        }),
    }
}

fn lock(path: &Path) -> Result<File> {
    let failed = |error| io_failure(path, error);
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
    Error::Unavailable { message: format!("{}: {holder}", path.display()), source: None }
}
