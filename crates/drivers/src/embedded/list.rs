//! Lists of traces: along an index by time, with the summaries, without the points.

use fjall::Keyspace;
use nephoscope_telemetry::{TraceFilter, TraceSummary};

use super::engine::Engine;
use super::failure::is_damage;
use super::walk::{ALWAYS, Walk};
use super::{keys, trace};

/// The traces of an index that a filter takes, newest first.
pub(super) fn list(
    engine: &Engine,
    index: impl FnOnce(&Engine) -> &Keyspace,
    filter: &TraceFilter,
) -> fjall::Result<Vec<TraceSummary>> {
    let snapshot = engine.snapshot();
    // The index is in descending order: it begins below `until`, and ends with `since`.
    let newest = filter.until.map_or(ALWAYS.start, |until| keys::descending(until) + 1);
    let end = filter.since.map_or(ALWAYS.end, |since| keys::descending(since) + 1);
    let limit = filter.limit.unwrap_or(usize::MAX);
    let mut list = Vec::new();
    for entry in Walk::new(&snapshot, index(engine), &[], newest..end.max(newest)) {
        if list.len() >= limit {
            break;
        }
        let key = match entry {
            Ok((key, _)) => key,
            Err(error) if is_damage(&error) => {
                tracing::warn!("a part of the index of traces is damaged, some are not listed: {error}");
                continue;
            }
            Err(error) => return Err(error),
        };
        let Some((time, trace)) = keys::split_index_key(&key) else { continue };
        let Some(summary) = trace::summary(engine, &snapshot, trace)? else { continue };
        let Some(base_id) = keys::trace_id(trace) else { continue };
        // An entry that damage kept from being moved.
        if summary.first != time {
            continue;
        }
        let fits = match summary.fits(filter) {
            Some(fits) => fits,
            None => filter.takes(&trace::points(engine, &snapshot, &base_id)?.good),
        };
        if fits {
            list.push(summary.line(base_id));
        }
    }
    Ok(list)
}
