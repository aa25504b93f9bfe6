//! Reading one trace.

use std::collections::HashSet;

use fjall::{Readable, Snapshot, UserValue};
use nephoscope_telemetry::{BadRecord, Id, Points, Timestamp};

use super::engine::Engine;
use super::failure::is_damage;
use super::hot::Known;
use super::incoming::Incoming;
use super::pack::Pack;
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
            Ok((key, record)) => match record::decode(&record, base_id, keys::point_time(&key)) {
                Ok(points) => placed.extend(points),
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
        points.bad.push(BadRecord::whole("is in a damaged part of the store"));
    }
    placed.sort_by_key(|(place, _)| *place);
    points.good = placed.into_iter().map(|(_, point)| point).collect();
    Ok(points)
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
    let mut packed = 0;
    for record in packs(engine, snapshot, trace) {
        packed += Pack::read(&record?).map_or(0, |pack| pack.hashes().count() as u64);
    }
    let mut incoming = points.good.iter().filter_map(Incoming::new);
    Ok(incoming.next().map(|first| {
        let mut summary = Summary::of(&first);
        incoming.for_each(|point| summary.add(&point));
        summary.packed = packed;
        summary
    }))
}

/// What is known of a trace; nothing of an unknown one.
pub(super) fn known(engine: &Engine, snapshot: &Snapshot, trace: &[u8]) -> fjall::Result<Option<Known>> {
    let Some(summary) = summary(engine, snapshot, trace)? else { return Ok(None) };
    let mut hashes = Vec::new();
    if summary.packed > 0 {
        for record in packs(engine, snapshot, trace) {
            hashes.extend(Pack::read(&record?).into_iter().flat_map(|pack| pack.hashes()));
        }
    }
    Ok(Some(Known { summary, hashes }))
}

/// Times and bodies of the points that are in packs of a trace.
pub(super) fn packed(
    engine: &Engine,
    snapshot: &Snapshot,
    trace: &[u8],
) -> fjall::Result<HashSet<(Timestamp, Vec<u8>)>> {
    let mut points = HashSet::new();
    for record in packs(engine, snapshot, trace) {
        points.extend(Pack::read(&record?).into_iter().flatten().flatten());
    }
    Ok(points)
}

/// The packs of a trace. Those that cannot be read are lost, and what was in them is taken again when it comes again.
fn packs<'a>(
    engine: &'a Engine,
    snapshot: &'a Snapshot,
    trace: &[u8],
) -> impl Iterator<Item = fjall::Result<UserValue>> + use<'a> {
    let entries = Walk::new(snapshot, &engine.points, trace, 0..keys::FIRST_TIME);
    entries.filter(|entry| !entry.as_ref().is_err_and(is_damage)).map(|entry| entry.map(|(_, record)| record))
}
