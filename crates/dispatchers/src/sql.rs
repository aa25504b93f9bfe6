//! `sqlite://`, `postgresql://` and `mysql://`: samples and events become rows of tables, to be queried with SQL.
//!
//! The schemes, and what stands behind them, are those of the trace driver of SQL databases; a database in memory is none
//! here, as nobody could look into it. The options are those of [`nephoscope_sql`].
//!
//! # The tables
//!
//! `samples`, `events` and `traits`, described in `schema.rs`, are made when the first telemetry comes, and with
//! them `nephoscope_schema`, which holds the version of their form. Tables of these names that somebody else made are left
//! alone, and so are those of a later version.
//!
//! - The key is the id that the sender gave, so that what comes twice is there once. Of two different ones with the same
//!   id the first stays. A sample without an id gets one that is made of all it says.
//! - `id` counts in the order of arrival.
//! - A sample is stored without fields that the tables have no column for, such as `monotonic_time` and signatures.
//! - Times are UTC, to the microsecond: `timestamptz` of PostgreSQL, `datetime(6)` of MySQL, and text of SQLite, such as
//!   `2026-01-31 12:00:00.000000`, which compares with what its function `datetime` gives.
//! - JSON is stored as the databases have it: `NaN` becomes `null`, half a surrogate pair U+FFFD, and PostgreSQL and MySQL keep the values, not how they
//!   were written.

mod insert;
mod prepare;
mod probe;
mod row;
mod schema;
mod store;

use std::fmt;
use std::sync::Arc;

use nephoscope_sql::{Config, Database, Place, Target};
use nephoscope_telemetry::{
    BadRecord, BoxFuture, ConnectionString, Dispatcher, Error, Event, Refused, Result, Sample,
};
use tokio::sync::OnceCell;

use row::Entry;
use schema::{EVENTS, SAMPLES, Table};

const OTHER_TABLE: &str = "a table `samples`, `events` or `traits` is not one of Nephoscope";

/// Stores in one database.
struct SqlDispatcher {
    config: Config,
    place: Place,
    ready: OnceCell<Ready>,
}

/// A database with its tables.
struct Ready {
    database: Database,
    /// How long the values of one statement may be in sum.
    packet: usize,
}

/// The database that the connection string names. It is looked for when something comes, and until it is there.
pub(crate) fn connect(to: &ConnectionString) -> Result<Arc<dyn Dispatcher>> {
    let config = Config::read(to, &[])?;
    if let Target::SqliteMemory(_) = config.target {
        return Err(to.wrong("it names no file, as sqlite:////var/lib/samples.db does"));
    }
    Ok(Arc::new(SqlDispatcher { config, place: Place::new(to, OTHER_TABLE), ready: OnceCell::new() }))
}

impl SqlDispatcher {
    async fn ready(&self) -> Result<&Ready> {
        self.ready
            .get_or_try_init(|| async {
                let fail = self.fail("connect to the database");
                let database = Database::open(self.config.clone()).await.map_err(&fail)?;
                prepare::prepare(&database, &self.place).await?;
                let packet = database.packet().await.map_err(&fail)?;
                Ok(Ready { database, packet })
            })
            .await
    }

    fn fail(&self, operation: &'static str) -> impl Fn(sqlx::Error) -> Error {
        move |error| self.place.failure(operation, &error)
    }

    async fn store_samples(&self, samples: &[Sample]) -> Result<Vec<Refused>> {
        let ready = self.ready().await?;
        let rows = samples.iter().map(|sample| row::of_sample(sample, ready.database.dialect()));
        let (entries, refused) = ready.entries(rows);
        self.store(ready, &SAMPLES, entries, refused, "store samples").await
    }

    async fn store_events(&self, events: &[Event]) -> Result<Vec<Refused>> {
        const OPERATION: &str = "store events";
        let ready = self.ready().await?;
        let rows = events.iter().map(|event| row::of_event(event, ready.database.dialect()));
        let (mut entries, refused) = ready.entries(rows);
        // Traits belong to the event that was stored, and to no other that comes under its id.
        let ids: Vec<_> = entries.iter().map(|entry| events[entry.at].message_id.as_str()).collect();
        let mut known = store::known_events(&ready.database, &ids).await.map_err(self.fail(OPERATION))?;
        entries.retain(|entry| known.insert(events[entry.at].message_id.to_string()));
        self.store(ready, &EVENTS, entries, refused, OPERATION).await
    }

    async fn store(
        &self,
        ready: &Ready,
        table: &Table,
        entries: Vec<Entry>,
        mut refused: Vec<Refused>,
        operation: &'static str,
    ) -> Result<Vec<Refused>> {
        let stored = store::store(&ready.database, ready.packet, table, &entries).await;
        refused.extend(stored.map_err(self.fail(operation))?);
        refused.sort_by_key(|refused| refused.at);
        Ok(refused)
    }
}

impl Ready {
    /// What can be stored, and what the database could never hold.
    fn entries(
        &self,
        rows: impl Iterator<Item = Result<row::Rows, BadRecord>>,
    ) -> (Vec<Entry>, Vec<Refused>) {
        let (mut entries, mut refused) = (Vec::new(), Vec::new());
        for (at, rows) in rows.enumerate() {
            match rows.and_then(|rows| self.fitting(rows)) {
                Ok(rows) => entries.push(Entry { at, rows }),
                Err(bad) => refused.push(Refused { at, reason: bad.to_string() }),
            }
        }
        (entries, refused)
    }

    fn fitting(&self, rows: row::Rows) -> Result<row::Rows, BadRecord> {
        match rows.longest() {
            longest if longest > self.packet => Err(BadRecord::whole(format!(
                "takes {longest} bytes of {}; raise max_allowed_packet of the server",
                self.packet
            ))),
            _ => Ok(rows),
        }
    }
}

impl Dispatcher for SqlDispatcher {
    fn samples<'a>(&'a self, samples: &'a [Sample]) -> BoxFuture<'a, Result<Vec<Refused>>> {
        Box::pin(self.store_samples(samples))
    }

    fn events<'a>(&'a self, events: &'a [Event]) -> BoxFuture<'a, Result<Vec<Refused>>> {
        Box::pin(self.store_events(events))
    }

    fn close(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async {
            if let Some(ready) = self.ready.get() {
                ready.database.close().await;
            }
            Ok(())
        })
    }
}

impl fmt::Debug for SqlDispatcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlDispatcher").field("place", &self.place).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
