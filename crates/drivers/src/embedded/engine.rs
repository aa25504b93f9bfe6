//! The engine under the store: fjall, a log-structured merge tree with a journal, and how it is set up here.

use std::fs::OpenOptions;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::thread;
use std::time::Duration;

use fjall::config::{BlockSizePolicy, CompressionPolicy};
use fjall::{
    AbstractTree, CompressionType, Database, Keyspace, KeyspaceCreateOptions, OwnedWriteBatch, PersistMode,
    Snapshot,
};
use nephoscope_telemetry::{Error, ErrorKind, Result};

use super::failure::{OPEN, damaged, engine_failure, io_failure};
use super::journal;

/// What the engine keeps of its files in memory, shared by all reads.
const CACHE_BYTES: u64 = 32 << 20;
/// How much of a keyspace is gathered in memory, and only in the journal on disk, before it becomes a table. Opening
/// after a crash reads that much again.
const MEMTABLE_BYTES: u64 = 16 << 20;
/// How large journals may get in all before the engine makes tables of what they hold: the least it takes.
const JOURNAL_BYTES: u64 = 64 << 20;
/// What is compressed together: larger blocks compress better, as far as a match reaches back, and cost more to read one point.
const POINT_BLOCK_BYTES: u32 = 32 << 10;
/// For the keyspaces whose records are read one by one.
const SMALL_BLOCK_BYTES: u32 = 4 << 10;
/// The engine halts a writer, without end when its own threads have failed, at four memtables that wait to be written
/// and at thirty tables that wait to be merged. We wait earlier, where the failure is seen.
const WAITING_MEMTABLES: usize = 2;
const WAITING_TABLES: usize = 20;
/// How long to wait before looking again whether the engine has caught up.
const PAUSE: Duration = Duration::from_millis(5);
/// The keyspaces, in the order in which they are made, which gives their directories their numbers.
const POINTS: &str = "points";
const TRACES: &str = "traces";
const BY_TIME: &str = "by_time";
const ERRORS_BY_TIME: &str = "errors_by_time";

/// An open engine. Blocking: not for threads that run futures.
pub(super) struct Engine {
    database: Database,
    /// [`point_key`](super::keys::point_key) to [`record`](super::record).
    pub(super) points: Keyspace,
    /// [`trace_key`](super::keys::trace_key) to [`Summary`](super::summary::Summary).
    pub(super) traces: Keyspace,
    /// [`index_key`](super::keys::index_key) of every trace, with its earliest point.
    pub(super) by_time: Keyspace,
    /// The same of those that report an exception.
    pub(super) errors_by_time: Keyspace,
}

impl Engine {
    /// Makes an empty engine in a directory of its own.
    pub(super) fn create(path: &Path) -> Result<()> {
        Self::open_files(path).map(drop).map_err(|error| engine_failure(OPEN, path, error))
    }

    /// Opens the engine in the directory that [`create`](Self::create) made.
    pub(super) fn open(path: &Path) -> Result<Self> {
        check_files(path)?;
        journal::mend(path)?;
        // The engine trusts some of its files so far that damage makes it panic.
        match catch_unwind(AssertUnwindSafe(|| Self::open_files(path))) {
            Ok(opened) => opened.map_err(|error| engine_failure(OPEN, path, error)),
            Err(_) => Err(Error::new(ErrorKind::Corrupt, OPEN, damaged(path))),
        }
    }

    fn open_files(path: &Path) -> fjall::Result<Self> {
        let database =
            Database::builder(path).cache_size(CACHE_BYTES).max_journaling_size(JOURNAL_BYTES).open()?;
        let keyspace = |name, block_bytes, hits| {
            database.keyspace(name, || {
                KeyspaceCreateOptions::default()
                    .max_memtable_size(MEMTABLE_BYTES)
                    .data_block_size_policy(BlockSizePolicy::all(block_bytes))
                    .data_block_compression_policy(CompressionPolicy::all(CompressionType::Lz4))
                    .expect_point_read_hits(hits)
            })
        };
        Ok(Self {
            points: keyspace(POINTS, POINT_BLOCK_BYTES, false)?,
            traces: keyspace(TRACES, SMALL_BLOCK_BYTES, false)?,
            by_time: keyspace(BY_TIME, SMALL_BLOCK_BYTES, true)?,
            errors_by_time: keyspace(ERRORS_BY_TIME, SMALL_BLOCK_BYTES, true)?,
            database,
        })
    }

    /// What the store holds at this moment, whatever is written meanwhile.
    pub(super) fn snapshot(&self) -> Snapshot {
        self.database.snapshot()
    }

    /// A batch that is on disk when it is committed.
    pub(super) fn batch(&self) -> OwnedWriteBatch {
        self.database.batch().durability(Some(PersistMode::SyncData))
    }

    /// Fails once a write or a thread of the engine has failed: it then takes nothing more until it is opened again.
    pub(super) fn check(&self) -> fjall::Result<()> {
        self.database.persist(PersistMode::Buffer)
    }

    /// Waits until the engine has caught up so far that a write will not halt.
    pub(super) fn wait_for_room(&self) -> fjall::Result<()> {
        while self.keyspaces().into_iter().any(|keyspace| {
            keyspace.sealed_memtable_count() >= WAITING_MEMTABLES
                || keyspace.l0_table_count() >= WAITING_TABLES
        }) {
            self.check()?;
            thread::sleep(PAUSE);
        }
        Ok(())
    }

    /// Rewrites what is left of the points after many were deleted, which gives their space back.
    pub(super) fn compact(&self) -> fjall::Result<()> {
        self.flush()?;
        self.keyspaces().into_iter().try_for_each(Keyspace::major_compact)
    }

    /// Makes tables of all that is in memory, after which the journal holds nothing that is not elsewhere.
    pub(super) fn flush(&self) -> fjall::Result<()> {
        for keyspace in self.keyspaces() {
            keyspace.rotate_memtable()?;
        }
        while self.keyspaces().into_iter().any(|keyspace| keyspace.sealed_memtable_count() > 0) {
            self.check()?;
            thread::sleep(PAUSE);
        }
        Ok(())
    }

    /// Flushes, closes and empties the journal, so that the next opening has nothing to read again. When the flush
    /// fails the journal is left as it is, and nothing is lost.
    pub(super) fn close(self, path: &Path) -> Result<()> {
        let flushed = self.flush();
        let is_empty =
            self.keyspaces().into_iter().all(|keyspace| keyspace.tree.active_memtable().is_empty());
        drop(self);
        if flushed.is_ok() && is_empty {
            journal::clear(path)?;
        }
        Ok(())
    }

    fn keyspaces(&self) -> [&Keyspace; 4] {
        [&self.points, &self.traces, &self.by_time, &self.errors_by_time]
    }
}

/// Refuses to open when a file is missing that the engine would take for a sign that a keyspace or the whole database
/// was never completed: it would delete the rest. Its lock is made anew: it holds nothing, and we hold our own.
fn check_files(path: &Path) -> Result<()> {
    let keyspaces = path.join("keyspaces");
    let markers = (0..=4).map(|number| keyspaces.join(number.to_string()).join("current"));
    for file in markers.chain([path.join("version")]) {
        if !file.try_exists().map_err(|error| io_failure(OPEN, &file, error))? {
            let message = format!("{} is missing: {}", file.display(), damaged(path));
            return Err(Error::new(ErrorKind::Corrupt, OPEN, message));
        }
    }
    let lock = path.join("lock");
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(&lock)
        .map(drop)
        .map_err(|error| io_failure(OPEN, &lock, error))
}
