//! Gnocchi's API over an embedded store, and what is true of every answer.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::FromRequest;
use axum::http::{Method, Request, header};
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use nephoscope_gnocchi::Gnocchi;
use nephoscope_server::{Auth, Doors, GnocchiSettings, Traces};
use nephoscope_store::{Options, Store};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::choices::Choices;

/// Far longer than any answer takes, even beside other work.
const TIME_LIMIT: Duration = Duration::from_secs(60);
/// Far more than any of so little.
const MAX_ANSWER_BYTES: usize = 4 << 20;
/// Requests that are made of the same bytes.
const REQUESTS: usize = 8;

/// The API over a store that has a little of everything.
pub(crate) struct Api {
    router: Router,
    runtime: Runtime,
    /// The id of the metric that there is.
    metric: String,
    _directory: tempfile::TempDir,
}

impl Api {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().expect("there is room for a store");
        let store = Store::open(directory.path(), Options::default()).expect("it is a new store");
        let doors = Doors::new(Arc::new(Traces::new(Vec::new())), None, Vec::new(), Vec::new());
        let gnocchi = Box::new(move |creator| Arc::new(store.as_user(creator)) as Arc<dyn Gnocchi>);
        let settings = GnocchiSettings { auth: Auth::Basic, ..GnocchiSettings::default() };
        let router = nephoscope_server::router(&doors.with_gnocchi(gnocchi, settings));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("there are threads");
        let mut api = Self { router, runtime, metric: String::new(), _directory: directory };
        api.fill();
        let (_, metrics) = api.ask(asked(Method::GET, "/v1/metric", ""));
        let metrics: Value = serde_json::from_slice(&metrics).expect("they are listed as JSON");
        api.metric = metrics[0]["id"].as_str().expect("there is one").to_owned();
        api
    }

    fn fill(&self) {
        let definition = json!([{ "granularity": 60, "points": 60 }, { "granularity": 1 }]);
        let host = json!({ "type": "string", "required": false });
        let cores = json!({ "type": "number", "required": false });
        let measures =
            json!([{ "timestamp": 1_577_836_800, "value": 1 }, { "timestamp": 1_577_836_900, "value": 2 }]);
        let one =
            json!({ "id": "one", "host": "host", "metrics": { "cpu": { "archive_policy_name": "low" } } });
        for (path, body) in [
            ("/v1/archive_policy", json!({ "name": "low", "definition": definition })),
            (
                "/v1/archive_policy_rule",
                json!({ "name": "rule", "metric_pattern": "*", "archive_policy_name": "low" }),
            ),
            ("/v1/resource_type", json!({ "name": "vm", "attributes": { "host": host, "cores": cores } })),
            ("/v1/resource/vm", one),
            ("/v1/batch/resources/metrics/measures", json!({ "one": { "cpu": measures } })),
        ] {
            let (status, _) = self.ask(asked(Method::POST, path, &body.to_string()));
            assert!((200..300).contains(&status), "{path}: {status}");
        }
    }

    /// Asks what the bytes say. Every request has to get an answer that holds to the promises of all. The statuses.
    pub(crate) fn ask_all(&self, bytes: &[u8]) -> Vec<u16> {
        let (mut choices, mut statuses) = (Choices::new(bytes), Vec::new());
        for _ in 0..REQUESTS {
            if choices.are_over() {
                break;
            }
            if let Some(request) = choices.request(&self.metric) {
                statuses.push(self.ask(request).0);
            }
        }
        statuses
    }

    /// Status and body of the answer.
    fn ask(&self, request: Request<Body>) -> (u16, Bytes) {
        let told = format!("{} {}", request.method(), request.uri());
        let service = TowerToHyperService::new(self.router.clone());
        let answer = self.runtime.block_on(async {
            let answer = tokio::time::timeout(TIME_LIMIT, service.call(request)).await;
            let Ok(answer) = answer.unwrap_or_else(|_| panic!("{told}: no answer in {TIME_LIMIT:?}"));
            let (head, body) = answer.into_parts();
            let body = Bytes::from_request(Request::new(body), &()).await;
            (head, body.unwrap_or_else(|error| panic!("{told}: the body ends with {error}")))
        });
        let (head, body) = answer;
        let status = head.status.as_u16();
        let shown = || String::from_utf8_lossy(&body[..body.len().min(500)]).into_owned();
        // Queries of InfluxDB are not implemented, as in Gnocchi.
        assert!(status < 500 || status == 501, "{told}: {status} {}", shown());
        assert!(body.len() < MAX_ANSWER_BYTES, "{told}: an answer of {} bytes", body.len());
        let is_json = head.headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/json");
        if is_json && status >= 400 && !body.is_empty() {
            let fault: Value =
                serde_json::from_slice(&body).unwrap_or_else(|_| panic!("{told}: {}", shown()));
            let is_fault = fault["code"] == status || fault["error"].is_string();
            assert!(is_fault, "{told}: {status} {fault}");
        }
        (status, body)
    }
}

/// A request of the administrator.
fn asked(method: Method, path: &str, body: &str) -> Request<Body> {
    let request = Request::builder().method(method).uri(path).header("host", "here");
    let request =
        request.header("authorization", "basic YWRtaW46").header("content-type", "application/json");
    let request = request.header("content-length", body.len()).body(Body::from(body.to_owned()));
    request.expect("it is one")
}
