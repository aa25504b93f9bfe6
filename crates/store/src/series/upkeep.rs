//! What is done in the background: checkpoints, which bring to segments what only the journal has, and compaction, which
//! makes one of several segments.

use std::collections::{BTreeMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use nephoscope_gnocchi::AggregationMethod;
use tokio::sync::mpsc::{Sender, WeakSender};

use super::journal::{self, FIRST_JOURNAL};
use super::record::{self, Record};
use super::rows::{absent, overlay};
use super::segment::{Opened, Segment, SegmentWriter};
use super::shared::Shared;
use super::window::class;
use super::writer::Job;

/// How many segments of about one size become one.
const FAN_IN: usize = 4;
/// Below this all segments are of one size.
const SMALLEST_LEVEL: u64 = 4 << 20;
/// Segments larger than that are left as they are: to write them again takes minutes and as much room again.
const LARGEST_MERGED: u64 = 4 << 30;
/// How long measures stay in the journal at most when few come: what is not kept any more goes after a checkpoint, and
/// there is less to read again after a crash.
const PERIOD: Duration = Duration::from_secs(600);
/// How long to leave the disk alone when a checkpoint failed.
const PAUSE: Duration = Duration::from_secs(1);
/// How much of a segment may belong to metrics that are deleted, or be older than what is kept, in parts of it, before it is
/// written anew.
const GARBAGE_PART: u64 = 4;
/// How many records of a segment tell how much of it is older than what is kept: so many that a part as large is seen, so few
/// that it can be looked at after each checkpoint.
const SAMPLE: usize = 256;
/// How much is copied at a time.
const COPY_BYTES: usize = 4 << 20;

/// What is to be done.
pub(super) enum Task {
    /// A checkpoint, and what compaction follows from it.
    Checkpoint,
    /// A checkpoint, now.
    CheckpointFor(SyncSender<io::Result<()>>),
    /// A checkpoint, and one segment of all.
    Compact(SyncSender<io::Result<()>>),
}

/// Starts the thread. It ends when nobody can give it tasks any more.
pub(super) fn start(
    shared: &Arc<Shared>,
    jobs: WeakSender<Job>,
    tasks: Receiver<Task>,
) -> io::Result<JoinHandle<()>> {
    let upkeep = Upkeep { shared: Arc::clone(shared), jobs };
    thread::Builder::new().name("series upkeep".into()).spawn(move || upkeep.run(&tasks))
}

struct Upkeep {
    shared: Arc<Shared>,
    jobs: WeakSender<Job>,
}

impl Upkeep {
    fn run(&self, tasks: &Receiver<Task>) {
        loop {
            let task = match tasks.recv_timeout(PERIOD) {
                Ok(task) => task,
                Err(RecvTimeoutError::Timeout) if !self.shared.is_unsettled.load(Ordering::Acquire) => {
                    continue;
                }
                Err(RecvTimeoutError::Timeout) => Task::Checkpoint,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            match task {
                Task::Checkpoint => {
                    let done = self.checkpoint().and_then(|()| self.compact_where_it_pays());
                    if let Err(error) = done {
                        tracing::error!(
                            error = &error as &dyn std::error::Error,
                            "measures cannot be brought from the journal to segments, and stay in the journal"
                        );
                        thread::sleep(PAUSE);
                    }
                }
                Task::CheckpointFor(answer) => {
                    let _nobody_waits = answer.send(self.checkpoint());
                }
                Task::Compact(answer) => {
                    let done = self.checkpoint().and_then(|()| {
                        let segments = self.shared.segments();
                        if segments.is_empty() { Ok(()) } else { merge(&self.shared, &segments) }
                    });
                    let _nobody_waits = answer.send(done);
                }
            }
        }
    }

    fn checkpoint(&self) -> io::Result<()> {
        // Whoever closes the series has nothing more to write, and what the journal has is safe there.
        let Some(jobs) = self.jobs.upgrade() else { return Ok(()) };
        let is_unsettled = self.shared.is_unsettled.swap(false, Ordering::AcqRel);
        let done = match is_unsettled {
            true => self.rotate(jobs).and_then(|number| checkpoint(&self.shared, number)),
            false => Ok(()),
        };
        if done.is_err() {
            self.shared.is_unsettled.store(true, Ordering::Release);
        }
        self.shared.checkpoint_ended(done.is_ok());
        done
    }

    /// Has another journal begun. The number of the one before, all of which is in the metrics.
    fn rotate(&self, jobs: Sender<Job>) -> io::Result<u64> {
        let (answer, rotated) = mpsc::sync_channel(1);
        let closed = || io::Error::other("the series are being closed");
        jobs.blocking_send(Job::Rotate(answer)).map_err(|_closed| closed())?;
        drop(jobs);
        rotated.recv().map_err(|_closed| closed())?
    }

    fn compact_where_it_pays(&self) -> io::Result<()> {
        loop {
            let segments = self.shared.segments();
            let garbage = |segment: &Arc<Segment>| {
                let forgotten = self.shared.forgotten();
                forgotten.iter().map(|key| segment.bytes_of(*key)).sum::<u64>() * GARBAGE_PART > segment.bytes
            };
            if let Some(range) = alike(&segments) {
                merge(&self.shared, &segments[range])?;
            } else if let Some(at) = segments.iter().position(garbage) {
                merge(&self.shared, &segments[at..=at])?;
            } else if let Some(at) =
                (0..segments.len()).find(|at| is_outdated(&self.shared, &segments[*at..]))
            {
                merge(&self.shared, &segments[at..=at])?;
            } else {
                self.shared.forget_the_forgotten();
                return Ok(());
            }
        }
    }
}

/// Which neighbours are so many of about one size, or smaller, that they are to become one.
fn alike(segments: &[Arc<Segment>]) -> Option<std::ops::Range<usize>> {
    let level = |segment: &Arc<Segment>| (segment.bytes / SMALLEST_LEVEL).max(1).ilog(FAN_IN as u64);
    let highest = (LARGEST_MERGED / SMALLEST_LEVEL).ilog(FAN_IN as u64);
    (0..highest).find_map(|most| {
        let smaller = segments.iter().rev().take_while(|segment| level(segment) <= most).count();
        (smaller >= FAN_IN).then(|| segments.len() - smaller..segments.len())
    })
}

/// Whether so much of the first of these segments is older than what is kept that it is to be written anew. The others are
/// all that are newer, and tell from when each metric is kept.
fn is_outdated(shared: &Shared, segments: &[Arc<Segment>]) -> bool {
    let Some(segment) = segments.first() else { return false };
    let (mut outdated, mut all) = (0, 0);
    for key in segment.keys().iter().step_by(segment.keys().len().div_ceil(SAMPLE).max(1)) {
        let Some(opened) = segment.record(*key).and_then(|opened| shared.note(opened)) else { continue };
        let stored = newest_window(shared, segments, *key);
        for chunk in &opened.head.chunks {
            let kept = stored.as_ref().and_then(|stored| stored.kept_from(chunk.length));
            for (method, piece) in &chunk.columns {
                all += piece.length as u64;
                if kept.is_some_and(|kept_from| chunk.periods.last < kept_from[class(*method)]) {
                    outdated += piece.length as u64;
                }
            }
        }
    }
    outdated > 0 && outdated * GARBAGE_PART > all
}

/// The window of a metric in the newest segment that has the metric, if it can be read.
fn newest_window(shared: &Shared, segments: &[Arc<Segment>], key: u64) -> Option<record::Stored> {
    let newest = segments.iter().rev().find_map(|segment| segment.record(key))?;
    shared.note(shared.note(newest)?.window()?)
}

/// Brings to a segment what is not on disk but in journals up to that number, and removes these.
pub(super) fn checkpoint(shared: &Shared, number: u64) -> io::Result<()> {
    let mut keys = shared.dirty_keys();
    keys.sort_unstable();
    let written = write_checkpoint(shared, &keys, number);
    if written.is_err() {
        shared.abandon_flush(&keys);
    }
    shared.add_segment(written?);
    shared.end_flush(&keys);
    for name in shared.files.list(&shared.directory)? {
        let Some(journal) = journal::number_of(&name).filter(|journal| *journal <= number) else { continue };
        let path = shared.directory.join(&name);
        if shared.damaged_journals().contains(&journal) {
            shared.files.rename(&path, &set_aside(&path))?;
        } else {
            shared.files.remove(&path)?;
        }
    }
    shared.drop_idle();
    Ok(())
}

/// What a damaged file is called that is no longer used, and that somebody may want to look at.
fn set_aside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".damaged");
    name.into()
}

fn write_checkpoint(shared: &Shared, keys: &[u64], number: u64) -> io::Result<Segment> {
    let mut writer = SegmentWriter::create(&*shared.files, &shared.directory)?;
    for key in keys {
        let record = shared.with_loaded(*key, |metric| {
            metric.is_dirty = false;
            metric.window.begin_flush(&metric.plan);
            let plan = &metric.plan;
            let width = plan.methods.len();
            let mut record = Record::default();
            record.put_window(Some(&record::window(plan, &metric.window, metric.applied)));
            for (grain, aggregates) in plan.grains.iter().zip(&metric.window.grains) {
                let rows = &aggregates.flushing;
                record.put_rows(grain.length, rows.periods(), &plan.methods, |row, column| {
                    rows.value(row, column, width)
                });
            }
            record
        });
        if let Some(record) = record {
            writer.add(*key, record.span, &record.finish(*key))?;
        }
    }
    // From where the one before ends, and even if nothing is left of what came, so that one that is missing leaves a gap.
    let first = shared.segments().last().map_or(FIRST_JOURNAL, |last| last.covers.1 + 1);
    writer.finish(&*shared.files, &shared.directory, (first, number))
}

/// Makes one segment of neighbours.
fn merge(shared: &Shared, segments: &[Arc<Segment>]) -> io::Result<()> {
    let (Some(first), Some(last)) = (segments.first(), segments.last()) else { return Ok(()) };
    let covers = (first.covers.0, last.covers.1);
    let newer: Vec<_> =
        shared.segments().iter().filter(|segment| segment.covers.0 > covers.1).map(Arc::clone).collect();
    let forgotten: HashSet<u64> = shared.forgotten().iter().copied().collect();
    let mut writer = SegmentWriter::create(&*shared.files, &shared.directory)?;
    let mut places = vec![0; segments.len()];
    loop {
        let next =
            segments.iter().zip(&places).filter_map(|(segment, place)| segment.keys().get(*place)).min();
        let Some(key) = next.copied() else { break };
        for (segment, place) in segments.iter().zip(&mut places) {
            *place += usize::from(segment.keys().get(*place) == Some(&key));
        }
        if forgotten.contains(&key) {
            continue;
        }
        let (span, record) = merged(shared, segments, &newer, key);
        writer.add(key, span, &record)?;
    }
    let damaged = segments.iter().filter(|segment| segment.is_damaged());
    damaged.for_each(|segment| keep_aside(shared, segment));
    let segment = writer.finish(&*shared.files, &shared.directory, covers)?;
    shared.replace_segments(segment);
    for old in segments {
        // One that was written anew has the same name.
        if old.covers != covers {
            shared.files.remove(&old.path)?;
        }
    }
    Ok(())
}

/// One record of those of several segments.
fn merged(
    shared: &Shared,
    segments: &[Arc<Segment>],
    newer: &[Arc<Segment>],
    key: u64,
) -> (Option<(i64, i64)>, Vec<u8>) {
    let records: Vec<_> = segments.iter().filter_map(|segment| segment.record(key)).collect();
    // The newest window is the one that counts. Where it is lost, an older one would have its measures count once more.
    let needs_window =
        records.last().is_some_and(Result::is_ok) && !newer.iter().any(|segment| segment.has(key));
    let opened: Vec<Opened<'_>> = records.into_iter().filter_map(|opened| shared.note(opened)).collect();
    let newest =
        opened.last().filter(|_| needs_window).and_then(|opened| Some((opened, opened.head.window?)));
    let window = newest.and_then(|(opened, piece)| shared.note(opened.piece(piece)));
    let stored = match &window {
        Some(window) => record::Stored::read(window),
        None => newest_window(shared, newer, key),
    };
    let mut lengths: BTreeMap<i64, Vec<AggregationMethod>> = BTreeMap::new();
    for chunk in opened.iter().flat_map(|opened| &opened.head.chunks) {
        let methods = lengths.entry(chunk.length).or_default();
        methods.extend(chunk.columns.iter().map(|(method, _)| *method));
    }
    let mut record = Record::default();
    record.put_window(window.as_deref());
    for (length, mut methods) in lengths {
        methods.sort_unstable();
        methods.dedup();
        let kept = stored.as_ref().and_then(|stored| stored.kept_from(length));
        let mut columns = Vec::with_capacity(methods.len());
        let mut periods = Vec::new();
        for method in &methods {
            let mut points = Vec::new();
            for opened in &opened {
                let damaged = opened.overlay(length, *method, (i64::MIN, i64::MAX), &mut points);
                shared.counters.damaged_blocks.fetch_add(damaged, Ordering::Relaxed);
            }
            if let Some(kept_from) = kept {
                let kept_from = kept_from[class(*method)];
                points.retain(|(period, _)| *period >= kept_from);
            }
            overlay(&mut periods, points.iter().map(|(period, _)| (*period, 0.0)));
            columns.push(points);
        }
        let periods: Vec<_> = periods.into_iter().map(|(period, _)| period).collect();
        let columns: Vec<Vec<f64>> = columns.iter().map(|points| spread(points, &periods)).collect();
        record.put_rows(length, &periods, &methods, |row, column| columns[column][row]);
    }
    (record.span, record.finish(key))
}

/// The values at the periods, absent where there is no point.
fn spread(points: &[(i64, f64)], periods: &[i64]) -> Vec<f64> {
    let mut points = points.iter().peekable();
    let value =
        |period: &i64| points.next_if(|point| point.0 == *period).map_or_else(absent, |point| point.1);
    periods.iter().map(value).collect()
}

/// Copies segments to a directory.
pub(super) fn copy(shared: &Shared, segments: &[Arc<Segment>], to: &Path) -> io::Result<()> {
    for segment in segments {
        let name = segment.path.file_name().ok_or_else(|| io::Error::other("a segment without a name"))?;
        copy_one(shared, segment, &to.join(name))?;
    }
    shared.files.sync_directory(to)
}

/// Keeps a damaged segment beside what is made of it, as far as it can be read.
fn keep_aside(shared: &Shared, segment: &Segment) {
    let to = set_aside(&segment.path);
    match copy_one(shared, segment, &to) {
        Ok(()) => tracing::error!("{} is damaged, and kept as {}", segment.path.display(), to.display()),
        Err(error) => tracing::error!(
            error = &error as &dyn std::error::Error,
            "{} is damaged, and cannot be kept beside what is made of it",
            segment.path.display()
        ),
    }
}

fn copy_one(shared: &Shared, segment: &Segment, to: &Path) -> io::Result<()> {
    let mut file = shared.files.create(to)?;
    let mut offset = 0;
    while offset < segment.bytes {
        let length = (segment.bytes - offset).min(COPY_BYTES as u64);
        #[expect(clippy::cast_possible_truncation, reason = "no more than is copied at a time")]
        let mut part = vec![0; length as usize];
        segment.file.read_at(offset, &mut part)?;
        file.append(&part)?;
        offset += length;
    }
    file.sync()
}

/// Reads all there is. Gives how many blocks were read and how many are damaged.
pub(super) fn check(segments: &[Arc<Segment>]) -> (u64, u64) {
    let (mut blocks, mut damaged) = (0, 0);
    for segment in segments {
        damaged += u64::from(segment.was_damaged);
        for key in segment.keys() {
            match segment.record(*key) {
                Some(Ok(opened)) => {
                    let window = opened.window();
                    blocks += u64::from(window.is_some());
                    damaged += u64::from(window.is_some_and(|window| window.is_err()));
                    for chunk in &opened.head.chunks {
                        for (_, piece) in &chunk.columns {
                            blocks += 1;
                            let bytes = opened.piece(*piece);
                            let is_whole = bytes.is_ok_and(|bytes| chunk.points(&bytes).is_some());
                            damaged += u64::from(!is_whole);
                        }
                    }
                }
                _ => damaged += 1,
            }
        }
    }
    (blocks, damaged)
}
