//! Trace points to spans.

use std::collections::HashMap;

use nephoscope_telemetry::{Id, TracePoint};

use crate::groups::Groups;
use crate::proto::ResourceSpans;
use crate::{foreign, notifications};

/// The spans of these points, in the order in which each was first met, under the resources and scopes that they share.
///
/// A start and a stop of one trace id are joined, whichever comes first. A start that stays alone becomes an unfinished
/// span, which ends when it started; a stop alone starts when it ended. [`points`](crate::points()) gives the same points again, whatever they
/// hold.
pub fn spans(points: &[TracePoint]) -> Vec<ResourceSpans> {
    let mut groups = Groups::default();
    for operation in operations(points) {
        let placed = match operation {
            (Some(start), Some(stop)) => {
                foreign::rebuild(start, stop).unwrap_or_else(|| notifications::span(Some(start), Some(stop)))
            }
            (start, stop) => notifications::span(start, stop),
        };
        groups.add(placed);
    }
    groups.finish()
}

type Operation<'a> = (Option<&'a TracePoint>, Option<&'a TracePoint>);

/// Starts and stops, joined.
fn operations(points: &[TracePoint]) -> Vec<Operation<'_>> {
    let mut operations: Vec<Operation<'_>> = Vec::with_capacity(points.len() / 2 + 1);
    // Where the operation is that waits for its other half.
    let mut open: HashMap<(&Id, &Id), usize> = HashMap::new();
    for point in points {
        let waiting = open.remove(&(&point.base_id, &point.trace_id));
        let joined = waiting.and_then(|at| match (&mut operations[at], point.is_stop()) {
            ((_, stop @ None), true) => Some(stop.insert(point)),
            ((start @ None, _), false) => Some(start.insert(point)),
            _ => None,
        });
        if joined.is_none() {
            open.insert((&point.base_id, &point.trace_id), operations.len());
            operations.push(if point.is_stop() { (None, Some(point)) } else { (Some(point), None) });
        }
    }
    operations
}
