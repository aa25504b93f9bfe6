//! The points of a trace, from its rows.

use std::collections::{BTreeMap, HashSet};

use nephoscope_telemetry::{BadRecord, Id, Points, TracePoint};
use xxhash_rust::xxh3::xxh3_128;

use super::row::Row;

/// The text of a batch: how many pieces it has, and those that were met.
type Pieces = (i64, BTreeMap<i64, String>);

/// Rows of one trace, by when they were stored and their batch.
#[derive(Debug, Default)]
pub(super) struct Batches(BTreeMap<(i64, String), Pieces>);

impl Batches {
    /// Takes one more row, unless it is of another trace or somebody else's.
    pub(super) fn add(&mut self, base_id: &Id, row: Row) {
        let Row { base_id: Some(id), batch: Some(batch), piece: Some(piece), text: Some(text), .. } = row
        else {
            return;
        };
        if id == *base_id {
            let stored = row.stored.unwrap_or_default();
            let pieces = self.0.entry((stored, batch)).or_default();
            pieces.0 = row.pieces.unwrap_or(1);
            pieces.1.insert(piece, text);
        }
    }

    /// The points in the order in which they came, each once.
    pub(super) fn into_points(self) -> Points {
        let (mut points, mut seen) = (Points::default(), HashSet::new());
        for (count, pieces) in self.0.into_values() {
            let found = i64::try_from(pieces.len()).expect("memory holds fewer");
            if found < count {
                points.bad.push(BadRecord::whole(format!("has {found} of its {count} rows")));
                continue;
            }
            let text: String = pieces.into_values().collect();
            for line in text.lines().filter(|line| seen.insert(xxh3_128(line.as_bytes()))) {
                match TracePoint::from_json(line) {
                    Ok(point) => points.good.push(point),
                    Err(reason) => points.bad.push(reason),
                }
            }
        }
        points
    }
}
