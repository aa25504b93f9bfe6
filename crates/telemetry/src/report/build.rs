//! From points to the tree.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use indexmap::IndexMap;
use smallvec::SmallVec;

use super::{Node, Payload, Report, Stat};
use crate::{Id, Json, Timestamp, TracePoint};

/// The times of a node while points are still coming.
#[derive(Clone, Copy, Default)]
struct Times {
    started: Option<Timestamp>,
    finished: Option<Timestamp>,
}

impl Report {
    /// The report of these points, taken in their order as OSProfiler takes them in the order of its backend: the
    /// first point of an operation gives its name, project, service and host, of several starts or stops the last
    /// gives the time, and siblings of the same millisecond stay in the order in which they were met.
    ///
    /// # Panics
    /// With more than 4,294,967,295 points.
    pub fn build(points: Vec<TracePoint>) -> Self {
        assert!(u32::try_from(points.len()).is_ok(), "points are counted in 32 bits");
        let (mut nodes, times, by_id) = collect(&points);
        let earliest = points.iter().map(|point| point.timestamp).min();
        let latest = points.iter().map(|point| point.timestamp).max();
        let last_started = points.iter().filter(|point| !point.is_stop()).map(|point| point.timestamp).max();
        let origin = earliest.map_or(0, Timestamp::as_micros);
        let ms = |time: Timestamp| (time.as_micros() - origin) / 1000;
        for (node, times) in nodes.iter_mut().zip(times) {
            let started = times.started.or(times.finished).map_or(origin, Timestamp::as_micros);
            let finished = times.finished.or(times.started).map_or(origin, Timestamp::as_micros);
            node.started_us = started - origin;
            node.finished_us = finished - origin;
            node.started_ms = node.started_us / 1000;
            node.finished_ms = node.finished_us / 1000;
        }
        let mut report = Self {
            stats: stats(&nodes),
            roots: link(&mut nodes, &by_id),
            nodes,
            base_id: points.first().map(|point| point.base_id.clone()),
            earliest,
            finished_ms: latest.map(ms),
            last_trace_started_ms: last_started.map(ms),
            points,
            unreachable: 0,
        };
        report.unreachable = report.nodes.len() - report.walk().count();
        report
    }
}

/// One node for each trace id, in the order of the points, and where each stands.
fn collect(points: &[TracePoint]) -> (Vec<Node>, Vec<Times>, HashMap<&Id, usize>) {
    let mut nodes: Vec<Node> = Vec::with_capacity(points.len() / 2 + 1);
    let mut times: Vec<Times> = Vec::with_capacity(points.len() / 2 + 1);
    let mut by_id: HashMap<&Id, usize> = HashMap::with_capacity(points.len() / 2 + 1);
    for (number, point) in (0_u32..).zip(points) {
        let at = match by_id.entry(&point.trace_id) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(new) => {
                nodes.push(Node::first_met(point));
                times.push(Times::default());
                *new.insert(nodes.len() - 1)
            }
        };
        let node = &mut nodes[at];
        if point.is_stop() {
            times[at].finished = Some(point.timestamp);
            node.exception = Some(exception(point));
        } else {
            times[at].started = Some(point.timestamp);
            node.has_start = true;
        }
        let same_name = |payload: &&mut Payload| matches!(payload, Payload::Point(earlier) if points[*earlier as usize].name == point.name);
        match node.payloads.iter_mut().find(same_name) {
            Some(payload) => *payload = Payload::Point(number),
            None => node.payloads.push(Payload::Point(number)),
        }
    }
    (nodes, times, by_id)
}

fn exception(stop: &TracePoint) -> Json {
    match stop.info.get("etype") {
        Some(etype) => Json::from_checked(etype),
        None => Json::string("None"),
    }
}

fn stats(nodes: &[Node]) -> IndexMap<smol_str::SmolStr, Stat> {
    let mut stats: IndexMap<_, Stat> = IndexMap::new();
    for node in nodes {
        let stat = match stats.get_mut(&node.name) {
            Some(stat) => stat,
            None => stats.entry(node.name.clone()).or_default(),
        };
        stat.count += 1;
        stat.duration_ms += node.finished_ms - node.started_ms;
    }
    stats
}

/// Gives every node its children, and returns the roots.
fn link(nodes: &mut [Node], by_id: &HashMap<&Id, usize>) -> Vec<u32> {
    let mut roots = Vec::new();
    for number in (0_u32..).take(nodes.len()) {
        match by_id.get(&nodes[number as usize].parent_id) {
            Some(&parent) => nodes[parent].children.push(number),
            None => roots.push(number),
        }
    }
    let started: Vec<i64> = nodes.iter().map(|node| node.started_ms).collect();
    for node in nodes {
        node.children.sort_by_key(|&child| started[child as usize]);
    }
    roots.sort_by_key(|&root| started[root as usize]);
    roots
}

impl Node {
    fn first_met(point: &TracePoint) -> Self {
        Self {
            trace_id: point.trace_id.clone(),
            parent_id: point.parent_id.clone(),
            name: point.name.split('-').next().unwrap_or_default().into(),
            project: point.project.clone(),
            service: point.service.clone(),
            host: point.host().map(Into::into),
            started_ms: 0,
            finished_ms: 0,
            started_us: 0,
            finished_us: 0,
            exception: None,
            has_start: false,
            payloads: SmallVec::new(),
            children: Vec::new(),
        }
    }
}
