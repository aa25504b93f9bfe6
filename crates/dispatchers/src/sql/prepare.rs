//! Makes sure that the tables are there, and ours.

use nephoscope_sql::{Database, Place, Statement, misses_table};
use nephoscope_telemetry::{Error, ErrorKind, Result};

use super::insert::unless_there;
use super::schema::{TABLES, Table, VERSION, VERSIONS};

const OPERATION: &str = "make the tables";

/// Makes the tables when they are missing, and refuses those of others and of later versions.
pub(super) async fn prepare(database: &Database, place: &Place) -> Result<()> {
    let fail = |error: sqlx::Error| whole(place.failure(OPERATION, &error));
    if is_there(database, place).await? {
        return Ok(());
    }
    // What somebody else made is found before anything is made beside it.
    for table in TABLES {
        match check(database, table).await {
            Err(error) if !misses_table(&error) => return Err(fail(error)),
            _ => {}
        }
    }
    let made = database.execute(definition(database)).await;
    // Someone else may have made them at the same time, so what counts is whether they are there now.
    match made {
        Err(_) if is_there(database, place).await? => Ok(()),
        made => made.map_err(fail),
    }
}

/// Whether they are there, of this version.
async fn is_there(database: &Database, place: &Place) -> Result<bool> {
    let query = database.statement("SELECT version FROM nephoscope_schema ORDER BY version DESC LIMIT 1");
    let versions: Vec<(i64,)> = match database.fetch(query).await {
        Err(error) if misses_table(&error) => return Ok(false),
        versions => versions.map_err(|error| place.failure(OPERATION, &error))?,
    };
    match versions.first() {
        None => Ok(false),
        Some((VERSION,)) => Ok(true),
        Some((other,)) => {
            let problem = format!(
                "{place}: its tables are of version {other}, and this Nephoscope knows {VERSION}; \
                take a later one, or name another database"
            );
            Err(Error::new(ErrorKind::Config, OPERATION, problem))
        }
    }
}

/// Reads all columns of no row.
async fn check(database: &Database, table: &Table) -> sqlx::Result<()> {
    let query = format!("SELECT {} FROM {} WHERE 1 = 0", table.column_names(), table.name);
    database.execute([database.statement(&query)]).await
}

/// The statements that make what is missing. The version comes last: once it is there, everything is.
fn definition(database: &Database) -> Vec<Statement> {
    let dialect = database.dialect();
    let tables = TABLES.iter().flat_map(|table| table.definition(dialect));
    let remember = format!("INSERT INTO nephoscope_schema (version) VALUES ({VERSION})");
    let remember = remember + &unless_there(dialect, "version = version");
    let all = tables.chain([VERSIONS.to_owned(), remember]);
    all.map(|sql| database.statement(&sql)).collect()
}

/// No sample is to blame when there are no tables.
fn whole(error: Error) -> Error {
    if error.kind() != ErrorKind::Invalid {
        return error;
    }
    let other = Error::new(ErrorKind::Other, OPERATION, error.message());
    match error.into_source() {
        Some(source) => other.with_source(source),
        None => other,
    }
}
