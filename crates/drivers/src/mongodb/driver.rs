//! The driver as others see it.

use std::fmt;

use mongodb::bson::raw::RawDocumentBuf;
use mongodb::bson::{Bson, doc};
use mongodb::error::Error as MongoError;
use mongodb::options::{Acknowledgment, WriteConcern};
use mongodb::{Client, Collection, Database};
use nephoscope_telemetry::{
    BoxFuture, Capabilities, ConnectionString, Driver, Error, Id, Points, Purged, Result, Timestamp,
    TraceFilter, TracePoint, TraceSummary,
};
use tokio::sync::OnceCell;

use super::config::Settings;
use super::indexes::Indexing;
use super::{document, failure};

/// The traces of one collection.
pub(super) struct Mongo {
    client: Client,
    pub(super) database: Database,
    pub(super) points: Collection<RawDocumentBuf>,
    pub(super) errors: Collection<RawDocumentBuf>,
    pub(super) error_records: bool,
    /// For commands that are not of a collection.
    pub(super) write_concern: Bson,
    /// The connection string without its secrets.
    pub(super) place: String,
    /// Whether the client looks up the servers by a name, and again from time to time.
    follows_name: bool,
    /// Begun by the first operation that needs the indexes.
    indexing: OnceCell<Indexing>,
}

impl Mongo {
    pub(super) async fn connect(settings: Settings, to: &ConnectionString) -> Result<Self> {
        const OPERATION: &str = "connect to MongoDB";
        let place = to.to_string();
        let fail = |error: MongoError| failure::of(&place, OPERATION, &error);
        let write_concern = in_command(settings.client.write_concern.as_ref());
        let client =
            Client::with_options(settings.client).map_err(|error| failure::of_options(to, &error))?;
        let database = client.database(&settings.database);
        database.run_command(doc! { "ping": 1 }).await.map_err(fail)?;
        let points = database.collection(&settings.collection);
        let errors = database.collection(&format!("{}_error", settings.collection));
        Ok(Self {
            client,
            database,
            points,
            errors,
            error_records: settings.error_records,
            write_concern,
            place,
            follows_name: to.scheme() == "mongodb+srv",
            indexing: OnceCell::new(),
        })
    }

    /// Sees to the indexes, once: before points are stored, and before what would look at all of them without an index. A
    /// trace is read without this, so that a short look at a collection of OSProfiler's changes nothing.
    pub(super) async fn see_to_indexes(&self) {
        let errors = self.error_records.then_some(&self.errors);
        self.indexing.get_or_init(|| Indexing::start(&self.points, errors)).await;
    }

    pub(super) fn fail(&self, operation: &'static str) -> impl Fn(MongoError) -> Error {
        move |error| failure::of(&self.place, operation, &error)
    }

    async fn read(&self, base_id: &Id) -> Result<Points> {
        const OPERATION: &str = "read a trace";
        let of_trace = doc! { "base_id": base_id.to_string() };
        let mut cursor = self.points.find(of_trace).await.map_err(self.fail(OPERATION))?;
        let mut points = Points::default();
        let mut buffer = String::new();
        while cursor.advance().await.map_err(self.fail(OPERATION))? {
            match document::point(cursor.current(), &mut buffer) {
                Ok(point) => points.good.push(point),
                Err(bad) => points.bad.push(bad),
            }
        }
        Ok(points)
    }
}

/// A write concern as a command has it.
fn in_command(concern: Option<&WriteConcern>) -> Bson {
    let w = match concern.and_then(|concern| concern.w.as_ref()) {
        Some(Acknowledgment::Nodes(nodes)) => Bson::from(i64::from(*nodes)),
        Some(Acknowledgment::Custom(name)) => Bson::from(name.as_str()),
        _ => Bson::from("majority"),
    };
    let mut command = doc! { "w": w, "j": concern.and_then(|concern| concern.journal).unwrap_or(true) };
    if let Some(limit) = concern.and_then(|concern| concern.w_timeout) {
        command.insert("wtimeout", i64::try_from(limit.as_millis()).unwrap_or(i64::MAX));
    }
    command.into()
}

impl Driver for Mongo {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            read: true,
            list: true,
            indexed_list: true,
            search_errors: true,
            error_records: true,
            deduplicates: true,
            purge: true,
            durable: true,
        }
    }

    fn notify<'a>(&'a self, points: &'a [TracePoint]) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            self.see_to_indexes().await;
            self.store(points).await
        })
    }

    fn points<'a>(&'a self, base_id: &'a Id) -> BoxFuture<'a, Result<Points>> {
        Box::pin(self.read(base_id))
    }

    fn list<'a>(&'a self, filter: &'a TraceFilter) -> BoxFuture<'a, Result<Vec<TraceSummary>>> {
        Box::pin(async move {
            self.see_to_indexes().await;
            self.list_traces("list traces", filter, false).await
        })
    }

    fn list_errors<'a>(&'a self, filter: &'a TraceFilter) -> BoxFuture<'a, Result<Vec<TraceSummary>>> {
        Box::pin(async move {
            self.see_to_indexes().await;
            self.list_traces("list traces with errors", filter, true).await
        })
    }

    fn purge(&self, older_than: Timestamp) -> BoxFuture<'_, Result<Purged>> {
        Box::pin(async move {
            self.see_to_indexes().await;
            self.purge_traces(older_than).await
        })
    }

    fn close(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            // One that follows a name would first sleep until it is time to look it up again, a minute or more; it ends when it
            // is dropped.
            if !self.follows_name {
                self.client.clone().shutdown().immediate(true).await;
            }
            Ok(())
        })
    }
}

impl fmt::Debug for Mongo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mongo").field("place", &self.place).finish_non_exhaustive()
    }
}
