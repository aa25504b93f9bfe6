//! The client before our own server, which is in this process.

use std::sync::Arc;

use nephoscope_server::{Auth, Doors, GnocchiSettings, Protocol, Traces, router, serve};
use nephoscope_testkit::gnocchi::conformance::{MAX_LIMIT, Opening, Place, Subject};
use nephoscope_testkit::server::Missing;
use tokio::net::TcpListener;

use super::{remote, store};

pub(super) struct Ours;

impl Subject for Ours {
    fn name(&self) -> &'static str {
        "ours"
    }

    fn place(&self) -> Result<Opening, Missing> {
        Ok(Box::pin(async {
            let (store, directory) = store();
            let settings =
                GnocchiSettings { auth: Auth::Basic, max_limit: MAX_LIMIT, ..GnocchiSettings::default() };
            let doors = Doors::new(Arc::new(Traces::new(Vec::new())), None, Vec::new(), Vec::new());
            let doors =
                doors.with_gnocchi(Box::new(move |creator| Arc::new(store.as_user(creator))), settings);
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
            let port = listener.local_addr().expect("it is bound").port();
            // Ended with the runtime of the case.
            tokio::spawn(serve(listener, Protocol::Http1, router(&doors), std::future::pending()));
            Place {
                gnocchi: remote("admin", port, "").await,
                other: remote("other", port, "").await,
                keep: Box::new(directory),
            }
        }))
    }
}
