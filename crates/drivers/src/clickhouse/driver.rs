//! The driver.

use nephoscope_telemetry::{
    BoxFuture, Capabilities, ConnectionString, Driver, Id, Points, Purged, Result, Timestamp, TraceFilter,
    TracePoint, TraceSummary,
};

use super::binary::Reader;
use super::list::{Search, list};
use super::server::{Query, Server};
use super::{row, tables};

/// Traces in the tables of one database.
#[derive(Debug)]
pub(super) struct Clickhouse {
    server: Server,
}

impl Clickhouse {
    pub(super) async fn connect(to: &ConnectionString) -> Result<Self> {
        let server = Server::new(to)?;
        tables::prepare(&server, to).await?;
        Ok(Self { server })
    }

    async fn store(&self, points: &[TracePoint]) -> Result<()> {
        if points.is_empty() {
            return Ok(());
        }
        let (mut rows, mut json) = (Vec::new(), String::new());
        for (position, point) in (0..).zip(points) {
            row::write(&mut rows, &mut json, point, position);
        }
        let statement = format!("INSERT INTO trace_points ({}) FORMAT RowBinary", row::COLUMNS);
        self.server.insert("store trace points", &statement, rows).await
    }

    async fn read(&self, base_id: &Id) -> Result<Points> {
        let query = Query::select(
            "point FROM trace_points WHERE base_id = unhex({base_id:String}) \
             ORDER BY stored, position LIMIT 1 BY timestamp, hash",
        );
        let query = base_id.with_str(|text| query.text("param_base_id", text));
        let mut rows = self.server.ask("read a trace", query).await?;
        let mut points = Points::default();
        let point = |row: &mut Reader<'_>| row.text().map(TracePoint::from_json_bytes);
        while let Some(point) = rows.next(point).await? {
            match point {
                Ok(point) => points.good.push(point),
                Err(problem) => points.bad.push(problem),
            }
        }
        Ok(points)
    }

    /// Traces are counted, then deleted in the points first: a list shows none without points.
    async fn delete(&self, older_than: Timestamp) -> Result<Purged> {
        const OPERATION: &str = "purge traces";
        const ENDED: &str = "SELECT base_id FROM trace_summaries GROUP BY base_id \
             HAVING toUnixTimestamp64Micro(max(last)) < {older_than:Int64}";
        let query = |query: Query| query.number("param_older_than", older_than.as_micros());
        let count = query(Query::select(&format!("count() FROM ({ENDED})")));
        let number = |row: &mut Reader<'_>| Some(row.i64()?.cast_unsigned());
        let traces = self.server.ask_all(OPERATION, count, number).await?.pop().unwrap_or(0);
        if traces > 0 {
            // A point that came in meanwhile stays.
            for (table, time) in [("trace_points", "timestamp"), ("trace_summaries", "last")] {
                let delete = format!(
                    "DELETE FROM {table} WHERE base_id IN ({ENDED}) \
                     AND toUnixTimestamp64Micro({time}) < {{older_than:Int64}}"
                );
                self.server.run(OPERATION, query(Query::statement(&delete))).await?;
            }
        }
        Ok(Purged { traces })
    }
}

impl Driver for Clickhouse {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            read: true,
            list: true,
            indexed_list: true,
            search_errors: true,
            deduplicates: true,
            purge: true,
            durable: true,
            ..Capabilities::default()
        }
    }

    fn notify<'a>(&'a self, points: &'a [TracePoint]) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.store(points))
    }

    fn points<'a>(&'a self, base_id: &'a Id) -> BoxFuture<'a, Result<Points>> {
        Box::pin(self.read(base_id))
    }

    fn list<'a>(&'a self, filter: &'a TraceFilter) -> BoxFuture<'a, Result<Vec<TraceSummary>>> {
        Box::pin(list(&self.server, Search { operation: "list traces", filter, errors: false }))
    }

    fn list_errors<'a>(&'a self, filter: &'a TraceFilter) -> BoxFuture<'a, Result<Vec<TraceSummary>>> {
        Box::pin(list(&self.server, Search { operation: "list traces with errors", filter, errors: true }))
    }

    fn purge(&self, older_than: Timestamp) -> BoxFuture<'_, Result<Purged>> {
        Box::pin(self.delete(older_than))
    }
}
