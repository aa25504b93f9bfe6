//! What the rows of a trace say of it together.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use nephoscope_telemetry::{Id, Timestamp, TraceFilter, TraceSummary, json};
use smol_str::SmolStr;

use super::row::Row;

/// Traces by their ids, as far as their rows were met.
#[derive(Debug, Default)]
pub(super) struct Summaries(HashMap<Id, Summary>);

#[derive(Debug)]
struct Summary {
    /// When the earliest point was, whether it is a stop, and when it was stored: the least of them is the first.
    first: (Timestamp, bool, i64),
    end: Timestamp,
    points: u64,
    errors: u64,
    name: SmolStr,
    service: Option<SmolStr>,
    project: Option<SmolStr>,
    names: HashSet<SmolStr>,
    services: HashSet<SmolStr>,
    /// A batch counts once, however often it was stored.
    batches: HashSet<String>,
}

impl Summaries {
    /// Takes one more row. One that tells nothing of a trace is somebody else's.
    pub(super) fn add(&mut self, row: Row) {
        let Row { base_id: Some(id), batch: Some(batch), start: Some(start), end: Some(end), .. } = row
        else {
            return;
        };
        let first = (start, row.stop.unwrap_or_default(), row.stored.unwrap_or_default());
        let summary = self.0.entry(id).or_insert_with(|| Summary::new(first, end));
        if !summary.batches.insert(batch) {
            return;
        }
        if first <= summary.first {
            summary.first = first;
            summary.name = row.name.unwrap_or_default().into();
            summary.service = row.service.map(Into::into);
            summary.project = row.project.map(Into::into);
        }
        summary.end = summary.end.max(end);
        summary.points += row.points.unwrap_or_default();
        summary.errors += row.errors.unwrap_or_default();
        summary.names.extend(names(row.names.as_deref()));
        summary.services.extend(names(row.services.as_deref()));
    }

    /// The lines of those that a filter takes, whatever its limit, in no order.
    pub(super) fn into_lines(self, filter: &TraceFilter, errors: bool) -> impl Iterator<Item = TraceSummary> {
        let taken = move |(id, summary): (Id, Summary)| {
            let has = |wanted: &Option<SmolStr>, names: &HashSet<SmolStr>| {
                wanted.as_ref().is_none_or(|name| names.contains(name))
            };
            let fits = has(&filter.name, &summary.names)
                && has(&filter.service, &summary.services)
                && (!errors || summary.errors > 0);
            let line = fits.then(|| summary.line(id))?;
            filter.takes_summary(&line).then_some(line)
        };
        self.0.into_iter().filter_map(taken)
    }
}

impl Summary {
    fn new(first: (Timestamp, bool, i64), end: Timestamp) -> Self {
        Self {
            first,
            end,
            points: 0,
            errors: 0,
            name: SmolStr::default(),
            service: None,
            project: None,
            names: HashSet::new(),
            services: HashSet::new(),
            batches: HashSet::new(),
        }
    }

    fn line(self, base_id: Id) -> TraceSummary {
        let start = self.first.0;
        let micros = self.end.as_micros().saturating_sub(start.as_micros());
        TraceSummary {
            name: Some(self.name),
            service: self.service,
            project: self.project,
            duration: Some(Duration::from_micros(u64::try_from(micros).unwrap_or(0))),
            points: Some(self.points),
            errors: Some(self.errors),
            ..TraceSummary::new(base_id, start)
        }
    }
}

/// The strings of a JSON array of them.
fn names(array: Option<&str>) -> Vec<SmolStr> {
    let mut scanner = json::Scanner::new(array.unwrap_or_default());
    let mut names = Vec::new();
    let mut more = scanner.eat(b'[') && scanner.peek() != Some(b']');
    while more {
        let Ok(value) = scanner.value() else { break };
        names.extend(json::decode(value).map(SmolStr::from));
        more = scanner.eat(b',');
    }
    names
}
