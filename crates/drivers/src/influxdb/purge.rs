//! Deleting old traces.
//!
//! InfluxDB deletes by time and tag only. So the rows of all traces are looked at, their points left where they are, and
//! what stands between two rows that stay goes at once.

use std::collections::{HashMap, HashSet};

use nephoscope_telemetry::{Id, Result, Timestamp};

use super::line::Line;
use super::part::Written;
use super::question::{Columns, Question};
use super::row::{MEASUREMENT, Row};
use super::server::Server;
use super::write::{self, Refused};
use super::{place, word};

const OPERATION: &str = "delete old traces";

/// What is known of the rows.
#[derive(Debug, Default)]
struct Rows {
    /// Whose rows stand where.
    standing: Vec<(i64, Id)>,
    /// When each trace ended.
    ends: HashMap<Id, Timestamp>,
}

/// Deletes the traces that ended before this time, and returns how many. A row of as old a time that comes in meanwhile
/// may go with them.
pub(super) async fn purge(server: &Server, older_than: Timestamp) -> Result<u64> {
    if !server.deletes() {
        return server.delete(OPERATION, None, 0, 0).await.map(|()| 0);
    }
    let mut rows = Rows::default();
    let take = |row: Row| {
        let (Some(time), Some(id)) = (row.time, row.base_id) else { return };
        if let Some(end) = row.end {
            rows.ends.entry(id.clone()).and_modify(|known| *known = end.max(*known)).or_insert(end);
        }
        rows.standing.push((time, id));
    };
    server.ask(OPERATION, &Question::new(Columns::Ends), take).await?;
    let old: HashSet<Id> =
        rows.ends.into_iter().filter(|(_, end)| *end < older_than).map(|(id, _)| id).collect();
    if old.is_empty() {
        return Ok(0);
    }
    let staying = rows.standing.iter().filter(|(_, id)| !old.contains(id)).cloned().collect();
    let deleted = delete(server, &ranges(rows.standing, &old)).await;
    if server.hides() {
        bring_back(server, staying).await?;
    }
    deleted.map(|()| old.len() as u64)
}

async fn delete(server: &Server, ranges: &[(Option<String>, i64, i64)]) -> Result<()> {
    for (bucket, from, to) in ranges {
        server.delete(OPERATION, bucket.as_deref(), *from, *to).await?;
    }
    Ok(())
}

/// Shows rows again that the server hid with those that it deleted.
///
/// InfluxDB 1.x, asked to delete some times while it writes its cache to disk, takes all series out of its index whose
/// rows it is writing (seen on 1.6.7). The rows are there, on disk, and are found again once something is written at
/// their place: the field that they have already.
async fn bring_back(server: &Server, staying: HashSet<(i64, Id)>) -> Result<()> {
    let mut hidden = staying;
    let see = |row: Row| {
        if let (Some(time), Some(id)) = (row.time, row.base_id) {
            hidden.remove(&(time, id));
        }
    };
    server.ask(OPERATION, &Question::new(Columns::Ends), see).await?;
    let rows: Vec<_> = hidden.into_iter().map(|(time, base_id)| again(time, base_id)).collect();
    if !rows.is_empty() {
        tracing::warn!(
            rows = rows.len(),
            "InfluxDB hid rows that were not to be deleted; showing them again"
        );
    }
    // What it refuses has expired meanwhile.
    write::store(server, &rows, &mut Refused::default()).await
}

/// What makes a row seen again and changes nothing in it.
fn again(time: i64, base_id: Id) -> Written {
    let mut line = Line::new(MEASUREMENT, ("bucket", &place::bucket(&base_id)), 0);
    base_id.with_str(|text| line.text("base_id", &word::encode(Some(text))));
    Written { line: line.at(time), base_id, points: 0 }
}

/// The times to delete, with the bucket where rows of another one stay at the same time.
fn ranges(mut standing: Vec<(i64, Id)>, old: &HashSet<Id>) -> Vec<(Option<String>, i64, i64)> {
    standing.sort_unstable_by_key(|(time, _)| *time);
    let mut ranges: Vec<(Option<String>, i64, i64)> = Vec::new();
    let mut run: Option<(i64, i64)> = None;
    for rows in standing.chunk_by(|one, other| one.0 == other.0) {
        let time = rows[0].0;
        let goes = |(_, id): &&(i64, Id)| old.contains(id);
        if rows.iter().all(|row| goes(&row)) {
            run = Some((run.map_or(time, |(from, _)| from), time));
            continue;
        }
        ranges.extend(run.take().map(|(from, to)| (None, from, to)));
        ranges.extend(rows.iter().filter(goes).map(|(_, id)| (Some(place::bucket(id)), time, time)));
    }
    ranges.extend(run.map(|(from, to)| (None, from, to)));
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stays_bounds_what_goes() {
        let (old, new) = (Id::new("old"), Id::new("new"));
        let row = |time, id: &Id| (time, id.clone());
        let standing = vec![
            row(5, &old),
            row(1, &old),
            row(3, &new),
            row(2, &old),
            row(7, &new),
            row(7, &old),
            row(9, &old),
        ];
        let bucket = Some(place::bucket(&old));
        let expected = [(None, 1, 2), (None, 5, 5), (bucket, 7, 7), (None, 9, 9)];
        assert_eq!(ranges(standing, &HashSet::from([old])), expected);
    }
}
