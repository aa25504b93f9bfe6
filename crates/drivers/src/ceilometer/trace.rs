//! Reading a trace.

use std::collections::HashSet;

use nephoscope_telemetry::{Error, ErrorKind, Id, Points, Result, Timestamp};

use super::api::Api;

/// How many events are asked for at once, as OSProfiler did; without a number there would be 100.
pub(super) const PAGE: usize = 100_000;

/// The points of a trace, in order of time; of a larger one in parts.
pub(super) async fn read(operation: &'static str, api: &Api, base_id: &Id) -> Result<Points> {
    read_in_parts(operation, api, base_id, PAGE).await
}

pub(super) async fn read_in_parts(
    operation: &'static str,
    api: &Api,
    base_id: &Id,
    page: usize,
) -> Result<Points> {
    let id = base_id.to_string();
    let mut points = Points::default();
    let mut seen = HashSet::new();
    let mut from: Option<Timestamp> = None;
    loop {
        let start = from.map(|time| time.to_string());
        let start = start.as_deref().map(|start| ("start_timestamp", "eq", start));
        let queries: Vec<_> = [("base_id", "eq", id.as_str())].into_iter().chain(start).collect();
        let events = api.events(operation, &queries, page).await?;
        let last = events.last().map(|event| event.generated).filter(|_| events.len() >= page);
        let before = seen.len();
        for event in events {
            if !seen.insert(event.message_id) {
                continue;
            }
            match event.point {
                // A database may think that ids are alike which are not.
                Ok(point) if point.base_id == *base_id => points.good.push(point),
                Ok(_) => {}
                Err(bad) => points.bad.push(bad),
            }
        }
        let Some(last) = last else { return Ok(points) };
        if seen.len() == before {
            let told = format!("Ceilometer has more than {page} events of the trace at {last}");
            return Err(Error::new(ErrorKind::Other, operation, told));
        }
        // Events of the same time may be on both sides of the border: those come twice.
        from = Some(last);
    }
}
