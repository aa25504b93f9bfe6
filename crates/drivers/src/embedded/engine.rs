//! The engine under the store: fjall, a log-structured merge tree with a journal, and how it is set up here.

use std::path::Path;

use fjall::config::{BlockSizePolicy, CompressionPolicy};
use fjall::{
    CompressionType, Database, Keyspace, KeyspaceCreateOptions, OwnedWriteBatch, PersistMode, Snapshot,
};
use nephoscope_disk::engine;
use nephoscope_telemetry::Result;

use super::failure::{CLOSE, OPEN, engine_failure, failure};

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
        engine::open(path, 4, "points", Self::open_files).map_err(|error| failure(OPEN, error))
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
        engine::check(&self.database)
    }

    /// Waits until the engine has caught up so far that a write will not halt.
    pub(super) fn wait_for_room(&self) -> fjall::Result<()> {
        engine::wait_for_room(&self.database, &self.keyspaces())
    }

    /// Rewrites what is left of the points after many were deleted, which gives their space back.
    pub(super) fn compact(&self) -> fjall::Result<()> {
        self.flush()?;
        self.keyspaces().into_iter().try_for_each(Keyspace::major_compact)
    }

    /// Makes tables of all that is in memory, after which the journal holds nothing that is not elsewhere.
    pub(super) fn flush(&self) -> fjall::Result<()> {
        engine::flush(&self.database, &self.keyspaces())
    }

    /// Flushes, closes and empties the journal, so that the next opening has nothing to read again. When the flush
    /// fails the journal is left as it is, and nothing is lost.
    pub(super) fn close(self, path: &Path) -> Result<()> {
        let flushed = self.flush();
        let is_flushed = flushed.is_ok() && engine::is_flushed(&self.keyspaces());
        drop(self);
        match is_flushed {
            true => engine::clear_journal(path).map_err(|error| failure(CLOSE, error)),
            false => Ok(()),
        }
    }

    fn keyspaces(&self) -> [&Keyspace; 4] {
        [&self.points, &self.traces, &self.by_time, &self.errors_by_time]
    }
}
