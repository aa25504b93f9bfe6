//! The index on disk: fjall, a log-structured merge tree with a journal.

use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use fjall::config::{BlockSizePolicy, CompressionPolicy};
use fjall::{
    CompressionType, Database, Keyspace, KeyspaceCreateOptions, OwnedWriteBatch, PersistMode, Readable,
};
use nephoscope_disk::engine;
use nephoscope_gnocchi::{Error, Result, Timestamp};
use uuid::Uuid;

use super::codec;
use super::record::{Change, MetricRecord, ResourceRecord, RevisionRecord};
use super::state::State;
use crate::failure::{cannot_open, damaged, engine_failure, failure};
use crate::series::MetricKey;

/// What the engine keeps of its files in memory: only revisions are read from there.
const CACHE_BYTES: u64 = 8 << 20;
/// How much of a keyspace is gathered in memory before it becomes a table. Opening after a crash reads that much again.
const MEMTABLE_BYTES: u64 = 8 << 20;
/// How large journals may get in all before the engine makes tables of what they hold: the least it takes.
const JOURNAL_BYTES: u64 = 64 << 20;
/// What is compressed together. Records of one kind are much alike.
const BLOCK_BYTES: u32 = 16 << 10;
/// How many records of a copy are written as one batch: enough to be quick, few enough to hold in memory.
const COPIED_AT_ONCE: usize = 1000;

/// The keyspaces, in the order in which they are made, which gives their directories their numbers.
const SCHEMA: &str = "schema";
const RESOURCES: &str = "resources";
const REVISIONS: &str = "revisions";
const METRICS: &str = "metrics";

/// The first byte of keys in `schema`.
const POLICY: u8 = b'p';
const RULE: u8 = b'r';
const TYPE: u8 = b't';
const COUNTERS: u8 = b'c';

/// An open index on disk.
pub(super) struct Disk {
    path: PathBuf,
    database: Database,
    /// Policies, rules, types and counters, each under a byte of its own and its name or number.
    schema: Keyspace,
    /// By id.
    resources: Keyspace,
    /// By the id of the resource and the number of the revision.
    revisions: Keyspace,
    /// By key.
    metrics: Keyspace,
    /// How many batches were written.
    written: AtomicU64,
    /// How many of them are known to be on disk. Held while they are brought there, so that those who wait meanwhile
    /// find it done.
    synced: Mutex<u64>,
    /// The same number, for those who only look.
    known_synced: AtomicU64,
}

impl Disk {
    /// Makes an empty index in a directory of its own.
    pub(super) fn create(path: &Path) -> Result<()> {
        Self::open_files(path).map(drop).map_err(|error| engine_failure(path, error))
    }

    /// Opens the index in the directory that [`create`](Self::create) made.
    pub(super) fn open(path: &Path) -> Result<Self> {
        engine::open(path, 4, "changes", Self::open_files).map_err(cannot_open)
    }

    fn open_files(path: &Path) -> fjall::Result<Self> {
        let database =
            Database::builder(path).cache_size(CACHE_BYTES).max_journaling_size(JOURNAL_BYTES).open()?;
        let keyspace = |name| {
            database.keyspace(name, || {
                KeyspaceCreateOptions::default()
                    .max_memtable_size(MEMTABLE_BYTES)
                    .data_block_size_policy(BlockSizePolicy::all(BLOCK_BYTES))
                    .data_block_compression_policy(CompressionPolicy::all(CompressionType::Lz4))
            })
        };
        Ok(Self {
            path: path.to_owned(),
            schema: keyspace(SCHEMA)?,
            resources: keyspace(RESOURCES)?,
            revisions: keyspace(REVISIONS)?,
            metrics: keyspace(METRICS)?,
            database,
            written: AtomicU64::new(0),
            synced: Mutex::new(0),
            known_synced: AtomicU64::new(0),
        })
    }

    /// Writes changes, all or none. Who wants them durable has to [`sync`](Self::sync).
    pub(super) fn write(&self, changes: &[Change]) -> Result<()> {
        self.wait_for_room().map_err(|error| self.failure(error))?;
        let mut batch = self.database.batch();
        for change in changes {
            self.put(&mut batch, change)?;
        }
        let written = batch.durability(Some(PersistMode::Buffer)).commit();
        written.map_err(|error| self.failure(error))?;
        self.written.fetch_add(1, Ordering::AcqRel);
        Ok(())
    }

    /// Fails once a write or a thread of the engine has failed: it then takes nothing more until it is opened again.
    pub(super) fn check(&self) -> Result<()> {
        engine::check(&self.database).map_err(|error| self.failure(error))
    }

    /// Waits until everything that was written before is on disk. Those who come at the same time share the way.
    pub(super) fn sync(&self) -> Result<()> {
        let written = self.written.load(Ordering::Acquire);
        if self.known_synced.load(Ordering::Acquire) >= written {
            return Ok(());
        }
        let mut synced = self.synced.lock().unwrap_or_else(PoisonError::into_inner);
        if *synced >= written {
            return Ok(());
        }
        let written = self.written.load(Ordering::Acquire);
        self.database.persist(PersistMode::SyncData).map_err(|error| self.failure(error))?;
        *synced = written;
        self.known_synced.store(written, Ordering::Release);
        Ok(())
    }

    fn put(&self, batch: &mut OwnedWriteBatch, change: &Change) -> Result<()> {
        match change {
            Change::ArchivePolicy(policy) => {
                batch.insert(&self.schema, key(POLICY, &policy.name), codec::encode_policy(policy));
            }
            Change::NoArchivePolicy(name) => batch.remove(&self.schema, key(POLICY, name)),
            Change::Rule(rule) => {
                batch.insert(&self.schema, key(RULE, &rule.name), codec::encode_rule(rule));
            }
            Change::NoRule(name) => batch.remove(&self.schema, key(RULE, name)),
            Change::ResourceType(record) => {
                batch.insert(&self.schema, type_key(record.key.0), codec::encode_type(record));
            }
            Change::NoResourceType(number) => batch.remove(&self.schema, type_key(number.0)),
            Change::Counters(counters) => {
                batch.insert(&self.schema, [COUNTERS], codec::encode_counters(*counters));
            }
            Change::Resource(record) => {
                batch.insert(&self.resources, record.id.as_bytes(), codec::encode_resource(record));
            }
            Change::NoResource(id) => {
                batch.remove(&self.resources, id.as_bytes());
                for item in self.revisions.prefix(id.as_bytes()) {
                    batch.remove(&self.revisions, item.key().map_err(|error| self.failure(error))?);
                }
            }
            Change::Revision(record) => {
                let key = revision_key(record.resource.id, record.number);
                batch.insert(&self.revisions, key, codec::encode_revision(record));
            }
            Change::NoRevision(id, number) => batch.remove(&self.revisions, revision_key(*id, *number)),
            Change::Metric(record) => {
                batch.insert(&self.metrics, record.key.0.to_be_bytes(), codec::encode_metric(record));
            }
            Change::NoMetric(key) => batch.remove(&self.metrics, key.0.to_be_bytes()),
        }
        Ok(())
    }

    /// Everything there is but the revisions that have ended. What is damaged is left out and told, unless the rest
    /// means nothing without it.
    pub(super) fn load(&self) -> Result<State> {
        let mut state = State::default();
        self.load_schema(&mut state)?;
        let mut bad = 0_u64;
        self.each(&self.resources, |key, value| {
            let record = Uuid::from_slice(key).ok().and_then(|id| codec::decode_resource(id, value));
            match record.filter(|record| state.type_of(record).is_some()) {
                Some(record) => state.apply(Change::Resource(record)),
                None => bad += 1,
            }
        })?;
        self.each(&self.metrics, |key, value| {
            let record = metric_key(key).and_then(|key| codec::decode_metric(key, value));
            match record.filter(|record| state.policy(&record.archive_policy).is_some()) {
                Some(record) => state.apply(Change::Metric(record)),
                None => bad += 1,
            }
        })?;
        if bad > 0 {
            let path = self.path.display();
            tracing::error!("{bad} record(s) of resources and metrics in {path} are damaged, and left out");
        }
        Ok(state)
    }

    fn load_schema(&self, state: &mut State) -> Result<()> {
        let mut is_whole = true;
        // Keys are in order, policies before rules.
        self.each(&self.schema, |key, value| {
            let change = match key.first() {
                Some(&POLICY) => codec::decode_policy(value).map(Change::ArchivePolicy),
                Some(&RULE) => codec::decode_rule(value).map(Change::Rule),
                Some(&TYPE) => codec::decode_type(value).map(Change::ResourceType),
                Some(&COUNTERS) => codec::decode_counters(value).map(Change::Counters),
                _ => None,
            };
            match change {
                Some(change) => state.apply(change),
                None => is_whole = false,
            }
        })?;
        match is_whole {
            true => Ok(()),
            false => Err(damaged(&self.path)),
        }
    }

    fn each(&self, keyspace: &Keyspace, mut work: impl FnMut(&[u8], &[u8])) -> Result<()> {
        for item in self.database.snapshot().iter(keyspace) {
            let (key, value) = item.into_inner().map_err(|error| self.failure(error))?;
            work(&key, &value);
        }
        Ok(())
    }

    /// The revisions of a resource that have ended, in their order. Damaged ones are left out and told.
    pub(super) fn revisions(&self, id: Uuid) -> Result<Vec<RevisionRecord>> {
        let mut revisions = Vec::new();
        for item in self.revisions.prefix(id.as_bytes()) {
            let (key, value) = item.into_inner().map_err(|error| self.failure(error))?;
            match split_revision_key(&key).and_then(|(id, number)| codec::decode_revision(id, number, &value))
            {
                Some(revision) => revisions.push(revision),
                None => tracing::error!("a revision of resource {id} is damaged, and left out"),
            }
        }
        Ok(revisions)
    }

    /// Ids, numbers and ends of so many revisions, behind one of them. Damaged ones are left out.
    pub(super) fn revisions_behind(
        &self,
        behind: Option<(Uuid, u64)>,
        limit: usize,
    ) -> Result<Vec<((Uuid, u64), Timestamp)>> {
        let start = behind.map_or(Bound::Unbounded, |(id, number)| Bound::Excluded(revision_key(id, number)));
        let mut seen = Vec::new();
        for item in self.revisions.range((start, Bound::Unbounded)) {
            let (key, value) = item.into_inner().map_err(|error| self.failure(error))?;
            let revision =
                split_revision_key(&key).and_then(|(id, number)| codec::decode_revision(id, number, &value));
            if let Some(revision) = revision {
                seen.push(((revision.resource.id, revision.number), revision.ended));
            }
            if seen.len() == limit {
                break;
            }
        }
        Ok(seen)
    }

    /// About how many revisions there are, and how many bytes everything takes.
    pub(super) fn sizes(&self) -> (usize, u64) {
        let bytes = self.database.disk_space().unwrap_or_default();
        (self.revisions.approximate_len(), bytes)
    }

    /// Gives everything, resources before what refers to them; of what is damaged, where it is.
    pub(super) fn check_all(&self, mut each: impl FnMut(Found)) -> Result<()> {
        let damaged =
            |what: &str, key: &[u8]| Found::Damaged(format!("the record of {what} {key:02x?} is damaged"));
        self.each(&self.resources, |key, value| {
            let record = Uuid::from_slice(key).ok().and_then(|id| codec::decode_resource(id, value));
            each(record.map_or_else(|| damaged("resource", key), Found::Resource));
        })?;
        self.each(&self.revisions, |key, value| {
            let record =
                split_revision_key(key).and_then(|(id, number)| codec::decode_revision(id, number, value));
            each(record.map_or_else(|| damaged("revision", key), Found::Revision));
        })?;
        self.each(&self.metrics, |key, value| {
            let record = metric_key(key).and_then(|key| codec::decode_metric(key, value));
            each(record.map_or_else(|| damaged("metric", key), Found::Metric));
        })
    }

    /// Rewrites all tables.
    pub(super) fn compact(&self) -> Result<()> {
        let done =
            self.flush().and_then(|()| self.keyspaces().into_iter().try_for_each(Keyspace::major_compact));
        done.map_err(|error| self.failure(error))
    }

    /// Makes tables of all that is in memory.
    fn flush(&self) -> fjall::Result<()> {
        engine::flush(&self.database, &self.keyspaces())
    }

    /// Flushes, closes and empties the journal. When the flush fails the journal is left as it is, and nothing is lost.
    pub(super) fn close(self) -> Result<()> {
        let flushed = self.flush().map_err(|error| self.failure(error));
        let is_flushed = flushed.is_ok() && engine::is_flushed(&self.keyspaces());
        let path = self.path.clone();
        drop(self);
        match is_flushed {
            true => engine::clear_journal(&path).map_err(failure),
            false => flushed,
        }
    }

    /// Makes an index in another directory that holds what this one does at this moment.
    pub(super) fn copy(&self, to: &Path) -> Result<()> {
        let snapshot = self.database.snapshot();
        let failed = |error| engine_failure(to, error);
        let copy = Self::open_files(to).map_err(failed)?;
        for (own, other) in self.keyspaces().into_iter().zip(copy.keyspaces()) {
            let mut batch = copy.database.batch();
            for item in snapshot.iter(own) {
                let (key, value) = item.into_inner().map_err(|error| self.failure(error))?;
                batch.insert(other, key, value);
                if batch.len() >= COPIED_AT_ONCE {
                    copy.wait_for_room().and_then(|()| batch.commit()).map_err(failed)?;
                    batch = copy.database.batch();
                }
            }
            batch.commit().map_err(failed)?;
        }
        copy.flush().and_then(|()| copy.database.persist(PersistMode::SyncAll)).map_err(failed)
    }

    /// Waits until the engine has caught up so far that a write will not halt.
    fn wait_for_room(&self) -> fjall::Result<()> {
        engine::wait_for_room(&self.database, &self.keyspaces())
    }

    fn keyspaces(&self) -> [&Keyspace; 4] {
        [&self.schema, &self.resources, &self.revisions, &self.metrics]
    }

    fn failure(&self, error: fjall::Error) -> Error {
        engine_failure(&self.path, error)
    }
}

/// What a check finds.
pub(super) enum Found {
    Resource(ResourceRecord),
    Revision(RevisionRecord),
    Metric(MetricRecord),
    /// A record that cannot be read.
    Damaged(String),
}

fn key(kind: u8, name: &str) -> Vec<u8> {
    [&[kind], name.as_bytes()].concat()
}

fn type_key(number: u32) -> Vec<u8> {
    [&[TYPE][..], &number.to_be_bytes()].concat()
}

fn metric_key(key: &[u8]) -> Option<MetricKey> {
    Some(MetricKey(u64::from_be_bytes(key.try_into().ok()?)))
}

fn revision_key(id: Uuid, number: u64) -> Vec<u8> {
    [&id.as_bytes()[..], &number.to_be_bytes()].concat()
}

fn split_revision_key(key: &[u8]) -> Option<(Uuid, u64)> {
    let (id, number) = key.split_last_chunk()?;
    Some((Uuid::from_slice(id).ok()?, u64::from_be_bytes(*number)))
}
