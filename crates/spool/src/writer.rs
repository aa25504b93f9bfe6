//! The one thread that writes.

use std::fs::File;
use std::io::{self, Write};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{SystemTime, UNIX_EPOCH};

use nephoscope_telemetry::{Error, ErrorKind, Result};
use tokio::sync::{mpsc, oneshot};

use crate::Record;
use crate::failure;
use crate::frame::{self, SEGMENT_HEADER};
use crate::segments::Segments;

/// How large a segment gets before the next is begun: what is given back at a time, and few enough files.
const SEGMENT_BYTES: u64 = 64 << 20;
/// How much is written at a time at most: more brings no more speed, and the first of those who wait has waited enough.
const BATCH_BYTES: usize = 8 << 20;
/// How many appends may wait: more than there are sources, so that a sync is shared by all who came meanwhile.
const WAITING: usize = 256;

/// What is to be appended, and who is to be told.
struct Append {
    frames: Vec<u8>,
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
        let mut frames =
            Vec::with_capacity(records.iter().map(|record| record.payload.len() + frame::HEADER).sum());
        for record in records {
            if record.payload.len() > frame::LONGEST_PAYLOAD {
                let problem = format!("a record has {} bytes; split it", record.payload.len());
                return Err(Error::new(ErrorKind::Invalid, OPERATION, problem));
            }
            frame::write(record, now(), &mut frames);
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
            while frames.len() < BATCH_BYTES
                && let Ok(next) = self.appends.try_recv()
            {
                frames.extend(next.frames);
                waiting.push(next.done);
            }
            let outcome = if self.segments.wait_for_room(frames.len() as u64) {
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
    fn write(&mut self, frames: &[u8]) -> Result<(), (io::Error, u64)> {
        let (mut file, length) = match self.file.take() {
            Some(open) => open,
            None => self.begin()?,
        };
        let number = self.segments.end().segment;
        let written = file.write_all(frames).and_then(|()| file.sync_data());
        if let Err(error) = written {
            // What was not acknowledged will come again; without this it would be read twice.
            if let Err(error) = file.set_len(length).and_then(|()| file.sync_data()) {
                let path = self.segments.path(number);
                tracing::warn!(
                    "{}: what could not be written whole cannot be cut off: {error}",
                    path.display()
                );
            }
            return Err((error, number));
        }
        let length = length + frames.len() as u64;
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
