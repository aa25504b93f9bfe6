//! The driver.

use std::collections::{HashMap, HashSet};

use nephoscope_telemetry::{
    BoxFuture, Capabilities, ConnectionString, Driver, Error, ErrorKind, Id, Points, Purged, Result,
    Timestamp, TraceFilter, TracePoint, TraceSummary,
};

use super::api::{Api, Event, MAX_EVENTS, of_trace};

/// What one field of an event holds, and what its documentation asks for in one request.
const MAX_FIELD: usize = 16 * 1024;
const MAX_BATCH: usize = 500;
/// A request may have 4 MB; this leaves room for what is around the notifications, and for their escapes.
const MAX_BYTES: usize = 1024 * 1024;
const STORE: &str = "store trace points";

#[derive(Debug)]
pub(super) struct LogInsight {
    api: Api,
}

/// The event of a point, in the form of OSProfiler's driver; nothing when a field is too long.
fn event(point: &TracePoint) -> Option<(usize, Event)> {
    let json = point.to_json();
    let length = json.len();
    let text = |text: &Option<smol_str::SmolStr>| text.as_ref().map(ToString::to_string);
    let event = Event::new([
        ("base_id", Some(point.base_id.to_string())),
        ("trace_id", Some(point.trace_id.to_string())),
        ("project", text(&point.project)),
        ("service", text(&point.service)),
        ("name", Some(point.name.to_string())),
        ("trace", Some(json)),
    ]);
    (length <= MAX_FIELD).then_some((length, event))
}

impl LogInsight {
    pub(super) async fn connect(to: &ConnectionString) -> Result<Self> {
        Ok(Self { api: Api::connect(to).await? })
    }

    async fn store(&self, points: &[TracePoint]) -> Result<()> {
        let (mut events, mut bytes, mut refused) = (Vec::new(), 0, 0);
        for point in points {
            let Some((length, event)) = event(point) else {
                refused += 1;
                continue;
            };
            if events.len() == MAX_BATCH || bytes + length > MAX_BYTES {
                self.api.ingest(STORE, &events).await?;
                events.clear();
                bytes = 0;
            }
            bytes += length;
            events.push(event);
        }
        if !events.is_empty() {
            self.api.ingest(STORE, &events).await?;
        }
        if refused == 0 {
            return Ok(());
        }
        let problem = format!("{refused} trace points are longer than the 16 KiB that Log Insight holds");
        Err(Error::new(ErrorKind::Invalid, STORE, problem))
    }

    /// All points that a search finds, each once, as they arrived. More than the server gives at once are asked for in
    /// parts, back in time.
    async fn find(&self, operation: &'static str, search: &str) -> Result<Points> {
        let mut seen = HashSet::new();
        let mut time = "GT+0".to_owned();
        let mut newest_first = Vec::new();
        loop {
            let events = self.api.search(operation, &format!("{search}/timestamp/{time}")).await?;
            let (count, oldest) = (events.len(), events.last().map(|event| event.timestamp));
            let before = newest_first.len();
            for event in &events {
                let Some(json) = event.trace() else { continue };
                if seen.insert(json.to_owned()) {
                    newest_first.push(TracePoint::from_json(json));
                }
            }
            let Some(oldest) = oldest.filter(|_| count >= MAX_EVENTS) else { break };
            let next = format!("LE+{oldest}");
            if next == time && newest_first.len() == before {
                let problem = format!(
                    "Log Insight holds more than the {MAX_EVENTS} events of one millisecond that it gives"
                );
                return Err(Error::new(ErrorKind::Other, operation, problem));
            }
            time = next;
        }
        let mut points = Points::default();
        for point in newest_first.into_iter().rev() {
            match point {
                Ok(point) => points.good.push(point),
                Err(problem) => points.bad.push(problem),
            }
        }
        Ok(points)
    }

    async fn search(
        &self,
        operation: &'static str,
        filter: &TraceFilter,
        wanted: fn(&[TracePoint]) -> bool,
    ) -> Result<Vec<TraceSummary>> {
        let mut traces: HashMap<Id, Vec<TracePoint>> = HashMap::new();
        for point in self.find(operation, "base_id/EXISTS").await?.good {
            traces.entry(point.base_id.clone()).or_default().push(point);
        }
        let taken = traces.values().filter(|points| filter.takes(points) && wanted(points));
        let mut list = taken.filter_map(|points| TraceSummary::of(points)).collect();
        filter.order(&mut list);
        Ok(list)
    }
}

impl Driver for LogInsight {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            read: true,
            list: true,
            search_errors: true,
            deduplicates: true,
            durable: true,
            ..Capabilities::default()
        }
    }

    fn notify<'a>(&'a self, points: &'a [TracePoint]) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.store(points))
    }

    fn points<'a>(&'a self, base_id: &'a Id) -> BoxFuture<'a, Result<Points>> {
        Box::pin(async move {
            let mut points = self.find("read a trace", &base_id.with_str(of_trace)).await?;
            points.good.retain(|point| point.base_id == *base_id);
            Ok(points)
        })
    }

    fn list<'a>(&'a self, filter: &'a TraceFilter) -> BoxFuture<'a, Result<Vec<TraceSummary>>> {
        Box::pin(self.search("list traces", filter, |_| true))
    }

    fn list_errors<'a>(&'a self, filter: &'a TraceFilter) -> BoxFuture<'a, Result<Vec<TraceSummary>>> {
        Box::pin(
            self.search("list traces with errors", filter, |points| points.iter().any(TracePoint::is_error)),
        )
    }

    fn purge(&self, _: Timestamp) -> BoxFuture<'_, Result<Purged>> {
        Box::pin(async {
            let problem = "Log Insight deletes events by itself, by the retention of the server";
            Err(Error::new(ErrorKind::Unsupported, "purge traces", problem))
        })
    }
}
