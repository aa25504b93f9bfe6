//! What a case works with.

use std::error::Error as StdError;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use nephoscope_telemetry::{
    ConnectionString, Driver, Error, ErrorKind, Id, Points, Registry, Result, TraceFilter, TracePoint,
    TraceSummary,
};

use super::{Place, Subject};
use crate::server::{PASSWORD, PASSWORD_ENCODED, Server, USER};

/// How long one operation may take when the backend is away. The drivers' own limits for connecting are below it.
const OUTAGE_LIMIT: Duration = Duration::from_secs(30);
/// How long a driver may go on failing when the backend is back.
const RECOVERY_LIMIT: Duration = Duration::from_secs(30);
/// Wrong passwords begin with it, so that an error that shows one is found.
pub(crate) const WRONG_PASSWORD: &str = "wrong-cirrus";

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

/// The operation has to fail with this kind, in bounded time, and without telling a secret.
pub(super) async fn expect_error<T>(kind: ErrorKind, operation: impl Future<Output = Result<T>>) -> Error {
    let Ok(result) = tokio::time::timeout(OUTAGE_LIMIT, operation).await else {
        panic!("it hangs: no {kind:?} within {OUTAGE_LIMIT:?}");
    };
    let Err(error) = result else { panic!("it succeeds instead of failing with {kind:?}") };
    check_secrets(&error);
    assert_eq!(error.kind(), kind, "{}", chain(&error));
    error
}

/// Tries until the backend is back; on the way only `Unavailable` is right.
pub(super) async fn until_back<'a, T>(
    mut operation: impl FnMut() -> nephoscope_telemetry::BoxFuture<'a, Result<T>>,
) -> T {
    let tries = async {
        loop {
            match operation().await {
                Ok(done) => return done,
                Err(error) => assert_eq!(error.kind(), ErrorKind::Unavailable, "{}", chain(&error)),
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(RECOVERY_LIMIT, tries).await.expect("the driver works again when its backend does")
}

/// An error must not show user or password, at any depth, in any way.
pub(super) fn check_secrets(error: &Error) {
    no_secret(&chain(error));
    no_secret(&format!("{error:?} {error:#?}"));
}

pub(super) fn no_secret(text: &str) {
    for secret in [USER, PASSWORD, PASSWORD_ENCODED, WRONG_PASSWORD] {
        assert!(!text.contains(secret), "{secret:?} is shown in: {text}");
    }
}

/// An error with all that caused it.
pub(super) fn chain(error: &Error) -> String {
    let mut text = format!("{:?}: {error}", error.kind());
    let mut next = error.source();
    while let Some(source) = next {
        text += &format!(": {source} ({source:?})");
        next = source.source();
    }
    text
}
