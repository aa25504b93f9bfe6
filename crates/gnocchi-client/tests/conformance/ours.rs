//! The client before our own server, which is in this process: as it is, and as earlier Gnocchis were.

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::Uri;
use axum::middleware::map_request;
use nephoscope_server::{Auth, Doors, GnocchiSettings, Protocol, Traces, router, serve};
use nephoscope_testkit::Excuse;
use nephoscope_testkit::gnocchi::conformance::{MAX_LIMIT, Opening, Place, Subject};
use nephoscope_testkit::server::Missing;
use tokio::net::TcpListener;

use super::{remote, store};

/// What the server can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ours {
    AsItIs,
    /// It does not look at `create_metrics`.
    WithoutCreating,
    /// Nor has it batches of measures.
    WithoutBatches,
    /// Nor does it find a metric by its resource and name.
    WithoutNames,
}

impl Subject for Ours {
    fn name(&self) -> &'static str {
        match self {
            Self::AsItIs => "ours",
            Self::WithoutCreating => "ours_without_creating",
            Self::WithoutBatches => "ours_without_batches",
            Self::WithoutNames => "ours_without_names",
        }
    }

    fn place(&self) -> Result<Opening, Missing> {
        let age = *self;
        Ok(Box::pin(async move {
            let (store, directory) = store();
            let settings =
                GnocchiSettings { auth: Auth::Basic, max_limit: MAX_LIMIT, ..GnocchiSettings::default() };
            let doors = Doors::new(Arc::new(Traces::new(Vec::new())), None, Vec::new(), Vec::new());
            let doors =
                doors.with_gnocchi(Box::new(move |creator| Arc::new(store.as_user(creator))), settings);
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
            let port = listener.local_addr().expect("it is bound").port();
            let router = Router::new()
                .fallback_service(router(&doors))
                .layer(map_request(move |request| async move { age.see(request) }));
            // Ended with the runtime of the case.
            tokio::spawn(serve(listener, Protocol::Http1, router, std::future::pending()));
            Place {
                gnocchi: remote("admin", port, "").await,
                other: remote("other", port, "").await,
                keep: Box::new(directory),
            }
        }))
    }

    fn excuses(&self) -> &'static [Excuse] {
        const PARTLY: &str = "what can be stored is, where each metric is a request of its own";
        const BY_METRIC: Excuse = Excuse { case: "a_batch_is_stored_whole_or_not_at_all", reason: PARTLY };
        const BY_RESOURCE: Excuse =
            Excuse { case: "resources_that_are_not_there_are_told_and_made_metrics_stay", reason: PARTLY };
        match self {
            Self::AsItIs | Self::WithoutCreating => &[],
            Self::WithoutBatches => &[BY_METRIC, BY_RESOURCE],
            Self::WithoutNames => &[BY_METRIC],
        }
    }
}

impl Ours {
    /// The request as that server would see it: what it cannot do leads nowhere.
    fn see(self, mut request: Request) -> Request {
        let parts: Vec<_> = request.uri().path().split('/').skip(1).collect();
        let seen = match (self, parts.as_slice()) {
            (Self::WithoutCreating, ["v1", "batch", ..]) => request.uri().path().parse().ok(),
            (Self::WithoutBatches | Self::WithoutNames, ["v1", "batch", ..])
            | (Self::WithoutNames, ["v1", "resource", _, _, "metric", _, "measures"]) => {
                Some(Uri::from_static("/v1/nothing"))
            }
            _ => None,
        };
        if let Some(seen) = seen {
            *request.uri_mut() = seen;
        }
        request
    }
}
