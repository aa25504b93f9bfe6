//! Stores rows in batches.

use nephoscope_sql::{Database, Statement, Transactions, Value, chunks, refuses_value, told};

use super::row::{COLUMNS, Row};

/// Stores all rows, in their order and in one transaction unless they are very long. When the database refuses a
/// value, the rows are halved until those it refuses stand alone; they are left out, and what it said of them is returned.
pub(super) async fn store(database: &Database, packet: usize, rows: &[Row<'_>]) -> sqlx::Result<Vec<String>> {
    let mut refused = Vec::new();
    let mut transactions = Transactions::of(rows);
    while let Some(part) = transactions.next() {
        match insert(database, packet, part).await {
            Ok(()) => {}
            Err(error) if !refuses_value(&error) => return Err(error),
            Err(error) => {
                let refuse = |row: &Row<'_>| format!("point {}: {}", row.trace_id(), told(&error));
                refused.extend(transactions.halve(part).map(refuse));
            }
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
