//! Traces in a SQL database, in the table of OSProfiler's `sqlalchemy` driver.
//!
//! | scheme | database |
//! |---|---|
//! | `postgresql`, `postgres`, `postgresql+psycopg2`, `+psycopg`, `+asyncpg` | PostgreSQL |
//! | `mysql`, `mysql+pymysql`, `+mysqldb`, `+mysqlconnector`, `mariadb`, `mariadb+pymysql` | MySQL or MariaDB |
//! | `sqlite`, `sqlite+pysqlite` | a SQLite file |
//!
//! The part behind `+` names a Python client and is read and ignored, so that one string serves both.
//!
//! ```text
//! postgresql://user:password@host:5432/database?sslmode=verify-full&sslrootcert=/etc/ssl/ca.pem
//! mysql+pymysql://user:password@host:3306/database?charset=utf8mb4
//! sqlite:////var/lib/traces.db        a file, made when missing; three slashes: relative to the working directory
//! sqlite://                           in the memory of this process, gone with the connection
//! ```
//!
//! The options are those of [`nephoscope_sql`]. `filter_error_trace` is taken and ignored: errors are found in the points,
//! records of them are not needed.
//!
//! # The table
//!
//! `data`, with an index on every column but the last one, is made when missing and taken as it is otherwise: what
//! OSProfiler wrote is read, and OSProfiler (with SQLAlchemy 1.4; it cannot use a later one) reads what is written
//! here. On MySQL a new table is `utf8mb4` whatever the database is; OSProfiler's own follows the database.
//!
//! - The column `data` is written as OSProfiler does, a JSON string that holds JSON; both that and plain JSON are read.
//! - `host` is that of the service (`info.host`); OSProfiler's driver stores the one that it was configured with.
//! - Fields that OSProfiler does not know stand in `data` beside `info`. So does a time that was not spelled as
//!   OSProfiler spells it: the column `timestamp` holds the same moment in the usual form, by which it is sorted.
//! - The table has no unique key, so a point that is stored twice is there twice. Reports count it once.
//! - On PostgreSQL and MySQL ids, names, projects and services have at most 255 characters, and on PostgreSQL none of
//!   them U+0000. A point beyond that is refused; the rest of its batch is stored.
//! - A point that somebody else stored without a time, or with one not of the usual form, belongs to its trace, but
//!   `list` may not find it in its place.
//! - Ids, names and services that differ in case, accents or trailing spaces are different, also on MySQL.
//!
//! Lists with a limit or a `since` walk the index on `timestamp` from the newest point down and stop there; a list of
//! all traces goes through the table once. In search of errors the `data` of each point on the way is looked at.

mod driver;
mod purge;
mod row;
mod search;
mod table;
mod write;

use std::sync::Arc;

use nephoscope_sql::Config;
use nephoscope_telemetry::{Connecting, ConnectionString, Driver};

use self::driver::Sql;

/// Connects to the database and makes sure of its table.
pub(crate) fn connect(to: &ConnectionString) -> Connecting<'_> {
    Box::pin(async move {
        to.flag("filter_error_trace")?;
        let driver = Sql::connect(Config::read(to, &["filter_error_trace"])?, to).await?;
        Ok(Arc::new(driver) as Arc<dyn Driver>)
    })
}

#[cfg(test)]
mod tests;
