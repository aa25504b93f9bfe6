//! The driver.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use nephoscope_telemetry::{
    BoxFuture, Capabilities, Driver, Id, Points, Purged, Result, Timestamp, TraceFilter, TracePoint,
    TraceSummary,
};

use super::config::{Config, Generation};
use super::part;
use super::place::Places;
use super::question::{Columns, Question};
use super::read::Batches;
use super::server::Server;
use super::write::{self, Refused};
use super::{list, purge};

#[derive(Debug)]
pub(super) struct InfluxDb {
    server: Server,
    places: Places,
    /// When the latest row was stored, in nanoseconds: each is later than the one before, which is their order.
    stored: AtomicI64,
}

impl InfluxDb {
    pub(super) async fn connect(config: Config) -> Result<Self> {
        let server = Server::connect(config).await?;
        Ok(Self { server, places: Places::default(), stored: AtomicI64::new(0) })
    }

    /// Now, but later than ever before.
    fn now(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = i64::try_from(since.as_nanos()).unwrap_or(i64::MAX);
        let later = |last: i64| now.max(last + 1);
        let order = Ordering::Relaxed;
        let last = self.stored.fetch_update(order, order, |last| Some(later(last)));
        later(last.unwrap_or_else(|last| last))
    }

    async fn store(&self, points: &[TracePoint]) -> Result<()> {
        let (parts, unfit) = part::parts(points);
        let rows: Vec<_> = parts.iter().flat_map(|part| part.rows(&self.places, self.now())).collect();
        let mut refused = Refused::default();
        for (point, reason) in unfit {
            refused.add_point(&point.base_id, &reason.to_string());
        }
        write::store(&self.server, &rows, &mut refused).await?;
        refused.into_error(points.len())
    }

    async fn read(&self, base_id: &Id) -> Result<Points> {
        let mut batches = Batches::default();
        let question = Question::new(Columns::Points).of(std::slice::from_ref(base_id));
        self.server.ask("read a trace", &question, |row| batches.add(base_id, row)).await?;
        Ok(batches.into_points())
    }
}

impl Driver for InfluxDb {
    fn capabilities(&self) -> Capabilities {
        let generation = self.server.config.generation;
        Capabilities {
            read: true,
            list: true,
            // Flux puts all rows in order before it takes the newest.
            indexed_list: generation != Generation::Two,
            search_errors: true,
            error_records: false,
            deduplicates: true,
            purge: self.server.deletes(),
            durable: true,
        }
    }

    fn notify<'a>(&'a self, points: &'a [TracePoint]) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.store(points))
    }

    fn points<'a>(&'a self, base_id: &'a Id) -> BoxFuture<'a, Result<Points>> {
        Box::pin(self.read(base_id))
    }

    fn list<'a>(&'a self, filter: &'a TraceFilter) -> BoxFuture<'a, Result<Vec<TraceSummary>>> {
        Box::pin(list::list(&self.server, filter, false))
    }

    fn list_errors<'a>(&'a self, filter: &'a TraceFilter) -> BoxFuture<'a, Result<Vec<TraceSummary>>> {
        Box::pin(list::list(&self.server, filter, true))
    }

    fn purge(&self, older_than: Timestamp) -> BoxFuture<'_, Result<Purged>> {
        Box::pin(async move { Ok(Purged { traces: purge::purge(&self.server, older_than).await? }) })
    }
}
