//! Lists of traces.

use std::collections::HashMap;

use futures_util::{StreamExt, TryStreamExt, stream};
use nephoscope_telemetry::{Id, Points, Result, Timestamp, TraceFilter, TracePoint, TraceSummary};

use super::query::{Query, Window};

/// So many whole traces are asked for at once, by how many are wanted.
const LEAST: usize = 20;
const MOST: usize = 500;
/// So many services are asked at a time.
const AT_A_TIME: usize = 4;
const HOUR: i64 = 3_600_000_000;
const DAY: i64 = 24 * HOUR;
/// How far back is looked at first, and then: where Jaeger has an index for each day, a search names all of them, and
/// a list of the newest should not name those of all time.
const BACK: [i64; 5] = [HOUR, DAY, 7 * DAY, 30 * DAY, 365 * DAY];

/// A search for the traces that a filter takes and in which a point is wanted.
pub(super) struct Search<'a> {
    pub(super) query: &'a Query,
    pub(super) operation: &'static str,
    pub(super) filter: &'a TraceFilter,
    pub(super) wanted: fn(&TracePoint) -> bool,
}

impl Search<'_> {
    pub(super) async fn run(self, now: Timestamp) -> Result<Vec<TraceSummary>> {
        let mut found: HashMap<Id, TraceSummary> = HashMap::new();
        let services = self.services().await?;
        for window in windows(self.filter, now) {
            let looks = stream::iter(services.clone()).map(|service| self.look(service, window));
            let looks: Vec<_> = looks.buffered(AT_A_TIME).try_collect().await?;
            found.extend(looks.into_iter().flatten().map(|summary| (summary.base_id.clone(), summary)));
            if self.filter.limit.is_some_and(|limit| settled(&found, window) >= limit) {
                break;
            }
        }
        let mut list = found.into_values().collect();
        self.filter.order(&mut list);
        Ok(list)
    }

    /// The services to ask: all, unless the filter names one and any of its spans may be looked for.
    async fn services(&self) -> Result<Vec<String>> {
        let mut services = self.query.services(self.operation).await?;
        let service = self.filter.service.as_ref().filter(|service| !service.is_empty());
        if let (Some(service), None) = (service, self.filter.until) {
            services.retain(|name| {
                let before = name.strip_suffix(service.as_str());
                before.is_some_and(|project| project.is_empty() || project.ends_with('-'))
            });
        }
        Ok(services)
    }

    /// The traces of a service that are taken in this time, or at least as many of the newest as are wanted.
    ///
    /// Of more traces than are asked for, Jaeger gives the newest or, from its memory store, any: only a time that
    /// has fewer is known. So a time that has more is halved until the newest part of it has not.
    async fn look(&self, service: String, window: Window) -> Result<Vec<TraceSummary>> {
        let limit = self.filter.limit.unwrap_or(usize::MAX);
        let count = limit.saturating_mul(2).clamp(LEAST, MOST);
        let mut found: HashMap<Id, TraceSummary> = HashMap::new();
        let mut windows = vec![window];
        while let Some(window) = windows.pop() {
            let traces = self.query.find(self.operation, &service, window, count).await?;
            if traces.len() >= count
                && let Some((older, newer)) = window.halves(&traces)
            {
                windows.extend([older, newer]);
                continue;
            }
            let taken = traces.into_iter().filter_map(|(id, points)| Some((id, self.taken(&points.good)?)));
            found.extend(taken);
            if settled(&found, window) >= limit {
                break;
            }
        }
        Ok(found.into_values().collect())
    }

    fn taken(&self, points: &[TracePoint]) -> Option<TraceSummary> {
        let taken = points.iter().any(self.wanted) && self.filter.takes(points);
        taken.then(|| TraceSummary::of(points)).flatten()
    }
}

/// How many of the traces are newer than any that was not yet met: those that began in this time or later.
fn settled(found: &HashMap<Id, TraceSummary>, window: Window) -> usize {
    found.values().filter(|summary| summary.timestamp.as_micros() >= window.from).count()
}

/// The times to look at, newest first.
fn windows(filter: &TraceFilter, now: Timestamp) -> Vec<Window> {
    let now = now.as_micros();
    // Clocks differ.
    let mut to = filter.until.map_or(now + DAY, Timestamp::as_micros);
    // No span is older than the epoch of its format.
    let first = filter.since.map_or(0, Timestamp::as_micros).max(0);
    let mut windows = Vec::new();
    for from in BACK.iter().map(|back| now - back).chain([first]) {
        let from = from.max(first);
        if from < to {
            windows.push(Window { from, to });
            to = from;
        }
    }
    windows
}

impl Window {
    /// Two parts with about as many of these traces each; nothing where there is no time between.
    fn halves(self, traces: &HashMap<Id, Points>) -> Option<(Self, Self)> {
        let inside = |time: &i64| (self.from..self.to).contains(time);
        let first = |points: &Points| {
            points.good.iter().map(|point| point.timestamp.as_micros()).filter(inside).min()
        };
        let mut times: Vec<i64> = traces.values().filter_map(first).collect();
        times.sort_unstable();
        let median = times.get(times.len() / 2).copied().filter(|time| *time > self.from);
        let middle = median.unwrap_or(self.from + (self.to - self.from) / 2);
        let between = self.from < middle && middle < self.to;
        between.then_some((Self { to: middle, ..self }, Self { from: middle, ..self }))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn windows_are_all_the_time_that_is_asked_for(since: Option<u32>, until: Option<u32>) {
            let time = |seconds: u32| Timestamp::from_micros(i64::from(seconds) * 1_000_000);
            let (since, until) = (since.map(time), until.map(time));
            let now = Timestamp::from_micros(1_767_225_600_000_000);
            let filter = TraceFilter { since, until, ..TraceFilter::default() };
            let windows = windows(&filter, now);
            let to = until.map_or(now.as_micros() + DAY, Timestamp::as_micros);
            let from = since.map_or(0, Timestamp::as_micros);
            prop_assert_eq!(windows.is_empty(), from >= to);
            prop_assert!(windows.windows(2).all(|pair| pair[0].from == pair[1].to));
            prop_assert!(windows.iter().all(|window| window.from < window.to));
            if let (Some(newest), Some(oldest)) = (windows.first(), windows.last()) {
                prop_assert_eq!((oldest.from, newest.to), (from, to));
            }
        }

        #[test]
        fn halves_are_smaller_and_lose_nothing(from in 0..50_i64, length in 1..50_i64, times in prop::collection::vec(0..100_i64, 0..9)) {
            let window = Window { from, to: from + length };
            let traces = times.into_iter().enumerate().map(|(number, micros)| {
                let id = Id::new(&number.to_string());
                let point = TracePoint::new("x-start", id.clone(), id.clone(), id.clone(), Timestamp::from_micros(micros));
                (id, Points::from(vec![point]))
            });
            match window.halves(&traces.collect()) {
                None => prop_assert_eq!(length, 1),
                Some((older, newer)) => {
                    prop_assert_eq!((older.from, older.to, newer.to), (window.from, newer.from, window.to));
                    prop_assert!(older.from < older.to && newer.from < newer.to);
                }
            }
        }
    }
}
