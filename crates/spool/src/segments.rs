//! Which segments there are, and how far everyone is.

use std::collections::VecDeque;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::Place;

/// What writer and readers share.
#[derive(Debug)]
pub(crate) struct Segments {
    pub(crate) directory: PathBuf,
    pub(crate) max_bytes: u64,
    /// Guards a few numbers, and is never held over a read or a write.
    state: Mutex<State>,
    /// Told when segments went, so that there is room.
    room: Condvar,
    /// Where the frames that are on disk end.
    end: watch::Sender<Place>,
}

#[derive(Debug, Default)]
struct State {
    /// The oldest first, none of them empty but perhaps the last, which is written to.
    segments: VecDeque<Segment>,
    /// Name and place of each reader.
    readers: Vec<(String, Place)>,
    /// Whether whoever appends has to wait for room.
    is_full: bool,
    is_closed: bool,
}

#[derive(Clone, Copy, Debug)]
struct Segment {
    number: u64,
    /// How much of it is on disk.
    bytes: u64,
}

/// What is waiting for one reader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Behind {
    pub(crate) name: String,
    pub(crate) bytes: u64,
}

impl Segments {
    /// With those that are in the directory already.
    pub(crate) fn find(directory: &Path, max_bytes: u64) -> io::Result<Self> {
        let mut segments = Vec::new();
        for entry in fs::read_dir(directory)? {
            let entry = entry?;
            if let Some(number) = entry.file_name().to_str().and_then(number_in) {
                segments.push(Segment { number, bytes: entry.metadata()?.len() });
            }
        }
        segments.sort_by_key(|segment| segment.number);
        let end = segments.last().map_or(Place { segment: 1, offset: 0 }, end_of);
        Ok(Self {
            directory: directory.to_owned(),
            max_bytes,
            state: Mutex::new(State { segments: segments.into(), ..State::default() }),
            room: Condvar::new(),
            end: watch::Sender::new(end),
        })
    }

    /// Nothing that could panic holds the lock.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn path(&self, number: u64) -> PathBuf {
        self.directory.join(file_name(number))
    }

    pub(crate) fn end(&self) -> Place {
        *self.end.borrow()
    }

    pub(crate) fn watch(&self) -> watch::Receiver<Place> {
        self.end.subscribe()
    }

    /// The oldest place from which on everything can be read.
    pub(crate) fn start(&self) -> Place {
        let first = self.state().segments.front().map(|first| Place { segment: first.number, offset: 0 });
        first.unwrap_or_else(|| self.end())
    }

    /// The segment at a place or, where that is gone or wholly read, the next one: a place in it, and how many of its
    /// bytes are on disk. Nothing at the end.
    pub(crate) fn at(&self, place: Place) -> Option<(Place, u64)> {
        let state = self.state();
        let next = state.segments.iter().find(|segment| {
            segment.number > place.segment || segment.number == place.segment && segment.bytes > place.offset
        })?;
        let offset = if next.number == place.segment { place.offset } else { 0 };
        (next.bytes > offset).then_some((Place { segment: next.number, offset }, next.bytes))
    }

    pub(crate) fn add_reader(&self, name: &str, place: Place) {
        self.state().readers.push((name.to_owned(), place));
    }

    /// A new segment to write to. Its number is one more than any before.
    pub(crate) fn begin(&self) -> u64 {
        let number = self.end().segment + 1;
        self.state().segments.push_back(Segment { number, bytes: 0 });
        self.end.send_replace(Place { segment: number, offset: 0 });
        number
    }

    /// That the last segment is on disk up to here.
    pub(crate) fn grew(&self, bytes: u64) {
        let mut state = self.state();
        if let Some(last) = state.segments.back_mut() {
            last.bytes = bytes;
            let end = end_of(last);
            drop(state);
            self.end.send_replace(end);
        }
    }

    /// That a reader needs nothing before this place any more. Deletes the segments that nobody needs.
    pub(crate) fn passed(&self, name: &str, place: Place) {
        let end = self.end();
        let mut gone = Vec::new();
        let mut state = self.state();
        if let Some((_, kept)) = state.readers.iter_mut().find(|(reader, _)| reader == name) {
            *kept = place;
        }
        let oldest = state.readers.iter().map(|(_, place)| *place).min().unwrap_or(end);
        while let Some(first) = state.segments.front()
            && first.number != end.segment
            && end_of(first) <= oldest
        {
            gone.push(first.number);
            state.segments.pop_front();
        }
        drop(state);
        for number in gone {
            let path = self.path(number);
            if let Err(error) = fs::remove_file(&path) {
                tracing::warn!("{} was passed by all, and cannot be deleted: {error}", path.display());
            }
        }
        self.room.notify_all();
    }

    /// Waits until so many bytes more are within the limit, or nothing is there at all. False, when the spool was closed
    /// meanwhile. Blocks.
    pub(crate) fn wait_for_room(&self, bytes: u64) -> bool {
        let end = self.end();
        let mut state = self.state();
        let is_full = |state: &State| {
            let unread = state.readers.iter().any(|(_, place)| *place < end);
            let held: u64 = state.segments.iter().map(|segment| segment.bytes).sum();
            unread && held.saturating_add(bytes) > self.max_bytes
        };
        if is_full(&state) && !state.is_closed {
            tracing::warn!(
                "the spool in {} holds all it may ({} bytes): what comes has to wait until some of it is sent on",
                self.directory.display(),
                self.max_bytes
            );
            state.is_full = true;
            while is_full(&state) && !state.is_closed {
                state = self.room.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            state.is_full = false;
            tracing::info!("the spool in {} has room again", self.directory.display());
        }
        !state.is_closed
    }

    /// Lets nobody wait for room any more.
    pub(crate) fn close(&self) {
        self.state().is_closed = true;
        self.room.notify_all();
    }

    /// Bytes on disk, whether it is full, and what each reader has before it.
    pub(crate) fn measure(&self) -> (u64, bool, Vec<Behind>) {
        let state = self.state();
        let behind = |place: Place| {
            let left = |segment: &Segment| match segment.number.cmp(&place.segment) {
                std::cmp::Ordering::Less => 0,
                std::cmp::Ordering::Equal => segment.bytes.saturating_sub(place.offset),
                std::cmp::Ordering::Greater => segment.bytes,
            };
            state.segments.iter().map(left).sum()
        };
        let readers = state.readers.iter();
        let readers = readers.map(|(name, place)| Behind { name: name.clone(), bytes: behind(*place) });
        (state.segments.iter().map(|segment| segment.bytes).sum(), state.is_full, readers.collect())
    }
}

fn end_of(segment: &Segment) -> Place {
    Place { segment: segment.number, offset: segment.bytes }
}

const SUFFIX: &str = ".spool";

fn file_name(number: u64) -> String {
    format!("{number:020}{SUFFIX}")
}

fn number_in(file_name: &str) -> Option<u64> {
    file_name.strip_suffix(SUFFIX).filter(|digits| digits.len() == 20)?.parse().ok()
}
