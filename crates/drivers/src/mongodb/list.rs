//! Lists traces.

use std::collections::{HashMap, HashSet};

use mongodb::Cursor;
use mongodb::bson::raw::RawDocumentBuf;
use mongodb::bson::{Document, doc};
use nephoscope_telemetry::{Id, Result, Timestamp, TraceFilter, TraceSummary};

use super::driver::Mongo;
use super::outline::{self, Line, Outline};

/// Traces whose points are read at a time: enough for the round trip not to count.
const PAGE: usize = 500;

impl Mongo {
    /// The traces that the filter takes, newest first.
    pub(super) async fn list_traces(
        &self,
        operation: &'static str,
        filter: &TraceFilter,
        errors_only: bool,
    ) -> Result<Vec<TraceSummary>> {
        let limit = filter.limit.unwrap_or(usize::MAX);
        let mut list = Vec::new();
        if limit == 0 {
            return Ok(list);
        }
        let page_size = limit.saturating_add(1).min(PAGE);
        let mut walk = Walk::start(self, operation, points_to_meet(filter, errors_only), -1).await?;
        loop {
            // What is not met yet has no point later than where the walk is, and so began no later.
            let is_full = |list: &[TraceSummary], at| {
                list.len() >= limit && list.last().is_some_and(|last| at < last.timestamp)
            };
            let page = walk.page(page_size, |at| is_full(&list, at)).await?;
            let is_last = page.len() < page_size;
            list.extend(self.summaries(operation, page, filter, errors_only).await?);
            filter.order(&mut list);
            if is_last {
                return Ok(list);
            }
        }
    }

    /// What the points of these traces say, of those that the filter takes.
    async fn summaries(
        &self,
        operation: &'static str,
        page: Vec<String>,
        filter: &TraceFilter,
        errors_only: bool,
    ) -> Result<Vec<TraceSummary>> {
        if page.is_empty() {
            return Ok(Vec::new());
        }
        let of_page = doc! { "base_id": { "$in": page } };
        let cursor = self.points.find(of_page).projection(outline::fields()).await;
        let mut cursor = cursor.map_err(self.fail(operation))?;
        let mut outlines: HashMap<Id, Outline> = HashMap::new();
        while cursor.advance().await.map_err(self.fail(operation))? {
            let Some(line) = Line::of(cursor.current()) else { continue };
            outlines.entry(line.base_id.into()).or_insert_with(|| Outline::new(&line)).add(&line, filter);
        }
        let summaries =
            outlines.into_iter().filter_map(|(id, outline)| outline.summary(id, filter, errors_only));
        Ok(summaries.collect())
    }
}

/// Which points a trace is met by: all of a trace that is taken has one, and the fewer others have one the better.
fn points_to_meet(filter: &TraceFilter, errors_only: bool) -> Document {
    // From a text on: what has no time is no point, and costs nothing.
    let since = filter.since.map(|since| since.to_string()).unwrap_or_default();
    let mut time = doc! { "$gte": since };
    if errors_only {
        return doc! { "info.etype": { "$exists": true, "$ne": null }, "timestamp": time };
    }
    if let Some(service) = &filter.service {
        return doc! { "service": service.as_str(), "timestamp": time };
    }
    if let Some(name) = &filter.name {
        return doc! { "name": { "$in": names(name) }, "timestamp": time };
    }
    // Its first point is before this time, when those above may not be.
    if let Some(until) = filter.until {
        time.insert("$lt", until.to_string());
    }
    doc! { "timestamp": time }
}

/// The names of points of an operation.
fn names(operation: &str) -> Vec<String> {
    let mut names = vec![format!("{operation}-start"), format!("{operation}-stop")];
    if outline::operation(operation) == operation {
        names.push(operation.to_owned());
    }
    names
}

/// A walk over points in the order of time, which meets each trace once.
pub(super) struct Walk<'a> {
    mongo: &'a Mongo,
    operation: &'static str,
    cursor: Cursor<RawDocumentBuf>,
    met: HashSet<Id>,
}

impl<'a> Walk<'a> {
    /// Over these points: forwards with 1, backwards with -1.
    pub(super) async fn start(
        mongo: &'a Mongo,
        operation: &'static str,
        points: Document,
        direction: i32,
    ) -> Result<Self> {
        let cursor = mongo
            .points
            .find(points)
            .sort(doc! { "timestamp": direction })
            .projection(doc! { "_id": 0, "base_id": 1, "timestamp": 1 })
            .await
            .map_err(mongo.fail(operation))?;
        Ok(Self { mongo, operation, cursor, met: HashSet::new() })
    }

    /// The ids of the next so many traces; fewer at the end, or where it is to stop.
    pub(super) async fn page(
        &mut self,
        size: usize,
        stop_at: impl Fn(Timestamp) -> bool,
    ) -> Result<Vec<String>> {
        let mut page = Vec::new();
        while page.len() < size && self.cursor.advance().await.map_err(self.mongo.fail(self.operation))? {
            let point = self.cursor.current();
            let (Ok(base_id), Ok(time)) = (point.get_str("base_id"), point.get_str("timestamp")) else {
                continue;
            };
            if Timestamp::parse(time).is_ok_and(&stop_at) {
                break;
            }
            if self.met.insert(base_id.into()) {
                page.push(base_id.to_owned());
            }
        }
        Ok(page)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_walk_looks_at_as_few_points_as_it_can() {
        let time = Timestamp::from_micros(0);
        let all = TraceFilter { until: Some(time), ..TraceFilter::default() };
        assert_eq!(
            points_to_meet(&all, false),
            doc! { "timestamp": { "$gte": "", "$lt": "1970-01-01T00:00:00.000000" } }
        );
        let both = TraceFilter { service: Some("api".into()), name: Some("db".into()), ..all };
        assert_eq!(points_to_meet(&both, false), doc! { "service": "api", "timestamp": { "$gte": "" } });
        let named = TraceFilter { service: None, since: Some(time), ..both };
        assert_eq!(
            points_to_meet(&named, false),
            doc! {
                "name": { "$in": ["db-start", "db-stop", "db"] },
                "timestamp": { "$gte": "1970-01-01T00:00:00.000000" },
            }
        );
        assert!(points_to_meet(&named, true).contains_key("info.etype"));
    }
}
