//! Taking out what is in the spool.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use nephoscope_telemetry::{Error, ErrorKind, Result};
use tokio::sync::watch;
use tokio::task::spawn_blocking;

use crate::failure;
use crate::frame::{self, Next, SEGMENT_HEADER};
use crate::place::PlaceFile;
use crate::segments::Segments;
use crate::{Place, Record};

const OPERATION: &str = "read the spool";

/// One who takes out what is in the spool, in order, and keeps its place.
#[derive(Debug)]
pub struct Reader {
    name: String,
    segments: Arc<Segments>,
    end: watch::Receiver<Place>,
    kept_in: PlaceFile,
    place: Place,
}

/// Records that follow each other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chunk {
    /// The records.
    pub records: Vec<Record>,
    /// When the first of them was appended, in microseconds since 1970.
    pub appended_at: u64,
    /// How many stretches between them are damaged, and lost.
    pub damaged: u64,
    /// The place behind them, for [`Reader::advance`].
    pub end: Place,
}

impl Reader {
    pub(crate) fn new(name: &str, segments: Arc<Segments>, kept_in: PlaceFile, place: Place) -> Self {
        segments.add_reader(name, place);
        Self { name: name.to_owned(), end: segments.watch(), segments, kept_in, place }
    }

    /// Its name, as the spool was opened with.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it is: everything before is done with.
    pub fn place(&self) -> Place {
        self.place
    }

    /// Whether there is something that [`next`](Self::next) would give at once.
    pub fn has_more(&self) -> bool {
        self.segments.at(self.place).is_some()
    }

    /// What comes next, of about so many bytes and at least one record or stretch of damage; waits until there is
    /// something. It gives the same again until [`advance`](Self::advance) is called. May be given up while it waits.
    pub async fn next(&mut self, about_bytes: usize) -> Result<Chunk> {
        loop {
            self.end.borrow_and_update();
            if let Some((place, bytes)) = self.segments.at(self.place) {
                let path = self.segments.path(place.segment);
                let read = spawn_blocking(move || read(&path, place, bytes, about_bytes));
                let chunk = read.await.map_err(|error| {
                    Error::new(ErrorKind::Other, OPERATION, "reading panicked").with_source(error)
                })??;
                if !chunk.records.is_empty() || chunk.damaged > 0 {
                    return Ok(chunk);
                }
                // Nothing but the beginning of a segment, or the beginning of a frame that was never acknowledged.
                self.place = chunk.end;
                continue;
            }
            let closed = |_| Error::new(ErrorKind::Unavailable, OPERATION, "it is closed");
            self.end.changed().await.map_err(closed)?;
        }
    }

    /// Reads what comes behind a place, so that it is there once everything before is done with. Nothing unless so many
    /// bytes are there: less would be more when its turn comes. To be called where it may block.
    pub fn ahead(
        &self,
        behind: Place,
        bytes: usize,
    ) -> Option<impl FnOnce() -> Result<Chunk> + Send + 'static> {
        let (place, end) = self.segments.at(behind)?;
        let path = self.segments.path(place.segment);
        (end - place.offset >= bytes as u64).then_some(move || read(&path, place, end, bytes))
    }

    /// Keeps a place, up to which everything is done with. What this process has kept is found by the next one; after a
    /// crash of the machine something may be read again.
    pub fn advance(&mut self, to: Place) -> Result<()> {
        let directory = &self.segments.directory;
        self.kept_in
            .write(to, false)
            .map_err(|error| failure::of_disk("keep a place in the spool", directory, error))?;
        self.place = to;
        self.segments.passed(&self.name, to);
        Ok(())
    }
}

/// Reads from a place of a segment that has so many bytes. Blocks.
fn read(path: &Path, place: Place, bytes: u64, about_bytes: usize) -> Result<Chunk> {
    let chunk = File::open(path).and_then(|mut file| read_from(&mut file, place, bytes, about_bytes));
    chunk.map_err(|error| failure::of_disk(OPERATION, path, error))
}

fn read_from(file: &mut File, place: Place, bytes: u64, about_bytes: usize) -> io::Result<Chunk> {
    let mut chunk = Chunk { end: place, ..Chunk::default() };
    if place.offset == 0 {
        let mut header = [0; SEGMENT_HEADER.len()];
        let length = bytes.min(header.len() as u64);
        file.read_exact_at(&mut header[..usize::try_from(length).unwrap_or(0)], 0)?;
        if header != *SEGMENT_HEADER {
            // Also one of a later version: its frames are none that are known here.
            chunk.damaged += 1;
            chunk.end.offset = bytes;
            return Ok(chunk);
        }
        chunk.end.offset = length;
    }
    let mut wanted = about_bytes.max(frame::HEADER);
    loop {
        let left = bytes - chunk.end.offset;
        let size = usize::try_from(left).unwrap_or(usize::MAX).min(wanted);
        if size == 0 {
            return Ok(chunk);
        }
        let window = read_at(file, chunk.end.offset, size)?;
        let mut at = 0;
        while at < size {
            match frame::next(&window.slice(at..)) {
                Next::Frame { record, appended_at, length } => {
                    if chunk.records.is_empty() {
                        chunk.appended_at = appended_at;
                    }
                    chunk.records.push(record);
                    at += length;
                }
                Next::Damage(length) => {
                    chunk.damaged += 1;
                    at += length;
                }
                Next::More(needed) if needed as u64 > left - at as u64 => {
                    // It goes on behind the end: the last one of a run that was killed. It was not acknowledged.
                    at = usize::try_from(left).unwrap_or(size);
                }
                Next::More(needed) => {
                    wanted = needed.max(about_bytes);
                    break;
                }
            }
        }
        chunk.end.offset += at as u64;
        if !chunk.records.is_empty() || chunk.end.offset >= bytes {
            return Ok(chunk);
        }
    }
}

/// So many bytes that are there.
fn read_at(file: &mut File, offset: u64, size: usize) -> io::Result<Bytes> {
    file.seek(SeekFrom::Start(offset))?;
    let mut bytes = Vec::with_capacity(size);
    match file.take(size as u64).read_to_end(&mut bytes)? {
        read if read == size => Ok(bytes.into()),
        _ => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}
