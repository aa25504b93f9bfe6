//! One metric in memory: its newest raw measures, and what was made of those that are gone.
//!
//! Gnocchi makes all aggregates from the beginning of a batch on anew with each batch, and puts them over what it has.
//! Where the result is the same, here they are made when somebody asks, or when their measures leave the window; see
//! [`Plan`] for which these are. The tests hold this to a model that does as Gnocchi does.

use std::mem;

use nephoscope_gnocchi::{AggregationMethod, Function, Measure};

use super::group::{Group, by_size};
use super::plan::{Grain, Plan};
use super::rows::{Rows, overlay};

/// The newest measures of a metric and its aggregates that are not on disk.
#[derive(Clone, Debug, Default)]
pub(super) struct Window {
    /// In order of time, each time once. What lies before `head` is gone.
    raw: Vec<Measure>,
    head: usize,
    /// As the plan has them.
    pub(super) grains: Vec<Aggregates>,
}

/// What is made of the measures at one granularity.
#[derive(Clone, Debug)]
pub(super) struct Aggregates {
    /// What was before was let go of, by how many values a method needs: see [`class`].
    pub(super) kept_from: [i64; 4],
    /// From which period on the raw measures count.
    pub(super) lazy_from: i64,
    /// Made, and not on disk.
    pub(super) pending: Rows,
    /// On their way to disk.
    pub(super) flushing: Rows,
}

impl Default for Aggregates {
    fn default() -> Self {
        Self {
            kept_from: [i64::MIN; 4],
            lazy_from: i64::MIN,
            pending: Rows::default(),
            flushing: Rows::default(),
        }
    }
}

impl Window {
    pub(super) fn new(plan: &Plan) -> Self {
        Self { raw: Vec::new(), head: 0, grains: vec![Aggregates::default(); plan.grains.len()] }
    }

    /// As it was when it was written to disk.
    pub(super) const fn restored(raw: Vec<Measure>, grains: Vec<Aggregates>) -> Self {
        Self { raw, head: 0, grains }
    }

    pub(super) fn raw(&self) -> &[Measure] {
        &self.raw[self.head..]
    }

    /// Takes the measures of one request. They are put in order.
    pub(super) fn apply(&mut self, plan: &Plan, batch: &mut Vec<Measure>, group: &mut Group) {
        in_order(batch);
        let (Some(first), Some(last)) = (batch.first().map(nanos), batch.last().map(nanos)) else { return };
        let newest_before = self.raw().last().map(nanos);
        let window_before = newest_before.map(|newest| plan.window_start(newest));
        let in_time =
            window_before.map_or(0, |start| batch.partition_point(|measure| nanos(measure) < start));
        let in_time = &batch[in_time..];
        // Nothing that is too late is the newest.
        let newest = newest_before.map_or(last, |newest| newest.max(last));
        let oldest = self.raw().first().map(nanos).into_iter().chain(in_time.first().map(nanos)).min();
        // From here on Gnocchi makes all aggregates anew.
        let from = oldest.map_or(first, |oldest| oldest.max(first));

        let reaches_back = |grain: &Grain| grain.cut(newest).filter(|cut| grain.floor(from) <= *cut);
        for (at, grain) in plan.grains.iter().enumerate() {
            let mut stored_from = grain.floor(from);
            if let Some(cut) = reaches_back(grain) {
                self.settle(plan, at, cut, group);
                stored_from = cut.saturating_add(grain.length);
            }
            // Where the policy keeps more by now, what was not stored before is.
            let aggregates = &mut self.grains[at];
            aggregates.lazy_from = aggregates.lazy_from.min(stored_from);
            aggregates.kept_from = aggregates.kept_from.map(|kept_from| kept_from.min(stored_from));
        }
        self.merge(in_time);
        for (at, grain) in plan.grains.iter().enumerate() {
            if let Some(cut) = reaches_back(grain) {
                self.store_late_deviations(plan, at, grain.floor(from), cut, group);
            }
        }
        if !plan.eager.is_empty() {
            self.aggregate_eagerly(plan, from, newest, group);
        }
        let window = plan.window_start(newest);
        if let Some(before) = window_before {
            for (at, grain) in plan.grains.iter().enumerate() {
                // Only with a new piece Gnocchi looks for old ones to let go of.
                if let Some(cut) = grain.cut(newest)
                    && grain.split(before) != grain.split(window)
                {
                    self.let_go(plan, at, grain.floor(from), grain.split(cut), group);
                }
            }
        }
        self.truncate(plan, window, group);
    }

    /// Aggregates that a batch makes anew and that are older than what is kept are not stored: what is stored of them
    /// stays as it was. That is made now, and the raw measures no longer count for them.
    fn settle(&mut self, plan: &Plan, at: usize, cut: i64, group: &mut Group) {
        let end = cut.saturating_add(plan.grains[at].length);
        let before = self.raw().partition_point(|measure| nanos(measure) < end);
        self.finish(plan, at, before, group);
        self.grains[at].lazy_from = self.grains[at].lazy_from.max(end);
    }

    /// How far aggregates are kept counts from the newest of the same method, and the newest deviation may be older than
    /// the newest of the others: a little more of it is stored than [`settle`](Self::settle) leaves, in the same piece.
    fn store_late_deviations(&mut self, plan: &Plan, at: usize, start: i64, cut: i64, group: &mut Group) {
        let deviation = plan.lazy.iter().find(|(_, function)| *function == Function::Std);
        let (Some((column, function)), Some(timespan)) = (deviation, plan.grains[at].timespan) else {
            return;
        };
        let raw = &self.raw[self.head..];
        let values = || measures_from(raw, start);
        let mut last = None;
        each_period(plan.grains[at], values(), group, |period, group| {
            last = if group.count() > 1 { Some(period) } else { last };
        });
        let Some(own_cut) = last.map(|last| last.saturating_sub(timespan)) else { return };
        let rows = &mut self.grains[at].pending;
        each_period(plan.grains[at], values(), group, |period, group| {
            if period > own_cut
                && (plan.grains[at].split(cut)..=cut).contains(&period)
                && let Some(value) = group.aggregate(*function)
            {
                rows.row(period, plan.methods.len())[*column] = value;
            }
        });
    }

    /// Lets go of aggregates before a time: of the methods of which the batch has made any.
    fn let_go(&mut self, plan: &Plan, at: usize, start: i64, kept_from: i64, group: &mut Group) {
        let grain = plan.grains[at];
        let mut most = [0; 2];
        let raw = self.raw();
        each_period(grain, measures_from(raw, start), group, |_, group| most[0] = group.count().max(most[0]));
        let differences = differences_from(raw, start, grain.length);
        each_period(grain, differences, group, |_, group| most[1] = group.count().max(most[1]));
        for (class, kept) in self.grains[at].kept_from.iter_mut().enumerate() {
            if most[class / 2] > class as u64 % 2 {
                *kept = kept_from.max(*kept);
            }
        }
        let Aggregates { kept_from, pending, flushing, .. } = &mut self.grains[at];
        let kept_from: Vec<_> = plan.methods.iter().map(|method| kept_from[class(*method)]).collect();
        pending.remove_before(&kept_from);
        flushing.remove_before(&kept_from);
    }

    /// Puts measures among the raw ones, over those of the same time.
    fn merge(&mut self, newer: &[Measure]) {
        let Some(first) = newer.first().map(nanos) else { return };
        let at = self.head + self.raw().partition_point(|measure| nanos(measure) < first);
        if at == self.raw.len() {
            if self.raw.is_empty() {
                self.raw.reserve_exact(newer.len());
            }
            self.raw.extend_from_slice(newer);
            return;
        }
        let older = self.raw.split_off(at);
        let mut older = older.into_iter().peekable();
        for measure in newer {
            while let Some(old) = older.next_if(|old| old.timestamp < measure.timestamp) {
                self.raw.push(old);
            }
            let _replaced = older.next_if(|old| old.timestamp == measure.timestamp);
            self.raw.push(*measure);
        }
        self.raw.extend(older);
    }

    /// Makes the aggregates that depend on where a batch begins.
    fn aggregate_eagerly(&mut self, plan: &Plan, from: i64, newest: i64, group: &mut Group) {
        let raw = &self.raw[self.head..];
        let width = plan.methods.len();
        for (grain, aggregates) in plan.grains.iter().zip(&mut self.grains) {
            let start = grain.floor(from);
            // How far they are kept counts from the newest of the same method.
            let mut cuts = vec![i64::MIN; width];
            let mut stored_from = i64::MIN;
            if let (Some(cut), Some(timespan)) = (grain.cut(newest), grain.timespan)
                && start <= cut
            {
                each_eager(plan, *grain, raw, start, group, |period, column, _| {
                    cuts[column] = period.saturating_sub(timespan);
                });
                stored_from = grain.split(cut);
            }
            each_eager(plan, *grain, raw, start, group, |period, column, value| {
                if period > cuts[column] && period >= stored_from {
                    aggregates.pending.row(period, width)[column] = value;
                }
            });
        }
    }

    /// Drops the raw measures before a time.
    fn truncate(&mut self, plan: &Plan, window: i64, group: &mut Group) {
        let before = self.raw().partition_point(|measure| nanos(measure) < window);
        if before == 0 {
            return;
        }
        for at in 0..plan.grains.len() {
            self.finish(plan, at, before, group);
        }
        self.head += before;
        // Moving the rest to the front each time would cost more than all else where a window is long.
        if self.head >= self.raw.len() - self.head {
            self.raw.drain(..self.head);
            self.head = 0;
            if self.raw.capacity() > 4 * self.raw.len().max(4) {
                self.raw.shrink_to(2 * self.raw.len());
            }
        }
    }

    /// Makes the aggregates of the first so many raw measures that were not made yet.
    fn finish(&mut self, plan: &Plan, at: usize, measures: usize, group: &mut Group) {
        let (grain, aggregates) = (plan.grains[at], &mut self.grains[at]);
        let raw = &self.raw[self.head..self.head + measures];
        let values = measures_from(raw, aggregates.lazy_from);
        let width = plan.methods.len();
        if plan.lazy.is_empty() {
            return;
        }
        each_period(grain, values, group, |period, group| {
            let row = aggregates.pending.row(period, width);
            for (column, function) in &plan.lazy {
                if let Some(value) = group.aggregate(*function) {
                    row[*column] = value;
                }
            }
        });
    }

    /// Follows a policy that has changed: keeps the raw measures that it keeps.
    pub(super) fn change_plan(&mut self, old: &Plan, new: &Plan, group: &mut Group) {
        if !new.has_shape_of(old) {
            let grains = mem::replace(&mut self.grains, vec![Aggregates::default(); new.grains.len()]);
            for (grain, aggregates) in old.grains.iter().zip(grains) {
                let Some(at) = new.grains.iter().position(|new| new.length == grain.length) else { continue };
                self.grains[at] = Aggregates {
                    pending: moved(&aggregates.pending, old, new),
                    flushing: moved(&aggregates.flushing, old, new),
                    ..aggregates
                };
            }
        }
        if let Some(newest) = self.raw().last().map(nanos) {
            self.truncate(new, new.window_start(newest), group);
        }
    }

    /// Puts the points of a column that are not on disk, and of a time, over those that are.
    pub(super) fn overlay(
        &self,
        plan: &Plan,
        at: usize,
        column: usize,
        within: (i64, i64),
        points: &mut Vec<(i64, f64)>,
    ) {
        let (grain, aggregates, width) = (plan.grains[at], &self.grains[at], plan.methods.len());
        overlay(points, aggregates.flushing.column(column, width, within));
        overlay(points, aggregates.pending.column(column, width, within));
        let Some((_, function)) = plan.lazy.iter().find(|(lazy, _)| *lazy == column) else { return };
        let values = measures_from(self.raw(), aggregates.lazy_from);
        let mut newest = Vec::new();
        each_period(grain, values, &mut Group::default(), |period, group| {
            if within.0 <= period && period < within.1 {
                newest.extend(group.aggregate(*function).map(|value| (period, value)));
            }
        });
        overlay(points, newest);
    }

    /// How much memory is taken by what is to go to disk.
    pub(super) fn pending_bytes(&self) -> usize {
        self.grains.iter().map(|grain| grain.pending.bytes()).sum()
    }

    /// How much memory the metric takes.
    pub(super) fn bytes(&self) -> usize {
        let rows = self.grains.iter().map(|grain| grain.pending.bytes() + grain.flushing.bytes());
        size_of::<Self>()
            + self.raw.capacity() * size_of::<Measure>()
            + self.grains.capacity() * size_of::<Aggregates>()
            + rows.sum::<usize>()
    }

    /// Gives what is to be written to disk, and remembers it until it is there.
    pub(super) fn begin_flush(&mut self, plan: &Plan) {
        for aggregates in &mut self.grains {
            let pending = mem::take(&mut aggregates.pending);
            if aggregates.flushing.is_empty() {
                aggregates.flushing = pending;
            } else {
                aggregates.flushing.overlay(&pending, plan.methods.len());
            }
        }
    }

    /// Forgets what is on disk by now. Gives how many bytes of memory that took.
    pub(super) fn end_flush(&mut self) -> usize {
        let flushed = self.grains.iter_mut().map(|aggregates| mem::take(&mut aggregates.flushing).bytes());
        flushed.sum()
    }
}

/// Which methods come and go together: those of any value, those of two at least, those of a difference, those of two.
pub(super) const fn class(method: AggregationMethod) -> usize {
    2 * method.rate as usize + matches!(method.function, Function::Std) as usize
}

fn moved(rows: &Rows, old: &Plan, new: &Plan) -> Rows {
    let mut moved = Rows::default();
    let columns: Vec<_> = new.methods.iter().map(|method| old.column_of(*method)).collect();
    for (period, values) in rows.iter(old.methods.len()) {
        let row = moved.row(period, columns.len());
        for (value, column) in row.iter_mut().zip(&columns) {
            if let Some(column) = column {
                *value = values[*column];
            }
        }
    }
    moved
}

fn nanos(measure: &Measure) -> i64 {
    measure.timestamp.as_nanos()
}

/// Puts measures in order of time; of those of one time the least stays.
fn in_order(batch: &mut Vec<Measure>) {
    if batch.is_sorted_by(|left, right| left.timestamp < right.timestamp) {
        return;
    }
    batch.sort_by(|left, right| {
        left.timestamp.cmp(&right.timestamp).then_with(|| by_size(left.value, right.value))
    });
    batch.dedup_by_key(|measure| measure.timestamp);
}

/// Calls with each eager aggregate from a period on.
fn each_eager(
    plan: &Plan,
    grain: Grain,
    raw: &[Measure],
    start: i64,
    group: &mut Group,
    mut made: impl FnMut(i64, usize, f64),
) {
    let mut make = |rate: bool, period: i64, group: &mut Group| {
        for (column, method) in plan.eager.iter().filter(|(_, method)| method.rate == rate) {
            if let Some(value) = group.aggregate(method.function) {
                made(period, *column, value);
            }
        }
    };
    if plan.eager.iter().any(|(_, method)| !method.rate) {
        each_period(grain, measures_from(raw, start), group, |period, group| make(false, period, group));
    }
    if plan.eager.iter().any(|(_, method)| method.rate) {
        let differences = differences_from(raw, start, grain.length);
        each_period(grain, differences, group, |period, group| make(true, period, group));
    }
}

/// The measures from a time on.
fn measures_from(raw: &[Measure], start: i64) -> impl Iterator<Item = (i64, f64)> {
    let begin = raw.partition_point(|measure| nanos(measure) < start);
    raw[begin..].iter().map(|measure| (nanos(measure), measure.value))
}

/// The differences from a time on, each at the time of its later measure. The first one needs its earlier measure in the
/// period before, or there is none.
fn differences_from(raw: &[Measure], start: i64, length: i64) -> impl Iterator<Item = (i64, f64)> {
    let begin = raw.partition_point(|measure| nanos(measure) < start);
    let with_before = raw.partition_point(|measure| nanos(measure) < start.saturating_sub(length));
    let pairs = raw[with_before..].windows(2).skip((begin - with_before).saturating_sub(1));
    pairs.map(|pair| (nanos(&pair[1]), pair[1].value - pair[0].value))
}

/// Calls with the values of each period that has any.
fn each_period(
    grain: Grain,
    values: impl Iterator<Item = (i64, f64)>,
    group: &mut Group,
    mut done: impl FnMut(i64, &mut Group),
) {
    let (mut period, mut end, mut before) = (0, i64::MIN, 0);
    group.restart(0);
    for (time, value) in values {
        // The last period that there is has no end.
        if time >= end && !(group.count() > 0 && end == i64::MAX) {
            if group.count() > 0 {
                done(period, group);
                before += group.count();
                group.restart(before);
            }
            period = grain.floor(time);
            end = period.saturating_add(grain.length);
        }
        group.push(value);
    }
    if group.count() > 0 {
        done(period, group);
    }
}
