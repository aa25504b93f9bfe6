//! Listing traces, by looking at the events of all of them.

use std::collections::BTreeMap;

use nephoscope_telemetry::{Error, ErrorKind, Id, Result, Timestamp, TraceFilter, TracePoint, TraceSummary};

use super::api::{Api, Query};
use super::trace;

/// So many events are looked at: with their payloads some 100 MiB.
const MAX_EVENTS: usize = 100_000;
/// Every event with this trait, whatever it is, comes from a trace point.
const ANY_TRACE: Query<'_> = ("base_id", "ge", "");

/// Whether the other side answers what a list has to ask. Nephoscope does not, and a list there would read all traces.
pub(super) async fn is_possible(api: &Api) -> Result<bool> {
    Ok(api.try_events("connect", &[ANY_TRACE], 1).await?.is_some())
}

/// The traces that the filter takes with a point that is wanted, newest first.
pub(super) async fn list(
    operation: &'static str,
    api: &Api,
    filter: &TraceFilter,
    wanted: impl Fn(&TracePoint) -> bool,
) -> Result<Vec<TraceSummary>> {
    let traces = traces_between(operation, api, filter.since, filter.until).await?;
    let cut = filter.since.is_some() || filter.until.is_some();
    let mut list = Vec::new();
    for (base_id, mut points) in traces {
        if cut {
            // It may have begun before, or gone on after the time whose events were asked for.
            points = trace::read(operation, api, &base_id).await?.good;
        }
        if filter.takes(&points) && points.iter().any(&wanted) {
            list.extend(TraceSummary::of(&points));
        }
    }
    filter.order(&mut list);
    Ok(list)
}

async fn traces_between(
    operation: &'static str,
    api: &Api,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
) -> Result<BTreeMap<Id, Vec<TracePoint>>> {
    let times = [("start_timestamp", since), ("end_timestamp", until)];
    let times = times.map(|(field, time)| (field, time.map(|time| time.to_string())));
    let times = times.iter().filter_map(|(field, time)| Some((*field, "eq", time.as_deref()?)));
    let queries: Vec<Query<'_>> = [ANY_TRACE].into_iter().chain(times).collect();
    let events = api.events(operation, &queries, MAX_EVENTS).await?;
    if events.len() >= MAX_EVENTS {
        let told = format!(
            "Ceilometer has {MAX_EVENTS} events of that time or more, and no index of traces; ask for less with a \
             beginning and an end"
        );
        return Err(Error::new(ErrorKind::Other, operation, told));
    }
    let mut traces: BTreeMap<Id, Vec<TracePoint>> = BTreeMap::new();
    for point in events.into_iter().filter_map(|event| event.point.ok()) {
        traces.entry(point.base_id.clone()).or_default().push(point);
    }
    Ok(traces)
}
