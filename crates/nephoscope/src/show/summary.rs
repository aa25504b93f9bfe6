//! What is worth knowing of a whole trace before one looks at its operations.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::HashMap;

use nephoscope_telemetry::report::Node;
use nephoscope_telemetry::{Report, Timestamp};

use super::figures::{Count, Micros, counted};
use super::{subject, text};

/// Services named in a line; a trace rarely passes through more.
const SERVICES_NAMED: usize = 8;

/// The figures of a whole trace. Operations that are not in the tree are not in them.
pub(super) struct Summary<'a> {
    pub(super) operations: u64,
    pub(super) errors: u64,
    /// How many have no stop.
    pub(super) unfinished: u64,
    /// From the earliest point to the latest.
    pub(super) total_us: i64,
    /// Services and how many operations each has, most first.
    pub(super) services: Vec<(Cow<'a, str>, u64)>,
    /// By full name, most own time first.
    pub(super) by_name: Vec<(&'a str, Totals)>,
}

/// How often operations of one name ran, and how long in all.
#[derive(Clone, Copy, Default)]
pub(super) struct Totals {
    pub(super) count: u64,
    pub(super) duration_us: i64,
    /// Time in which none of the operations inside ran. Where nothing runs at the same time as something else, this
    /// adds up to the duration of the trace.
    pub(super) own_us: i64,
}

impl<'a> Summary<'a> {
    pub(super) fn of(report: &'a Report) -> Self {
        let mut summary = Self {
            operations: 0,
            errors: 0,
            unfinished: 0,
            total_us: report.finished_ms().unwrap_or(0).saturating_mul(1000),
            services: Vec::new(),
            by_name: Vec::new(),
        };
        let mut services: HashMap<_, (&Node, u64)> = HashMap::new();
        let mut by_name: HashMap<_, Totals> = HashMap::new();
        let mut inside = Vec::new();
        for (_, node) in report.walk() {
            summary.operations += 1;
            summary.errors += u64::from(node.error().is_some());
            summary.unfinished += u64::from(!node.has_stop());
            summary.total_us = summary.total_us.max(node.started_us).max(node.finished_us);
            services.entry((&node.project, &node.service)).or_insert((node, 0)).1 += 1;
            let totals = by_name.entry(report.full_name(node)).or_default();
            totals.count += 1;
            totals.duration_us = totals.duration_us.saturating_add(duration_us(node));
            totals.own_us = totals.own_us.saturating_add(own_us(report, node, &mut inside));
        }
        let named = services.into_values().map(|(node, count)| (subject::service(node), count));
        summary.services = named.filter(|(service, _)| !service.is_empty()).collect();
        summary
            .services
            .sort_by(|(one, ones), (other, others)| others.cmp(ones).then_with(|| one.cmp(other)));
        summary.by_name = by_name.into_iter().collect();
        summary.by_name.sort_by_key(|&(name, totals)| (Reverse((totals.own_us, totals.duration_us)), name));
        summary
    }

    /// Sum of the own times of all operations.
    pub(super) fn own_us(&self) -> i64 {
        self.by_name.iter().fold(0, |sum, (_, totals)| sum.saturating_add(totals.own_us))
    }

    /// When the trace began, how long it took and how many operations it has, in one line.
    pub(super) fn facts(&self, report: &Report) -> String {
        let began = report.earliest().map(moment);
        let mut facts: Vec<String> = began.into_iter().collect();
        facts.push(Micros(self.total_us).to_string());
        facts.push(counted(self.operations, "operation"));
        if self.errors > 0 {
            facts.push(counted(self.errors, "error"));
        }
        if self.unfinished > 0 {
            facts.push(format!("{} unfinished", Count(self.unfinished)));
        }
        facts.join(" · ")
    }

    /// The services with their counts in one line; nothing when none is known.
    pub(super) fn services(&self) -> Option<String> {
        let mut named: Vec<_> = self
            .services
            .iter()
            .take(SERVICES_NAMED)
            .map(|(service, count)| format!("{} ({})", text::visible(service), Count(*count)))
            .collect();
        if let Some(more @ 1..) = self.services.len().checked_sub(SERVICES_NAMED) {
            named.push(format!("{} more", Count(more as u64)));
        }
        (!named.is_empty()).then(|| named.join(", "))
    }
}

/// What to know about operations that are not shown; nothing when all are.
pub(super) fn unreachable(report: &Report) -> Option<String> {
    let count = report.unreachable() as u64;
    (count > 0).then(|| format!("{} not shown: the parent ids lead in a circle", counted(count, "operation")))
}

/// `2026-01-31 23:59:59.123456 UTC`.
fn moment(time: Timestamp) -> String {
    time.to_string().replacen('T', " ", 1) + " UTC"
}

/// How long an operation ran; below zero when its stop is before its start.
pub(super) fn duration_us(node: &Node) -> i64 {
    node.finished_us.saturating_sub(node.started_us)
}

/// The duration of an operation without the time in which those inside it ran. `inside` is only lent.
fn own_us(report: &Report, node: &Node, inside: &mut Vec<(i64, i64)>) -> i64 {
    inside.clear();
    inside.extend(report.children(node).map(|child| (child.started_us, child.finished_us)));
    inside.sort_unstable();
    let mut own: i64 = 0;
    let mut reached = node.started_us;
    for &(started, finished) in &*inside {
        own = own.saturating_add(started.min(node.finished_us).saturating_sub(reached).max(0));
        reached = reached.max(finished);
    }
    own.saturating_add(node.finished_us.saturating_sub(reached).max(0))
}
