//! The spool as those see it who append and read.

#![expect(clippy::unwrap_used, reason = "these are tests")]

mod disk;
mod model;

use nephoscope_spool::{Chunk, Reader, Record, Spool};

/// More than any of these tests brings.
const ROOM: u64 = 1 << 30;
/// How much is read at a time.
const SOME: usize = 1 << 16;

fn record(payload: &str) -> Record {
    Record { kind: 1, items: 1, payload: payload.to_owned().into() }
}

fn payloads(chunk: &Chunk) -> Vec<&str> {
    chunk.records.iter().map(|record| std::str::from_utf8(&record.payload).unwrap()).collect()
}

/// A spool with one reader.
fn open(directory: &std::path::Path, max_bytes: u64) -> (Spool, Reader) {
    let (spool, mut readers) = Spool::open(directory, max_bytes, &["one"]).unwrap();
    (spool, readers.remove(0))
}
