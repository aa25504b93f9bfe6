//! All metrics in memory, shared by those who write, read and tidy up.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nephoscope_gnocchi::{ArchivePolicy, Measure};
use tokio::sync::Notify;

use super::MetricKey;
use super::files::Files;
use super::group::Group;
use super::plan::Plan;
use super::segment::{Damaged, Segment};
use super::upkeep::Task;
use super::window::Window;
use crate::number_map::NumberMap;

/// Over how many locks the metrics are spread: so many that readers rarely wait for the writer.
const SHARDS: usize = 256;

/// What a place in the map takes: the key, the pointer and a byte.
const ENTRY_BYTES: usize = 17;

/// A metric that was written or read since it was last idle.
#[derive(Debug)]
pub(super) struct Metric {
    pub(super) plan: Arc<Plan>,
    pub(super) window: Window,
    /// The last batch that went in, so that none goes in twice when a journal is read again.
    pub(super) applied: u64,
    /// Whether there is anything that is not on disk yet, but for the journal.
    pub(super) is_dirty: bool,
    /// How many checkpoints there had been when it was written or read the last time.
    used: u64,
}

/// What everybody needs.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) files: Arc<dyn Files>,
    pub(super) directory: PathBuf,
    plans: Plans,
    /// Each guards the metrics whose keys end alike. Held for as long as one metric is worked on. Never two at a time.
    shards: Vec<Mutex<Shard>>,
    pub(super) counters: Counters,
    /// Guards which segments there are, the oldest first. Replaced as a whole, so that readers hold it for a moment only.
    segments: Mutex<Arc<Vec<Arc<Segment>>>>,
    /// Guards the keys of deleted metrics that may be in segments.
    forgotten: Mutex<HashSet<u64>>,
    /// Guards the numbers of journals that were found damaged.
    damaged_journals: Mutex<HashSet<u64>>,
    /// Whether a checkpoint was asked for and is not done.
    pub(super) is_checkpoint_due: AtomicBool,
    /// Whether the last checkpoint failed.
    pub(super) is_checkpoint_failing: AtomicBool,
    /// Tells those who wait for memory that a checkpoint has ended.
    pub(super) checkpoint_end: Notify,
    /// Whether journals may hold anything that segments do not.
    pub(super) is_unsettled: AtomicBool,
}

type Shard = NumberMap<u64, Box<Metric>>;

/// What is counted as it happens.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) measures: AtomicU64,
    pub(super) journal_bytes: AtomicU64,
    pub(super) pending_bytes: AtomicUsize,
    pub(super) damaged_frames: AtomicU64,
    pub(super) damaged_blocks: AtomicU64,
    pub(super) missing_files: AtomicU64,
    pub(super) torn_bytes: AtomicU64,
    pub(super) failed_writes: AtomicU64,
    pub(super) checkpoints: AtomicU64,
}

impl Shared {
    pub(super) fn new(files: Arc<dyn Files>, directory: PathBuf) -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self {
            files,
            directory,
            plans: Plans::default(),
            shards,
            counters: Counters::default(),
            segments: Mutex::default(),
            forgotten: Mutex::default(),
            damaged_journals: Mutex::default(),
            is_checkpoint_due: AtomicBool::new(false),
            is_checkpoint_failing: AtomicBool::new(false),
            checkpoint_end: Notify::new(),
            is_unsettled: AtomicBool::new(false),
        }
    }

    fn shard(&self, key: MetricKey) -> MutexGuard<'_, Shard> {
        #[expect(clippy::cast_possible_truncation, reason = "only the lowest bits matter")]
        let shard = &self.shards[key.0 as usize % SHARDS];
        unpoisoned(shard)
    }

    /// Works on a metric, made if it is not there.
    pub(super) fn with_metric<T>(
        &self,
        key: MetricKey,
        policy: &Arc<ArchivePolicy>,
        work: impl FnOnce(&mut Metric) -> T,
    ) -> T {
        let mut shard = self.shard(key);
        let metric = shard.entry(key.0).or_insert_with(|| Box::new(self.load(key, self.plans.of(policy))));
        metric.used = self.counters.checkpoints.load(Ordering::Relaxed);
        if !Arc::ptr_eq(&metric.plan.policy, policy) {
            let plan = self.plans.of(policy);
            if !Arc::ptr_eq(&metric.plan, &plan) {
                metric.window.change_plan(&metric.plan, &plan, &mut Group::default());
                metric.plan = plan;
                metric.is_dirty = true;
            }
        }
        work(metric)
    }

    /// A metric as the newest segment has it that has it.
    fn load(&self, key: MetricKey, plan: Arc<Plan>) -> Metric {
        let segments = self.segments();
        let newest = segments.iter().rev().find_map(|segment| segment.record(key.0));
        let opened = newest.and_then(|opened| self.note(opened));
        let stored = opened.and_then(|opened| opened.window()).and_then(|stored| self.note(stored));
        let applied = stored.as_ref().map_or(0, |stored| stored.applied);
        let window = stored.map_or_else(|| Window::new(&plan), |stored| stored.into_window(&plan));
        Metric { plan, window, applied, is_dirty: false, used: 0 }
    }

    /// What was read, unless it is damaged: then that is counted and told.
    pub(super) fn note<T>(&self, read: Result<T, Damaged>) -> Option<T> {
        if read.is_err() {
            self.counters.damaged_blocks.fetch_add(1, Ordering::Relaxed);
            tracing::error!("a block in {} is damaged: what it held is lost", self.directory.display());
        }
        read.ok()
    }

    /// Works on a metric that is in memory.
    pub(super) fn with_loaded<T>(&self, key: u64, work: impl FnOnce(&mut Metric) -> T) -> Option<T> {
        self.shard(MetricKey(key)).get_mut(&key).map(|metric| work(metric))
    }

    /// The keys of the metrics that have something that only the journal has on disk.
    pub(super) fn dirty_keys(&self) -> Vec<u64> {
        let mut keys = Vec::new();
        for shard in &self.shards {
            let shard = unpoisoned(shard);
            keys.extend(shard.iter().filter(|(_, metric)| metric.is_dirty).map(|(key, _)| *key));
        }
        keys
    }

    /// What was to go to disk is there.
    pub(super) fn end_flush(&self, keys: &[u64]) {
        let flushed =
            keys.iter().filter_map(|key| self.with_loaded(*key, |metric| metric.window.end_flush()));
        let flushed: usize = flushed.sum();
        let pending = &self.counters.pending_bytes;
        let _always = pending.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |pending| {
            Some(pending.saturating_sub(flushed))
        });
        self.counters.checkpoints.fetch_add(1, Ordering::Relaxed);
    }

    /// What was to go to disk is not there: it is to go again.
    pub(super) fn abandon_flush(&self, keys: &[u64]) {
        keys.iter().for_each(|key| {
            self.with_loaded(*key, |metric| metric.is_dirty = true);
        });
    }

    /// Drops from memory what was not used since the checkpoint before the last, and is on disk.
    pub(super) fn drop_idle(&self) {
        let checkpoints = self.counters.checkpoints.load(Ordering::Relaxed);
        for shard in &self.shards {
            let mut shard = unpoisoned(shard);
            shard.retain(|_, metric| metric.is_dirty || metric.used + 1 >= checkpoints);
            if shard.capacity() > 4 * shard.len() {
                shard.shrink_to_fit();
            }
        }
    }

    /// Asks for a checkpoint, unless that was done or there is enough to do already.
    pub(super) fn ask_for_checkpoint(&self, tasks: &SyncSender<Task>) {
        if !self.is_checkpoint_due.swap(true, Ordering::AcqRel) && tasks.try_send(Task::Checkpoint).is_err() {
            self.is_checkpoint_due.store(false, Ordering::Release);
        }
    }

    /// Tells how a checkpoint ended. Those who wait may ask for another one then.
    pub(super) fn checkpoint_ended(&self, well: bool) {
        self.is_checkpoint_due.store(false, Ordering::Release);
        self.is_checkpoint_failing.store(!well, Ordering::Release);
        self.checkpoint_end.notify_waiters();
    }

    /// The segments of now, the oldest first.
    pub(super) fn segments(&self) -> Arc<Vec<Arc<Segment>>> {
        Arc::clone(&unpoisoned(&self.segments))
    }

    /// Adds the newest segment.
    pub(super) fn add_segment(&self, segment: Segment) {
        let mut segments = unpoisoned(&self.segments);
        let more = segments.iter().cloned().chain([Arc::new(segment)]).collect();
        *segments = Arc::new(more);
    }

    /// Puts a segment in the place of those whose checkpoints it covers.
    pub(super) fn replace_segments(&self, segment: Segment) {
        let mut segments = unpoisoned(&self.segments);
        let is_covered =
            |old: &&Arc<Segment>| old.covers.0 >= segment.covers.0 && old.covers.1 <= segment.covers.1;
        let mut others: Vec<_> = segments.iter().filter(|old| !is_covered(old)).cloned().collect();
        others.push(Arc::new(segment));
        others.sort_by_key(|segment| segment.covers);
        *segments = Arc::new(others);
    }

    /// The keys of deleted metrics that may be in segments.
    pub(super) fn forgotten(&self) -> MutexGuard<'_, HashSet<u64>> {
        unpoisoned(&self.forgotten)
    }

    /// The numbers of journals that were found damaged.
    pub(super) fn damaged_journals(&self) -> MutexGuard<'_, HashSet<u64>> {
        unpoisoned(&self.damaged_journals)
    }

    /// Lets go of the keys that are in no segment any more.
    pub(super) fn forget_the_forgotten(&self) {
        let segments = self.segments();
        self.forgotten().retain(|key| segments.iter().any(|segment| segment.has(*key)));
    }

    /// Puts the measures of one batch into a metric, unless they are in it.
    pub(super) fn apply(
        &self,
        sequence: u64,
        key: MetricKey,
        policy: &Arc<ArchivePolicy>,
        measures: &mut Vec<Measure>,
        group: &mut Group,
    ) {
        self.with_metric(key, policy, |metric| {
            if sequence <= metric.applied {
                return;
            }
            let before = metric.window.pending_bytes();
            metric.window.apply(&metric.plan, measures, group);
            metric.applied = sequence;
            metric.is_dirty = true;
            let more = metric.window.pending_bytes().saturating_sub(before);
            if more > 0 {
                self.counters.pending_bytes.fetch_add(more, Ordering::Relaxed);
            }
        });
    }

    /// Forgets a metric.
    pub(super) fn forget(&self, key: MetricKey) {
        self.forgotten().insert(key.0);
        let metric = self.shard(key).remove(&key.0);
        if let Some(metric) = metric {
            let gone = metric.window.pending_bytes();
            let _always =
                self.counters.pending_bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |pending| {
                    Some(pending.saturating_sub(gone))
                });
        }
    }

    /// How many metrics are in memory, and how many bytes they take.
    pub(super) fn in_memory(&self) -> (u64, u64) {
        let (mut metrics, mut bytes) = (0, 0);
        for shard in &self.shards {
            let shard = unpoisoned(shard);
            metrics += shard.len() as u64;
            let each = shard.values().map(|metric| (size_of::<Metric>() + metric.window.bytes()) as u64);
            bytes += each.sum::<u64>() + (shard.capacity() * ENTRY_BYTES) as u64;
        }
        (metrics, bytes)
    }
}

/// A panic while a lock was held is our bug, and was told; what the lock guards is a metric that may have a batch half.
pub(super) fn unpoisoned<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One plan for all metrics of a policy.
#[derive(Debug, Default)]
struct Plans {
    /// All that are in use. Few, so that a search is as good as any index.
    known: Mutex<Vec<Arc<Plan>>>,
}

impl Plans {
    fn of(&self, policy: &Arc<ArchivePolicy>) -> Arc<Plan> {
        let mut known = unpoisoned(&self.known);
        let same = known.iter().find(|plan| Arc::ptr_eq(&plan.policy, policy));
        if let Some(plan) = same.or_else(|| known.iter().find(|plan| plan.policy == *policy)) {
            return Arc::clone(plan);
        }
        known.retain(|plan| Arc::strong_count(plan) > 1);
        let plan = Arc::new(Plan::new(policy));
        known.push(Arc::clone(&plan));
        plan
    }
}
