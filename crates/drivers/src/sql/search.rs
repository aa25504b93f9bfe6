//! Finds traces by what is asked of them, newest first, a page at a time.

use std::collections::HashMap;

use nephoscope_sql::{Database, Dialect, Statement};
use nephoscope_telemetry::{Id, Timestamp, TraceFilter, TraceSummary};

use super::row;

/// Traces of one page: few enough to be held, enough for the round trip not to count.
const PAGE: usize = 1000;

/// Which traces to look for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Search<'a> {
    pub(super) filter: Option<&'a TraceFilter>,
    /// Only traces that hold something like an exception; whether it is one, only the points tell.
    pub(super) suspicious: bool,
    /// Only traces without a point of this time or later.
    pub(super) ended_before: Option<Timestamp>,
}

/// A place between two traces: those of an earlier time, or of the same time and a smaller row id, come after it.
#[derive(Clone, Debug)]
pub(super) struct Place {
    time: String,
    row: i64,
}

/// A trace as a page shows it.
pub(super) struct Found {
    pub(super) base_id: String,
    pub(super) points: i64,
    place: Place,
    name: Option<String>,
    service: Option<String>,
    project: Option<String>,
    latest: Option<String>,
}

type FoundRow = (String, String, String, Option<String>, Option<String>, Option<String>, Option<String>, i64);

impl Found {
    fn of((row, time, base_id, name, service, project, latest, points): FoundRow) -> Self {
        let place = Place { time, row: row.parse().unwrap_or_default() };
        Self { base_id, points, place, name, service, project, latest }
    }

    /// The place right behind it.
    pub(super) fn place(&self) -> Place {
        self.place.clone()
    }

    /// Nothing when the time of its earliest point is none.
    fn summary(self) -> Option<TraceSummary> {
        let time = Timestamp::parse(&self.place.time).ok()?;
        let latest = self.latest.and_then(|latest| Timestamp::parse(&latest).ok());
        let mut summary = TraceSummary::new(Id::new(&self.base_id), time);
        summary.name = self.name.map(|name| operation(&name).into());
        summary.service = self.service.map(Into::into);
        summary.project = self.project.map(Into::into);
        summary.duration = latest.map(|latest| {
            std::time::Duration::from_micros(
                u64::try_from(latest.as_micros() - time.as_micros()).unwrap_or(0),
            )
        });
        summary.points = u64::try_from(self.points).ok();
        Some(summary)
    }
}

/// As `TracePoint::operation`.
fn operation(name: &str) -> &str {
    name.strip_suffix("-start").or_else(|| name.strip_suffix("-stop")).unwrap_or(name)
}

/// The traces that a filter takes, in the order of a list.
pub(super) async fn list(
    database: &Database,
    filter: &TraceFilter,
    errors_only: bool,
) -> sqlx::Result<Vec<TraceSummary>> {
    let mut list = if errors_only || filter.limit.is_some() || filter.since.is_some() {
        newest(database, filter, errors_only).await?
    } else {
        let rows = database.fetch(whole_query(database.dialect(), filter)).await?;
        rows.into_iter().map(Found::of).filter_map(Found::summary).collect()
    };
    list.retain(|summary| filter.takes_summary(summary));
    filter.order(&mut list);
    Ok(list)
}

/// The newest traces, down to the limit and all of the time of the last one.
async fn newest(
    database: &Database,
    filter: &TraceFilter,
    errors_only: bool,
) -> sqlx::Result<Vec<TraceSummary>> {
    let search = Search { filter: Some(filter), suspicious: errors_only, ..Search::default() };
    let limit = filter.limit.unwrap_or(usize::MAX);
    // One more than the limit: only a trace of another time shows that none of the last time is missing.
    let all_count = !errors_only && filter.min_duration.is_none();
    let page_size = if all_count { limit.saturating_add(1).min(PAGE) } else { PAGE };
    let mut list: Vec<TraceSummary> = Vec::new();
    let mut place = None;
    loop {
        let page = page(database, search, place.as_ref(), page_size).await?;
        let is_last = page.len() < page_size;
        place = page.last().map(Found::place);
        let mut errors = if errors_only { count_errors(database, &page).await? } else { HashMap::new() };
        for mut summary in page.into_iter().filter_map(Found::summary) {
            if list.len() >= limit && list.last().is_some_and(|last| summary.timestamp < last.timestamp) {
                return Ok(list);
            }
            summary.errors = errors.remove(&summary.base_id);
            if filter.takes_summary(&summary) && (!errors_only || summary.errors.is_some()) {
                list.push(summary);
            }
        }
        if is_last {
            return Ok(list);
        }
    }
}

/// The traces that come after a place, newest first; fewer than `size` only at the end.
pub(super) async fn page(
    database: &Database,
    search: Search<'_>,
    after: Option<&Place>,
    size: usize,
) -> sqlx::Result<Vec<Found>> {
    let rows = database.fetch(page_query(database.dialect(), search, after, size)).await?;
    Ok(rows.into_iter().map(Found::of).collect())
}

/// The columns of the earliest point of a trace.
const FIRST_POINT: &str = "f.id, f.timestamp, f.base_id, f.name, f.service, f.project";

/// The earliest point of each trace (`f`), and what all its points (`l`) say together.
///
/// The inner query walks the index on `timestamp` from the place down. A row counts when its trace has no earlier one,
/// which the index on `base_id` tells; so a trace is met once, at its beginning.
fn page_query(dialect: Dialect, search: Search<'_>, after: Option<&Place>, size: usize) -> Statement {
    let mut query = Statement::new(dialect, "SELECT ")
        .push(&dialect.text("f.id"))
        .push(", f.timestamp, f.base_id, f.name, f.service, f.project, max(l.timestamp), count(*) FROM (SELECT ")
        .push(FIRST_POINT)
        .push(" FROM data f");
    let mut earlier = format!("(e.timestamp < f.timestamp OR ({AHEAD}))");
    if search.suspicious {
        // One search through the table for the suspects (`s`) is faster than one through each trace.
        query = query.push(" JOIN (SELECT DISTINCT base_id FROM data WHERE ").push(suspicious(dialect));
        query = query.push(") s ON s.base_id = f.base_id");
        // Says nothing new, but keeps MariaDB from looking for the earlier points of others.
        earlier.push_str(" AND e.base_id = s.base_id");
    }
    within(conditions(query.push(" WHERE "), search, &earlier), search, after)
        .push(" ORDER BY f.timestamp DESC, f.id DESC LIMIT ")
        .bind(i64::try_from(size).unwrap_or(i64::MAX))
        .push(") f JOIN data l ON ")
        .push(&same_trace(dialect, "l", "f"))
        .push(" GROUP BY ")
        .push(FIRST_POINT)
        .push(" ORDER BY f.timestamp DESC, f.id DESC")
}

/// As [`page_query`] for all traces at once: going through the whole table in its order beats the index then.
fn whole_query(dialect: Dialect, filter: &TraceFilter) -> Statement {
    let search = Search { filter: Some(filter), ..Search::default() };
    let query = Statement::new(dialect, "SELECT ")
        .push(&dialect.text("f.id"))
        .push(", f.timestamp, f.base_id, f.name, f.service, f.project, g.latest, g.points FROM (")
        .push("SELECT min(base_id) AS base_id, min(timestamp) AS earliest, max(timestamp) AS latest, ")
        .push("count(*) AS points FROM data GROUP BY ")
        .push(&dialect.exact("base_id"))
        .push(") g JOIN data f ON f.timestamp = g.earliest AND ")
        .push(&same_trace(dialect, "f", "g"))
        .push(" WHERE ");
    within(conditions(query, search, AHEAD), search, None)
}

/// What a row `f` has to be: the earliest of its trace, with no `e` that is `earlier`, and of a trace looked for.
fn conditions(query: Statement, search: Search<'_>, earlier: &str) -> Statement {
    let dialect = query.dialect;
    let of_trace = |other| same_trace(dialect, other, "f");
    let mut query = query.push("NOT EXISTS (SELECT 1 FROM data e WHERE ").push(&of_trace("e"));
    query = query.push(" AND ").push(earlier).push(")");
    if let Some(end) = search.ended_before {
        query = query.push(" AND NOT EXISTS (SELECT 1 FROM data n WHERE ").push(&of_trace("n"));
        query = query.push(" AND n.timestamp >= ").bind(end.to_string()).push(")");
    }
    let has_point = format!(" AND EXISTS (SELECT 1 FROM data x WHERE {} AND ", of_trace("x"));
    if let Some(service) = search.filter.and_then(|filter| filter.service.as_deref()) {
        query = query.push(&has_point).push(&dialect.exact("x.service")).push(" = ").bind(service).push(")");
    }
    if let Some(name) = search.filter.and_then(|filter| filter.name.as_deref()) {
        query = query.push(&has_point).push(&dialect.exact("x.name")).push(" IN (");
        query = query.bind(format!("{name}-start")).push(", ").bind(format!("{name}-stop"));
        if operation(name) == name {
            query = query.push(", ").bind(name);
        }
        query = query.push("))");
    }
    query
}

/// Whether `e` is before `f` of the same time: a start before a stop, then in the order in which they were stored.
const AHEAD: &str = "e.timestamp = f.timestamp AND \
    (CASE WHEN e.name LIKE '%stop' THEN 1 ELSE 0 END < CASE WHEN f.name LIKE '%stop' THEN 1 ELSE 0 END \
    OR (CASE WHEN e.name LIKE '%stop' THEN 1 ELSE 0 END = CASE WHEN f.name LIKE '%stop' THEN 1 ELSE 0 END \
    AND e.id < f.id))";

/// The bounds in time, all of them on the index: times are text of one form, so text order is their order.
fn within(query: Statement, search: Search<'_>, after: Option<&Place>) -> Statement {
    let since = search.filter.and_then(|filter| filter.since);
    let until = search.filter.and_then(|filter| filter.until).or(search.ended_before);
    let mut query = query.push(" AND f.timestamp >= ").bind(since.unwrap_or(FIRST).to_string());
    if let Some(until) = until {
        query = query.push(" AND f.timestamp < ").bind(until.to_string());
    }
    if let Some(Place { time, row }) = after {
        query = query.push(" AND f.timestamp <= ").bind(time.as_str());
        query =
            query.push(" AND (f.timestamp < ").bind(time.as_str()).push(" OR f.id < ").bind(*row).push(")");
    }
    query
}

/// The earliest time that can be written.
const FIRST: Timestamp = Timestamp::from_micros(i64::MIN);

/// Whether two rows, given by their aliases, belong to one trace. The index on `base_id` serves it; on MySQL it
/// finds more than that.
fn same_trace(dialect: Dialect, one: &str, other: &str) -> String {
    let (one, other) = (format!("{one}.base_id"), format!("{other}.base_id"));
    match dialect {
        Dialect::MySql => {
            format!("{one} = {other} AND {} = {}", dialect.exact(&one), dialect.exact(&other))
        }
        Dialect::Postgres | Dialect::Sqlite => format!("{one} = {other}"),
    }
}

/// Whether `data` could hold the key `etype`, in either encoding.
fn suspicious(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Postgres => "CAST(data AS TEXT) LIKE '%etype%'",
        Dialect::MySql | Dialect::Sqlite => "data LIKE '%etype%'",
    }
}

/// How many points with an exception each trace of a page has; those without one are not in it.
async fn count_errors(database: &Database, page: &[Found]) -> sqlx::Result<HashMap<Id, u64>> {
    let mut errors = HashMap::new();
    if page.is_empty() {
        return Ok(errors);
    }
    let mut query = database.statement(&row::select(database.dialect())).push(" WHERE base_id IN (");
    for (at, found) in page.iter().enumerate() {
        query = query.push(if at == 0 { "" } else { ", " }).bind(found.base_id.as_str());
    }
    query = query.push(") AND ").push(suspicious(database.dialect()));
    for row in database.fetch(query).await? {
        if let Ok(point) = row::point(row)
            && point.is_error()
        {
            *errors.entry(point.base_id).or_insert(0) += 1;
        }
    }
    Ok(errors)
}
