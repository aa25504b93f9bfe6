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
mod requester;
mod routes;
mod wire;

use std::fmt;
use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter, get, on, post};
use nephoscope_gnocchi::{Creator, Gnocchi};

pub use identity::Auth;

use crate::body::Bodies;
use cors::Origins;
use fault::Fault;
pub(crate) use path::without_empty_parts;
use policy::Policy;
use routes::{
    aggregates, aggregation, archive_policies, batch, influxdb, measures, metrics, prometheus,
    resource_types, resources, search_metric, versions,
};

/// How many items a list has at most, where nobody says otherwise: as in Gnocchi.
pub const DEFAULT_MAX_LIMIT: usize = 1000;

/// Gnocchi as each user sees it.
pub type GnocchiOf = Box<dyn Fn(Creator) -> Arc<dyn Gnocchi> + Send + Sync>;

/// How the API is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GnocchiSettings {
    /// How it is found out who asks.
    pub auth: Auth,
    /// How many items a list has at most.
    pub max_limit: usize,
    /// Whether a proxy is believed that says where clients see this server.
    pub proxy_headers: bool,
    /// The sites whose pages may ask: `https://horizon.example.com`, or `*` for all.
    pub cors_allowed_origins: Vec<String>,
}

impl Default for GnocchiSettings {
    fn default() -> Self {
        let (auth, max_limit) = (Auth::default(), DEFAULT_MAX_LIMIT);
        Self { auth, max_limit, proxy_headers: false, cors_allowed_origins: Vec::new() }
    }
}

/// What the routes share.
pub(crate) struct Door {
    gnocchi: GnocchiOf,
    settings: GnocchiSettings,
    policy: Policy,
    bodies: Arc<Bodies>,
}

impl fmt::Debug for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Door").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Door {
    pub(crate) fn new(gnocchi: GnocchiOf, settings: GnocchiSettings, bodies: Arc<Bodies>) -> Self {
        Self { gnocchi, settings, policy: Policy::default(), bodies }
    }
}

/// The routes of the API, in which a slash at the end of a path makes no difference.
pub(crate) fn router<S: Clone + Send + Sync + 'static>(door: Arc<Door>) -> Router<S> {
    Router::new()
        .route("/", allowing("GET", get(versions::show_versions)))
        .route("/v1", allowing("GET", get(versions::redirect)))
        .route("/v1/", allowing("GET", get(versions::show_version)))
        .at("/v1/capabilities", "GET", get(versions::show_capabilities))
        .at("/v1/status", "GET", get(versions::show_status))
        .merge(policies())
        .merge(kept_things())
        .merge(series())
        .layer(from_fn(fault::dress))
        .with_state(door)
}

fn policies() -> Router<Arc<Door>> {
    use archive_policies as these;
    Router::new()
        .at("/v1/archive_policy", "GET, POST", get(these::list_policies).post(these::create_policy))
        .at(
            "/v1/archive_policy/{name}",
            "DELETE, GET, PATCH",
            get(these::show_policy).patch(these::update_policy).delete(these::delete_policy),
        )
        .at("/v1/archive_policy_rule", "GET, POST", get(these::list_rules).post(these::create_rule))
        .at(
            "/v1/archive_policy_rule/{name}",
            "DELETE, GET, PATCH",
            get(these::show_rule).patch(these::rename_rule).delete(these::delete_rule),
        )
        .at(
            "/v1/resource_type",
            "GET, POST",
            get(resource_types::list_types).post(resource_types::create_type),
        )
        .at(
            "/v1/resource_type/{name}",
            "DELETE, GET, PATCH",
            get(resource_types::show_type)
                .patch(resource_types::patch_type)
                .delete(resource_types::delete_type),
        )
}

fn kept_things() -> Router<Arc<Door>> {
    use resources as these;
    Router::new()
        .at("/v1/resource", "GET", get(these::list_collections))
        .at(
            "/v1/resource/{type}",
            "DELETE, GET, POST",
            get(these::list_resources).post(these::create_resource).delete(these::delete_resources),
        )
        .at(
            "/v1/resource/{type}/{id}",
            "DELETE, GET, PATCH",
            get(these::show_resource).patch(these::update_resource).delete(these::delete_resource),
        )
        .at("/v1/resource/{type}/{id}/history", "GET", get(these::show_history))
        .at("/v1/resource/{type}/{id}/metric", "GET, POST", get(these::list_metrics).post(these::add_metrics))
        .at(
            "/v1/resource/{type}/{id}/metric/{name}",
            "DELETE, GET",
            get(metrics::show_named_metric).delete(metrics::delete_named_metric),
        )
        .at("/v1/search/resource", "", MethodRouter::new())
        .at("/v1/search/resource/{type}", "POST", post(these::search_resources).get(these::refuse_search))
        .at("/v1/metric", "GET, POST", get(metrics::list_metrics).post(metrics::create_metric))
        .at("/v1/metric/{id}", "DELETE, GET", get(metrics::show_metric).delete(metrics::delete_metric))
}

fn series() -> Router<Arc<Door>> {
    Router::new()
        .at(
            "/v1/metric/{id}/measures",
            "GET, POST",
            get(measures::show_measures).post(measures::store_measures),
        )
        .at(
            "/v1/resource/{type}/{id}/metric/{name}/measures",
            "GET, POST",
            get(measures::show_named_measures).post(measures::store_named_measures),
        )
        .at("/v1/aggregates", "POST", post(aggregates::calculate))
        .at(
            "/v1/aggregation/metric",
            "GET, POST",
            get(aggregation::aggregate_named).post(aggregation::aggregate_listed),
        )
        .at("/v1/aggregation/resource/{type}/metric/{name}", "POST", post(aggregation::aggregate_resources))
        .at("/v1/aggregation/resource/{type}/metric", "POST", MethodRouter::new())
        .at("/v1/search/metric", "POST", post(search_metric::search))
        .at("/v1/batch/metrics/measures", "POST", post(batch::store_metrics_measures))
        .at("/v1/batch/resources/metrics/measures", "POST", post(batch::store_resources_measures))
        .at("/v1/influxdb/ping", "GET", get(influxdb::ping))
        .at("/v1/influxdb/query", "POST", post(influxdb::query))
        .at("/v1/influxdb/write", "POST", post(influxdb::write))
        .at("/v1/prometheus/write", "POST", post(prometheus::write))
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

trait At<S> {
    /// A route, with and without a slash at its end, and the methods that it has.
    fn at(self, path: &str, allowed: &'static str, methods: MethodRouter<S>) -> Self;
}

impl<S: Clone + Send + Sync + 'static> At<S> for Router<S> {
    fn at(self, path: &str, allowed: &'static str, methods: MethodRouter<S>) -> Self {
        let methods = allowing(allowed, methods);
        self.route(path, methods.clone()).route(&format!("{path}/"), methods)
    }
}

/// Refuses other methods than these with the names of these.
fn allowing<S: Clone + Send + Sync + 'static>(
    allowed: &'static str,
    methods: MethodRouter<S>,
) -> MethodRouter<S> {
    // HEAD would be answered as GET, but Gnocchi answers it nowhere.
    let head = on(MethodFilter::HEAD, move || async move { refuse_method(allowed) });
    methods.fallback(move || async move { refuse_method(allowed) }).merge(head)
}

fn refuse_method(allowed: &'static str) -> Response {
    let refusal = Fault::bare(StatusCode::METHOD_NOT_ALLOWED);
    ([(header::ALLOW, HeaderValue::from_static(allowed))], refusal).into_response()
}

#[cfg(test)]
mod tests;
