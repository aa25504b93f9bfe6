//! Deletes traces that ended before a time.

use nephoscope_sql::{Database, Statement};
use nephoscope_telemetry::Timestamp;

use super::search::{self, Found, Search};

/// Points deleted in one transaction, except that a trace is deleted whole: short enough not to hold others up.
const POINTS: i64 = 10_000;
/// Traces that are looked up at a time.
const PAGE: usize = 1000;

/// Deletes the traces whose latest point is before this time, and returns how many. Each is deleted whole or not at
/// all; a point of this time or later that comes in meanwhile stays.
pub(super) async fn purge(database: &Database, older_than: Timestamp) -> sqlx::Result<u64> {
    let search = Search { ended_before: Some(older_than), ..Search::default() };
    let mut purged = 0;
    let mut place = None;
    loop {
        let page = search::page(database, search, place.as_ref(), PAGE).await?;
        place = page.last().map(Found::place);
        let mut rest = page.as_slice();
        while !rest.is_empty() {
            let (part, after) = rest.split_at(part(rest));
            database.execute(deletes(database, part, older_than)).await?;
            purged += part.len() as u64;
            rest = after;
        }
        if page.len() < PAGE {
            return Ok(purged);
        }
    }
}

/// How many traces from the front go into one transaction.
fn part(traces: &[Found]) -> usize {
    let mut points = 0;
    let fitting = traces.iter().take_while(|found| {
        points += found.points;
        points <= POINTS
    });
    fitting.count().max(1)
}

fn deletes<'d>(
    database: &'d Database,
    traces: &'d [Found],
    older_than: Timestamp,
) -> impl Iterator<Item = Statement> + 'd {
    traces.iter().map(move |found| delete(database, found, older_than))
}

fn delete(database: &Database, found: &Found, older_than: Timestamp) -> Statement {
    let exact = database.dialect().exact("base_id");
    let statement =
        database.statement("DELETE FROM data WHERE base_id = ").reused().bind(found.base_id.as_str());
    let statement = statement.push(" AND ").push(&exact).push(" = ").bind(found.base_id.as_str());
    statement.push(" AND timestamp < ").bind(older_than.to_string())
}
