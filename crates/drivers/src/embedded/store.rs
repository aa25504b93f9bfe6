//! The store of one directory: its engine, which may have to be opened again.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};

use nephoscope_disk::{Directory, Layout};
use nephoscope_telemetry::{Error, ErrorKind, Result};

use super::engine::Engine;
use super::failure::{OPEN, engine_failure, failure};

/// Format 1, which has no packs, is read as it is.
const LAYOUT: Layout = Layout { product: "trace store", version: "2", earlier: &["1"], engine: "engine" };

/// A directory and its engine. Blocking: not for threads that run futures.
pub(super) struct Store {
    path: PathBuf,
    /// Held for reading by every use, for writing to open the engine again or to close the store: the engine lets go
    /// of its files only when nobody uses it any more.
    opened: RwLock<Opened>,
}

struct Opened {
    /// Nothing after the engine failed, until it is opened again. Dropped before the lock on the directory.
    engine: Option<Engine>,
    /// Nothing after the store was closed.
    directory: Option<Directory>,
}

impl Store {
    /// Opens the store in a directory, or makes an empty one there.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let failed = |error| failure(OPEN, error);
        let directory = Directory::take(path, &LAYOUT).map_err(failed)?;
        directory.make_engine(failed, Engine::create)?;
        let engine = Some(Engine::open(&directory.engine())?);
        Ok(Self { path: path.to_owned(), opened: RwLock::new(Opened { engine, directory: Some(directory) }) })
    }

    /// Uses the engine.
    pub(super) fn with<T>(
        &self,
        operation: &'static str,
        work: impl FnOnce(&Engine) -> fjall::Result<T>,
    ) -> Result<T> {
        let opened = self.opened.read().unwrap_or_else(PoisonError::into_inner);
        let engine = opened.engine.as_ref().ok_or_else(|| self.not_open(operation))?;
        work(engine).map_err(|error| engine_failure(operation, &self.path, error))
    }

    /// Opens the engine anew, which takes nothing more after a failure until then.
    pub(super) fn reopen(&self, operation: &'static str) -> Result<()> {
        let mut opened = self.opened.write().unwrap_or_else(PoisonError::into_inner);
        let path = opened.directory.as_ref().ok_or_else(|| self.not_open(operation))?.engine();
        drop(opened.engine.take());
        opened.engine = Some(Engine::open(&path)?);
        Ok(())
    }

    /// Closes the store: everything is in tables then, and others may open it. Closing twice does no harm.
    pub(super) fn close(&self) -> Result<()> {
        let mut opened = self.opened.write().unwrap_or_else(PoisonError::into_inner);
        let Opened { engine, directory } = &mut *opened;
        match (engine.take(), directory.take()) {
            (Some(engine), Some(directory)) => engine.close(&directory.engine()),
            _ => Ok(()),
        }
    }

    fn not_open(&self, operation: &'static str) -> Error {
        Error::new(ErrorKind::Unavailable, operation, format!("{} is not open", self.path.display()))
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Store").field(&self.path).finish()
    }
}
