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

use crate::error::{Error, ErrorKind, Result, io_failure};

const FORMAT: &str = "format";
const LOCK: &str = "lock";

/// What the directories of a kind of store have in common.
#[derive(Debug)]
pub struct Layout {
    /// What the store is called, such as `trace store`.
    pub product: &'static str,
    /// The version that is written.
    pub version: &'static str,
    /// What is read as it is, and written on in the form of [`version`](Self::version).
    pub earlier: &'static [&'static str],
    /// The name of the directory of the engine.
    pub engine: &'static str,
}

/// A directory that is ours, locked until it is dropped.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    layout: &'static Layout,
    _lock: File,
}

impl Directory {
    /// Takes a directory, which is made when it is missing. One that holds anything else, that another process has, or
    /// that a later version made is refused and left as it is.
    pub fn take(path: &Path, layout: &'static Layout) -> Result<Self> {
        let failed = |error| io_failure(path, error);
        fs::create_dir_all(path).map_err(failed)?;
        check_owner(path, layout)?;
        let directory = Self { path: path.to_owned(), layout, _lock: lock(path)? };
        let is_current = match fs::read(path.join(FORMAT)) {
            Ok(text) => is_current(path, layout, &text)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            Err(error) => return Err(failed(error)),
        };
        if !is_current {
            // Before anything is written that an earlier version would take for damage.
            directory.complete()?;
        }
        Ok(directory)
    }

    /// Takes a directory with nothing in it, which is made when it is missing. It is that of a store only when it is
    /// [complete](Self::complete).
    pub fn take_empty(path: &Path, layout: &'static Layout) -> Result<Self> {
        let failed = |error| io_failure(path, error);
        fs::create_dir_all(path).map_err(failed)?;
        if is_store(path).map_err(failed)? {
            let message = format!("{} holds a store already; name another directory", path.display());
            return Err(Error::new(ErrorKind::Config, message));
        }
        check_owner(path, layout)?;
        Ok(Self { path: path.to_owned(), layout, _lock: lock(path)? })
    }

    /// Says what the directory is, which makes it that of a store.
    pub fn complete(&self) -> Result<()> {
        let Layout { product, version, .. } = self.layout;
        write_durably(&self.path.join(FORMAT), format!("nephoscope {product} {version}\n").as_bytes())
            .map_err(|error| io_failure(&self.path, error))
    }

    /// Where something of this name is.
    pub fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Where the engine keeps its files.
    pub fn engine(&self) -> PathBuf {
        self.path.join(self.layout.engine)
    }

    /// Has the engine's directory made by `make`, unless there is one. It gets its name when it is complete, so that
    /// a directory of that name in which something is missing is a damaged one, and not one half made. What fails here is
    /// `told` as the caller tells it.
    pub fn make_engine<E>(
        &self,
        told: impl Fn(Error) -> E,
        make: impl FnOnce(&Path) -> Result<(), E>,
    ) -> Result<(), E> {
        let failed = |error| told(io_failure(&self.path, error));
        let engine = self.engine();
        let unfinished = engine.with_extension("unfinished");
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

/// Whether a directory is that of a store.
pub fn is_store(path: &Path) -> io::Result<bool> {
    path.join(FORMAT).try_exists()
}

/// Writes a file so that after a crash it is there as a whole or not at all.
pub(crate) fn write_durably(path: &Path, content: &[u8]) -> io::Result<()> {
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

fn check_owner(path: &Path, layout: &Layout) -> Result<()> {
    let failed = |error| io_failure(path, error);
    if is_store(path).map_err(failed)? {
        return Ok(());
    }
    for entry in fs::read_dir(path).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        // Left behind by a first opening that was cut short.
        if name != LOCK && name != "format.unfinished" {
            let (path, name, product) = (path.display(), name.display(), layout.product);
            let message =
                format!("{path} is not a {product}, and not empty (it holds {name}); name another directory");
            return Err(Error::new(ErrorKind::Config, message));
        }
    }
    Ok(())
}

/// Whether a store that can be opened here is of the version that is written.
fn is_current(path: &Path, layout: &Layout, text: &[u8]) -> Result<bool> {
    let Layout { product, version, .. } = *layout;
    let text = String::from_utf8_lossy(text);
    let told = text
        .trim_end()
        .strip_prefix("nephoscope ")
        .and_then(|rest| rest.strip_prefix(product)?.strip_prefix(' '));
    match told {
        Some(told) if told == version => Ok(true),
        Some(told) if layout.earlier.contains(&told) => Ok(false),
        Some(later) if later.bytes().all(|byte| byte.is_ascii_digit()) && !later.is_empty() => {
            let message = format!(
                "{} has format {later}, this version of nephoscope knows format {version}; use the version that made it",
                path.display()
            );
            Err(Error::new(ErrorKind::Config, message))
        }
        _ => {
            let message = format!(
                "the file {} is damaged: its line should read `nephoscope {product} {version}`; write it anew if this is \
                 your store",
                path.join(FORMAT).display()
            );
            Err(Error::new(ErrorKind::Corrupt, message))
        }
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
    Error::new(ErrorKind::Conflict, format!("{}: {holder}", path.display()))
}
