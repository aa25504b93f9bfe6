//! Lists: from the newest point down, so that a list with a limit ends early.
//!
//! A trace begins no later than at any of its points. So the traces are taken in order of their latest point, a page
//! at a time ([`Walk`]); what is to be shown of each is asked for by their ids ([`Elasticsearch::summaries`]); and
//! when the page ends at a time before the beginning of the last trace that the limit leaves room for, none that
//! follows can belong before it.

use std::collections::HashSet;

use nephoscope_telemetry::{Result, Timestamp, TraceFilter, TraceSummary};
use serde_json::{Value, json};

use super::driver::Elasticsearch;
use super::hits::hits;
use super::index::Fields;
use super::summary::IDS_AT_A_TIME;

/// Traces of the first page of a list without a limit, and of the largest page: `index.max_result_window`.
const LARGEST_PAGE: usize = 10_000;
/// Traces of the smallest page: what a request costs whatever it asks for.
const SMALLEST_PAGE: usize = 100;

/// A list in the making.
pub(super) struct Search<'a> {
    pub(super) operation: &'static str,
    pub(super) filter: &'a TraceFilter,
    pub(super) errors_only: bool,
    pub(super) fields: Fields,
    /// The field with the whole id.
    pub(super) base_id: String,
}

/// How far down the list is.
struct Walk {
    size: usize,
    /// No trace whose newest point is later is left.
    until: Option<Timestamp>,
    seen: HashSet<String>,
    /// The ids of the last page that would fill the next one again.
    last: Vec<String>,
}

impl Elasticsearch {
    pub(super) async fn find(
        &self,
        operation: &'static str,
        filter: &TraceFilter,
        errors_only: bool,
    ) -> Result<Vec<TraceSummary>> {
        let mut found = Vec::new();
        let Some(fields) = self.fields(operation, &self.index).await? else { return Ok(found) };
        let Some(base_id) = fields.base_id.clone() else { return Ok(found) };
        let search = Search { operation, filter, errors_only, fields, base_id };
        self.refresh(operation, &self.index).await?;
        let mut walk = Walk::new(filter);
        while walk.size > 0 {
            let ids = self.newest(&search, &mut walk).await?;
            for ids in ids.chunks(IDS_AT_A_TIME) {
                found.extend(self.summaries(&search, ids).await?);
            }
            filter.order(&mut found);
            walk.end_if_full(filter, &found);
        }
        Ok(found)
    }

    /// The next page of traces: those that were not on an earlier one.
    async fn newest(&self, search: &Search<'_>, walk: &mut Walk) -> Result<Vec<String>> {
        let body = json!({
            "size": walk.size,
            "_source": false,
            "track_total_hits": false,
            "query": {"bool": {
                "filter": search.candidates(walk.until),
                "must_not": {"terms": {&search.base_id: &walk.last}},
            }},
            "collapse": {"field": &search.base_id},
            "sort": [{"timestamp": {"order": "desc", "unmapped_type": "date"}}],
        });
        let answer = self.search(search.operation, &self.index, &body).await?;
        let groups: Vec<(String, Timestamp)> = hits(&answer)?
            .into_iter()
            .map(|hit| (hit.group.unwrap_or_default().into_owned(), search.fields.time(hit.sort)))
            .collect();
        Ok(walk.turn(groups))
    }
}

impl Search<'_> {
    /// Points by which a trace of the list can be found, newest first.
    fn candidates(&self, until: Option<Timestamp>) -> Vec<Value> {
        let TraceFilter { service, name, since, .. } = self.filter;
        let mut conditions = vec![json!({"exists": {"field": &self.base_id}})];
        let mut range = |bound: &str, time: Timestamp| {
            conditions.push(json!({"range": {"timestamp": {bound: time.to_string()}}}));
        };
        // All points of a trace that is taken are of that time or later.
        since.iter().for_each(|since| range("gte", *since));
        until.iter().for_each(|until| range("lte", *until));
        let one_of_them = if self.errors_only {
            Some(has_error())
        } else if let Some(service) = service {
            Some(self.of_service(service))
        } else {
            name.as_ref().map(|name| self.of_name(name))
        };
        match one_of_them {
            Some(condition) => conditions.push(condition),
            // Not for those: the point that is looked for may come after the first.
            None => self.filter.until.iter().for_each(|until| {
                conditions.push(json!({"range": {"timestamp": {"lt": until.to_string()}}}));
            }),
        }
        conditions
    }

    pub(super) fn of_service(&self, service: &str) -> Value {
        json!({"term": {&self.fields.service: service}})
    }

    /// Names of points are those of operations with an end, or without one.
    pub(super) fn of_name(&self, name: &str) -> Value {
        let mut names = vec![format!("{name}-start"), format!("{name}-stop")];
        if !name.ends_with("-start") && !name.ends_with("-stop") {
            names.push(name.into());
        }
        json!({"terms": {&self.fields.name: names}})
    }
}

/// A point with an exception.
pub(super) fn has_error() -> Value {
    json!({"exists": {"field": "info.etype"}})
}

impl Walk {
    fn new(filter: &TraceFilter) -> Self {
        // Some are on the page that the filter does not take.
        let size = filter.limit.map_or(LARGEST_PAGE, |limit| match limit {
            0 => 0,
            limit => limit.saturating_mul(2).clamp(SMALLEST_PAGE, LARGEST_PAGE),
        });
        Self { size, until: None, seen: HashSet::new(), last: Vec::new() }
    }

    /// Turns the page, and returns the traces that are new on it.
    fn turn(&mut self, groups: Vec<(String, Timestamp)>) -> Vec<String> {
        let until = groups.last().map(|(_, time)| *time).filter(|_| groups.len() == self.size);
        self.size = if until.is_some() { (self.size * 4).min(LARGEST_PAGE) } else { 0 };
        let of_last_time = groups.iter().filter(|(_, time)| until == Some(*time)).map(|(id, _)| id.clone());
        if until != self.until {
            self.last.clear();
        }
        self.last.extend(of_last_time);
        self.until = until;
        groups.into_iter().map(|(id, _)| id).filter(|id| self.seen.insert(id.clone())).collect()
    }

    /// Ends the walk when the list, which is in order, is full and all that follow are older than its last.
    fn end_if_full(&mut self, filter: &TraceFilter, list: &[TraceSummary]) {
        let is_full = filter.limit.is_some_and(|limit| list.len() >= limit);
        if is_full && list.last().is_some_and(|last| self.until.is_some_and(|until| last.timestamp > until)) {
            self.size = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(groups: &[(&str, i64)]) -> Vec<(String, Timestamp)> {
        groups.iter().map(|(id, micros)| ((*id).to_owned(), Timestamp::from_micros(*micros))).collect()
    }

    #[test]
    fn a_page_goes_on_where_the_last_one_ended() {
        let mut walk = Walk { size: 3, ..Walk::new(&TraceFilter::default()) };
        assert_eq!(walk.turn(page(&[("a", 9), ("b", 7), ("c", 7)])), ["a", "b", "c"]);
        assert_eq!((walk.until, walk.size), (Some(Timestamp::from_micros(7)), 12));
        assert_eq!(walk.last, ["b", "c"]);
        walk.size = 2;
        assert_eq!(walk.turn(page(&[("d", 7), ("e", 7)])), ["d", "e"]);
        assert_eq!(walk.last, ["b", "c", "d", "e"]);
        walk.size = 2;
        // An older point of a trace that was seen.
        assert_eq!(walk.turn(page(&[("a", 6), ("f", 5)])), ["f"]);
        assert_eq!(walk.last, ["f"]);
        assert_eq!(walk.turn(page(&[("g", 4)])), ["g"]);
        assert_eq!(walk.size, 0);
    }

    #[test]
    fn a_list_with_room_for_nothing_asks_for_nothing() {
        assert_eq!(Walk::new(&TraceFilter { limit: Some(0), ..TraceFilter::default() }).size, 0);
    }
}
