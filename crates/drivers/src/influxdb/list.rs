//! Lists of traces.
//!
//! A row stands at the second in which what it tells begins, so the newest traces are found by going back in time. A row
//! found there may be a later batch of a trace that began long before: what its other rows say is asked for each trace
//! that is met, in its bucket alone.

use std::collections::HashSet;

use nephoscope_telemetry::{Id, Result, TraceFilter, TraceSummary};

use super::place::{self, WITHIN};
use super::question::{Columns, Question};
use super::server::Server;
use super::summary::Summaries;

/// Rows that are looked at for each trace that is wanted: more than most traces have.
const ROWS: usize = 4;
/// The fewest and the most rows that are looked at in one go.
const LEAST: usize = 100;
const MOST: usize = 1000;
/// Traces whose rows are asked for in one statement.
const TRACES: usize = 100;

/// The traces that a filter takes, newest first.
pub(super) async fn list(server: &Server, filter: &TraceFilter, errors: bool) -> Result<Vec<TraceSummary>> {
    const OPERATION: &str = "list traces";
    if filter.limit == Some(0) {
        return Ok(Vec::new());
    }
    let narrowed = errors || filter.needs_points() || filter.since.is_some() || filter.limit.is_some();
    let mut list = if narrowed {
        newest(OPERATION, server, filter, errors).await?
    } else {
        let mut summaries = Summaries::default();
        server.ask(OPERATION, &Question::new(Columns::Summary), |row| summaries.add(row)).await?;
        summaries.into_lines(filter, errors).collect()
    };
    filter.order(&mut list);
    Ok(list)
}

/// The newest traces, as many as the limit and some more.
async fn newest(
    operation: &'static str,
    server: &Server,
    filter: &TraceFilter,
    errors: bool,
) -> Result<Vec<TraceSummary>> {
    let limit = filter.limit.unwrap_or(usize::MAX);
    let mut size = limit.saturating_mul(ROWS).clamp(LEAST, MOST);
    let mut question = Question {
        from: filter.since.map(place::second),
        to: filter.until.map(|time| place::second(time) + WITHIN),
        name: filter.name.as_deref(),
        service: filter.service.as_deref(),
        errors,
        ..Question::new(Columns::Ends)
    };
    let (mut list, mut met) = (Vec::<TraceSummary>::new(), HashSet::<Id>::new());
    loop {
        question.newest = Some(size);
        let (mut fresh, mut rows, mut last) = (Vec::new(), 0, i64::MAX);
        let take = |row: super::row::Row| {
            rows += 1;
            last = row.time.map_or(last, |time| time.min(last));
            fresh.extend(row.base_id.filter(|id| met.insert(id.clone())));
        };
        server.ask(operation, &question, take).await?;
        for traces in fresh.chunks(TRACES) {
            let mut summaries = Summaries::default();
            let question = Question::new(Columns::Summary).of(traces);
            server.ask(operation, &question, |row| summaries.add(row)).await?;
            list.extend(summaries.into_lines(filter, errors));
        }
        // Whoever begins in a later second than that of the last row has been met; of its own second some are missing.
        let complete = list.iter().filter(|line| place::second(line.timestamp) > last).count();
        if rows < size || complete >= limit {
            return Ok(list);
        }
        if question.to == Some(last) {
            // All rows stand at one time: only a longer page goes on.
            size *= 2;
        }
        question.to = Some(last);
    }
}
