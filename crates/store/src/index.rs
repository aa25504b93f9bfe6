//! Who there is: archive policies, rules, resource types, resources with their history, metrics.
//!
//! Everything is in memory but the revisions that have ended, and every change is on disk before it is answered. A
//! change is planned against what there is, written as one batch, and then carried out in memory by the same code that
//! reads the disk when the store is opened: `State::apply`.

mod attributes;
mod codec;
mod convert;
mod disk;
mod fields;
mod filter;
mod measures;
mod metrics;
mod names;
mod order;
mod plan;
mod policies;
mod record;
mod resources;
mod returns;
mod rows;
mod search;
mod state;
mod types;
mod upkeep;
mod value;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};
use std::time::{Duration, Instant};

use nephoscope_gnocchi::{Creator, Error, Result};
use uuid::Uuid;

use disk::Disk;
use plan::Plan;
use record::RevisionRecord;
use state::State;

pub(crate) use measures::Batch;
pub(crate) use upkeep::{Counts, Revisions};

/// How long to leave an index alone that failed, before it is opened again.
const REOPEN_PAUSE: Duration = Duration::from_secs(1);

/// The index of a store. Blocking: not for threads that run futures.
///
/// Locks are taken in the order in which they stand here.
pub(crate) struct Index {
    path: PathBuf,
    /// Held from the planning of a change until it is carried out, so that no other comes between. A plain lock: nothing
    /// is awaited.
    writer: Mutex<Writer>,
    /// Written for as long as it takes to carry out a change that is on disk; read by everything else.
    state: RwLock<State>,
    /// Written only to open it again after it failed. Nothing when that did not succeed.
    disk: RwLock<Option<Disk>>,
}

#[derive(Debug, Default)]
struct Writer {
    /// When the disk was opened again the last time.
    reopened: Option<Instant>,
}

impl Index {
    /// Makes an empty index in a directory of its own.
    pub(crate) fn create(path: &Path) -> Result<()> {
        Disk::create(path)
    }

    /// Opens the index in the directory that [`create`](Self::create) made.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let disk = Disk::open(path)?;
        Ok(Self {
            path: path.to_owned(),
            writer: Mutex::default(),
            state: RwLock::new(disk.load()?),
            disk: RwLock::new(Some(disk)),
        })
    }

    /// Closes it: everything is in tables then, and the next opening has nothing to read again.
    pub(crate) fn close(&self) -> Result<()> {
        let disk = self.disk.write().unwrap_or_else(PoisonError::into_inner).take();
        disk.map_or(Ok(()), Disk::close)
    }

    fn state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn writer(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with_disk<T>(&self, work: impl FnOnce(&Disk) -> Result<T>) -> Result<T> {
        let disk = self.disk.read().unwrap_or_else(PoisonError::into_inner);
        work(disk.as_ref().ok_or_else(|| self.not_open())?)
    }

    /// The revisions of a resource that have ended, in their order.
    fn revisions(&self, resource: Uuid) -> Result<Vec<RevisionRecord>> {
        self.with_disk(|disk| disk.revisions(resource))
    }

    /// Plans a change and carries it out: all of it or nothing, and on disk when it returns.
    fn change<T>(&self, plan: impl FnOnce(&mut Plan<'_>) -> Result<T>) -> Result<T> {
        let mut writer = self.writer();
        self.make_usable(&mut writer)?;
        let (planned, changes) = {
            let state = self.state();
            let mut new = Plan::new(&state);
            let planned = plan(&mut new)?;
            (planned, new.finish())
        };
        if !changes.is_empty() {
            self.with_disk(|disk| disk.write(&changes))?;
            let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
            for change in changes {
                state.apply(change);
            }
        }
        drop(writer);
        // Others may plan meanwhile, on what is not durable yet: they wait for a later sync, which brings this, too.
        self.make_durable()?;
        Ok(planned)
    }

    /// Waits until everything that can be seen is on disk, which it mostly is. Whatever else is to be durable and refers
    /// to what is here has to wait for it first.
    pub(crate) fn make_durable(&self) -> Result<()> {
        self.with_disk(Disk::sync)
    }

    /// Opens the disk again if it takes nothing more since an earlier failure, and reads from it what there is.
    fn make_usable(&self, writer: &mut Writer) -> Result<()> {
        let Err(failed) = self.with_disk(Disk::check) else { return Ok(()) };
        if writer.reopened.is_some_and(|at| at.elapsed() < REOPEN_PAUSE) {
            return Err(failed);
        }
        writer.reopened = Some(Instant::now());
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let mut disk = self.disk.write().unwrap_or_else(PoisonError::into_inner);
        drop(disk.take());
        let opened = Disk::open(&self.path)?;
        *state = opened.load()?;
        *disk = Some(opened);
        Ok(())
    }

    fn not_open(&self) -> Error {
        Error::Unavailable { message: format!("{} is not open", self.path.display()), source: None }
    }
}

impl fmt::Debug for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Index").field(&self.path).finish()
    }
}

/// Who made something, as it is kept.
fn creator_text(creator: &Creator) -> Option<Arc<str>> {
    Some(creator.to_string().into())
}
