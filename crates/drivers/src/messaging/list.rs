//! Lists, from all points that wait.

use std::collections::BTreeMap;

use nephoscope_telemetry::{Id, Json, TraceFilter, TracePoint, TraceSummary};

/// The points of each trace, without what a list does not look at.
#[derive(Debug, Default)]
pub(super) struct Outlines {
    traces: BTreeMap<Id, Vec<TracePoint>>,
}

impl Outlines {
    pub(super) fn add(&mut self, mut point: TracePoint) {
        point.info = if point.is_error() { failure() } else { Json::empty_object() };
        point.extra = Vec::new();
        self.traces.entry(point.base_id.clone()).or_default().push(point);
    }

    pub(super) fn list(
        &self,
        filter: &TraceFilter,
        wanted: impl Fn(&[TracePoint]) -> bool,
    ) -> Vec<TraceSummary> {
        let taken = self.traces.values().filter(|points| filter.takes(points) && wanted(points));
        let mut list = taken.filter_map(|points| TraceSummary::of(points)).collect();
        filter.order(&mut list);
        list
    }
}

/// What is left of an exception.
fn failure() -> Json {
    Json::parse("{\"etype\": true}").expect("it is JSON")
}
