//! Gnocchi's API over the trait [`Gnocchi`], as Gnocchi 4.7.1 answers.
//!
//! Every request goes the same way: who asks ([`identity`]), whether they may ([`policy`]), what they send ([`content`],
//! [`arguments`]), one call of the trait, the answer ([`answer`]) or a [`fault`].

mod accept;
mod answer;
mod arguments;
mod clock;
mod conditions;
mod content;
mod cors;
mod fault;
mod identity;
mod links;
mod page;
mod path;
mod policy;
mod read;
mod refusal;
mod requester;
mod routes;
mod wire;

use std::fmt;
use std::sync::Arc;

use axum::Router;
use axum::http::HeaderMap;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, any, get, post};
use nephoscope_gnocchi::{Creator, Gnocchi};

pub use identity::{Auth, Tokens};
pub use policy::Policy;

use crate::body::Bodies;
use crate::table::Routes;
pub(crate) use clock::now;
use cors::Origins;
use fault::Fault;
pub(crate) use path::without_empty_parts;
use refusal::{allowing, below_a_metric};
use routes::{
    aggregates, aggregation, archive_policies, batch, influxdb, measures, metrics, prometheus,
    resource_types, resources, search_metric, versions,
};

/// How many items a list has at most, where nobody says otherwise: as in Gnocchi.
pub const DEFAULT_MAX_LIMIT: usize = 1000;

/// Gnocchi as each user sees it.
pub type GnocchiOf = Box<dyn Fn(Creator) -> Arc<dyn Gnocchi> + Send + Sync>;

/// How the API is served.
#[derive(Clone, Debug)]
pub struct GnocchiSettings {
    /// How it is found out who asks.
    pub auth: Auth,
    /// How many items a list has at most.
    pub max_limit: usize,
    /// Whether a proxy is believed that says where clients see this server.
    pub proxy_headers: bool,
    /// The sites whose pages may ask: `https://horizon.example.com`, or `*` for all.
    pub cors_allowed_origins: Vec<String>,
    /// Who may do what.
    pub policy: Policy,
}

impl Default for GnocchiSettings {
    fn default() -> Self {
        Self {
            auth: Auth::default(),
            max_limit: DEFAULT_MAX_LIMIT,
            proxy_headers: false,
            cors_allowed_origins: Vec::new(),
            policy: Policy::default(),
        }
    }
}

/// What the routes share.
pub(crate) struct Door {
    gnocchi: GnocchiOf,
    settings: GnocchiSettings,
    bodies: Arc<Bodies>,
}

impl fmt::Debug for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Door").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Door {
    pub(crate) fn new(gnocchi: GnocchiOf, settings: GnocchiSettings, bodies: Arc<Bodies>) -> Self {
        Self { gnocchi, settings, bodies }
    }
}

/// The routes of the API, in which a slash at the end of a path makes no difference.
pub(crate) fn router<S: Clone + Send + Sync + 'static>(door: Arc<Door>) -> Router<S> {
    let router = routes().into_router();
    router
        .layer(from_fn(fault::dress))
        .layer(from_fn_with_state(door.clone(), identity::authenticate))
        .with_state(door)
}

/// The routes.
pub(crate) fn routes() -> Routes<Arc<Door>> {
    Routes::new()
        .route("/", "GET", allowing("GET", get(versions::show_versions)))
        .route("/v1", "GET", allowing("GET", get(versions::redirect)))
        .route("/v1/", "GET", allowing("GET", get(versions::show_version)))
        .taking("/v1/capabilities", "GET", get(versions::show_capabilities))
        .taking("/v1/status", "GET", get(versions::show_status))
        .merge(policies())
        .merge(kept_things())
        .merge(series())
}

fn policies() -> Routes<Arc<Door>> {
    use archive_policies as these;
    Routes::new()
        .taking("/v1/archive_policy", "GET, POST", get(these::list_policies).post(these::create_policy))
        .taking(
            "/v1/archive_policy/{name}",
            "DELETE, GET, PATCH",
            get(these::show_policy).patch(these::update_policy).delete(these::delete_policy),
        )
        .taking("/v1/archive_policy_rule", "GET, POST", get(these::list_rules).post(these::create_rule))
        .taking(
            "/v1/archive_policy_rule/{name}",
            "DELETE, GET, PATCH",
            get(these::show_rule).patch(these::rename_rule).delete(these::delete_rule),
        )
        .taking(
            "/v1/resource_type",
            "GET, POST",
            get(resource_types::list_types).post(resource_types::create_type),
        )
        .taking(
            "/v1/resource_type/{name}",
            "DELETE, GET, PATCH",
            get(resource_types::show_type)
                .patch(resource_types::patch_type)
                .delete(resource_types::delete_type),
        )
}

fn kept_things() -> Routes<Arc<Door>> {
    use resources as these;
    Routes::new()
        .taking("/v1/resource", "GET", get(these::list_collections))
        .taking(
            "/v1/resource/{type}",
            "DELETE, GET, POST",
            get(these::list_resources).post(these::create_resource).delete(these::delete_resources),
        )
        .taking(
            "/v1/resource/{type}/{id}",
            "DELETE, GET, PATCH",
            get(these::show_resource).patch(these::update_resource).delete(these::delete_resource),
        )
        .taking("/v1/resource/{type}/{id}/history", "GET", get(these::show_history))
        .taking(
            "/v1/resource/{type}/{id}/metric",
            "GET, POST",
            get(these::list_metrics).post(these::add_metrics),
        )
        .taking(
            "/v1/resource/{type}/{id}/metric/{name}",
            "DELETE, GET",
            get(metrics::show_named_metric).delete(metrics::delete_named_metric),
        )
        .taking("/v1/search/resource", "", MethodRouter::new())
        .taking("/v1/search/resource/{type}", "POST", post(these::search_resources))
        .taking("/v1/metric", "GET, POST", get(metrics::list_metrics).post(metrics::create_metric))
        .taking("/v1/metric/{id}", "DELETE, GET", get(metrics::show_metric).delete(metrics::delete_metric))
        .route("/v1/metric/{id}/{*below}", "", any(below_a_metric))
        .route("/v1/resource/{type}/{id}/metric/{name}/{*below}", "", any(below_a_metric))
}

fn series() -> Routes<Arc<Door>> {
    Routes::new()
        .taking(
            "/v1/metric/{id}/measures",
            "GET, POST",
            get(measures::show_measures).post(measures::store_measures),
        )
        .taking(
            "/v1/resource/{type}/{id}/metric/{name}/measures",
            "GET, POST",
            get(measures::show_named_measures).post(measures::store_named_measures),
        )
        .taking("/v1/aggregates", "POST", post(aggregates::calculate))
        .taking(
            "/v1/aggregation/metric",
            "GET, POST",
            get(aggregation::aggregate_named).post(aggregation::aggregate_listed),
        )
        .taking(
            "/v1/aggregation/resource/{type}/metric/{name}",
            "POST",
            post(aggregation::aggregate_resources),
        )
        .taking("/v1/aggregation/resource/{type}/metric", "POST", MethodRouter::new())
        .taking("/v1/search/metric", "POST", post(search_metric::search))
        .taking("/v1/batch/metrics/measures", "POST", post(batch::store_metrics_measures))
        .taking("/v1/batch/resources/metrics/measures", "POST", post(batch::store_resources_measures))
        .taking("/v1/influxdb/ping", "GET", get(influxdb::ping))
        .taking("/v1/influxdb/query", "POST", post(influxdb::query))
        .taking("/v1/influxdb/write", "POST", post(influxdb::write))
        .taking("/v1/prometheus/write", "POST", post(prometheus::write))
}

/// Whether nothing that could be at that path would be anybody's but Gnocchi's.
pub(crate) fn owns(path: &str) -> bool {
    path.starts_with("/v1/")
}

/// What is answered where nothing is, at a path that is Gnocchi's.
pub(crate) fn nowhere(headers: &HeaderMap) -> Response {
    fault::dressed(Fault::nowhere().into_response(), headers)
}

/// Lets pages of other sites in.
pub(crate) fn share<S: Clone + Send + Sync + 'static>(
    router: Router<S>,
    settings: &GnocchiSettings,
) -> Router<S> {
    let origins = Arc::new(Origins::new(&settings.cors_allowed_origins));
    router.layer(from_fn_with_state(origins, cors::share))
}

impl Routes<Arc<Door>> {
    /// A route, with and without a slash at its end, which refuses other methods as Gnocchi does.
    fn taking(self, path: &'static str, allowed: &'static str, methods: MethodRouter<Arc<Door>>) -> Self {
        self.at(path, allowed, allowing(allowed, methods))
    }
}

#[cfg(test)]
mod tests;
