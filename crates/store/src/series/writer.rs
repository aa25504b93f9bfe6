//! The two threads behind every write: one brings batches to disk, the other puts them into the metrics while the first
//! is busy with the next ones.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread::{self, JoinHandle};

use nephoscope_gnocchi::{Error, Result};
use tokio::sync::{mpsc as queue, oneshot};

use super::group::Group;
use super::journal::{self, Entry, Journal};
use super::shared::Shared;
use super::upkeep::{self, Task};

/// How many batches may wait: enough for one sync to serve them all, few enough to slow down whoever brings them.
const QUEUE: usize = 1024;
/// How much is written with one sync: far above what a sync costs, far below what memory holds.
const GROUP_BYTES: usize = 8 << 20;
/// How many groups may be on disk and not in the metrics yet: with more, memory would fill with what waits.
const GROUPS_AHEAD: usize = 2;
/// From how large a journal on its measures go to a segment: so much is read again after a crash, in about a second.
const CHECKPOINT_JOURNAL: u64 = 96 << 20;
/// From how many bytes of finished aggregates in memory on they go to a segment.
const CHECKPOINT_PENDING: usize = 192 << 20;
/// How many tasks may wait: those of the journal, and those that somebody asks for.
const TASKS: usize = 4;
/// In which bit of a sequence number the number of its journal begins.
const JOURNAL_BITS: u32 = 32;

/// Work for the threads.
pub(super) enum Job {
    /// To store a batch, which is there as a frame, too.
    Store(Vec<u8>, Vec<Entry>, oneshot::Sender<Result<()>>),
    /// To begin another journal. Answers with the number of the one before, when all of it is in the metrics.
    Rotate(SyncSender<io::Result<u64>>),
}

enum Done {
    Group(Vec<(u64, Vec<Entry>, oneshot::Sender<Result<()>>)>),
    Rotated(SyncSender<io::Result<u64>>, u64),
}

/// The way to the threads, and the threads.
#[derive(Debug)]
pub(super) struct Writer {
    pub(super) jobs: queue::Sender<Job>,
    pub(super) tasks: SyncSender<Task>,
    pub(super) threads: Vec<JoinHandle<()>>,
}

/// Starts the threads. They end when nobody can send them work any more.
pub(super) fn start(shared: &Arc<Shared>, number: u64) -> io::Result<Writer> {
    let (tasks, todo) = mpsc::sync_channel(TASKS);
    // Without one what is stored can be read, and the first write tries again.
    let journal = Journal::create(&*shared.files, &shared.directory, number)
        .inspect_err(|error| {
            tracing::error!(
                error = error as &dyn std::error::Error,
                "no journal can be made: measures are refused"
            );
        })
        .ok();
    let (jobs, waiting) = queue::channel(QUEUE);
    let (done, applying) = mpsc::sync_channel(GROUPS_AHEAD);
    let upkeep = upkeep::start(shared, jobs.downgrade(), todo)?;
    let number = if journal.is_some() { number } else { number - 1 };
    let writing =
        Writing { shared: Arc::clone(shared), number, frames: 0, journal, done, tasks: tasks.clone() };
    let applied = Arc::clone(shared);
    let threads = vec![
        thread::Builder::new().name("series journal".into()).spawn(move || writing.run(waiting))?,
        thread::Builder::new().name("series".into()).spawn(move || apply_all(&applied, &applying))?,
        upkeep,
    ];
    Ok(Writer { jobs, tasks, threads })
}

struct Writing {
    shared: Arc<Shared>,
    /// Of the journal.
    number: u64,
    /// How many frames are in it.
    frames: u64,
    /// None after a failure: nobody knows what such a file holds, so that another one is begun.
    journal: Option<Journal>,
    done: SyncSender<Done>,
    tasks: SyncSender<Task>,
}

type Waiting = (Vec<u8>, Vec<Entry>, oneshot::Sender<Result<()>>);

impl Writing {
    fn run(mut self, mut waiting: queue::Receiver<Job>) {
        let mut next = waiting.blocking_recv();
        while let Some(job) = next.take() {
            match job {
                Job::Store(frame, batch, done) => next = self.group((frame, batch, done), &mut waiting),
                Job::Rotate(answer) => self.rotate(answer),
            }
            next = next.or_else(|| waiting.blocking_recv());
        }
    }

    /// Stores this and what waits behind it; gives back the job that is another one.
    fn group(&mut self, first: Waiting, waiting: &mut queue::Receiver<Job>) -> Option<Job> {
        let mut bytes = first.0.len();
        let mut group = vec![first];
        let mut other = None;
        while bytes < GROUP_BYTES && other.is_none() {
            match waiting.try_recv() {
                Ok(Job::Store(frame, batch, done)) => {
                    bytes += frame.len();
                    group.push((frame, batch, done));
                }
                Ok(job) => other = Some(job),
                Err(_) => break,
            }
        }
        match self.append(&mut group, bytes) {
            Ok(first) => {
                let numbered = group.into_iter().zip(first..);
                let group = numbered.map(|((_, batch, done), sequence)| (sequence, batch, done)).collect();
                // The other thread ends after this one.
                let _alive = self.done.send(Done::Group(group));
                self.ask_for_checkpoint();
            }
            Err(error) => {
                self.journal = None;
                self.shared.counters.failed_writes.fetch_add(1, Ordering::Relaxed);
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "measures cannot be written to the journal"
                );
                group.into_iter().for_each(|(_, _, done)| answer(done, Err(unavailable(&error))));
            }
        }
        other
    }

    /// Has what is in the journal brought to a segment, when it is time for that.
    fn ask_for_checkpoint(&self) {
        let counters = &self.shared.counters;
        let is_time = counters.journal_bytes.load(Ordering::Relaxed) >= CHECKPOINT_JOURNAL
            || counters.pending_bytes.load(Ordering::Relaxed) >= CHECKPOINT_PENDING;
        if is_time {
            self.shared.ask_for_checkpoint(&self.tasks);
        }
    }

    /// Brings frames to disk. Gives the sequence number of the first; the others follow.
    fn append(&mut self, group: &mut [Waiting], bytes: usize) -> io::Result<u64> {
        if self.journal.is_none() {
            self.begin()?;
        }
        let first = (self.number << JOURNAL_BITS | self.frames) + 1;
        self.frames += group.len() as u64;
        let mut frames = Vec::with_capacity(bytes);
        for ((frame, _, _), sequence) in group.iter_mut().zip(first..) {
            journal::number(frame, sequence);
            frames.append(frame);
        }
        // Also where it fails: then nobody knows what is there.
        self.shared.is_unsettled.store(true, Ordering::Release);
        let journal = self.journal.as_mut().ok_or_else(|| io::Error::other("no journal"))?;
        journal.append(&frames)?;
        self.shared.counters.journal_bytes.store(journal.bytes, Ordering::Relaxed);
        Ok(first)
    }

    /// Begins the next journal.
    fn begin(&mut self) -> io::Result<()> {
        let journal = Journal::create(&*self.shared.files, &self.shared.directory, self.number + 1)?;
        self.number += 1;
        self.frames = 0;
        self.journal = Some(journal);
        Ok(())
    }

    fn rotate(&mut self, answer: SyncSender<io::Result<u64>>) {
        // Where none could be begun so far, it is this one that ends.
        let begun = if self.journal.is_none() { self.begin() } else { Ok(()) };
        let before = self.number;
        match begun.and_then(|()| self.begin()) {
            Ok(()) => {
                let _alive = self.done.send(Done::Rotated(answer, before));
            }
            Err(error) => {
                let _nobody_waits = answer.send(Err(error));
            }
        }
    }
}

/// Puts what is on disk into the metrics.
fn apply_all(shared: &Shared, applying: &Receiver<Done>) {
    let mut group = Group::default();
    for done in applying {
        match done {
            Done::Group(batches) => {
                for (sequence, mut batch, done) in batches {
                    let mut measured = 0;
                    for (key, policy, measures) in &mut batch {
                        measured += measures.len() as u64;
                        shared.apply(sequence, *key, policy, measures, &mut group);
                    }
                    shared.counters.measures.fetch_add(measured, Ordering::Relaxed);
                    answer(done, Ok(()));
                }
            }
            Done::Rotated(answer, before) => {
                let _nobody_waits = answer.send(Ok(before));
            }
        }
    }
}

/// Whoever asked may have given up waiting.
fn answer(done: oneshot::Sender<Result<()>>, result: Result<()>) {
    let _nobody_waits = done.send(result);
}

/// The same failure, for one of those that it concerns.
fn unavailable(error: &io::Error) -> Error {
    let message = match error.kind() {
        io::ErrorKind::StorageFull => {
            "no room is left on the disk of the measures: free some, and send what was refused again"
        }
        _ => "measures cannot be written to disk: see the log, and send what was refused again",
    };
    Error::Unavailable { message: message.into(), source: Some(error.to_string().into()) }
}
