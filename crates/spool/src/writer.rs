//! The one thread that writes.

use std::fs::File;
use std::io::{self, IoSlice, Write};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use nephoscope_telemetry::{Error, ErrorKind, Result};
use tokio::sync::{mpsc, oneshot};

use crate::Record;
use crate::failure;
use crate::frame::{self, SEGMENT_HEADER};
use crate::segments::Segments;

/// How large a segment gets before the next is begun: what is given back at a time, and few enough files.
const SEGMENT_BYTES: u64 = 64 << 20;
/// How much is written at a time at most: more brings no more speed, and the first of those who wait has waited enough.
const BATCH_BYTES: u64 = 8 << 20;
/// How many appends may wait: more than there are sources, so that a sync is shared by all who came meanwhile.
const WAITING: usize = 256;

/// What is to be appended, and who is to be told.
struct Append {
    /// Headers and payloads.
    frames: Vec<Bytes>,
    done: oneshot::Sender<Result<()>>,
}

/// The thread's other end.
#[derive(Debug)]
pub(crate) struct Writer {
    /// Ends the thread when it is dropped.
    queue: Option<mpsc::Sender<Append>>,
    thread: Option<JoinHandle<()>>,
    segments: Arc<Segments>,
}

impl Writer {
    pub(crate) fn start(segments: Arc<Segments>) -> Result<Self> {
        let (queue, appends) = mpsc::channel(WAITING);
        let thread = Thread { segments: segments.clone(), appends, file: None };
        let thread = thread::Builder::new().name("spool writer".into()).spawn(|| thread.run());
        let thread = thread.map_err(|error| {
            Error::new(ErrorKind::Other, "open a spool", "no thread can be started").with_source(error)
        })?;
        Ok(Self { queue: Some(queue), thread: Some(thread), segments })
    }

    pub(crate) async fn append(&self, records: &[Record]) -> Result<()> {
        const OPERATION: &str = "append to the spool";
        let mut frames = Vec::with_capacity(2 * records.len());
        for record in records {
            if record.payload.len() > frame::LONGEST_PAYLOAD {
                let problem = format!("a record has {} bytes; split it", record.payload.len());
                return Err(Error::new(ErrorKind::Invalid, OPERATION, problem));
            }
            frames.extend([frame::header(record, now()), record.payload.clone()]);
        }
        if frames.is_empty() {
            return Ok(());
        }
        let closed = || Error::new(ErrorKind::Unavailable, OPERATION, "it is closed");
        let (done, written) = oneshot::channel();
        let queue = self.queue.as_ref().ok_or_else(closed)?;
        queue.send(Append { frames, done }).await.map_err(|_| closed())?;
        written.await.map_err(|_| closed())?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.segments.close();
        drop(self.queue.take());
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the writer of the spool panicked");
        }
    }
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

struct Thread {
    segments: Arc<Segments>,
    appends: mpsc::Receiver<Append>,
    /// The last segment and how much of it is on disk; none before the first append and after a failure.
    file: Option<(File, u64)>,
}

impl Thread {
    fn run(mut self) {
        while let Some(first) = self.appends.blocking_recv() {
            let mut frames = first.frames;
            let mut waiting = vec![first.done];
            while length(&frames) < BATCH_BYTES
                && let Ok(next) = self.appends.try_recv()
            {
                frames.extend(next.frames);
                waiting.push(next.done);
            }
            let outcome = if self.segments.wait_for_room(length(&frames)) {
                self.write(&frames)
            } else {
                // Closed while it was full: whoever brought this still has it.
                Err((io::Error::other("the spool was closed while it was full"), 0))
            };
            for done in waiting {
                let told = match &outcome {
                    Ok(()) => Ok(()),
                    Err((error, number)) => {
                        let again = io::Error::new(error.kind(), error.to_string());
                        Err(failure::of_disk("append to the spool", &self.segments.path(*number), again))
                    }
                };
                // Nobody waits any more for one that was given up: it is on disk all the same.
                drop(done.send(told));
            }
        }
    }

    /// Writes and syncs. After a failure nobody knows what is on disk, so that nothing more goes into that file.
    fn write(&mut self, frames: &[Bytes]) -> Result<(), (io::Error, u64)> {
        let (mut file, before) = match self.file.take() {
            Some(open) => open,
            None => self.begin()?,
        };
        let number = self.segments.end().segment;
        let written = write_all(&mut file, frames).and_then(|()| file.sync_data());
        if let Err(error) = written {
            // What was not acknowledged will come again; without this it would be read twice.
            if let Err(error) = file.set_len(before).and_then(|()| file.sync_data()) {
                let path = self.segments.path(number);
                tracing::warn!(
                    "{}: what could not be written whole cannot be cut off: {error}",
                    path.display()
                );
            }
            return Err((error, number));
        }
        let length = before + length(frames);
        self.segments.grew(length);
        if length < SEGMENT_BYTES {
            self.file = Some((file, length));
        }
        Ok(())
    }

    /// Begins a segment, and makes its name durable.
    fn begin(&self) -> Result<(File, u64), (io::Error, u64)> {
        let number = self.segments.end().segment + 1;
        let create = || {
            let mut file = File::create_new(self.segments.path(number))?;
            file.write_all(SEGMENT_HEADER)?;
            file.sync_data()?;
            File::open(&self.segments.directory)?.sync_all()?;
            Ok(file)
        };
        let file = create().map_err(|error: io::Error| {
            // Otherwise the next attempt would find it in its way.
            drop(std::fs::remove_file(self.segments.path(number)));
            (error, number)
        })?;
        self.segments.begin();
        let length = SEGMENT_HEADER.len() as u64;
        self.segments.grew(length);
        Ok((file, length))
    }
}

fn length(frames: &[Bytes]) -> u64 {
    frames.iter().map(|bytes| bytes.len() as u64).sum()
}

/// Writes all of them without putting them together first.
fn write_all(file: &mut File, frames: &[Bytes]) -> io::Result<()> {
    let mut slices: Vec<_> = frames.iter().map(|bytes| IoSlice::new(bytes)).collect();
    let mut left = slices.as_mut_slice();
    // Those that are empty are passed by.
    IoSlice::advance_slices(&mut left, 0);
    while !left.is_empty() {
        match file.write_vectored(left) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => IoSlice::advance_slices(&mut left, written),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
