//! The driver.

use std::fmt;

use futures_util::StreamExt;
use nephoscope_sql::{Config, Database, Dialect, Length as _, Place, Target};
use nephoscope_telemetry::{
    BadRecord, BoxFuture, Capabilities, ConnectionString, Driver, Error, ErrorKind, Id, Points, Purged,
    Result, Timestamp, TraceFilter, TracePoint, TraceSummary,
};

use super::row::{self, Row};
use super::{purge, search, table, write};

const OTHER_TABLE: &str = "the table `data` is not the one of OSProfiler";

pub(super) struct Sql {
    database: Database,
    place: Place,
    durable: bool,
    /// How long the values of one statement may be in sum: `max_allowed_packet` of MySQL, without bound elsewhere.
    packet: usize,
}

impl Sql {
    pub(super) async fn connect(config: Config, to: &ConnectionString) -> Result<Self> {
        let place = Place::new(to, OTHER_TABLE);
        let durable = !matches!(config.target, Target::SqliteMemory(_));
        let fail = |error: sqlx::Error| place.failure("connect to the database", &error);
        let database = Database::open(config).await.map_err(fail)?;
        table::prepare(&database).await.map_err(fail)?;
        let packet = database.packet().await.map_err(fail)?;
        Ok(Self { database, place, durable, packet })
    }

    fn fail(&self, operation: &'static str) -> impl Fn(sqlx::Error) -> Error {
        move |error| self.place.failure(operation, &error)
    }

    /// The row of a point, if it can be stored.
    fn row<'a>(&self, point: &'a TracePoint) -> Result<Row<'a>, BadRecord> {
        let row = Row::of(point, self.database.dialect())?;
        if row.bytes() > self.packet {
            let (bytes, most) = (row.bytes(), self.packet);
            let problem = format!("takes {bytes} bytes of {most}; raise max_allowed_packet of the server");
            return Err(BadRecord::whole(problem));
        }
        Ok(row)
    }

    async fn store(&self, points: &[TracePoint]) -> Result<()> {
        const OPERATION: &str = "store trace points";
        let mut refused = Vec::new();
        let mut rows = Vec::with_capacity(points.len());
        for point in points {
            match self.row(point) {
                Ok(row) => rows.push(row),
                Err(bad) => refused.push(format!("point {}: {bad}", point.trace_id)),
            }
        }
        refused.extend(write::store(&self.database, self.packet, &rows).await.map_err(self.fail(OPERATION))?);
        let Some(first) = refused.first() else { return Ok(()) };
        let message = format!(
            "{}: {} of {} points do not fit into the table; the first is {first}",
            self.place,
            refused.len(),
            points.len()
        );
        Err(Error::new(ErrorKind::Invalid, OPERATION, message))
    }

    async fn read(&self, base_id: &Id) -> Result<Points> {
        let mut points = Points::default();
        let base_id_text = base_id.to_string();
        if self.cannot_hold(&base_id_text) {
            return Ok(points);
        }
        let query = self.database.statement(&row::select(self.database.dialect())).reused();
        let query = query.push(" WHERE base_id = ").bind(base_id_text).push(" ORDER BY id");
        let mut rows = self.database.stream(query);
        while let Some(row) = rows.next().await {
            match row {
                Ok(row) => match row::point(row) {
                    // By the collation of MySQL more ids than this one may equal it.
                    Ok(point) if point.base_id != *base_id => {}
                    Ok(point) => points.good.push(point),
                    Err(bad) => points.bad.push(bad),
                },
                Err(sqlx::Error::ColumnDecode { index, source }) => {
                    points.bad.push(BadRecord::whole(format!("column {index} cannot be read: {source}")));
                }
                Err(error) => return Err(self.fail("read a trace")(error)),
            }
        }
        Ok(points)
    }

    async fn find(&self, filter: &TraceFilter, errors_only: bool) -> Result<Vec<TraceSummary>> {
        let asked = [&filter.service, &filter.name];
        if asked.into_iter().flatten().any(|text| self.cannot_hold(text)) {
            return Ok(Vec::new());
        }
        search::list(&self.database, filter, errors_only).await.map_err(self.fail("list traces"))
    }

    /// Whether no row holds this text, and asking for it would be an error.
    fn cannot_hold(&self, text: &str) -> bool {
        self.database.dialect() == Dialect::Postgres && text.contains('\0')
    }
}

impl Driver for Sql {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            read: true,
            list: true,
            indexed_list: true,
            search_errors: true,
            error_records: false,
            deduplicates: false,
            purge: true,
            durable: self.durable,
        }
    }

    fn notify<'a>(&'a self, points: &'a [TracePoint]) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.store(points))
    }

    fn points<'a>(&'a self, base_id: &'a Id) -> BoxFuture<'a, Result<Points>> {
        Box::pin(self.read(base_id))
    }

    fn list<'a>(&'a self, filter: &'a TraceFilter) -> BoxFuture<'a, Result<Vec<TraceSummary>>> {
        Box::pin(self.find(filter, false))
    }

    fn list_errors<'a>(&'a self, filter: &'a TraceFilter) -> BoxFuture<'a, Result<Vec<TraceSummary>>> {
        Box::pin(self.find(filter, true))
    }

    fn purge(&self, older_than: Timestamp) -> BoxFuture<'_, Result<Purged>> {
        Box::pin(async move {
            let traces =
                purge::purge(&self.database, older_than).await.map_err(self.fail("delete old traces"))?;
            Ok(Purged { traces })
        })
    }

    fn close(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            self.database.close().await;
            Ok(())
        })
    }
}

impl fmt::Debug for Sql {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sql").field("place", &self.place).finish_non_exhaustive()
    }
}
