//! A file of records, in order of their keys, that never changes; `docs/store-format.md` has the bytes.
//!
//! Its name says which checkpoints it covers. Of two segments the one of later checkpoints is newer, and what it has
//! goes over what the other has. One that covers the checkpoints of others stands for them.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use memchr::memmem;
use nephoscope_disk::fields::{Fields, push_number};
use nephoscope_gnocchi::AggregationMethod;
use xxhash_rust::xxh3::xxh3_64;

use super::files::{self, Files, Read, Write};
use super::journal::{LaterVersion, check};
use super::record::{FIXED, Fixed, Head, Piece, RECORD, Stored};
use super::rows::overlay;

const FILE: &[u8; 8] = b"NEPHSEGM";
/// The version of the format that is written. Files of later ones are refused.
const VERSION: u32 = 1;
/// Length of the header: the above, the version and a checksum.
const HEADER: usize = 16;
/// What a file ends with.
const END: &[u8; 8] = b"NEPHSEGE";
/// Length of the end: where the index begins, how many records, the first and the last period, checksums, the above.
const FOOTER: usize = 52;
/// How much is read of a record at first: in most cases all that is wanted.
const FIRST_READ: usize = 4096;
/// How much is gathered before it is written.
const WRITE_BYTES: usize = 1 << 20;

/// A record that is not what was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Damaged;

/// A segment that is read.
pub(super) struct Segment {
    pub(super) path: PathBuf,
    /// The first and the last checkpoint.
    pub(super) covers: (u64, u64),
    pub(super) file: Arc<dyn Read>,
    /// In order.
    keys: Vec<u64>,
    /// Where each record begins, and where the last one ends.
    offsets: Vec<u64>,
    /// The first and the last period in it.
    span: (i64, i64),
    /// Of the file.
    pub(super) bytes: u64,
    /// Whether the index had to be made anew from the records.
    pub(super) was_damaged: bool,
    /// Whether anything in it was found damaged.
    is_damaged: AtomicBool,
}

impl fmt::Debug for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Segment").field(&self.path).finish()
    }
}

/// Why a segment cannot be opened.
#[derive(Debug)]
pub(super) enum Unreadable {
    Io(io::Error),
    Later(LaterVersion),
}

impl Segment {
    pub(super) fn open(files: &dyn Files, path: &Path, covers: (u64, u64)) -> Result<Self, Unreadable> {
        let file = files.open(path).map_err(Unreadable::Io)?;
        let bytes = file.length().map_err(Unreadable::Io)?;
        let mut header = [0; HEADER];
        let has_header = bytes >= HEADER as u64;
        if has_header {
            file.read_at(0, &mut header).map_err(Unreadable::Io)?;
        }
        let is_whole = has_header && header[..8] == *FILE && header[12..] == check(&header[..12]);
        let version = Fields(&header[8..]).u32().unwrap_or_default();
        if is_whole && version != VERSION {
            return Err(Unreadable::Later(LaterVersion(version)));
        }
        let mut segment = Self {
            path: path.to_owned(),
            covers,
            file,
            keys: Vec::new(),
            offsets: Vec::new(),
            span: (i64::MIN, i64::MAX),
            bytes,
            was_damaged: !is_whole,
            is_damaged: AtomicBool::new(false),
        };
        if segment.read_index().map_err(Unreadable::Io)?.is_none() {
            segment.was_damaged = true;
            segment.find_records().map_err(Unreadable::Io)?;
        }
        Ok(segment)
    }

    fn read_index(&mut self) -> io::Result<Option<()>> {
        let Some(end) = self.bytes.checked_sub(FOOTER as u64) else { return Ok(None) };
        let mut footer = [0; FOOTER];
        self.file.read_at(end, &mut footer)?;
        let is_whole =
            footer[FOOTER - 8..] == *END && footer[FOOTER - 12..FOOTER - 8] == check(&footer[..FOOTER - 12]);
        let mut fields = Fields(&footer);
        let mut field = || fields.u64().unwrap_or_default();
        let (begin, count, first, last, hash) = (field(), field(), field(), field(), field());
        let Some(length) = end.checked_sub(begin).filter(|_| is_whole) else { return Ok(None) };
        let mut index = vec![0; usize::try_from(length).map_err(io::Error::other)?];
        self.file.read_at(begin, &mut index)?;
        if xxh3_64(&index) != hash {
            return Ok(None);
        }
        self.span = (first.cast_signed(), last.cast_signed());
        Ok(self.take_index(&index, count))
    }

    fn take_index(&mut self, index: &[u8], count: u64) -> Option<()> {
        let mut input = Fields(index);
        let (mut key, mut offset) = (0u64, HEADER as u64);
        let count = usize::try_from(count).ok().filter(|count| *count <= index.len())?;
        self.keys.reserve_exact(count);
        self.offsets.reserve_exact(count + 1);
        self.offsets.push(offset);
        for _ in 0..count {
            key = key.checked_add(input.number()?)?;
            offset = offset.checked_add(input.number()?)?;
            self.keys.push(key);
            self.offsets.push(offset);
        }
        Some(())
    }

    /// Looks for records where there is no index.
    fn find_records(&mut self) -> io::Result<()> {
        self.keys.clear();
        self.offsets.clear();
        self.span = (i64::MIN, i64::MAX);
        let content = files::read_all(&*self.file)?;
        let mut at = HEADER.min(content.len());
        let mut end = at;
        while let Some(next) = memmem::find(&content[at..], RECORD) {
            at += next;
            let head = Head::read(&content[at..]);
            let all = Fixed::read(&content[at..]).map_or(0, |fixed| fixed.all);
            match head {
                // Records lie one behind the other, in order: what does not is part of another one.
                Some(head)
                    if self.keys.last().is_none_or(|last| *last < head.key) && at + all <= content.len() =>
                {
                    self.keys.push(head.key);
                    self.offsets.push(at as u64);
                    at += all;
                    end = at;
                }
                _ => at += RECORD.len(),
            }
        }
        self.offsets.push(end as u64);
        Ok(())
    }

    pub(super) fn keys(&self) -> &[u64] {
        &self.keys
    }

    /// Where the record of a key is among the others.
    fn place(&self, key: u64) -> Option<usize> {
        // Where no key is left out, the place is known at once, and otherwise it is before that.
        let guess = usize::try_from(key.checked_sub(*self.keys.first()?)?).unwrap_or(usize::MAX);
        let guess = guess.min(self.keys.len() - 1);
        if self.keys[guess] == key {
            return Some(guess);
        }
        self.keys[..guess].binary_search(&key).ok()
    }

    pub(super) fn has(&self, key: u64) -> bool {
        self.place(key).is_some()
    }

    /// Whether there may be aggregates of a time.
    pub(super) const fn reaches(&self, (from, until): (i64, i64)) -> bool {
        self.span.1 >= from && self.span.0 < until
    }

    /// How many bytes the record of a key takes.
    pub(super) fn bytes_of(&self, key: u64) -> u64 {
        self.place(key).map_or(0, |place| self.offsets[place + 1] - self.offsets[place])
    }

    /// The record of a key. Nothing if there is none.
    pub(super) fn record(&self, key: u64) -> Option<Result<Opened<'_>, Damaged>> {
        self.place(key).map(|place| self.twice(|| self.open_record(place, key)))
    }

    /// Whether anything in it was found damaged so far.
    pub(super) fn is_damaged(&self) -> bool {
        self.was_damaged || self.is_damaged.load(Ordering::Relaxed)
    }

    /// Reads, and if that gives what is not right once more: what went wrong on the way is right then, and what is taken
    /// for damage is not written again when segments are merged.
    fn twice<T>(&self, read: impl Fn() -> Result<T, Damaged>) -> Result<T, Damaged> {
        read()
            .or_else(|_damaged| read())
            .inspect_err(|_damaged| self.is_damaged.store(true, Ordering::Relaxed))
    }

    fn open_record(&self, place: usize, key: u64) -> Result<Opened<'_>, Damaged> {
        let offset = self.offsets[place];
        let all = usize::try_from(self.offsets[place + 1] - offset).map_err(|_too_long| Damaged)?;
        let mut read = vec![0; all.min(FIRST_READ)];
        self.file.read_at(offset, &mut read).map_err(|_unreadable| Damaged)?;
        let fixed = Fixed::read(&read).ok_or(Damaged)?;
        let end_of_head = FIXED + fixed.head;
        if end_of_head > read.len() && end_of_head <= all {
            read.resize(end_of_head, 0);
            self.file.read_at(offset, &mut read).map_err(|_unreadable| Damaged)?;
        }
        let head = Head::read(&read).filter(|head| head.key == key).ok_or(Damaged)?;
        Ok(Opened { segment: self, offset, read, head })
    }
}

/// A record whose head is read.
#[derive(Debug)]
pub(super) struct Opened<'a> {
    segment: &'a Segment,
    offset: u64,
    /// The beginning of it.
    read: Vec<u8>,
    pub(super) head: Head,
}

impl Opened<'_> {
    /// The bytes of a piece.
    pub(super) fn piece(&self, piece: Piece) -> Result<Vec<u8>, Damaged> {
        match self.read.get(piece.offset..piece.offset + piece.length) {
            Some(bytes) if piece.is(bytes) => Ok(bytes.to_vec()),
            _ => self.segment.twice(|| self.read_piece(piece)),
        }
    }

    fn read_piece(&self, piece: Piece) -> Result<Vec<u8>, Damaged> {
        let mut bytes = vec![0; piece.length];
        let offset = self.offset + piece.offset as u64;
        self.segment.file.read_at(offset, &mut bytes).map_err(|_unreadable| Damaged)?;
        if piece.is(&bytes) { Ok(bytes) } else { Err(Damaged) }
    }

    /// The window, where there is one.
    pub(super) fn window(&self) -> Option<Result<Stored, Damaged>> {
        let piece = self.head.window?;
        Some(self.piece(piece).and_then(|bytes| Stored::read(&bytes).ok_or(Damaged)))
    }

    /// Puts the points of one granularity and method, and of a time, over older ones. Gives how many blocks are damaged:
    /// where one is, there are no points, for older ones may be of before more measures came.
    pub(super) fn overlay(
        &self,
        length: i64,
        method: AggregationMethod,
        (from, until): (i64, i64),
        points: &mut Vec<(i64, f64)>,
    ) -> u64 {
        let mut damaged = 0;
        for chunk in self.head.chunks.iter().filter(|chunk| chunk.length == length) {
            if chunk.periods.last < from || chunk.periods.first >= until {
                continue;
            }
            let Some((_, piece)) = chunk.columns.iter().find(|(column, _)| *column == method) else {
                continue;
            };
            match self.piece(*piece).ok().as_deref().and_then(|bytes| chunk.points(bytes)) {
                Some(newer) => {
                    let wanted = newer.skip_while(|(period, _)| *period < from);
                    overlay(points, wanted.take_while(|(period, _)| *period < until));
                }
                None => {
                    let gone: Vec<_> = chunk.periods.iter().collect();
                    points.retain(|(period, _)| gone.binary_search(period).is_err());
                    damaged += 1;
                }
            }
        }
        damaged
    }
}

/// A segment in the making.
#[derive(Debug)]
pub(super) struct SegmentWriter {
    file: Box<dyn Write>,
    temporary: PathBuf,
    buffer: Vec<u8>,
    index: Vec<u8>,
    count: u64,
    last_key: u64,
    bytes: u64,
    span: Option<(i64, i64)>,
}

impl SegmentWriter {
    pub(super) fn create(files: &dyn Files, directory: &Path) -> io::Result<Self> {
        let temporary = directory.join(TEMPORARY);
        let file = files.create(&temporary)?;
        let mut buffer = FILE.to_vec();
        buffer.extend(VERSION.to_le_bytes());
        buffer.extend(check(&buffer));
        let bytes = buffer.len() as u64;
        Ok(Self { file, temporary, buffer, index: Vec::new(), count: 0, last_key: 0, bytes, span: None })
    }

    /// Adds a record, in order of the keys.
    pub(super) fn add(&mut self, key: u64, span: Option<(i64, i64)>, record: &[u8]) -> io::Result<()> {
        push_number(&mut self.index, key - self.last_key);
        push_number(&mut self.index, record.len() as u64);
        self.last_key = key;
        self.count += 1;
        if let Some((first, last)) = span {
            let span = self.span.unwrap_or((first, last));
            self.span = Some((span.0.min(first), span.1.max(last)));
        }
        self.bytes += record.len() as u64;
        self.buffer.extend(record);
        if self.buffer.len() >= WRITE_BYTES {
            self.file.append(&self.buffer)?;
            self.buffer.clear();
        }
        Ok(())
    }

    /// Makes it durable under its name, and opens it.
    pub(super) fn finish(
        mut self,
        files: &dyn Files,
        directory: &Path,
        covers: (u64, u64),
    ) -> io::Result<Segment> {
        let (first, last) = self.span.unwrap_or((i64::MAX, i64::MIN));
        let mut footer = Vec::new();
        footer.extend(self.bytes.to_le_bytes());
        footer.extend(self.count.to_le_bytes());
        footer.extend(first.to_le_bytes());
        footer.extend(last.to_le_bytes());
        footer.extend(xxh3_64(&self.index).to_le_bytes());
        footer.extend(check(&footer));
        footer.extend(END);
        self.buffer.append(&mut self.index);
        self.buffer.append(&mut footer);
        self.file.append(&self.buffer)?;
        self.file.sync()?;
        let path = path(directory, covers);
        files.rename(&self.temporary, &path)?;
        files.sync_directory(directory)?;
        Segment::open(files, &path, covers).map_err(|unreadable| match unreadable {
            Unreadable::Io(error) => error,
            Unreadable::Later(_) => io::Error::other("a segment changed while it was written"),
        })
    }
}

/// What a segment is called until it is whole.
pub(super) const TEMPORARY: &str = "segment.tmp";

/// Where a segment is.
fn path(directory: &Path, (first, last): (u64, u64)) -> PathBuf {
    directory.join(format!("{first:012}-{last:012}.segment"))
}

/// The checkpoints in the name of a segment.
pub(super) fn covers(name: &str) -> Option<(u64, u64)> {
    let (first, last) = name.strip_suffix(".segment")?.split_once('-')?;
    let (first, last) = (first.parse().ok()?, last.parse().ok()?);
    (first <= last).then_some((first, last))
}
