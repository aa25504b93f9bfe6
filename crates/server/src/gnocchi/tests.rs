//! The frame of the API: what does not depend on what is kept.

mod order;
mod tokens;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::FromRequest;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use serde_json::{Value, json};

use super::*;
use crate::{Doors, Traces};

const FOOBAR: (&str, &str) = ("authorization", "basic Zm9vYmFyOg==");
const ADMIN: (&str, &str) = ("authorization", "basic YWRtaW46");
const JSON: (&str, &str) = ("accept", "application/json");

fn router() -> Router {
    let settings = GnocchiSettings {
        auth: Auth::Basic,
        max_limit: 7,
        proxy_headers: true,
        cors_allowed_origins: vec!["http://foobar.com".into()],
        policy: Policy::default(),
    };
    let doors = Doors::new(Arc::new(Traces::new(Vec::new())), None, Vec::new(), Vec::new());
    crate::router(
        &doors.with_gnocchi(Box::new(|_| unreachable!("nothing that is kept is asked for")), settings),
    )
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

async fn ask(method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::builder().method(method).uri(path).header("host", "here");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::empty()).unwrap();
    let response = TowerToHyperService::new(router()).call(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = Bytes::from_request(Request::new(body), &()).await.unwrap();
    Answer { status: parts.status, headers: parts.headers, body }
}

#[tokio::test]
async fn versions_and_collections_are_linked_as_the_client_sees_them() {
    let versions = ask(Method::GET, "/", &[("forwarded", "proto=https;host=there")]).await.json();
    assert_eq!(versions["versions"][0]["links"][0]["href"], "https://there/v1/");
    let version = ask(Method::GET, "/v1/", &[]).await.json();
    assert_eq!(version["links"][9], json!({ "rel": "resource", "href": "http://here/v1/resource" }));
    let redirect = ask(Method::GET, "/v1", &[]).await;
    assert_eq!((redirect.status, redirect.header("location")), (StatusCode::FOUND, Some("http://here/v1/")));
    for path in ["/v1/capabilities", "/v1/capabilities/"] {
        let capabilities = ask(Method::GET, path, &[FOOBAR]).await.json();
        assert_eq!(capabilities["aggregation_methods"].as_array().unwrap().len(), 216);
    }
}

#[tokio::test]
async fn a_fault_is_json_for_those_who_ask_for_it_and_a_page_for_others() {
    let fault = ask(Method::GET, "/v1/nowhere", &[JSON]).await;
    assert_eq!(fault.header("content-type"), Some("application/json"));
    assert_eq!(fault.json(), json!({ "code": 404, "title": "Not Found", "description": null }));
    let fault = ask(Method::GET, "/v1/nowhere", &[]).await;
    assert_eq!(fault.header("content-type"), Some("text/html; charset=UTF-8"));
    assert!(std::str::from_utf8(&fault.body).unwrap().contains("<h1>404 Not Found</h1>"));
    assert_eq!(ask(Method::GET, "/v1/status", &[ADMIN, ("accept", "text/html")]).await.status, 406);
    // Others' paths are refused in their own way.
    assert!(ask(Method::GET, "/api/nowhere", &[]).await.json()["error"].is_string());
}

#[tokio::test]
async fn the_status_is_for_the_admin() {
    for (headers, status) in [(vec![], 401), (vec![FOOBAR], 403), (vec![ADMIN], 200)] {
        assert_eq!(ask(Method::GET, "/v1/status", &headers).await.status, status, "{headers:?}");
    }
    assert!(ask(Method::GET, "/v1/status", &[]).await.headers.contains_key("www-authenticate"));
    let full = ask(Method::GET, "/v1/status", &[ADMIN]).await.json();
    assert_eq!(full["storage"]["measures_to_process"], json!({}));
    let short = ask(Method::GET, "/v1/status?details=False", &[ADMIN]).await.json();
    assert_eq!(short["storage"], json!({ "summary": { "metrics": 0, "measures": 0 } }));
    let wrong = ask(Method::GET, "/v1/status?details=maybe", &[ADMIN, JSON]).await;
    assert_eq!(wrong.status, 400);
    assert!(wrong.json()["description"].as_str().unwrap().starts_with("Unable to parse `details'"));
}

#[tokio::test]
async fn a_method_that_is_not_there_is_told_with_those_that_are() {
    let fault = ask(Method::PUT, "/v1/status", &[ADMIN, JSON]).await;
    assert_eq!((fault.status.as_u16(), fault.header("allow")), (405, Some("GET")));
    assert_eq!(fault.json()["description"], "");
    assert_eq!(ask(Method::HEAD, "/v1/status", &[ADMIN]).await.status, 405);
    // Before anybody has said who they are, and wherever.
    for path in ["/v1/status", "/v1/nowhere", "/"] {
        let answer = ask(Method::OPTIONS, path, &[]).await;
        assert_eq!((answer.status.as_u16(), answer.body.len()), (200, 0), "{path}");
    }
}

#[tokio::test]
async fn pages_of_known_sites_may_ask() {
    let origin = ("origin", "http://foobar.com");
    let method = ("access-control-request-method", "GET");
    let headers = ("access-control-request-headers", "X-Auth-Token, content-type");
    let answer = ask(Method::OPTIONS, "/v1/status", &[origin, method, headers]).await;
    assert_eq!(answer.header("access-control-allow-origin"), Some("http://foobar.com"));
    assert_eq!(answer.header("access-control-allow-methods"), Some("GET"));
    assert_eq!(answer.header("access-control-allow-headers"), Some("X-Auth-Token,content-type"));
    for refused in [
        vec![("origin", "http://other.com"), method],
        vec![origin],
        vec![origin, ("access-control-request-method", "BREW")],
        vec![origin, method, ("access-control-request-headers", "x-other")],
    ] {
        let answer = ask(Method::OPTIONS, "/v1/status", &refused).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("access-control-allow-origin"), None, "{refused:?}");
    }
    let answer = ask(Method::GET, "/v1/status", &[origin]).await;
    assert_eq!((answer.status.as_u16(), answer.header("vary")), (401, Some("Origin")));
    assert_eq!(answer.header("access-control-allow-origin"), Some("http://foobar.com"));
}

#[tokio::test]
async fn the_health_check_has_nothing_to_say() {
    let answer = ask(Method::GET, "/healthcheck", &[("accept", "text/html")]).await;
    assert_eq!((answer.status.as_u16(), answer.body.len()), (200, 0));
    assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
}

mod kept {
    //! Over an embedded store.

    use nephoscope_store::{Options, Store};

    use super::*;

    const AS_JSON: (&str, &str) = ("content-type", "application/json");

    pub(super) struct Served {
        router: Router,
        _directory: tempfile::TempDir,
    }

    impl Served {
        pub(super) fn new() -> Self {
            Self::with(GnocchiSettings { auth: Auth::Basic, max_limit: 2, ..GnocchiSettings::default() })
        }

        pub(super) fn with(settings: GnocchiSettings) -> Self {
            let directory = tempfile::tempdir().unwrap();
            let store = Store::open(directory.path(), Options::default()).unwrap();
            let doors = Doors::new(Arc::new(Traces::new(Vec::new())), None, Vec::new(), Vec::new());
            let gnocchi = Box::new(move |creator| Arc::new(store.as_user(creator)) as Arc<dyn Gnocchi>);
            Self { router: crate::router(&doors.with_gnocchi(gnocchi, settings)), _directory: directory }
        }

        pub(super) async fn ask(
            &self,
            method: Method,
            path: &str,
            headers: &[(&str, &str)],
            body: &Value,
        ) -> Answer {
            let body = if body.is_null() { String::new() } else { body.to_string() };
            let mut request = Request::builder().method(method).uri(path).header("host", "here");
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            let request = request.header("content-length", body.len()).body(Body::from(body)).unwrap();
            let response = TowerToHyperService::new(self.router.clone()).call(request).await.unwrap();
            let (parts, body) = response.into_parts();
            let body = Bytes::from_request(Request::new(body), &()).await.unwrap();
            Answer { status: parts.status, headers: parts.headers, body }
        }

        pub(super) async fn post(&self, path: &str, who: (&str, &str), body: Value) -> Answer {
            self.ask(Method::POST, path, &[who, JSON, AS_JSON], &body).await
        }

        pub(super) async fn get(&self, path: &str) -> Answer {
            self.ask(Method::GET, path, &[FOOBAR, JSON], &Value::Null).await
        }

        /// With a policy `low`, and a resource `one` of foobar that has a metric `cpu`.
        pub(super) async fn filled() -> Self {
            let served = Self::new();
            let definition = json!([{ "granularity": "5 minutes", "timespan": "30 days" }]);
            let policy = json!({ "name": "low", "definition": definition });
            assert_eq!(served.post("/v1/archive_policy", ADMIN, policy).await.status, 201);
            let resource = json!({ "id": "one", "metrics": { "cpu": { "archive_policy_name": "low" } } });
            assert_eq!(served.post("/v1/resource/generic", FOOBAR, resource).await.status, 201);
            served
        }
    }

    #[tokio::test]
    async fn what_is_stored_is_read_at_once() {
        let served = Served::filled().await;
        let measures = json!([{ "timestamp": "2026-01-01T00:01:00", "value": 5 }, { "timestamp": "2026-01-01T00:02:00", "value": "7" }]);
        let path = "/v1/resource/generic/one/metric/cpu/measures";
        let stored = served.post(path, FOOBAR, measures).await;
        assert_eq!((stored.status.as_u16(), stored.body.len()), (202, 0));
        let read = served.get(path).await;
        assert_eq!(
            std::str::from_utf8(&read.body).unwrap(),
            r#"[["2026-01-01T00:00:00+00:00", 300.0, 6.0]]"#
        );
        let refused = served.get(&format!("{path}?aggregation=last")).await;
        assert_eq!(
            refused.json()["description"]["cause"],
            "Aggregation method does not exist for this metric"
        );
        let refused = served.get(&format!("{path}?start=soon")).await.json();
        assert_eq!(refused["description"]["detail"], "start");
    }

    #[tokio::test]
    async fn a_batch_for_what_is_not_there_stores_nothing() {
        let served = Served::filled().await;
        let measures = json!([{ "timestamp": 1, "value": 1 }]);
        let path = "/v1/batch/resources/metrics/measures";
        let body = json!({ "one": { "cpu": measures }, "two": { "cpu": { "archive_policy_name": "low", "measures": measures } } });
        let refused = served.post(&format!("{path}?create_metrics=true"), FOOBAR, body.clone()).await;
        assert_eq!(refused.status, 400);
        let description = &refused.json()["description"];
        assert_eq!(description["cause"], "Unknown resources");
        assert_eq!(description["detail"][0]["original_resource_id"], "two");
        let refused = served.post(path, FOOBAR, body).await.json();
        assert!(refused["description"].as_str().unwrap().starts_with("Unknown metrics: "), "{refused}");
        assert_eq!(served.get("/v1/resource/generic/one/metric/cpu/measures").await.json(), json!([]));
        let body = json!({ "one": { "mem": { "archive_policy_name": "low", "measures": measures } } });
        assert_eq!(served.post(&format!("{path}?create_metrics=true"), FOOBAR, body).await.status, 202);
        let read = served.get("/v1/resource/generic/one/metric/mem/measures").await.json();
        assert_eq!(read, json!([["1970-01-01T00:00:00+00:00", 300.0, 1.0]]));
    }

    #[tokio::test]
    async fn others_may_neither_write_nor_read_what_is_somebodys() {
        let served = Served::filled().await;
        let id = served.get("/v1/metric").await.json()[0]["id"].as_str().unwrap().to_owned();
        let other = ("authorization", "basic cGFzdGE6");
        let measures = json!([{ "timestamp": 1, "value": 1 }]);
        let path = format!("/v1/metric/{id}/measures");
        assert_eq!(served.post(&path, other, measures.clone()).await.status, 403);
        let batch = json!({ &id: measures });
        assert_eq!(served.post("/v1/batch/metrics/measures", other, batch.clone()).await.status, 403);
        let read = served.ask(Method::GET, &path, &[other], &Value::Null).await;
        assert_eq!(read.status, 403);
        assert_eq!(served.get(&path).await.json(), json!([]));
        assert_eq!(served.post("/v1/batch/metrics/measures", ADMIN, batch).await.status, 202);
        assert_eq!(served.get(&path).await.json().as_array().unwrap().len(), 1);
    }

    #[tokio::test]
    async fn a_full_part_of_a_list_links_to_the_next() {
        let served = Served::filled().await;
        for id in ["two", "three"] {
            served.post("/v1/resource/generic", FOOBAR, json!({ "id": id })).await;
        }
        let first = served.get("/v1/resource/generic?sort=id&attrs=id").await;
        let link = first.header("link").unwrap();
        let next = link.strip_prefix("<http://here").unwrap().strip_suffix(">; rel=\"next\"").unwrap();
        assert!(next.contains("attrs=id&limit=2&marker="), "{next}");
        let last = served.get(next).await;
        assert_eq!(last.header("link"), None);
        let keys: Vec<_> = last.json()[0].as_object().unwrap().keys().cloned().collect();
        assert_eq!((last.json().as_array().unwrap().len(), keys), (1, vec!["id".to_owned()]));
    }

    #[tokio::test]
    async fn a_change_holds_to_its_conditions() {
        let served = Served::filled().await;
        let path = "/v1/resource/generic/one";
        let etag = served.get(path).await.header("etag").unwrap().to_owned();
        let patch = |condition: (&'static str, String)| {
            let served = &served;
            async move {
                let headers = [FOOBAR, JSON, AS_JSON, (condition.0, condition.1.as_str())];
                served.ask(Method::PATCH, path, &headers, &json!({ "project_id": "p" })).await.status
            }
        };
        assert_eq!(patch(("if-match", "\"other\"".into())).await, 412);
        assert_eq!(patch(("if-match", etag.clone())).await, 200);
        assert_eq!(patch(("if-match", etag)).await, 412);
        let history = served.get("/v1/resource/generic/one/history?sort=revision_start:desc").await.json();
        assert_eq!(history[0]["project_id"], "p");
        assert_eq!(history[1]["project_id"], Value::Null);
    }

    #[tokio::test]
    async fn a_type_is_patched_and_what_it_says_is_held_to() {
        let served = Served::new();
        let text = json!({ "type": "string", "max_length": 3, "required": false });
        let kind = json!({ "name": "vm", "attributes": { "host": text } });
        assert_eq!(served.post("/v1/resource_type", FOOBAR, kind.clone()).await.status, 403);
        assert_eq!(served.post("/v1/resource_type", ADMIN, kind).await.status, 201);
        let patch = |body: Value| {
            let served = &served;
            async move {
                let headers = [ADMIN, JSON, ("content-type", "application/json-patch+json")];
                served.ask(Method::PATCH, "/v1/resource_type/vm", &headers, &body).await
            }
        };
        let number = json!({ "type": "number", "options": { "fill": 1 } });
        let added = patch(json!([{ "op": "add", "path": "/attributes/cores", "value": number }])).await;
        assert_eq!(
            added.json()["attributes"]["cores"],
            json!({ "type": "number", "required": true, "min": null, "max": null })
        );
        let refused = patch(json!([{ "op": "remove", "path": "/attributes/what" }])).await;
        assert_eq!(refused.json()["description"], "can't remove a non-existent object 'what'");
        let refused = patch(json!([{ "op": "remove", "path": "/name" }])).await;
        assert_eq!(refused.json()["description"]["detail"], json!(["0", "path"]));
        for (resource, reason) in [
            (json!({ "id": "a" }), "required key not provided @ data['cores']"),
            (json!({ "id": "a", "cores": "x" }), "expected Real for dictionary value @ data['cores']"),
            (
                json!({ "id": "a", "cores": 1, "host": "long" }),
                "length of value must be at most 3 for dictionary value @ data['host']",
            ),
            (json!({ "id": "a", "cores": 1, "foo": 1 }), "extra keys not allowed @ data['foo']"),
            (
                json!({ "id": "a/b", "cores": 1 }),
                "'/' is not supported in resource id for dictionary value @ data['id']",
            ),
        ] {
            let refused = served.post("/v1/resource/vm", FOOBAR, resource).await;
            assert_eq!(refused.json()["description"]["reason"], reason);
        }
    }
}
