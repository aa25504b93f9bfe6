//! One line about a trace, and which traces a list shows.

use std::time::Duration;

use smol_str::SmolStr;

use crate::{Id, Json, Timestamp, TracePoint};

/// One line about a trace, as a list shows it.
///
/// What a backend does not know without reading the whole trace is absent.
#[derive(Clone, Debug, PartialEq)]
pub struct TraceSummary {
    /// The id of the trace.
    pub base_id: Id,
    /// Time of its earliest point; in a list of errors, where the backend keeps only OSProfiler's error record,
    /// the time of the error.
    pub timestamp: Timestamp,
    /// Name of its earliest point, without `-start` or `-stop`.
    pub name: Option<SmolStr>,
    /// Service of its earliest point.
    pub service: Option<SmolStr>,
    /// Project of its earliest point.
    pub project: Option<SmolStr>,
    /// Time from its earliest to its latest point.
    pub duration: Option<Duration>,
    /// How many points it has.
    pub points: Option<u64>,
    /// How many of them report an exception.
    pub errors: Option<u64>,
}

impl TraceSummary {
    /// The line that knows nothing but the id and the time.
    pub fn new(base_id: Id, timestamp: Timestamp) -> Self {
        Self {
            base_id,
            timestamp,
            name: None,
            service: None,
            project: None,
            duration: None,
            points: None,
            errors: None,
        }
    }

    /// The whole line, from all points of the trace in any order; nothing without points.
    pub fn of(points: &[TracePoint]) -> Option<Self> {
        let earliest = points.iter().min_by_key(|point| (point.timestamp, point.is_stop()))?;
        let latest = points.iter().map(|point| point.timestamp).max()?;
        Some(Self {
            base_id: earliest.base_id.clone(),
            timestamp: earliest.timestamp,
            name: Some(earliest.operation().into()),
            service: earliest.service.clone(),
            project: earliest.project.clone(),
            duration: Some(elapsed(earliest.timestamp, latest)),
            points: Some(points.len() as u64),
            errors: Some(points.iter().filter(|point| point.is_error()).count() as u64),
        })
    }

    /// Appends the line as a JSON object, `null` where the backend does not know; the duration in milliseconds.
    pub fn write_json(&self, out: &mut String) {
        let text = |text: &Option<SmolStr>| text.as_deref().map(Json::string);
        let number = |number: Option<u64>| number.map(|number| number.to_string());
        let duration_ms = self.duration.map(|lasted| (lasted.as_secs_f64() * 1000.0).to_string());
        let texts = [("name", &self.name), ("service", &self.service), ("project", &self.project)];
        let numbers =
            [("duration_ms", duration_ms), ("points", number(self.points)), ("errors", number(self.errors))];
        out.push_str("{\"base_id\": ");
        self.base_id.write_json(out);
        out.push_str(", \"timestamp\": \"");
        self.timestamp.write(out);
        out.push('"');
        for (key, value) in texts {
            write_field(out, key, text(value).as_ref().map(Json::as_str));
        }
        for (key, value) in numbers {
            write_field(out, key, value.as_deref());
        }
        out.push('}');
    }
}

fn write_field(out: &mut String, key: &str, value: Option<&str>) {
    out.push_str(", \"");
    out.push_str(key);
    out.push_str("\": ");
    out.push_str(value.unwrap_or("null"));
}

fn elapsed(from: Timestamp, to: Timestamp) -> Duration {
    Duration::from_micros(u64::try_from(to.as_micros() - from.as_micros()).unwrap_or(0))
}

/// Which traces to list. The default is all of them.
///
/// A list is in order of time, newest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TraceFilter {
    /// Only traces with a point of this service.
    pub service: Option<SmolStr>,
    /// Only traces with a point of this name, without `-start` or `-stop`.
    pub name: Option<SmolStr>,
    /// Only traces whose earliest point is of this time or later.
    pub since: Option<Timestamp>,
    /// Only traces whose earliest point is before this time.
    pub until: Option<Timestamp>,
    /// Only traces that lasted at least as long, from the earliest to the latest point.
    pub min_duration: Option<Duration>,
    /// Only so many, the newest.
    pub limit: Option<usize>,
}

impl TraceFilter {
    /// Whether a trace of this time is within [`since`](Self::since) and [`until`](Self::until).
    pub fn takes_time(&self, timestamp: Timestamp) -> bool {
        self.since.is_none_or(|since| timestamp >= since) && self.until.is_none_or(|until| timestamp < until)
    }

    /// Whether the points themselves have to be looked at: for a name or a service.
    pub fn needs_points(&self) -> bool {
        self.service.is_some() || self.name.is_some()
    }

    /// Whether a trace with these points is listed, whatever the limit.
    pub fn takes(&self, points: &[TracePoint]) -> bool {
        TraceSummary::of(points).is_some_and(|summary| self.takes_summary(&summary))
            && self.name.as_ref().is_none_or(|name| points.iter().any(|point| point.operation() == name))
            && self
                .service
                .as_ref()
                .is_none_or(|service| points.iter().any(|point| point.service.as_ref() == Some(service)))
    }

    /// Whether the time and the duration of a trace fit; one of unknown duration does not fit a minimum.
    pub fn takes_summary(&self, summary: &TraceSummary) -> bool {
        self.takes_time(summary.timestamp)
            && self.min_duration.is_none_or(|least| summary.duration.is_some_and(|lasted| lasted >= least))
    }

    /// Puts a list in its order, newest first, and cuts it at the limit.
    pub fn order(&self, list: &mut Vec<TraceSummary>) {
        list.sort_by(|one, other| {
            other.timestamp.cmp(&one.timestamp).then_with(|| one.base_id.cmp(&other.base_id))
        });
        list.truncate(self.limit.unwrap_or(usize::MAX));
    }
}
