//! What the engine's journal may lose without saying so, and how that is prevented.
//!
//! The engine reads its journal up to the first batch that is damaged. Where the damage shows as a wrong checksum it
//! refuses to open; otherwise it cuts the rest off in silence, as it must after a crash in the middle of a write. But
//! whole batches behind the damage were acknowledged. So before the engine opens, each journal is read here: when it
//! holds whole batches behind damage, or its last batch is whole but wrong, a copy of it is kept beside it
//! (`N.jnl.damaged`) and the whole batches are written anew.
//!
//! The form is the engine's, version 3: a batch is `01`, a count (4 bytes) and a sequence number (8), that many items,
//! and `03`, the XXH3 of the items (8) and `FJL 03`. An item is `02`, two bytes for the type and the compression, the
//! keyspace (8), the lengths of the key (2), of the value (4) and of its stored form (4), key and stored value; or `04`
//! and the keyspace (8). Numbers are little-endian.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use memchr::memmem;
use xxhash_rust::xxh3::xxh3_64;

use crate::directory::write_durably;
use crate::error::{Result, io_failure};
use crate::fields::Fields;

const BATCH: u8 = 1;
const ITEM: u8 = 2;
const END: u8 = 3;
const CLEAR: u8 = 4;
const TRAILER: &[u8] = b"FJL\x03";
/// How much is looked at a time to find where the zeros at the end begin.
const PIECE: u64 = 64 << 10;

/// Sees to it that the engine will find every whole batch of its journals.
pub(crate) fn mend(engine: &Path, stored: &str) -> Result<()> {
    let failed = |error| io_failure(engine, error);
    let journals = journals(engine).map_err(failed)?;
    if journals.is_empty() {
        // Without any the engine would begin to number its writes anew, below those that it has.
        tracing::warn!(
            "the journal in {} is missing: the {stored} stored last are lost, the others are there",
            engine.display()
        );
        return write_durably(&engine.join("0.jnl"), &[]).map_err(failed);
    }
    journals.iter().try_for_each(|journal| mend_one(journal, stored).map_err(failed))
}

/// Deletes what journals hold, all of which has to be in tables by now.
pub(crate) fn clear(engine: &Path) -> Result<()> {
    let cleared = journals(engine).and_then(|mut journals| {
        let last = journals.pop();
        journals.iter().try_for_each(fs::remove_file)?;
        let Some(last) = last else { return Ok(()) };
        let file = OpenOptions::new().write(true).open(last)?;
        file.set_len(0)?;
        file.sync_all()
    });
    cleared.map_err(|error| io_failure(engine, error))
}

/// The journals, the oldest first.
fn journals(engine: &Path) -> io::Result<Vec<PathBuf>> {
    let mut numbered = Vec::new();
    for entry in fs::read_dir(engine)? {
        let path = entry?.path();
        let number = path.file_stem().and_then(|stem| stem.to_str()?.parse::<u64>().ok());
        if let (Some(number), Some("jnl")) =
            (number, path.extension().and_then(|extension| extension.to_str()))
        {
            numbered.push((number, path));
        }
    }
    numbered.sort();
    Ok(numbered.into_iter().map(|(_, path)| path).collect())
}

fn mend_one(journal: &Path, stored: &str) -> io::Result<()> {
    let content = written(journal)?;
    let read = Read::of(&content);
    if read.damaged == 0 {
        return Ok(());
    }
    let kept = journal.with_extension("jnl.damaged");
    fs::copy(journal, &kept)?;
    let whole: Vec<_> = read.whole.iter().map(|batch| &content[batch.clone()]).collect();
    write_durably(journal, &whole.concat())?;
    tracing::warn!(
        "{} was damaged: the {stored} of {} batch(es) stored last are lost, those of {} are there; a copy is kept as {}",
        journal.display(),
        read.damaged,
        read.whole.len(),
        kept.display()
    );
    Ok(())
}

/// What was written to a journal. The engine makes it as long as it may get, and most of that is mostly zeros still.
fn written(journal: &Path) -> io::Result<Vec<u8>> {
    let file = File::open(journal)?;
    let mut end = file.metadata()?.len();
    let mut piece = Vec::new();
    while end > 0 {
        let start = (end - 1) / PIECE * PIECE;
        piece.clear();
        piece.resize(usize::try_from(end - start).expect("it is a piece"), 0);
        file.read_exact_at(&mut piece, start)?;
        match piece.iter().rposition(|&byte| byte != 0) {
            Some(last) => {
                end = start + last as u64 + 1;
                break;
            }
            None => end = start,
        }
    }
    let mut content = Vec::new();
    file.take(end).read_to_end(&mut content)?;
    Ok(content)
}

/// Where the batches of a journal are.
#[derive(Debug, Default)]
struct Read {
    whole: Vec<Range<usize>>,
    /// How many were complete and are not whole.
    damaged: u64,
}

impl Read {
    fn of(content: &[u8]) -> Self {
        let mut read = Self::default();
        let mut at = 0;
        while let Some(rest) = content.get(at..) {
            if let Some(length) = whole_batch(rest) {
                read.whole.push(at..at + length);
                at += length;
            } else if let Some(end) = memmem::find(rest, TRAILER) {
                read.damaged += 1;
                at += end + TRAILER.len();
            } else {
                break;
            }
        }
        read
    }
}

/// The length of the batch that begins here, if one does and is whole.
fn whole_batch(content: &[u8]) -> Option<usize> {
    let mut rest = Fields(content);
    (rest.byte()? == BATCH).then_some(())?;
    let count = number(&mut rest, 4)?;
    rest.bytes(8)?;
    let items = rest.0;
    (0..count).try_for_each(|_| item(&mut rest))?;
    let items = &items[..items.len() - rest.0.len()];
    (rest.byte()? == END && number(&mut rest, 8)? == xxh3_64(items)).then_some(())?;
    (rest.bytes(TRAILER.len())? == TRAILER).then(|| content.len() - rest.0.len())
}

fn item(rest: &mut Fields<'_>) -> Option<()> {
    match rest.byte()? {
        ITEM => {
            rest.bytes(2 + 8)?;
            let (key, _value, stored) = (number(rest, 2)?, number(rest, 4)?, number(rest, 4)?);
            rest.bytes(usize::try_from(key + stored).ok()?).map(drop)
        }
        CLEAR => rest.bytes(8).map(drop),
        _ => None,
    }
}

fn number(rest: &mut Fields<'_>, bytes: usize) -> Option<u64> {
    Some(rest.bytes(bytes)?.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_journal_what_was_written_is_read_and_no_more() {
        let directory = tempfile::tempdir().unwrap();
        let journal = directory.path().join("0.jnl");
        let piece = usize::try_from(PIECE).unwrap();
        for length in [0, 1, piece - 1, piece, piece + 1, 3 * piece] {
            for zeros in [0, 1, piece, 3 * piece + 7] {
                let content = vec![3; length];
                fs::write(&journal, [content.clone(), vec![0; zeros]].concat()).unwrap();
                assert_eq!(written(&journal).unwrap(), content, "{length} bytes and {zeros} zeros");
            }
        }
    }
}
