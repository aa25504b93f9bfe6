//! The HTTP doors of Nephoscope: traces in, lists and reports out, health and own metrics.
//!
//! | path | what |
//! |---|---|
//! | `GET /api` | which Nephoscope this is, and what it can do |
//! | `POST /api/trace-points` | a JSON array or JSON lines of trace points |
//! | `GET /api/trace-points` | the points of a trace as JSON lines |
//! | `POST /v1/traces` | spans of OpenTelemetry: OTLP over HTTP |
//! | `POST /samples`, `POST /events` | what Ceilometer's HTTP publisher posts |
//! | `GET /api/traces` | the newest traces, filtered by query parameters |
//! | `DELETE /api/traces` | deletes old traces |
//! | `GET /api/traces/ID` | the report of a trace |
//! | `GET /v2/events` | the points of a trace as Ceilometer's events |
//! | `GET /`, `/v1/…` | Gnocchi's API |
//! | `GET /healthcheck` | the process answers |
//! | `GET /readyz` | its backends answer |
//! | `GET /metrics` | its own metrics, OpenMetrics |
//!
//! And on a port of its own OTLP over gRPC.
//!
//! Only this crate knows status codes.

mod body;
mod failure;
mod gnocchi;
mod grpc;
mod listener;
mod metrics;
mod openapi;
mod otlp;
mod pieces;
mod query;
mod routes;
mod statsd;
mod table;
mod traces;
mod unread;

use std::sync::Arc;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state, map_request};
use axum::routing::{get, post};
use nephoscope_collector::Intake;

pub use gnocchi::{Auth, DEFAULT_MAX_LIMIT, GnocchiOf, GnocchiSettings, Policy, Tokens};
pub use listener::{Protocol, SHUTDOWN_TIME_LIMIT, serve};
pub use metrics::{DispatcherCounts, SourceCounts};
pub use statsd::{Statsd, StatsdSettings};
pub use traces::Traces;

use body::Bodies;
use metrics::Metrics;
use table::Routes;

/// What the routes share.
#[derive(Debug)]
struct App {
    traces: Arc<Traces>,
    metrics: Metrics,
    bodies: Arc<Bodies>,
    /// Where samples and events are taken in, if they are.
    intake: Option<Intake>,
}

/// The doors over the same traces, which share bounds and metrics.
#[derive(Clone, Debug)]
pub struct Doors {
    app: Arc<App>,
    gnocchi: Option<(Arc<gnocchi::Door>, GnocchiSettings)>,
}

impl Doors {
    /// Over these traces, and where samples and events are taken in, if they are. The counts of sources and dispatchers are
    /// among the metrics.
    pub fn new(
        traces: Arc<Traces>,
        intake: Option<Intake>,
        sources: Vec<SourceCounts>,
        dispatchers: Vec<DispatcherCounts>,
    ) -> Self {
        let metrics = Metrics::new(&traces, intake.clone(), sources, dispatchers);
        Self { app: Arc::new(App { traces, metrics, bodies: Arc::default(), intake }), gnocchi: None }
    }

    /// And over this Gnocchi.
    #[must_use]
    pub fn with_gnocchi(mut self, gnocchi: GnocchiOf, settings: GnocchiSettings) -> Self {
        let door = gnocchi::Door::new(gnocchi, settings.clone(), self.app.bodies.clone());
        self.gnocchi = Some((Arc::new(door), settings));
        self
    }

    /// The services of gRPC.
    pub fn grpc(&self) -> Router {
        grpc::router(self.app.clone())
    }
}

/// The routes but for Gnocchi's.
fn own_routes() -> Routes<Arc<App>> {
    Routes::new()
        .route("/api", "GET", get(routes::about))
        .route(
            "/api/trace-points",
            "GET, POST",
            post(routes::store_trace_points).get(routes::read_trace_points),
        )
        .route("/api/traces", "DELETE, GET", get(routes::list_traces).delete(routes::purge_traces))
        .route("/api/traces/{*id}", "GET", get(routes::show_trace))
        .route("/samples", "POST", post(routes::take_samples))
        .route("/events", "POST", post(routes::take_events))
        .route("/v1/traces", "POST", post(routes::store_spans))
        .route("/v2/events", "GET", get(routes::list_events))
        .route("/v2/events/{*message_id}", "GET", get(routes::show_event))
        .route("/v2/event_types", "GET", get(routes::refuse_event_types))
        .route("/v2/event_types/", "GET", get(routes::refuse_event_types))
        .route("/v2/event_types/{event_type}/traits", "GET", get(routes::list_trait_descriptions))
        .route("/v2/event_types/{event_type}/traits/{name}", "GET", get(routes::refuse_event_types))
        .route("/healthcheck", "GET", get(routes::healthcheck))
        .route("/readyz", "GET", get(routes::readyz))
        .route("/metrics", "GET", get(routes::metrics))
        .route("/openapi.json", "GET", get(openapi::show))
}

/// The routes of HTTP.
pub fn router(doors: &Doors) -> Router {
    let app = doors.app.clone();
    let router = own_routes().into_router();
    let router = router.fallback(routes::not_found).method_not_allowed_fallback(routes::method_not_allowed);
    let router = match &doors.gnocchi {
        Some((door, settings)) => gnocchi::share(router.merge(gnocchi::router(door.clone())), settings),
        None => router,
    };
    let counted = from_fn_with_state(app.clone(), metrics::count_requests);
    let router: Router = router.layer(counted).with_state(app);
    // A router of its own: what changes a path has to come before the path is looked at.
    let router = Router::new().fallback_service(router);
    router.layer(from_fn(unread::finish)).layer(map_request(gnocchi::without_empty_parts))
}
