//! Storing rows.

use nephoscope_telemetry::{Error, ErrorKind, Id, Result};

use super::part::Written;
use super::server::{Server, Taken};

const OPERATION: &str = "store trace points";
/// How long the body of a request is at most: InfluxDB 3 takes 10 MB unless told otherwise, 1.x 25 MB.
const MOST_BYTES: usize = 8_000_000;

/// What the server would not take.
#[derive(Debug, Default)]
pub(super) struct Refused {
    points: usize,
    /// What it said of the first.
    first: Option<String>,
}

/// Stores rows. When the server refuses some, the others are stored: it says how many but not always which, so a refused
/// request is halved until those it refuses stand alone. What was stored before is stored again in the same place.
pub(super) async fn store(server: &Server, rows: &[Written], refused: &mut Refused) -> Result<()> {
    let mut parts: Vec<_> = parts(rows).collect();
    parts.reverse();
    while let Some(part) = parts.pop() {
        match server.write(OPERATION, part).await? {
            Taken::All => {}
            Taken::None(reason) => refused.add(part, &reason),
            Taken::Some(reason) => match part {
                [_] => refused.add(part, &reason),
                _ => {
                    let (first, second) = part.split_at(part.len() / 2);
                    parts.extend([second, first]);
                }
            },
        }
    }
    Ok(())
}

impl Refused {
    fn add(&mut self, rows: &[Written], reason: &str) {
        self.points += rows.iter().map(|row| row.points).sum::<usize>();
        if let Some(row) = rows.first() {
            self.tell(&row.base_id, reason);
        }
    }

    /// Adds a point that was not even sent.
    pub(super) fn add_point(&mut self, base_id: &Id, reason: &str) {
        self.points += 1;
        self.tell(base_id, reason);
    }

    fn tell(&mut self, base_id: &Id, reason: &str) {
        self.first.get_or_insert_with(|| format!("of trace {base_id}: {reason}"));
    }

    /// The error of this many points, when there is one.
    pub(super) fn into_error(self, points: usize) -> Result<()> {
        let Some(first) = self.first else { return Ok(()) };
        let told = format!("{} of {points} points cannot be kept; the first is {first}", self.points);
        Err(Error::new(ErrorKind::Invalid, OPERATION, told))
    }
}

/// Splits rows into requests; a row that is longer stands alone.
fn parts(rows: &[Written]) -> impl Iterator<Item = &[Written]> {
    let mut rest = rows;
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let fitting = rest.iter().take_while(|row| {
            bytes += row.line.len() + 1;
            bytes <= MOST_BYTES
        });
        let count = fitting.count().max(1);
        let (part, after) = (!rest.is_empty()).then(|| rest.split_at(count))?;
        rest = after;
        Some(part)
    })
}
