//! A spool that is open.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use nephoscope_telemetry::{Error, ErrorKind, Result};

use crate::failure;
use crate::place::{self, PlaceFile};
use crate::segments::{Behind, Segments};
use crate::writer::Writer;
use crate::{Reader, Record};

/// A queue on disk. It is closed, and what was appended is on disk, when it is dropped.
#[derive(Debug)]
pub struct Spool {
    writer: Writer,
    segments: Arc<Segments>,
    /// Locked as long as this is there.
    _lock: fs::File,
}

/// What a spool holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Bytes on disk.
    pub bytes: u64,
    /// How many there may be.
    pub max_bytes: u64,
    /// Whether whoever appends has to wait.
    pub is_full: bool,
    /// For each reader its name and how many bytes it has before it.
    pub behind: Vec<(String, u64)>,
}

/// The file that is locked.
const LOCK: &str = "lock";

impl Spool {
    /// Opens the spool in a directory, or makes one there, with these readers. Blocks.
    ///
    /// A reader that is known is where it was, and a new one at the end. The place of one that is not named any more is
    /// forgotten, and with it what only that one had before it.
    pub fn open(directory: &Path, max_bytes: u64, readers: &[&str]) -> Result<(Self, Vec<Reader>)> {
        const OPERATION: &str = "open the spool";
        if readers.is_empty() {
            return Err(Error::new(ErrorKind::Config, OPERATION, "nobody would read it"));
        }
        let of_disk = |error| failure::of_disk(OPERATION, directory, error);
        fs::create_dir_all(directory).map_err(of_disk)?;
        let lock = fs::File::create(directory.join(LOCK)).map_err(of_disk)?;
        lock.try_lock().map_err(|_| {
            let problem = format!("another process has the spool in {} open", directory.display());
            Error::new(ErrorKind::Conflict, OPERATION, problem)
        })?;
        let segments = Arc::new(Segments::find(directory, max_bytes).map_err(of_disk)?);
        let mut opened = Vec::new();
        for name in readers {
            let file = PlaceFile::new(directory, name);
            let place = match file.read().map_err(of_disk)? {
                Some(place) => place.max(segments.start()),
                None => {
                    let end = segments.end();
                    file.write(end, true).map_err(of_disk)?;
                    end
                }
            };
            opened.push(Reader::new(name, segments.clone(), file, place));
        }
        fs::File::open(directory).and_then(|directory| directory.sync_all()).map_err(of_disk)?;
        forget_others(directory, readers).map_err(of_disk)?;
        // Segments that everyone has passed, or that nobody is there to read.
        if let Some(first) = opened.first() {
            segments.passed(first.name(), first.place());
        }
        Ok((Self { writer: Writer::start(segments.clone())?, segments, _lock: lock }, opened))
    }

    /// Appends records, in this order and next to each other. `Ok` means that they are on disk. Waits while the spool is
    /// full. After an error they may come again without harm: nobody has read them. When this is given up while it
    /// waits, they may have been appended.
    pub async fn append(&self, records: &[Record]) -> Result<()> {
        self.writer.append(records).await
    }

    /// What it holds.
    pub fn stats(&self) -> Stats {
        let (bytes, is_full, behind) = self.segments.measure();
        let behind = behind.into_iter().map(|Behind { name, bytes }| (name, bytes)).collect();
        Stats { bytes, max_bytes: self.segments.max_bytes, is_full, behind }
    }
}

/// Deletes the places of readers that are not named any more.
fn forget_others(directory: &Path, readers: &[&str]) -> std::io::Result<()> {
    let known: Vec<_> = readers.iter().map(|name| PlaceFile::new(directory, name)).collect();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let Ok(file_name) = entry.file_name().into_string() else { continue };
        if place::is_place_file(&file_name) && !known.iter().any(|file| file.is_called(&file_name)) {
            let text = fs::read_to_string(entry.path()).unwrap_or_default();
            let name = place::name_in(&text).unwrap_or("a reader without a name");
            tracing::warn!("{name} is not configured any more: what is spooled for it alone is let go");
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
