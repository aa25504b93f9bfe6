//! Reading one trace.

use fjall::{Readable, Snapshot};
use nephoscope_telemetry::{BadPoint, Id, Points, TracePoint};

use super::engine::Engine;
use super::failure::is_damage;
use super::incoming::Incoming;
use super::summary::Summary;
use super::walk::{ALWAYS, Walk};
use super::{keys, record};

/// The points of a trace in the order in which they came. Those that are known to have been there and cannot be read
/// are among the bad ones.
pub(super) fn points(engine: &Engine, snapshot: &Snapshot, base_id: &Id) -> fjall::Result<Points> {
    let Some(trace) = keys::trace_key(base_id) else { return Ok(Points::default()) };
    let mut points = Points::default();
    let mut placed = Vec::new();
    for entry in Walk::new(snapshot, &engine.points, &trace, ALWAYS) {
        match entry {
            Ok((key, record)) => match decode(&key, &record, base_id) {
                Ok(point) => placed.push(point),
                Err(reason) => points.bad.push(reason),
            },
            Err(error) if is_damage(&error) => {
                tracing::warn!("a part of the trace {base_id} is damaged: {error}");
            }
            Err(error) => return Err(error),
        }
    }
    let stored =
        snapshot.get(&engine.traces, &trace).ok().flatten().and_then(|record| Summary::decode(&record));
    let read = placed.len() as u64 + points.bad.count();
    for _ in read..stored.map_or(0, |summary| summary.points) {
        points.bad.push(BadPoint::whole("is in a damaged part of the store"));
    }
    placed.sort_by_key(|(place, _)| *place);
    points.good = placed.into_iter().map(|(_, point)| point).collect();
    Ok(points)
}

fn decode(key: &[u8], record: &[u8], base_id: &Id) -> Result<(u64, TracePoint), BadPoint> {
    let time = keys::point_time(key).ok_or_else(|| BadPoint::whole("has a damaged key"))?;
    record::decode(record, base_id, time)
}

/// The summary of a trace, made of its points when it is damaged; nothing for an unknown one.
pub(super) fn summary(engine: &Engine, snapshot: &Snapshot, trace: &[u8]) -> fjall::Result<Option<Summary>> {
    let record = match snapshot.get(&engine.traces, trace) {
        Ok(None) => return Ok(None),
        Ok(Some(record)) => Some(record),
        Err(error) if is_damage(&error) => None,
        Err(error) => return Err(error),
    };
    if let Some(summary) = record.and_then(|record| Summary::decode(&record)) {
        return Ok(Some(summary));
    }
    let Some(base_id) = keys::trace_id(trace) else { return Ok(None) };
    tracing::warn!("the summary of the trace {base_id} is damaged: it is made anew of its points");
    let points = points(engine, snapshot, &base_id)?;
    let mut incoming = points.good.iter().filter_map(Incoming::new);
    Ok(incoming.next().map(|first| {
        let mut summary = Summary::of(&first);
        incoming.for_each(|point| summary.add(&point));
        summary
    }))
}
