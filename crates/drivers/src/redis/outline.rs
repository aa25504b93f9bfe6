//! What a list tells of a trace, gathered point by point.

use std::time::Duration;

use nephoscope_telemetry::{Id, Timestamp, TraceFilter, TracePoint, TraceSummary};
use smol_str::SmolStr;

use super::read::Record;

/// What is known of a trace, be it from all its points or from some, in any order, without keeping them.
#[derive(Clone, Default)]
pub(super) struct Outline {
    earliest: Option<Earliest>,
    latest: Option<Timestamp>,
    points: u64,
    /// Nothing when not all points were looked at.
    errors: Option<u64>,
    /// What the filter asks for and no point had yet.
    wanted_name: Option<SmolStr>,
    wanted_service: Option<SmolStr>,
}

#[derive(Clone)]
struct Earliest {
    timestamp: Timestamp,
    is_stop: bool,
    name: SmolStr,
    service: Option<SmolStr>,
    project: Option<SmolStr>,
}

impl Outline {
    /// The outline of a trace without points, to be filled with all of them.
    pub(super) fn new(filter: &TraceFilter) -> Self {
        Self {
            errors: Some(0),
            wanted_name: filter.name.clone(),
            wanted_service: filter.service.clone(),
            ..Self::default()
        }
    }

    /// The outline of a trace of which only one of its so many points is known, and the time of another.
    pub(super) fn between(oldest: &TracePoint, newest: Timestamp, points: u64) -> Self {
        let latest = Some(newest.max(oldest.timestamp));
        Self { earliest: Some(Earliest::of(oldest)), latest, points, ..Self::default() }
    }

    /// Takes a point.
    pub(super) fn add(&mut self, point: &TracePoint) {
        let at = (point.timestamp, point.is_stop());
        if self.earliest.as_ref().is_none_or(|earliest| at < (earliest.timestamp, earliest.is_stop)) {
            self.earliest = Some(Earliest::of(point));
        }
        self.latest = self.latest.max(Some(point.timestamp));
        self.points += 1;
        self.errors = self.errors.map(|errors| errors + u64::from(point.is_error()));
        self.wanted_name.take_if(|name| point.operation() == name);
        self.wanted_service.take_if(|service| point.service.as_ref() == Some(service));
    }

    /// Takes a point, and passes over what is none.
    pub(super) fn add_record(&mut self, record: Record) {
        if let Ok(point) = record {
            self.add(&point);
        }
    }

    /// Takes what is known of other points of the same trace.
    pub(super) fn merge(&mut self, other: &Self) {
        let Some(theirs) = &other.earliest else { return };
        let later = |ours: &Earliest| (theirs.timestamp, theirs.is_stop) < (ours.timestamp, ours.is_stop);
        if self.earliest.as_ref().is_none_or(later) {
            self.earliest = Some(theirs.clone());
        }
        self.latest = self.latest.max(other.latest);
        self.points += other.points;
        self.errors = self.errors.zip(other.errors).map(|(ours, theirs)| ours + theirs);
        self.wanted_name.take_if(|_| other.wanted_name.is_none());
        self.wanted_service.take_if(|_| other.wanted_service.is_none());
    }

    /// Whether points were met that have all that the filter asks for.
    pub(super) fn is_wanted(&self) -> bool {
        self.wanted_name.is_none() && self.wanted_service.is_none()
    }

    /// Time of the latest point that is known.
    pub(super) fn latest(&self) -> Option<Timestamp> {
        self.latest
    }

    /// The line of the list; nothing without points.
    pub(super) fn summary(&self, base_id: &Id) -> Option<TraceSummary> {
        let (earliest, latest) = self.earliest.as_ref().zip(self.latest)?;
        let micros = latest.as_micros() - earliest.timestamp.as_micros();
        Some(TraceSummary {
            name: Some(earliest.name.clone()),
            service: earliest.service.clone(),
            project: earliest.project.clone(),
            duration: Some(Duration::from_micros(micros.unsigned_abs())),
            points: Some(self.points),
            errors: self.errors,
            ..TraceSummary::new(base_id.clone(), earliest.timestamp)
        })
    }
}

impl Earliest {
    fn of(point: &TracePoint) -> Self {
        Self {
            timestamp: point.timestamp,
            is_stop: point.is_stop(),
            name: point.operation().into(),
            service: point.service.clone(),
            project: point.project.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use nephoscope_telemetry::Json;

    use super::*;

    fn point(name: &str, micros: i64, service: &str) -> TracePoint {
        let id = Id::new("trace");
        let mut point = TracePoint::new(name, id.clone(), Id::new(name), id, Timestamp::from_micros(micros));
        point.service = Some(service.into());
        point
    }

    fn points() -> Vec<TracePoint> {
        let mut failed = point("db-stop", 30, "volume");
        failed.info = Json::parse(r#"{"etype": "DBError"}"#).unwrap();
        vec![
            point("rpc-stop", 10, "api"),
            point("wsgi-start", 10, "api"),
            failed,
            point("db-start", 20, "volume"),
        ]
    }

    fn outline(points: &[TracePoint], filter: &TraceFilter) -> Outline {
        let mut outline = Outline::new(filter);
        points.iter().for_each(|point| outline.add(point));
        outline
    }

    #[test]
    fn all_points_give_the_summary_of_the_vocabulary() {
        let whole = outline(&points(), &TraceFilter::default());
        assert_eq!(whole.summary(&Id::new("trace")), TraceSummary::of(&points()));
    }

    #[test]
    fn it_makes_no_difference_in_how_many_parts_they_came() {
        let filter =
            TraceFilter { name: Some("db".into()), service: Some("api".into()), ..Default::default() };
        for at in 0..=points().len() {
            let (one, other) = (outline(&points()[..at], &filter), outline(&points()[at..], &filter));
            let mut merged = one.clone();
            merged.merge(&other);
            assert_eq!(merged.summary(&Id::new("trace")), TraceSummary::of(&points()), "{at}");
            assert!(merged.is_wanted(), "{at}");
        }
    }

    #[test]
    fn a_trace_is_wanted_when_its_points_have_all_that_is_asked_for() {
        let wanted = |name: &str, service: &str| {
            let filter =
                TraceFilter { name: Some(name.into()), service: Some(service.into()), ..Default::default() };
            assert_eq!(outline(&points(), &filter).is_wanted(), filter.takes(&points()));
            outline(&points(), &filter).is_wanted()
        };
        assert!(wanted("db", "api"));
        assert!(!wanted("db", "scheduler"));
        assert!(!wanted("db-start", "api"));
    }

    #[test]
    fn from_its_ends_a_trace_has_no_count_of_errors() {
        let ends = Outline::between(&point("wsgi-start", 10, "api"), Timestamp::from_micros(50), 7);
        let summary = ends.summary(&Id::new("trace")).unwrap();
        assert_eq!((summary.points, summary.errors), (Some(7), None));
        assert_eq!(summary.duration, Some(Duration::from_micros(40)));
        assert_eq!(Outline::default().summary(&Id::new("trace")), None);
    }
}
