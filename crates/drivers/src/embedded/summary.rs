//! What the store knows about a trace without reading its points: kept in step with them, so that a list need not.
//!
//! ```text
//! version          one byte, 2
//! first, last      signed numbers: time of the earliest point, and microseconds from it to the latest
//! flags            one byte: 1 the earliest point is a stop, 2 it has a service, 4 a project,
//!                  8 all names are listed, 16 all services are
//! points, errors   numbers
//! packed           number of points that are in packs; not in version 1, which knew none
//! name             text, of the earliest point
//! service, project texts, of the earliest point, if it has them
//! names, services  number of texts, then the texts; if all are listed
//! ```

use std::time::Duration;

use nephoscope_disk::fields::{Fields, push_number, push_signed, push_text};
use nephoscope_telemetry::{Id, Timestamp, TraceFilter, TraceSummary};
use smol_str::SmolStr;

use super::incoming::Incoming;

/// How many bytes of names, and of services, a summary lists. OpenStack's services have some sixty names between them;
/// a trace with more is looked through when a list asks for one, which costs time but no memory.
const LISTED_BYTES: usize = 2048;

const VERSION: u8 = 2;
/// The version that had no packs.
const WITHOUT_PACKS: u8 = 1;
const IS_STOP: u8 = 1;
const HAS_SERVICE: u8 = 2;
const HAS_PROJECT: u8 = 4;
const ALL_NAMES: u8 = 8;
const ALL_SERVICES: u8 = 16;

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Summary {
    pub(super) first: Timestamp,
    pub(super) last: Timestamp,
    first_is_stop: bool,
    pub(super) points: u64,
    pub(super) errors: u64,
    /// How many of the points are in packs.
    pub(super) packed: u64,
    name: SmolStr,
    service: Option<SmolStr>,
    project: Option<SmolStr>,
    names: Listed,
    services: Listed,
}

/// The different texts of a kind, unless there are too many to list.
#[derive(Clone, Debug, PartialEq)]
struct Listed(Option<Vec<SmolStr>>);

impl Listed {
    fn add(&mut self, text: &SmolStr) {
        let Some(listed) = &mut self.0 else { return };
        if listed.contains(text) {
            return;
        }
        if listed.iter().map(SmolStr::len).sum::<usize>() + text.len() > LISTED_BYTES {
            self.0 = None;
        } else {
            listed.push(text.clone());
        }
    }

    /// Whether a text is among them; nothing when that is not known.
    fn holds(&self, text: &SmolStr) -> Option<bool> {
        self.0.as_ref().map(|listed| listed.contains(text))
    }

    fn encode(&self, out: &mut Vec<u8>) {
        if let Some(listed) = &self.0 {
            push_number(out, listed.len() as u64);
            listed.iter().for_each(|text| push_text(out, text));
        }
    }

    fn decode(fields: &mut Fields<'_>, is_listed: bool) -> Option<Self> {
        if !is_listed {
            return Some(Self(None));
        }
        let count = fields.number()?;
        (0..count)
            .map(|_| fields.text().map(SmolStr::from))
            .collect::<Option<_>>()
            .map(|listed| Self(Some(listed)))
    }
}

impl Summary {
    /// The summary of a trace with this one point.
    pub(super) fn of(point: &Incoming) -> Self {
        let mut summary = Self::empty(point);
        summary.add(point);
        summary
    }

    /// The summary of a trace of which this is the first point, still to be added.
    pub(super) fn empty(point: &Incoming) -> Self {
        Self {
            first: point.time,
            last: point.time,
            first_is_stop: point.is_stop,
            points: 0,
            errors: 0,
            packed: 0,
            name: point.operation.clone(),
            service: point.service.clone(),
            project: point.project.clone(),
            names: Listed(Some(Vec::new())),
            services: Listed(Some(Vec::new())),
        }
    }

    /// Takes one more point in.
    pub(super) fn add(&mut self, point: &Incoming) {
        if (point.time, point.is_stop) < (self.first, self.first_is_stop) {
            self.first = point.time;
            self.first_is_stop = point.is_stop;
            self.name = point.operation.clone();
            self.service = point.service.clone();
            self.project = point.project.clone();
        }
        self.last = self.last.max(point.time);
        self.points += 1;
        self.errors += u64::from(point.is_error);
        self.names.add(&point.operation);
        if let Some(service) = &point.service {
            self.services.add(service);
        }
    }

    /// The line that a list shows.
    pub(super) fn line(&self, base_id: Id) -> TraceSummary {
        TraceSummary {
            name: Some(self.name.clone()),
            service: self.service.clone(),
            project: self.project.clone(),
            duration: Some(self.duration()),
            points: Some(self.points),
            errors: Some(self.errors),
            ..TraceSummary::new(base_id, self.first)
        }
    }

    fn duration(&self) -> Duration {
        Duration::from_micros(self.last.as_micros().saturating_sub(self.first.as_micros()).cast_unsigned())
    }

    /// Whether a filter takes the trace, whatever its limit; nothing when only the points can tell.
    pub(super) fn fits(&self, filter: &TraceFilter) -> Option<bool> {
        if !filter.takes_time(self.first) || filter.min_duration.is_some_and(|least| self.duration() < least)
        {
            return Some(false);
        }
        let name = filter.name.as_ref().map_or(Some(true), |name| self.names.holds(name));
        let service = filter.service.as_ref().map_or(Some(true), |service| self.services.holds(service));
        match (name, service) {
            (Some(false), _) | (_, Some(false)) => Some(false),
            (Some(true), Some(true)) => Some(true),
            _ => None,
        }
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = vec![VERSION];
        let flag = |is: bool, flag| if is { flag } else { 0 };
        push_signed(&mut out, self.first.as_micros());
        push_signed(&mut out, self.last.as_micros().saturating_sub(self.first.as_micros()));
        out.push(
            flag(self.first_is_stop, IS_STOP)
                | flag(self.service.is_some(), HAS_SERVICE)
                | flag(self.project.is_some(), HAS_PROJECT)
                | flag(self.names.0.is_some(), ALL_NAMES)
                | flag(self.services.0.is_some(), ALL_SERVICES),
        );
        push_number(&mut out, self.points);
        push_number(&mut out, self.errors);
        push_number(&mut out, self.packed);
        push_text(&mut out, &self.name);
        for text in [&self.service, &self.project].into_iter().flatten() {
            push_text(&mut out, text);
        }
        self.names.encode(&mut out);
        self.services.encode(&mut out);
        out
    }

    /// Reads a summary; nothing when it is damaged or of a version that is not known here.
    pub(super) fn decode(record: &[u8]) -> Option<Self> {
        let mut fields = Fields(record);
        let version = fields.byte()?;
        if version != VERSION && version != WITHOUT_PACKS {
            return None;
        }
        let first = fields.signed()?;
        let last = first.checked_add(fields.signed()?)?;
        let flags = fields.byte()?;
        let (points, errors) = (fields.number()?, fields.number()?);
        let packed = if version == WITHOUT_PACKS { 0 } else { fields.number()? };
        let name = fields.text()?.into();
        let mut optional = |flag| match flags & flag {
            0 => Some(None),
            _ => fields.text().map(|text| Some(text.into())),
        };
        let (service, project) = (optional(HAS_SERVICE)?, optional(HAS_PROJECT)?);
        Some(Self {
            first: Timestamp::from_micros(first),
            last: Timestamp::from_micros(last),
            first_is_stop: flags & IS_STOP != 0,
            points,
            errors,
            packed,
            name,
            service,
            project,
            names: Listed::decode(&mut fields, flags & ALL_NAMES != 0)?,
            services: Listed::decode(&mut fields, flags & ALL_SERVICES != 0)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use nephoscope_telemetry::{Json, TracePoint};
    use proptest::prelude::*;

    use super::*;

    fn point(name: &str, micros: i64, service: Option<&str>, error: bool) -> TracePoint {
        let id = Id::new("a");
        let mut point = TracePoint::new(name, id.clone(), id.clone(), id, Timestamp::from_micros(micros));
        point.service = service.map(Into::into);
        if error {
            point.info = Json::parse("{\"etype\": \"ValueError\"}").unwrap();
        }
        point
    }

    fn summary(points: &[TracePoint]) -> Summary {
        let mut incoming = points.iter().map(|point| Incoming::new(point).unwrap());
        let mut summary = Summary::of(&incoming.next().unwrap());
        incoming.for_each(|point| summary.add(&point));
        summary
    }

    prop_compose! {
        fn any_point()(
            name in "[ab](-start|-stop)", micros in -3_i64..3, service in prop::option::of("[xy]"), error: bool
        ) -> TracePoint {
            point(&name, micros, service.as_deref(), error)
        }
    }

    #[test]
    fn too_many_names_are_left_to_the_points() {
        let long = |at: usize| format!("{at:0>100}-start");
        let points: Vec<_> = (0..30).map(|at| point(&long(at), 1, Some("x"), false)).collect();
        let summary = summary(&points);
        assert_eq!(Summary::decode(&summary.encode()), Some(summary.clone()));
        let name = |name: &str| TraceFilter { name: Some(name.into()), ..TraceFilter::default() };
        assert_eq!(summary.fits(&name("absent")), None);
        let elsewhere = TraceFilter { service: Some("y".into()), ..name("absent") };
        assert_eq!(summary.fits(&elsewhere), Some(false));
    }

    proptest! {
        #[test]
        fn it_says_what_the_points_say(
            points in prop::collection::vec(any_point(), 1..9),
            name in prop::option::of("[abc]"), service in prop::option::of("[xyz]"),
            since in prop::option::of(-3_i64..3), until in prop::option::of(-3_i64..3),
            least in prop::option::of(0_u64..5),
        ) {
            let filter = TraceFilter {
                name: name.map(Into::into),
                service: service.map(Into::into),
                since: since.map(Timestamp::from_micros),
                until: until.map(Timestamp::from_micros),
                min_duration: least.map(Duration::from_micros),
                limit: None,
            };
            let summary = summary(&points);
            prop_assert_eq!(Some(summary.line(Id::new("a"))), TraceSummary::of(&points));
            prop_assert_eq!(summary.fits(&filter), Some(filter.takes(&points)));
            prop_assert_eq!(Summary::decode(&summary.encode()), Some(summary));
        }

        #[test]
        fn no_bytes_make_it_panic(mut bytes: Vec<u8>) {
            bytes.insert(0, VERSION);
            let _ = Summary::decode(&bytes);
        }
    }
}
