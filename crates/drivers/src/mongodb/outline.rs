//! What the points of a trace say together, for a list.

use std::time::Duration;

use mongodb::bson::raw::{RawBsonRef, RawDocument};
use mongodb::bson::{Document, doc};
use nephoscope_telemetry::{Id, Timestamp, TraceFilter, TraceSummary};
use smol_str::SmolStr;

/// The fields that an [`Outline`] is made of.
pub(super) fn fields() -> Document {
    doc! { "_id": 0, "base_id": 1, "timestamp": 1, "name": 1, "service": 1, "project": 1, "info.etype": 1 }
}

/// A point as far as an outline needs it.
pub(super) struct Line<'a> {
    pub(super) base_id: &'a str,
    pub(super) time: Timestamp,
    name: &'a str,
    service: Option<&'a str>,
    project: Option<&'a str>,
    is_error: bool,
}

impl<'a> Line<'a> {
    /// Nothing when the document is no point.
    pub(super) fn of(document: &'a RawDocument) -> Option<Self> {
        let etype = document.get_document("info").ok().and_then(|info| info.get("etype").ok().flatten());
        Some(Self {
            base_id: document.get_str("base_id").ok()?,
            time: Timestamp::parse(document.get_str("timestamp").ok()?).ok()?,
            name: document.get_str("name").ok()?,
            service: document.get_str("service").ok(),
            project: document.get_str("project").ok(),
            is_error: etype.is_some_and(|etype| !matches!(etype, RawBsonRef::Null)),
        })
    }
}

/// The points of one trace, one after the other.
pub(super) struct Outline {
    /// Of the earliest point: its time, and whether it is a stop.
    first: (Timestamp, bool),
    name: SmolStr,
    service: Option<SmolStr>,
    project: Option<SmolStr>,
    latest: Timestamp,
    points: u64,
    errors: u64,
    has_name: bool,
    has_service: bool,
}

impl Outline {
    pub(super) fn new(line: &Line<'_>) -> Self {
        Self {
            first: (line.time, line.name.ends_with("stop")),
            name: operation(line.name).into(),
            service: line.service.map(Into::into),
            project: line.project.map(Into::into),
            latest: line.time,
            points: 0,
            errors: 0,
            has_name: false,
            has_service: false,
        }
    }

    pub(super) fn add(&mut self, line: &Line<'_>, filter: &TraceFilter) {
        if (line.time, line.name.ends_with("stop")) < self.first {
            let (points, errors) = (self.points, self.errors);
            let (latest, has_name, has_service) = (self.latest, self.has_name, self.has_service);
            *self = Self { latest, points, errors, has_name, has_service, ..Self::new(line) };
        }
        self.latest = self.latest.max(line.time);
        self.points += 1;
        self.errors += u64::from(line.is_error);
        self.has_name |= filter.name.as_deref() == Some(operation(line.name));
        self.has_service |= filter.service.is_some() && filter.service.as_deref() == line.service;
    }

    /// The line of the trace, if the filter takes it.
    pub(super) fn summary(
        self,
        base_id: Id,
        filter: &TraceFilter,
        errors_only: bool,
    ) -> Option<TraceSummary> {
        let is_asked_for = (filter.name.is_none() || self.has_name)
            && (filter.service.is_none() || self.has_service)
            && (!errors_only || self.errors > 0);
        let lasted = self.latest.as_micros() - self.first.0.as_micros();
        let summary = TraceSummary {
            name: Some(self.name),
            service: self.service,
            project: self.project,
            duration: Some(Duration::from_micros(u64::try_from(lasted).unwrap_or(0))),
            points: Some(self.points),
            errors: Some(self.errors),
            ..TraceSummary::new(base_id, self.first.0)
        };
        (is_asked_for && filter.takes_summary(&summary)).then_some(summary)
    }
}

/// As `TracePoint::operation`.
pub(super) fn operation(name: &str) -> &str {
    name.strip_suffix("-start").or_else(|| name.strip_suffix("-stop")).unwrap_or(name)
}
