//! Traces in the memory of this process, for tests: `memory://`.
//!
//! Every connection is a store of its own, gone with it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nephoscope_telemetry::{
    BoxFuture, Capabilities, Connecting, ConnectionString, Driver, Id, Points, Purged, Result, Timestamp,
    TraceFilter, TracePoint, TraceSummary,
};

/// Connects `memory://`.
pub(crate) fn connect(to: &ConnectionString) -> Connecting<'_> {
    Box::pin(async move {
        to.expect_options(&["filter_error_trace"])?;
        to.flag("filter_error_trace")?;
        Ok(Arc::new(Memory::default()) as Arc<dyn Driver>)
    })
}

#[derive(Debug, Default)]
struct Memory {
    /// The points of each trace as they came. A plain lock: it is never held across an await.
    traces: Mutex<BTreeMap<Id, Vec<TracePoint>>>,
}

impl Memory {
    fn traces(&self) -> MutexGuard<'_, BTreeMap<Id, Vec<TracePoint>>> {
        self.traces.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, filter: &TraceFilter, wanted: impl Fn(&[TracePoint]) -> bool) -> Vec<TraceSummary> {
        let traces = self.traces();
        let taken = traces.values().filter(|points| filter.takes(points) && wanted(points));
        let mut list = taken.filter_map(|points| TraceSummary::of(points)).collect();
        filter.order(&mut list);
        list
    }
}

impl Driver for Memory {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            read: true,
            list: true,
            search_errors: true,
            deduplicates: true,
            purge: true,
            ..Capabilities::default()
        }
    }

    fn notify<'a>(&'a self, points: &'a [TracePoint]) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let mut traces = self.traces();
            for point in points {
                let trace = traces.entry(point.base_id.clone()).or_default();
                if !trace.contains(point) {
                    trace.push(point.clone());
                }
            }
            Ok(())
        })
    }

    fn points<'a>(&'a self, base_id: &'a Id) -> BoxFuture<'a, Result<Points>> {
        Box::pin(async move { Ok(self.traces().get(base_id).cloned().unwrap_or_default().into()) })
    }

    fn list<'a>(&'a self, filter: &'a TraceFilter) -> BoxFuture<'a, Result<Vec<TraceSummary>>> {
        Box::pin(async move { Ok(self.find(filter, |_| true)) })
    }

    fn list_errors<'a>(&'a self, filter: &'a TraceFilter) -> BoxFuture<'a, Result<Vec<TraceSummary>>> {
        Box::pin(async move { Ok(self.find(filter, |points| points.iter().any(TracePoint::is_error))) })
    }

    fn purge(&self, older_than: Timestamp) -> BoxFuture<'_, Result<Purged>> {
        Box::pin(async move {
            let mut traces = self.traces();
            let before = traces.len();
            traces.retain(|_, points| points.iter().any(|point| point.timestamp >= older_than));
            Ok(Purged { traces: (before - traces.len()) as u64 })
        })
    }
}
