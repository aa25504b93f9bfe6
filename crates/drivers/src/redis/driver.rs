//! The driver as others see it.

use nephoscope_telemetry::{
    BoxFuture, Capabilities, Driver, Id, Points, Purged, Result, Timestamp, TraceFilter, TracePoint,
    TraceSummary,
};

use super::connection::Connection;
use super::legacy::Legacy;
use super::{read, write};

/// The traces of one database.
#[derive(Debug)]
pub(super) struct Redis {
    pub(super) connection: Connection,
    pub(super) legacy: Legacy,
    error_records: bool,
}

impl Redis {
    pub(super) fn new(connection: Connection, error_records: bool) -> Self {
        Self { connection, legacy: Legacy::default(), error_records }
    }

    async fn read(&self, operation: &'static str, base_id: &Id) -> Result<Points> {
        let list = async {
            let count = read::count(operation, &self.connection, base_id).await?;
            let points = Points::from(Vec::with_capacity(count));
            read::fold(operation, &self.connection, base_id, points, |points, record| match record {
                Ok(point) => points.good.push(point),
                Err(bad) => points.bad.push(bad),
            })
            .await
        };
        let (mut list, legacy) =
            tokio::try_join!(list, self.legacy.points(operation, &self.connection, base_id))?;
        // Almost always there is nothing of old, and the points stay where they are.
        list.good.splice(..0, legacy.good);
        list.bad.append(legacy.bad);
        Ok(list)
    }
}

impl Driver for Redis {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            read: true,
            list: true,
            error_records: true,
            purge: true,
            durable: true,
            ..Capabilities::default()
        }
    }

    fn notify<'a>(&'a self, points: &'a [TracePoint]) -> BoxFuture<'a, Result<()>> {
        Box::pin(write::store("store trace points", &self.connection, points, self.error_records))
    }

    fn points<'a>(&'a self, base_id: &'a Id) -> BoxFuture<'a, Result<Points>> {
        Box::pin(self.read("read a trace", base_id))
    }

    fn list<'a>(&'a self, filter: &'a TraceFilter) -> BoxFuture<'a, Result<Vec<TraceSummary>>> {
        Box::pin(self.list_traces("list traces", filter))
    }

    fn list_errors<'a>(&'a self, filter: &'a TraceFilter) -> BoxFuture<'a, Result<Vec<TraceSummary>>> {
        Box::pin(self.list_error_traces("list traces with errors", filter))
    }

    fn purge(&self, older_than: Timestamp) -> BoxFuture<'_, Result<Purged>> {
        Box::pin(self.purge_traces("purge traces", older_than))
    }
}
