//! The report: all points of a trace as a tree with timings.
//!
//! As JSON it is what `osprofiler trace show --json` prints, equal as values, for the points that OSProfiler's
//! `get_report()` takes. Where that one fails, this one goes on:
//!
//! | points | OSProfiler 4.4 | here |
//! |---|---|---|
//! | without `info`, `info.host`, `project` or `service` | `KeyError`, no report | `null` there |
//! | a time without fraction, with `Z` or an offset | `ValueError`, no report | read |
//! | nested deeper than some 490 | `RecursionError` | any depth |
//! | parents that form a circle, or a point that is its own parent | not in the tree, counted in `stats` | the same, and told by [`Report::unreachable`] |
//!
//! Building takes O(n log n), and nothing here recurses.

mod build;
mod read;
mod write;

use indexmap::IndexMap;
use smallvec::SmallVec;
use smol_str::SmolStr;

use crate::{Id, Json, Timestamp, TracePoint};

pub use read::InvalidReport;
pub use write::Dialect;

/// All operations of a trace as a tree. Times are relative to the earliest point.
#[derive(Clone, Debug)]
pub struct Report {
    /// In the order in which they were first met.
    nodes: Vec<Node>,
    roots: Vec<u32>,
    base_id: Option<Id>,
    earliest: Option<Timestamp>,
    finished_ms: Option<i64>,
    last_trace_started_ms: Option<i64>,
    stats: IndexMap<SmolStr, Stat>,
    /// What the payloads of the nodes are, unless the report was read from a file.
    points: Vec<TracePoint>,
    unreachable: usize,
}

/// One operation: the start and the stop of one trace id, where both are there.
#[derive(Clone, Debug)]
pub struct Node {
    /// Id of the operation.
    pub trace_id: Id,
    /// Id of the operation around it.
    pub parent_id: Id,
    /// The name up to its first dash. OSProfiler cuts it there, so `neutron-api-start` is `neutron`;
    /// see [`Report::full_name`].
    pub name: SmolStr,
    /// Project of the point that was read first.
    pub project: Option<SmolStr>,
    /// Service of the point that was read first.
    pub service: Option<SmolStr>,
    /// Host of the point that was read first.
    pub host: Option<SmolStr>,
    /// Milliseconds, cut off; of an operation without a start that of its stop.
    pub started_ms: i64,
    /// Milliseconds, cut off; of an operation without a stop that of its start. May be before the start.
    pub finished_ms: i64,
    /// As [`started_ms`](Self::started_ms), in microseconds.
    pub started_us: i64,
    /// As [`finished_ms`](Self::finished_ms), in microseconds.
    pub finished_us: i64,
    /// Nothing without a stop; the string `None` when the stop reports no exception; else `etype` as it was given.
    pub exception: Option<Json>,
    /// Whether its start is there.
    pub has_start: bool,
    payloads: SmallVec<[Payload; 2]>,
    children: Vec<u32>,
}

/// The notification behind a `meta.raw_payload.<name>`.
#[derive(Clone, Debug)]
enum Payload {
    /// One of the points of the report.
    Point(u32),
    /// As it stood in a saved report, with its name.
    Saved(Box<(SmolStr, Json)>),
}

/// How often the operations of one name ran, and how long in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stat {
    /// How many operations.
    pub count: u64,
    /// Sum of their milliseconds, each cut off before it is added.
    pub duration_ms: i64,
}

impl Node {
    /// Whether its stop is there.
    pub fn has_stop(&self) -> bool {
        self.exception.is_some()
    }

    /// What the stop says of an exception, when there was one.
    pub fn error(&self) -> Option<&Json> {
        self.exception.as_ref().filter(|exception| !matches!(exception.as_str(), "\"None\"" | "null"))
    }
}

impl Report {
    /// The outermost operations: those whose parent is not among the points, in order of time.
    pub fn roots(&self) -> impl DoubleEndedIterator<Item = &Node> + ExactSizeIterator {
        self.roots.iter().map(|&at| self.at(at))
    }

    /// The operations directly inside one, in order of their start. Those that start in the same millisecond are in
    /// the order of the points that the report was built from.
    pub fn children(&self, node: &Node) -> impl DoubleEndedIterator<Item = &Node> + ExactSizeIterator {
        node.children.iter().map(|&at| self.at(at))
    }

    /// All operations of the tree with their depth, an operation before those inside it. A root has depth 0.
    pub fn walk(&self) -> impl Iterator<Item = (usize, &Node)> {
        let mut open: Vec<(usize, u32)> = self.roots.iter().rev().map(|&root| (0, root)).collect();
        std::iter::from_fn(move || {
            let (depth, at) = open.pop()?;
            let node = self.at(at);
            open.extend(node.children.iter().rev().map(|&child| (depth + 1, child)));
            Some((depth, node))
        })
    }

    /// How many operations there are, those that are not in the tree included.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// How many operations are not in the tree, because their parents form a circle.
    pub fn unreachable(&self) -> usize {
        self.unreachable
    }

    /// Id of the trace; nothing without points, or when a saved report does not tell it.
    pub fn base_id(&self) -> Option<&Id> {
        self.base_id.as_ref()
    }

    /// Time of the earliest point, which all other times are relative to; nothing without points, or when a saved
    /// report does not tell it.
    pub fn earliest(&self) -> Option<Timestamp> {
        self.earliest
    }

    /// Time of the latest point, in milliseconds; nothing without points.
    pub fn finished_ms(&self) -> Option<i64> {
        self.finished_ms
    }

    /// Time of the latest start, in milliseconds; nothing without one.
    pub fn last_trace_started_ms(&self) -> Option<i64> {
        self.last_trace_started_ms
    }

    /// Counts by name, in the order in which the names were first met.
    pub fn stats(&self) -> impl ExactSizeIterator<Item = (&str, Stat)> {
        self.stats.iter().map(|(name, stat)| (name.as_str(), *stat))
    }

    /// The whole name of an operation, which [`Node::name`] cuts at its first dash.
    pub fn full_name<'a>(&'a self, node: &'a Node) -> &'a str {
        let Some(payload) = node.payloads.first() else { return &node.name };
        let name = self.payload_name(payload);
        name.strip_suffix("-start").or_else(|| name.strip_suffix("-stop")).unwrap_or(name)
    }

    /// The notifications of an operation: full name, and the `info` object of each that has one.
    pub fn infos<'a>(&'a self, node: &'a Node) -> impl Iterator<Item = (&'a str, &'a str)> {
        node.payloads.iter().filter_map(|payload| {
            let info = match payload {
                Payload::Point(at) => self.point(*at).info.as_str(),
                Payload::Saved(saved) => saved.1.get("info")?,
            };
            Some((self.payload_name(payload), info))
        })
    }

    fn at(&self, at: u32) -> &Node {
        &self.nodes[at as usize]
    }

    fn point(&self, at: u32) -> &TracePoint {
        &self.points[at as usize]
    }

    fn payload_name<'a>(&'a self, payload: &'a Payload) -> &'a str {
        match payload {
            Payload::Point(at) => &self.point(*at).name,
            Payload::Saved(saved) => &saved.0,
        }
    }
}

#[cfg(test)]
mod tests;
