//! Deleting old traces.
//!
//! InfluxDB deletes by time and tag only. So the rows of all traces are looked at, their points left where they are, and
//! what stands between two rows that stay goes at once.

use std::collections::{HashMap, HashSet};

use nephoscope_telemetry::{Id, Result, Timestamp};

use super::place;
use super::question::{Columns, Question};
use super::server::Server;

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
    let take = |row: super::row::Row| {
        let (Some(time), Some(id)) = (row.time, row.base_id) else { return };
        if let Some(end) = row.end {
            rows.ends.entry(id.clone()).and_modify(|known| *known = end.max(*known)).or_insert(end);
        }
        rows.standing.push((time, id));
    };
    server.ask(OPERATION, &Question::new(Columns::Ends), take).await?;
    let old: HashSet<Id> =
        rows.ends.into_iter().filter(|(_, end)| *end < older_than).map(|(id, _)| id).collect();
    for (bucket, from, to) in ranges(rows.standing, &old) {
        server.delete(OPERATION, bucket.as_deref(), from, to).await?;
    }
    Ok(old.len() as u64)
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
