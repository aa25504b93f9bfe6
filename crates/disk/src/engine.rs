//! Using fjall, a log-structured merge tree with a journal, without being surprised by it.

use std::fs::OpenOptions;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::thread;
use std::time::Duration;

use fjall::{AbstractTree, Database, Keyspace, PersistMode};

use crate::error::{Error, ErrorKind, Result, damaged, engine_failure, io_failure};
use crate::journal;

/// The engine halts a writer, without end when its own threads have failed, at four memtables that wait to be written
/// and at thirty tables that wait to be merged. We wait earlier, where the failure is seen.
const WAITING_MEMTABLES: usize = 2;
const WAITING_TABLES: usize = 20;
/// How long to wait before looking again whether the engine has caught up.
const PAUSE: Duration = Duration::from_millis(5);

/// Opens an engine that has so many keyspaces, after seeing to it that it will find all that was written. What was stored
/// there is called so where some of it is lost.
pub fn open<T>(
    path: &Path,
    keyspaces: usize,
    stored: &str,
    open: impl FnOnce(&Path) -> fjall::Result<T>,
) -> Result<T> {
    check_files(path, keyspaces)?;
    journal::mend(path, stored)?;
    // The engine trusts some of its files so far that damage makes it panic.
    match catch_unwind(AssertUnwindSafe(|| open(path))) {
        Ok(opened) => opened.map_err(|error| engine_failure(path, error)),
        Err(_) => Err(Error::new(ErrorKind::Corrupt, damaged(path))),
    }
}

/// Fails once a write or a thread of the engine has failed: it then takes nothing more until it is opened again.
pub fn check(database: &Database) -> fjall::Result<()> {
    database.persist(PersistMode::Buffer)
}

/// Waits until the engine has caught up so far that a write will not halt.
pub fn wait_for_room(database: &Database, keyspaces: &[&Keyspace]) -> fjall::Result<()> {
    while keyspaces.iter().any(|keyspace| {
        keyspace.sealed_memtable_count() >= WAITING_MEMTABLES || keyspace.l0_table_count() >= WAITING_TABLES
    }) {
        check(database)?;
        thread::sleep(PAUSE);
    }
    Ok(())
}

/// Makes tables of all that is in memory, after which the journal holds nothing that is not elsewhere.
pub fn flush(database: &Database, keyspaces: &[&Keyspace]) -> fjall::Result<()> {
    for keyspace in keyspaces {
        keyspace.rotate_memtable()?;
    }
    while keyspaces.iter().any(|keyspace| keyspace.sealed_memtable_count() > 0) {
        check(database)?;
        thread::sleep(PAUSE);
    }
    Ok(())
}

/// Whether nothing is in memory alone.
pub fn is_flushed(keyspaces: &[&Keyspace]) -> bool {
    keyspaces.iter().all(|keyspace| keyspace.tree.active_memtable().is_empty())
}

/// Empties the journal of an engine that was flushed and is closed, so that the next opening has nothing to read again.
pub fn clear_journal(path: &Path) -> Result<()> {
    journal::clear(path)
}

/// Refuses to open when a file is missing that the engine would take for a sign that a keyspace or the whole database
/// was never completed: it would delete the rest. Its lock is made anew: it holds nothing, and we hold our own.
fn check_files(path: &Path, keyspaces: usize) -> Result<()> {
    let directory = path.join("keyspaces");
    // The first is the engine's own.
    let markers = (0..=keyspaces).map(|number| directory.join(number.to_string()).join("current"));
    for file in markers.chain([path.join("version")]) {
        if !file.try_exists().map_err(|error| io_failure(&file, error))? {
            let message = format!("{} is missing: {}", file.display(), damaged(path));
            return Err(Error::new(ErrorKind::Corrupt, message));
        }
    }
    let lock = path.join("lock");
    let opened = OpenOptions::new().create(true).append(true).open(&lock);
    opened.map(drop).map_err(|error| io_failure(&lock, error))
}
