//! `prometheus+remote-write://` of the databases that take it.

use std::collections::BTreeMap;
use std::sync::Arc;

use nephoscope_http::Http;
use nephoscope_telemetry::{BoxFuture, ConnectionString, Dispatcher, Result};
use nephoscope_testkit::Excuse;
use nephoscope_testkit::dispatchers::{Arrived, Place, Subject};
use nephoscope_testkit::server::{Missing, Server};

use super::{Home, excuse};

/// A kind of database.
pub(super) struct RemoteWrite {
    pub(super) name: &'static str,
    pub(super) start: fn() -> Result<Started, Missing>,
    pub(super) read: Read,
}

/// A server, and its connection string.
pub(super) type Started = (Box<dyn Server + Sync>, String);

/// Asks a server for all that arrived.
type Read = for<'a> fn(&'a Http) -> BoxFuture<'a, Vec<Arrived>>;

pub(super) struct Database {
    home: Home,
    server: Box<dyn Server + Sync>,
    url: String,
    read: Read,
}

impl RemoteWrite {
    pub(super) fn database(&self) -> Result<Database, Missing> {
        let (server, url) = (self.start)()?;
        Ok(Database { home: Home::new(), server, url, read: self.read })
    }
}

impl Subject for RemoteWrite {
    fn name(&self) -> &'static str {
        self.name
    }

    fn place(&self) -> Result<Box<dyn Place>, Missing> {
        Ok(Box::new(self.database()?))
    }

    fn excuses(&self) -> &'static [Excuse] {
        const { &[excuse("events_arrive_as_they_are", "it has no use for events")] }
    }
}

impl Place for Database {
    fn url(&self) -> String {
        self.url.clone()
    }

    fn connect<'a>(&'a self, to: &'a ConnectionString) -> BoxFuture<'a, Result<Arc<dyn Dispatcher>>> {
        Box::pin(self.home.connect(to))
    }

    fn samples(&self) -> BoxFuture<'_, Vec<Arrived>> {
        let to = ConnectionString::parse(&self.url).expect("it is one");
        let http = Http::new("the server", &to, false, 80, "").expect("it has an address");
        let (user, password) = (to.user().expect("it has one"), to.password().expect("it has one"));
        let http = http.with_basic_auth(user, password);
        Box::pin(async move { (self.read)(&http).await })
    }

    fn server(&mut self) -> Option<&mut dyn Server> {
        Some(&mut *self.server)
    }
}

/// What a label says.
pub(super) type Labels = BTreeMap<String, String>;

/// A value of a series of these labels.
pub(super) fn arrived(labels: &Labels, millis: i64, value: f64) -> Arrived {
    let label = |name: &str| labels.get(name).cloned();
    Arrived {
        meter: label("meter").expect("every series says its meter"),
        resource_id: label("resource_id").expect("every series says its resource"),
        project_id: label("project_id"),
        user_id: label("user_id"),
        millis,
        value,
    }
}
