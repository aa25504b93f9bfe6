//! What a case works with.

use std::io::{self, Write};
use std::sync::Arc;

use nephoscope_telemetry::{
    ConnectionString, Driver, Id, Points, Registry, Result, TraceFilter, TracePoint, TraceSummary,
};

use super::{Place, Subject};
pub(super) use crate::failures::{chain, check_secrets, expect_error, no_secret, until_back};
use crate::server::Server;

/// A place, and the driver that reaches it.
pub(super) struct Bench {
    registry: Registry,
    pub(super) subject: Arc<dyn Subject>,
    pub(super) place: Place,
}

impl Bench {
    pub(super) fn new(registry: Registry, subject: Arc<dyn Subject>, place: Place) -> Self {
        Self { registry, subject, place }
    }

    /// A driver for this connection string.
    pub(super) async fn try_connect(&self, url: &str) -> Result<Arc<dyn Driver>> {
        let to = ConnectionString::parse(url).unwrap_or_else(|error| panic!("{url}: {error}"));
        self.registry.connect(&to).await
    }

    /// A driver for the place.
    pub(super) async fn connect(&self) -> Arc<dyn Driver> {
        match self.try_connect(&self.place.url).await {
            Ok(driver) => driver,
            Err(error) => panic!("cannot connect: {}", chain(&error)),
        }
    }

    /// The connection string of the place with one more option.
    pub(super) fn url_with(&self, option: &str) -> String {
        let separator = if self.place.url.contains('?') { '&' } else { '?' };
        format!("{}{separator}{option}", self.place.url)
    }

    pub(super) fn server(&mut self) -> &mut dyn Server {
        let server = self.place.server.as_mut().expect("the subject has a server or an excuse");
        server.as_mut()
    }
}

/// A failed case shows what its server had to say.
impl Drop for Bench {
    fn drop(&mut self) {
        if let Some(server) = self.place.server.as_ref().filter(|_| std::thread::panicking()) {
            // A message that cannot be shown must not become a second panic.
            let _shown = writeln!(io::stderr(), "the server's log:\n{}", server.log());
        }
    }
}

/// Stores points, and takes no error.
pub(super) async fn store(driver: &dyn Driver, points: &[TracePoint]) {
    if let Err(error) = driver.notify(points).await {
        panic!("cannot store: {}", chain(&error));
    }
}

/// All points of a trace, all of which have to be good.
pub(super) async fn read(driver: &dyn Driver, base_id: &str) -> Vec<TracePoint> {
    match driver.points(&Id::new(base_id)).await {
        Ok(Points { good, bad }) => {
            assert_eq!(bad.count(), 0, "of {base_id:?} it cannot read {:?}", bad.first());
            good
        }
        Err(error) => panic!("cannot read {base_id:?}: {}", chain(&error)),
    }
}

pub(super) async fn list(driver: &dyn Driver, filter: &TraceFilter) -> Vec<TraceSummary> {
    driver.list(filter).await.unwrap_or_else(|error| panic!("cannot list: {}", chain(&error)))
}

pub(super) async fn list_errors(driver: &dyn Driver) -> Vec<String> {
    let list = driver.list_errors(&TraceFilter::default()).await;
    let list = list.unwrap_or_else(|error| panic!("cannot list errors: {}", chain(&error)));
    list.into_iter().map(|summary| summary.base_id.to_string()).collect()
}

/// Points in an order that does not depend on the backend's.
pub(super) fn sorted(mut points: Vec<TracePoint>) -> Vec<TracePoint> {
    points.sort_by_cached_key(TracePoint::to_json);
    points
}
