//! Stores rows in batches.

use super::database::Database;
use super::error;
use super::row::{COLUMNS, Row};
use super::statement::{Statement, Value};

/// Rows of one `INSERT` where each value is a parameter. A power of two: what is left over goes in ever smaller ones,
/// so that ten statements, kept prepared, serve batches of all sizes. 9 × 512 parameters are far below the limits
/// of SQLite (32,766) and MySQL (65,535).
const MOST_ROWS: usize = 512;

/// How long the rows of one transaction are in sum: far more than a batch of usual points, far below the 1 GiB that
/// PostgreSQL takes as one parameter.
const MOST_BYTES: usize = 64 << 20;

/// Stores all rows, in their order and in one transaction unless they are very long. When the database refuses a
/// value, the rows are halved until those it refuses stand alone; they are left out, and what it said of them is returned.
pub(super) async fn store(database: &Database, packet: usize, rows: &[Row<'_>]) -> sqlx::Result<Vec<String>> {
    let mut refused = Vec::new();
    let mut parts: Vec<_> = parts(rows).collect();
    parts.reverse();
    while let Some(part) = parts.pop() {
        match insert(database, packet, part).await {
            Ok(()) => {}
            Err(error) if !error::refuses_value(&error) => return Err(error),
            Err(error) => match part {
                [row] => refused.push(format!("point {}: {}", row.trace_id(), error::told(&error))),
                _ => {
                    let (first, second) = part.split_at(part.len() / 2);
                    parts.extend([second, first]);
                }
            },
        }
    }
    Ok(refused)
}

async fn insert(database: &Database, packet: usize, rows: &[Row<'_>]) -> sqlx::Result<()> {
    match database {
        Database::Postgres(pool) => {
            let mut query = sqlx::query(INSERT_ARRAYS);
            for column in 0..COLUMNS.len() {
                query = query.bind(rows.iter().map(|row| row.value(column)).collect::<Vec<_>>());
            }
            query.execute(pool).await.map(|_| ())
        }
        Database::MySql(_) | Database::Sqlite(_) => database.execute(inserts(database, packet, rows)).await,
    }
}

/// For PostgreSQL: one parameter a column whatever the number of rows, and one statement, which is a transaction.
/// `COPY` is no faster than this, as the indexes take the time, and slower for small batches.
const INSERT_ARRAYS: &str = "INSERT INTO data \
    (timestamp, base_id, parent_id, trace_id, project, host, service, name, data) \
    SELECT timestamp, base_id, parent_id, trace_id, project, host, service, name, CAST(data AS JSON) \
    FROM UNNEST($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], \
    $9::text[]) \
    AS point (timestamp, base_id, parent_id, trace_id, project, host, service, name, data)";

fn inserts<'r>(
    database: &'r Database,
    packet: usize,
    rows: &'r [Row<'r>],
) -> impl Iterator<Item = Statement> + 'r {
    chunks(rows, packet).map(|chunk| insert_values(database, chunk))
}

fn insert_values(database: &Database, rows: &[Row<'_>]) -> Statement {
    let mut statement = database.statement("INSERT INTO data (").reused();
    statement.sql.push_str(&COLUMNS.join(", "));
    statement.sql.push_str(") VALUES ");
    for (at, row) in rows.iter().enumerate() {
        statement.sql.push_str(if at == 0 { "(?" } else { ", (?" });
        statement.sql.push_str(&", ?".repeat(COLUMNS.len() - 1));
        statement.sql.push(')');
        statement.values.extend(row.values().map(|value| Value::Text(value.map(Into::into))));
    }
    statement
}

/// Splits rows into transactions.
fn parts<'r, 'a>(rows: &'r [Row<'a>]) -> impl Iterator<Item = &'r [Row<'a>]> {
    split(rows, |rest| fitting(rest, MOST_BYTES))
}

/// Splits rows into powers of two that are no longer in sum than a packet; a longer row stands alone.
fn chunks<'r, 'a>(rows: &'r [Row<'a>], packet: usize) -> impl Iterator<Item = &'r [Row<'a>]> {
    split(rows, move |rest| 1 << fitting(rest, packet).min(MOST_ROWS).ilog2())
}

/// Takes slices off the front, as long as `count` says of the rest.
fn split<T>(rows: &[T], count: impl Fn(&[T]) -> usize) -> impl Iterator<Item = &[T]> {
    let mut rest = rows;
    std::iter::from_fn(move || {
        let (slice, after) = (!rest.is_empty()).then(|| rest.split_at(count(rest)))?;
        rest = after;
        Some(slice)
    })
}

/// How many rows from the front are no longer in sum than this; at least one.
fn fitting(rows: &[Row<'_>], most_bytes: usize) -> usize {
    let mut bytes = 0;
    let fitting = rows.iter().take_while(|row| {
        bytes += row.bytes();
        bytes <= most_bytes
    });
    fitting.count().max(1)
}

#[cfg(test)]
mod tests {
    use nephoscope_telemetry::{Id, Json, Timestamp, TracePoint};

    use super::*;
    use crate::sql::statement::Dialect;

    fn point(bytes: usize) -> TracePoint {
        let id = Id::new("b");
        let mut point = TracePoint::new("db-start", id.clone(), id.clone(), id, Timestamp::from_micros(0));
        point.info = Json::parse(&format!("{{\"x\": {}}}", Json::string(&"x".repeat(bytes)))).unwrap();
        point
    }

    fn sizes(points: &[TracePoint], packet: usize) -> Vec<usize> {
        let rows: Vec<_> = points.iter().map(|point| Row::of(point, Dialect::MySql).unwrap()).collect();
        chunks(&rows, packet).map(<[_]>::len).collect()
    }

    #[test]
    fn any_number_of_rows_is_split_into_powers_of_two() {
        let points = vec![point(1); 1300];
        assert_eq!(sizes(&points, 1 << 20), [512, 512, 256, 16, 4]);
        assert_eq!(sizes(&points[..1], 1 << 20), [1]);
        assert_eq!(sizes(&[], 1 << 20), [0; 0]);
    }

    #[test]
    fn a_chunk_is_no_longer_than_a_packet_unless_it_is_one_row() {
        let points = [point(600), point(600), point(5000), point(100), point(100), point(100)];
        assert_eq!(sizes(&points, 1000), [1, 1, 1, 2, 1]);
    }
}
