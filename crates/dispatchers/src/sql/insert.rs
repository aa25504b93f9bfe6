//! Rows as a statement.

use nephoscope_sql::{Database, Dialect, Statement};

use super::row::Line;
use super::schema::Table;

/// Inserts rows, but for those that are there.
pub(super) fn insert(database: &Database, table: &Table, rows: &[Line<'_>]) -> Statement {
    let dialect = database.dialect();
    let into = format!("INSERT INTO {} ({}) VALUES ", table.name, table.column_names());
    let mut statement = database.statement(&into).reused();
    for (at, row) in rows.iter().enumerate() {
        statement = statement.push(if at == 0 { "(" } else { ", (" });
        for (at, (column, value)) in table.columns.iter().zip(row.0).enumerate() {
            statement = statement.push(if at == 0 { "" } else { ", " });
            statement = match column.kind.cast(dialect) {
                Some(kind) => statement.push("CAST(").bind(value.clone()).push(" AS ").push(kind).push(")"),
                None => statement.bind(value.clone()),
            };
        }
        statement = statement.push(")");
    }
    // Of MySQL's ways only this one is about the key alone: its `INSERT IGNORE` would also bend values until they fit.
    statement.push(&unless_there(dialect, "message_id = message_id"))
}

/// What follows the rows of an `INSERT` so that one whose key is there changes nothing; `same` sets a column of the
/// key to what it is.
pub(super) fn unless_there(dialect: Dialect, same: &'static str) -> String {
    match dialect {
        Dialect::Postgres | Dialect::Sqlite => " ON CONFLICT DO NOTHING".to_owned(),
        Dialect::MySql => format!(" ON DUPLICATE KEY UPDATE {same}"),
    }
}
