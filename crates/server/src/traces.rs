//! The traces of the daemon: every point goes to all drivers, reads come from the first that can read.

use std::sync::Arc;

use nephoscope_drivers::guard::{Guarded, Meter};
use nephoscope_telemetry::{
    Capabilities, ConnectionString, Driver, Error, ErrorKind, Id, Points, Purged, Result, Timestamp,
    TraceFilter, TracePoint, TraceSummary,
};

/// Points are handed to the drivers in batches of this size: large enough that the cost of a batch does not show,
/// small enough that one slow batch does not hold a request for long.
const BATCH_POINTS: usize = 5_000;

/// The drivers that the daemon writes to and reads from.
#[derive(Debug)]
pub struct Traces {
    backends: Vec<Backend>,
}

#[derive(Debug)]
struct Backend {
    /// The connection string without its secrets.
    name: String,
    driver: Guarded,
}

impl Traces {
    /// Over these drivers, in the order in which they are asked to read.
    pub fn new(drivers: Vec<(ConnectionString, Arc<dyn Driver>)>) -> Self {
        let backend = |(to, driver): (ConnectionString, _)| Backend {
            name: to.to_string(),
            driver: Guarded::new(driver),
        };
        Self { backends: drivers.into_iter().map(backend).collect() }
    }

    /// Stores points with every driver. `Ok` means that all of them have all points.
    ///
    /// After an error some drivers may have some points; to send all of them again is safe.
    pub async fn ingest(&self, points: &[TracePoint]) -> Result<()> {
        for batch in points.chunks(BATCH_POINTS) {
            for backend in &self.backends {
                backend.driver.notify(batch).await?;
            }
        }
        Ok(())
    }

    /// What can be asked of them together: a read of the first that can, and a point of all.
    pub fn capabilities(&self) -> Capabilities {
        let all = || self.backends.iter().map(|backend| backend.driver.capabilities());
        let first = |can: fn(&Capabilities) -> bool| all().find(can).unwrap_or_default();
        let (reader, lister) = (first(|can| can.read), first(|can| can.list));
        let finder = first(|can| can.search_errors || can.error_records);
        Capabilities {
            read: reader.read,
            list: lister.list,
            indexed_list: lister.indexed_list,
            search_errors: finder.search_errors,
            error_records: finder.error_records,
            deduplicates: reader.deduplicates,
            purge: all().any(|can| can.purge),
            durable: all().all(|can| can.durable),
        }
    }

    /// The points of a trace.
    pub async fn points(&self, base_id: &Id) -> Result<Points> {
        self.reader(|can| can.read, "read a trace")?.points(base_id).await
    }

    /// The traces that a filter takes, newest first; only those with an exception if `errors` is set.
    pub async fn list(&self, filter: &TraceFilter, errors: bool) -> Result<Vec<TraceSummary>> {
        if errors {
            let reader =
                self.reader(|can| can.search_errors || can.error_records, "list traces with errors")?;
            reader.list_errors(filter).await
        } else {
            self.reader(|can| can.list, "list traces")?.list(filter).await
        }
    }

    /// Deletes the traces whose latest point is older, from every driver that can, and tells how many the first deleted.
    pub async fn purge(&self, older_than: Timestamp) -> Result<Purged> {
        let mut first = None;
        for backend in self.backends.iter().filter(|backend| backend.driver.capabilities().purge) {
            let purged = backend.driver.purge(older_than).await?;
            first.get_or_insert(purged);
        }
        first.ok_or_else(|| incapable("purge traces"))
    }

    /// Asks every driver that reads for a trace that is not there, and returns what the first unhealthy one says.
    pub async fn check(&self) -> Result<(), (String, Error)> {
        let nobody = Id::new("nephoscope-readyz");
        for backend in &self.backends {
            if backend.driver.capabilities().read {
                backend.driver.points(&nobody).await.map_err(|error| (backend.name.clone(), error))?;
            }
        }
        Ok(())
    }

    /// Lets go of all backends.
    pub async fn close(&self) -> Result<()> {
        let mut result = Ok(());
        for backend in &self.backends {
            result = result.and(backend.driver.close().await);
        }
        result
    }

    /// The meters of the drivers, by connection string without secrets.
    pub(crate) fn meters(&self) -> impl Iterator<Item = (&str, Arc<Meter>)> {
        self.backends.iter().map(|backend| (backend.name.as_str(), backend.driver.meter()))
    }

    fn reader(&self, can: impl Fn(Capabilities) -> bool, operation: &'static str) -> Result<&Guarded> {
        let mut drivers = self.backends.iter().map(|backend| &backend.driver);
        drivers.find(|driver| can(driver.capabilities())).ok_or_else(|| incapable(operation))
    }
}

fn incapable(operation: &'static str) -> Error {
    Error::new(ErrorKind::Unsupported, operation, "none of the configured trace drivers can do it")
}
