//! The frame of the API: what does not depend on what is kept.

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
    };
    let doors = Doors::new(Arc::new(Traces::new(Vec::new())), Vec::new());
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
