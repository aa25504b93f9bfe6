//! Lists: from the newest hour down, in steps that grow, so that the newest traces are found among few.

use std::time::Duration;

use nephoscope_telemetry::{Id, Result, Timestamp, TraceFilter, TraceSummary};
use smol_str::SmolStr;

use super::binary::Reader;
use super::server::{Query, Server};

const MICROS_PER_HOUR: i64 = 3_600_000_000;
/// How many hours are looked at first.
const FIRST_STEP: i32 = 1;
/// How many times as many hours each further step looks at: all of time is reached in a few.
const GROWTH: i32 = 16;

/// Which traces are looked for.
#[derive(Clone, Copy)]
pub(super) struct Search<'a> {
    pub(super) operation: &'static str,
    pub(super) filter: &'a TraceFilter,
    /// Only those with an exception.
    pub(super) errors: bool,
}

/// The traces that a search finds.
pub(super) async fn list(server: &Server, search: Search<'_>) -> Result<Vec<TraceSummary>> {
    let filter = search.filter;
    let since = filter.since.map(hour);
    let Some(limit) = filter.limit else { return Ok(page(server, search, since).await?.found) };
    let Some((oldest, newest)) = span(server, search.operation).await? else { return Ok(Vec::new()) };
    let newest = filter.until.map_or(newest, |until| hour(until).min(newest));
    let mut hours = FIRST_STEP;
    loop {
        let from = newest.saturating_sub(hours - 1).max(oldest);
        let Page { found, cut } = page(server, search, Some(from)).await?;
        let all = since.is_some_and(|since| from <= since) && !cut;
        if found.len() >= limit || all || from <= oldest {
            return Ok(found);
        }
        hours = hours.saturating_mul(GROWTH);
    }
}

/// The hour since 1970, as the column `hour` has it: rounded towards 1970.
fn hour(time: Timestamp) -> i32 {
    let hours = time.as_micros() / MICROS_PER_HOUR;
    i32::try_from(hours).expect("no time that can be written has more than eight digits of hours")
}

/// The first and the last hour with points.
async fn span(server: &Server, operation: &'static str) -> Result<Option<(i32, i32)>> {
    let query = Query::select("min(hour), max(hour) FROM trace_summaries HAVING count() > 0");
    let mut span = server.ask_all(operation, query, |row| Some((row.i32()?, row.i32()?))).await?;
    Ok(span.pop())
}

/// What is found when nothing before some hour is looked at.
struct Page {
    /// Traces that began since.
    found: Vec<TraceSummary>,
    /// Whether the limit cut it off. Traces that began before are within the limit, and not found.
    cut: bool,
}

async fn page(server: &Server, search: Search<'_>, from: Option<i32>) -> Result<Page> {
    let rows = server.ask_all(search.operation, query(search, from), Row::read).await?;
    let cut = search.filter.limit.is_some_and(|limit| rows.len() >= limit);
    let whole = rows.into_iter().filter(Row::is_whole);
    let mut found = whole.map(|row| row.summary).collect();
    search.filter.order(&mut found);
    Ok(Page { found, cut })
}

/// The query of a [`page`]. Points and errors are counted without those stored twice, which the server may not have
/// merged yet.
fn query(search: Search<'_>, from: Option<i32>) -> Query {
    let Search { filter, errors, .. } = search;
    let mut query = Query::select(
        "page.base_id, toUnixTimestamp64Micro(begun), toUnixTimestamp64Micro(ended), \
         first_point.1, first_point.2, first_point.3, points, errors, toUnixTimestamp64Micro(earliest) \
         FROM page LEFT JOIN (SELECT base_id, min(timestamp) AS earliest, uniqExact(timestamp, hash) AS points, \
         uniqExactIf(timestamp, hash, error) AS errors FROM trace_points \
         WHERE base_id IN (SELECT base_id FROM page) GROUP BY base_id) AS counted ON counted.base_id = page.base_id",
    );
    let mut rows = "hour >= {from:Int32}".to_owned();
    query = query.number("param_from", from.unwrap_or(i32::MIN).into());
    let mut traces = "true".to_owned();
    if let Some(since) = filter.since {
        traces += " AND toUnixTimestamp64Micro(begun) >= {since:Int64}";
        query = query.number("param_since", since.as_micros());
    }
    if let Some(until) = filter.until {
        rows += " AND base_id IN (SELECT base_id FROM trace_summaries \
                 WHERE hour >= {from:Int32} AND hour <= {until_hour:Int32})";
        traces += " AND toUnixTimestamp64Micro(begun) < {until:Int64}";
        query = query.number("param_until_hour", hour(until).into()).number("param_until", until.as_micros());
    }
    if let Some(least) = filter.min_duration {
        traces += " AND toUnixTimestamp64Micro(ended) - toUnixTimestamp64Micro(begun) >= {least:Int64}";
        query = query.number("param_least", i64::try_from(least.as_micros()).unwrap_or(i64::MAX));
    }
    if let Some(name) = &filter.name {
        traces += " AND max(has(operations, unhex({name:String})))";
        query = query.text("param_name", name);
    }
    if let Some(service) = &filter.service {
        traces += " AND max(has(services, unhex({service:String})))";
        query = query.text("param_service", service);
    }
    if errors {
        traces += " AND max(error)";
    }
    let mut page = format!(
        "SELECT base_id, min(first) AS begun, max(last) AS ended, argMinMerge(first_point) AS first_point \
         FROM trace_summaries WHERE {rows} GROUP BY base_id HAVING {traces}"
    );
    if let Some(limit) = filter.limit {
        page += " ORDER BY begun DESC, base_id LIMIT {limit:UInt64}";
        query = query.number("param_limit", i64::try_from(limit).unwrap_or(i64::MAX));
    }
    query.with("page", &page)
}

/// A row of the answer.
struct Row {
    /// As the hours that were looked at tell it.
    summary: TraceSummary,
    /// Of all its points.
    earliest: Timestamp,
}

impl Row {
    fn read(row: &mut Reader<'_>) -> Option<Self> {
        let word = |bytes: &[u8]| SmolStr::from(String::from_utf8_lossy(bytes));
        let base_id = Id::new(&String::from_utf8_lossy(row.text()?));
        let (begun, ended) = (row.i64()?, row.i64()?);
        let lasted = u64::try_from(ended.saturating_sub(begun)).unwrap_or(0);
        let summary = TraceSummary {
            name: Some(word(row.text()?)),
            service: row.nullable()?.map(word),
            project: row.nullable()?.map(word),
            duration: Some(Duration::from_micros(lasted)),
            points: Some(row.u64()?),
            errors: Some(row.u64()?),
            ..TraceSummary::new(base_id, Timestamp::from_micros(begun))
        };
        Some(Self { summary, earliest: Timestamp::from_micros(row.i64()?) })
    }

    /// Whether nothing of it was before the hours that were looked at. One without points has just been deleted.
    fn is_whole(&self) -> bool {
        self.summary.points != Some(0) && self.earliest >= self.summary.timestamp
    }
}
