//! The table `data`, as OSProfiler's driver makes it with SQLAlchemy 1.4.

use nephoscope_sql::{Database, Dialect, misses_table};

use super::row::COLUMNS;

/// Makes sure that the table is there with its columns, and creates it when it is missing.
pub(super) async fn prepare(database: &Database) -> sqlx::Result<()> {
    let Err(missing) = check(database).await else { return Ok(()) };
    if !misses_table(&missing) {
        return Err(missing);
    }
    let created = database.execute(definition(database.dialect()).map(|sql| database.statement(&sql))).await;
    // Someone else may have created it at the same time, so what counts is whether it is there now.
    match check(database).await {
        Ok(()) => Ok(()),
        Err(error) => created.and(Err(error)),
    }
}

/// Reads all columns of no row.
async fn check(database: &Database) -> sqlx::Result<()> {
    let query = format!("SELECT id, {} FROM data WHERE 1 = 0", COLUMNS.join(", "));
    database.execute([database.statement(&query)]).await
}

/// The columns that have an index: all but the last, `data`.
fn indexed() -> &'static [&'static str] {
    &COLUMNS[..COLUMNS.len() - 1]
}

fn definition(dialect: Dialect) -> impl Iterator<Item = String> {
    let id = match dialect {
        Dialect::Postgres => "SERIAL",
        Dialect::MySql => "INTEGER NOT NULL AUTO_INCREMENT",
        Dialect::Sqlite => "INTEGER NOT NULL",
    };
    let mut table = format!("CREATE TABLE data (id {id}");
    for column in COLUMNS {
        let kind = match column {
            "timestamp" => "VARCHAR(26)",
            "data" => "JSON",
            _ => "VARCHAR(255)",
        };
        table.push_str(&format!(", {column} {kind}"));
    }
    table.push_str(", PRIMARY KEY (id)");
    // MySQL commits after each such statement: only as part of the table are the indexes there with it.
    let inline = dialect == Dialect::MySql;
    if inline {
        for column in indexed() {
            table.push_str(&format!(", KEY ix_data_{column} ({column})"));
        }
    }
    table.push_str(if inline { ") DEFAULT CHARACTER SET utf8mb4" } else { ")" });
    let indexes = indexed().iter().filter(move |_| !inline);
    let indexes = indexes.map(|column| format!("CREATE INDEX ix_data_{column} ON data ({column})"));
    std::iter::once(table).chain(indexes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dialect_has_an_index_on_all_columns_but_the_last() {
        for (dialect, statements) in [(Dialect::Postgres, 9), (Dialect::Sqlite, 9), (Dialect::MySql, 1)] {
            let definition: Vec<_> = definition(dialect).collect();
            assert_eq!(definition.len(), statements);
            assert_eq!(definition.concat().matches("ix_data_").count(), 8, "{definition:?}");
            assert!(!definition.concat().contains("ix_data_data"));
        }
    }
}
