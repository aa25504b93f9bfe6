//! `http://` and `gnocchi://` of a daemon

use std::sync::Arc;

use nephoscope_dispatchers::Around;
use nephoscope_telemetry::{BoxFuture, ConnectionString, Dispatcher, Event, Result};
use nephoscope_testkit::Excuse;
use nephoscope_testkit::dispatchers::{Arrived, Place, Subject, in_gnocchi};
use nephoscope_testkit::server::{Missing, NephoscopeServer, PASSWORD_ENCODED, Server, USER};
use tempfile::TempDir;

use super::{excuse, serve};

pub(super) fn subjects() -> Vec<Arc<dyn Subject>> {
    let gnocchi = Daemon { scheme: "gnocchi", options: "?auth=basic", excuses: GNOCCHI };
    vec![Arc::new(Daemon { scheme: "http", options: "", excuses: HTTP }), Arc::new(gnocchi)]
}

const NO_PASSWORD: &str = "the daemon asks for no password";
const HTTP: &[Excuse] = &[
    excuse(
        "what_is_refused_is_told_by_its_place_and_the_others_arrive",
        "the daemon takes every sample, and keeps what its store refuses among its own dead letters",
    ),
    excuse(
        "an_unknown_option_is_a_mistake_in_the_connection_string",
        "as with Ceilometer it stays in the address",
    ),
    excuse("a_wrong_password_is_a_mistake_in_the_connection_string", NO_PASSWORD),
];
const GNOCCHI: &[Excuse] = &[
    excuse("events_arrive_as_they_are", "they change resources, and are not kept"),
    excuse("a_wrong_password_is_a_mistake_in_the_connection_string", NO_PASSWORD),
];

/// Each place is a daemon of its own that stores what comes, and writes it to a file.
struct Daemon {
    scheme: &'static str,
    options: &'static str,
    excuses: &'static [Excuse],
}

struct Running {
    url: String,
    server: NephoscopeServer,
    /// Where the dispatcher keeps what it has to remember, and the daemon its file.
    directory: TempDir,
}

impl Subject for Daemon {
    fn name(&self) -> &'static str {
        self.scheme
    }

    fn place(&self) -> Result<Box<dyn Place>, Missing> {
        let directory = tempfile::tempdir().expect("a temporary directory can be made");
        let lines = directory.path().join("lines");
        let settings = format!("[samples]\ndispatchers = [\"embedded://\", \"file://{}\"]", lines.display());
        let server = serve(&settings);
        let port = server.port();
        let url = format!("{}://{USER}:{PASSWORD_ENCODED}@127.0.0.1:{port}{}", self.scheme, self.options);
        Ok(Box::new(Running { url, server, directory }))
    }

    fn excuses(&self) -> &'static [Excuse] {
        self.excuses
    }
}

impl Place for Running {
    fn url(&self) -> String {
        self.url.clone()
    }

    fn connect<'a>(&'a self, to: &'a ConnectionString) -> BoxFuture<'a, Result<Arc<dyn Dispatcher>>> {
        let around = Around { directory: self.directory.path().to_owned(), embedded: None };
        Box::pin(async move { nephoscope_dispatchers::connect(to, &around).await })
    }

    fn samples(&self) -> BoxFuture<'_, Vec<Arrived>> {
        let reader = ConnectionString::parse(&format!("gnocchi://127.0.0.1:{}", self.server.port()));
        let reader = reader.expect("it is one");
        Box::pin(async move {
            let gnocchi = nephoscope_gnocchi_client::connect(&reader).await.expect("the daemon answers");
            in_gnocchi(&gnocchi).await
        })
    }

    fn events(&self) -> BoxFuture<'_, Vec<Event>> {
        let lines = std::fs::read_to_string(self.directory.path().join("lines")).unwrap_or_default();
        // The last one may still be in the making.
        let events = lines.lines().filter_map(|line| Event::from_json(line).ok()).collect();
        Box::pin(async move { events })
    }

    fn server(&mut self) -> Option<&mut dyn Server> {
        Some(&mut self.server)
    }
}
