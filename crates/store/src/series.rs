//! What was measured: journal, raw measures, aggregates, blocks.
//!
//! A metric is a number here, its [`MetricKey`], with an [`ArchivePolicy`]. Measures go to the journal first; when they are
//! on disk there, they go into the metric in memory, from where reads see them. The results are Gnocchi's to the last bit,
//! batch for batch, as its 4.7.1 has them; only what it makes of times within 128 ns before a period, and of granularities
//! that are no whole microseconds, which it rounds as doubles, is left out.

mod column;
#[cfg(test)]
mod faulty;
mod files;
mod group;
mod journal;
#[cfg(test)]
mod model;
mod plan;
mod record;
mod rows;
mod segment;
mod shared;
#[cfg(test)]
mod tests;
mod upkeep;
mod window;
mod writer;

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;

use nephoscope_gnocchi::{AggregationMethod, ArchivePolicy, Error, Measure, Result, Timespan, Timestamp};
use tokio::sync::{Semaphore, mpsc, oneshot};

use files::{Disk, Files};
pub(crate) use group::Group;
use segment::{Segment, Unreadable};
use shared::Shared;
use upkeep::Task;
use writer::Job;

/// How much may wait to be written. A batch of more is written alone.
const WAITING_BYTES: usize = 64 << 20;

/// How many bytes of finished aggregates may be in memory before measures have to wait: room for what comes while a checkpoint
/// writes what was there when it began.
const MOST_PENDING: usize = 512 << 20;

/// The number of a metric, given out by the index and never again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MetricKey(pub u64);

/// How the series are kept.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Options {}

/// How it stands with the series.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Measures written since the start.
    pub measures: u64,
    /// Metrics in memory.
    pub metrics: u64,
    /// Bytes of memory that they take.
    pub memory_bytes: u64,
    /// Bytes of the journal that is written.
    pub journal_bytes: u64,
    /// Segments.
    pub segments: u64,
    /// Bytes of the segments.
    pub segment_bytes: u64,
    /// Stretches of journals that were damaged when they were read: what was written last in them is lost.
    pub damaged_frames: u64,
    /// Blocks that were damaged when they were read: the aggregates in them are lost.
    pub damaged_blocks: u64,
    /// Gaps among the segments and journals when the series were opened: all that was in the missing files is lost.
    pub missing_files: u64,
    /// Writes that failed and were refused.
    pub failed_writes: u64,
}

/// What a look at everything on disk gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Check {
    /// Blocks there are.
    pub blocks: u64,
    /// Blocks that are not what was written, and lost.
    pub damaged: u64,
}

/// The measures and aggregates of all metrics, in a directory.
#[derive(Debug)]
pub struct Series {
    shared: Arc<Shared>,
    jobs: mpsc::Sender<Job>,
    tasks: SyncSender<Task>,
    /// As many permits as bytes may wait.
    room: Semaphore,
    /// [`MOST_PENDING`], but for tests.
    most_pending: usize,
    threads: Vec<JoinHandle<()>>,
}

impl Series {
    /// Opens the series in a directory, which is made if it is not there. What was written is there again; measures of
    /// metrics that have no policy any more are dropped.
    pub fn open(
        directory: &Path,
        options: &Options,
        policy_of: impl Fn(MetricKey) -> Option<Arc<ArchivePolicy>>,
    ) -> Result<Self> {
        std::fs::create_dir_all(directory).map_err(|error| cannot_open(directory, &error))?;
        Self::open_in(Arc::new(Disk), directory, options, policy_of)
    }

    fn open_in(
        files: Arc<dyn Files>,
        directory: &Path,
        _options: &Options,
        policy_of: impl Fn(MetricKey) -> Option<Arc<ArchivePolicy>>,
    ) -> Result<Self> {
        let shared = Arc::new(Shared::new(files, directory.to_owned()));
        let next = recover(&shared, policy_of)?;
        let writer = writer::start(&shared, next).map_err(|error| cannot_open(directory, &error))?;
        let room = Semaphore::new(WAITING_BYTES);
        let (jobs, tasks, threads) = (writer.jobs, writer.tasks, writer.threads);
        Ok(Self { shared, jobs, tasks, room, most_pending: MOST_PENDING, threads })
    }

    /// Stores the measures of one request: all, or none. `Ok` means that they are on disk and that every read sees them.
    ///
    /// All measures of a metric count as one batch: of those of one time the least stays.
    pub async fn write(&self, mut batch: Vec<(MetricKey, Arc<ArchivePolicy>, Vec<Measure>)>) -> Result<()> {
        batch.retain(|(_, _, measures)| !measures.is_empty());
        batch.sort_by_key(|(key, _, _)| *key);
        batch.dedup_by(|(key, _, more), (kept, _, measures)| {
            let is_same = key == kept;
            if is_same {
                measures.append(more);
            }
            is_same
        });
        if batch.is_empty() {
            return Ok(());
        }
        let frame = journal::frame(&batch);
        if frame.len() > journal::LONGEST_PAYLOAD {
            return Err(Error::Invalid("too many measures in one request".into()));
        }
        self.wait_for_memory().await?;
        let permits = u32::try_from(frame.len().min(WAITING_BYTES)).unwrap_or(u32::MAX);
        let _room = self.room.acquire_many(permits).await.map_err(|_closed| closed())?;
        let (done, stored) = oneshot::channel();
        self.jobs.send(Job::Store(frame, batch, done)).await.map_err(|_closed| closed())?;
        stored.await.map_err(|_gone| closed())?
    }

    /// Waits while more aggregates are in memory than may be.
    async fn wait_for_memory(&self) -> Result<()> {
        loop {
            let checkpoint = self.shared.checkpoint_end.notified();
            if self.shared.counters.pending_bytes.load(Ordering::Relaxed) < self.most_pending {
                return Ok(());
            }
            self.shared.ask_for_checkpoint(&self.tasks);
            if self.shared.is_checkpoint_failing.load(Ordering::Acquire) {
                let message = "aggregates cannot be brought to disk, and memory holds no more of them: see the log, and \
                               send what was refused again";
                return Err(Error::Unavailable { message: message.into(), source: None });
            }
            checkpoint.await;
        }
    }

    /// Aggregates of a metric from the period that the start lies in to before the stop: starts of periods in nanoseconds,
    /// in order, and the value of each. Nothing where the policy has no such method or granularity.
    pub fn points(
        &self,
        key: MetricKey,
        policy: &Arc<ArchivePolicy>,
        method: AggregationMethod,
        granularity: Timespan,
        start: Option<Timestamp>,
        stop: Option<Timestamp>,
    ) -> Result<Vec<(i64, f64)>> {
        let start = start.map(Timestamp::as_nanos);
        let end = stop.map_or(i64::MAX, Timestamp::as_nanos);
        let found = self.shared.with_metric(key, policy, |metric| {
            let plan = Arc::clone(&metric.plan);
            let (at, column) = (plan.grain_of(granularity)?, plan.column_of(method)?);
            let grain = plan.grains[at];
            let kept_from = metric.window.grains[at].kept_from[window::class(method)];
            let from = start.map_or(i64::MIN, |start| grain.floor(start)).max(kept_from);
            // How Gnocchi reads: the pieces that start and stop lie in and all between, of which it keeps what is not too
            // old before the newest, and gives what was asked for. The newest may be behind the stop, if it matters.
            let end_of_piece = stop.map_or(i64::MAX, |stop| grain.next_split(stop.as_nanos()));
            let matters =
                grain.timespan.is_some_and(|timespan| from <= end_of_piece.saturating_sub(timespan));
            let within = (from, if matters { end_of_piece } else { end });
            let mut newest = Vec::new();
            metric.window.overlay(&plan, at, column, within, &mut newest);
            Some((grain, within, newest))
        });
        let Some((grain, within, newest)) = found else { return Ok(Vec::new()) };
        let mut points = Vec::new();
        // What was in memory a moment ago is there or in a segment by now.
        for segment in self.shared.segments().iter().filter(|segment| segment.reaches(within)) {
            if let Some(opened) = segment.record(key.0).and_then(|opened| self.shared.note(opened)) {
                let damaged = opened.overlay(grain.length, method, within, &mut points);
                self.shared.counters.damaged_blocks.fetch_add(damaged, Ordering::Relaxed);
            }
        }
        rows::overlay(&mut points, newest);
        if let (Some(timespan), Some((last, _))) = (grain.timespan, points.last()) {
            let too_old = last.saturating_sub(timespan);
            points.drain(..points.partition_point(|(period, _)| *period <= too_old));
        }
        points.truncate(points.partition_point(|(period, _)| *period < end));
        Ok(points)
    }

    /// Forgets metrics that were deleted. Their space on disk is freed as time goes by.
    pub fn forget(&self, keys: &[MetricKey]) {
        keys.iter().for_each(|key| self.shared.forget(*key));
    }

    /// Copies what is stored now to a directory, which is made, while all goes on.
    pub async fn backup(&self, to: &Path) -> Result<()> {
        self.ask(Task::CheckpointFor).await?;
        let (shared, to) = (Arc::clone(&self.shared), to.to_owned());
        let segments = shared.segments();
        let copied = tokio::task::spawn_blocking(move || {
            std::fs::create_dir_all(&to)?;
            upkeep::copy(&shared, &segments, &to)
        });
        copied.await.map_err(|_cut_short| closed())?.map_err(|error| failed("backed up", &error))
    }

    /// Brings to segments what only the journal has on disk.
    pub async fn checkpoint(&self) -> Result<()> {
        self.ask(Task::CheckpointFor).await
    }

    /// Makes one segment of all, without what is not kept any more.
    pub async fn compact(&self) -> Result<()> {
        self.ask(Task::Compact).await
    }

    async fn ask(&self, task: impl FnOnce(SyncSender<io::Result<()>>) -> Task) -> Result<()> {
        let (answer, answered) = sync_channel(1);
        let (tasks, task) = (self.tasks.clone(), task(answer));
        let done = tokio::task::spawn_blocking(move || {
            tasks.send(task).ok()?;
            drop(tasks);
            answered.recv().ok()
        });
        let done = done.await.ok().flatten().ok_or_else(closed)?;
        done.map_err(|error| failed("brought to segments", &error))
    }

    /// Reads everything that is in segments. Gives how many blocks there are and how many are damaged. Blocks.
    pub fn check(&self) -> Result<Check> {
        let (blocks, damaged) = upkeep::check(&self.shared.segments());
        Ok(Check { blocks, damaged })
    }

    /// How it stands.
    pub fn stats(&self) -> Stats {
        let counters = &self.shared.counters;
        let (metrics, memory_bytes) = self.shared.in_memory();
        let segments = self.shared.segments();
        Stats {
            measures: counters.measures.load(Ordering::Relaxed),
            metrics,
            memory_bytes,
            journal_bytes: counters.journal_bytes.load(Ordering::Relaxed),
            segments: segments.len() as u64,
            segment_bytes: segments.iter().map(|segment| segment.bytes).sum(),
            damaged_frames: counters.damaged_frames.load(Ordering::Relaxed),
            damaged_blocks: counters.damaged_blocks.load(Ordering::Relaxed),
            missing_files: counters.missing_files.load(Ordering::Relaxed),
            failed_writes: counters.failed_writes.load(Ordering::Relaxed),
        }
    }

    /// Waits until all that was begun is done, brings it to segments, so that the next start has nothing to read again,
    /// and ends. Blocks.
    pub fn close(self) -> Result<()> {
        let (answer, answered) = sync_channel(1);
        let asked = self.tasks.send(Task::CheckpointFor(answer));
        if let (Ok(()), Ok(Err(error))) = (asked, answered.recv()) {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "measures cannot be brought to segments, and stay in the journal"
            );
        }
        drop(self.jobs);
        drop(self.tasks);
        let ended = self.threads.into_iter().map(JoinHandle::join);
        if ended.filter(std::result::Result::is_err).count() > 0 {
            return Err(Error::Internal {
                message: "a thread of the series ended early".into(),
                source: None,
            });
        }
        Ok(())
    }
}

/// Reads the journals, the oldest first. Gives the number of the next.
fn recover(shared: &Shared, policy_of: impl Fn(MetricKey) -> Option<Arc<ArchivePolicy>>) -> Result<u64> {
    let names =
        shared.files.list(&shared.directory).map_err(|error| cannot_open(&shared.directory, &error))?;
    let mut numbers: Vec<_> = names.iter().filter_map(|name| journal::number_of(name)).collect();
    numbers.sort_unstable();
    let covered = open_segments(shared, &names)?;
    // Deleted before the last end, and perhaps not gone from all segments.
    let segments = shared.segments();
    let mut keys: Vec<_> = segments.iter().flat_map(|segment| segment.keys()).copied().collect();
    keys.sort_unstable();
    keys.dedup();
    shared.forgotten().extend(keys.into_iter().filter(|key| policy_of(MetricKey(*key)).is_none()));
    let mut group = Group::default();
    numbers.retain(|number| *number > covered);
    let mut last = covered;
    let mut before = covered;
    for number in &numbers {
        let path = journal::path(&shared.directory, *number);
        if *number != before + 1 {
            tell_missing(shared, &path, (before + 1, *number));
        }
        before = *number;
        let content = read_journal(shared, &path).map_err(|error| cannot_open(&path, &error))?;
        let contents = journal::read(&content).map_err(|later| later_version(&path, later.0))?;
        let mut damaged = contents.damaged;
        if content.len() > journal::FILE_HEADER {
            last = *number;
        }
        for (sequence, payload) in contents.frames {
            let read = journal::read_payload(payload, |key, policy, measures| {
                if policy_of(key).is_some() {
                    shared.apply(sequence, key, policy, measures, &mut group);
                }
            });
            damaged += u64::from(read.is_none());
        }
        shared.counters.damaged_frames.fetch_add(damaged, Ordering::Relaxed);
        shared.counters.torn_bytes.fetch_add(contents.torn as u64, Ordering::Relaxed);
        if damaged > 0 {
            shared.damaged_journals().insert(*number);
            tracing::error!(
                "{} is damaged in {damaged} place(s): the measures that stood there are lost, all others are there; it \
                 is kept under another name",
                path.display()
            );
        }
        if contents.torn > 0 {
            tracing::info!("{} ends within a write that was not acknowledged", path.display());
        }
    }
    shared.is_unsettled.store(last > covered, Ordering::Release);
    // Those without a frame are begun anew.
    Ok(last + 1)
}

fn tell_missing(shared: &Shared, before: &Path, (first, end): (u64, u64)) {
    shared.counters.missing_files.fetch_add(1, Ordering::Relaxed);
    tracing::error!(
        "something is missing before {}: the measures of journals {first} to {} are lost",
        before.display(),
        end.saturating_sub(1)
    );
}

/// All of a journal. It is read once more where it is not whole: what went wrong on the way is right then.
fn read_journal(shared: &Shared, path: &Path) -> io::Result<Vec<u8>> {
    let read = || shared.files.open(path).and_then(|file| files::read_all(&*file));
    let content = read()?;
    let is_whole = journal::read(&content).is_ok_and(|contents| contents.damaged == 0 && contents.torn == 0);
    if is_whole { Ok(content) } else { read() }
}

/// Opens the segments, and removes what is left over of such as others stand for. Gives the last checkpoint.
fn open_segments(shared: &Shared, names: &[String]) -> Result<u64> {
    let mut found: Vec<_> = names.iter().filter_map(|name| Some((segment::covers(name)?, name))).collect();
    // Of those that begin together the longest first.
    found.sort_by_key(|((first, last), _)| (*first, u64::MAX - last));
    let mut covered = journal::FIRST_JOURNAL - 1;
    let mut left_over = vec![segment::TEMPORARY];
    for (covers, name) in found {
        if covers.1 <= covered {
            left_over.push(name);
            continue;
        }
        let path = shared.directory.join(name);
        if covers.0 != covered + 1 {
            tell_missing(shared, &path, (covered + 1, covers.0));
        }
        covered = covers.1;
        let opened = Segment::open(&*shared.files, &path, covers).map_err(|unreadable| match unreadable {
            Unreadable::Io(error) => cannot_open(&path, &error),
            Unreadable::Later(later) => later_version(&path, later.0),
        })?;
        if opened.was_damaged {
            shared.counters.damaged_blocks.fetch_add(1, Ordering::Relaxed);
            tracing::error!("{} is damaged: what is whole of it is used", path.display());
        }
        shared.add_segment(opened);
    }
    for name in left_over {
        if names.iter().any(|there| there == name) {
            let path = shared.directory.join(name);
            shared.files.remove(&path).map_err(|error| cannot_open(&path, &error))?;
        }
    }
    Ok(covered)
}

fn failed(what: &str, error: &io::Error) -> Error {
    Error::Unavailable {
        message: format!("measures cannot be {what}"),
        source: Some(error.to_string().into()),
    }
}

fn cannot_open(path: &Path, error: &io::Error) -> Error {
    internal(format!("the measures in {} cannot be opened", path.display()), error)
}

fn later_version(path: &Path, version: u32) -> Error {
    let message =
        format!("{} was written by a later version of this program (format {version})", path.display());
    Error::Internal { message, source: None }
}

fn internal(message: String, error: &io::Error) -> Error {
    Error::Internal { message, source: Some(error.to_string().into()) }
}

fn closed() -> Error {
    Error::Unavailable { message: "the store is being closed".into(), source: None }
}
