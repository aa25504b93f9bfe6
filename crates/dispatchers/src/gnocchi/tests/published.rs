//! What Ceilometer's own publisher asks of Gnocchi for the same samples, and what it was answered.
//!
//! Ours are the same batches, resources and changes. What differs on purpose: it makes one batch of each message, and we of
//! all that wait; it asks for an archive policy by making it, and we look first; it takes a resource's project from the last
//! sample even where that has none; and it cuts an id off at a `#` or `?` in a path, and does not encode a `%`, so that those
//! resources are never changed. What failed by chance it drops, and we send it again.

use std::sync::Mutex;

use nephoscope_gnocchi::Timestamp;
use nephoscope_testkit::http::{HttpDouble, Received, Reply};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::*;

#[derive(Deserialize)]
struct Published {
    steps: Vec<Step>,
}

#[derive(Deserialize)]
struct Step {
    samples: Vec<Json>,
    requests: Vec<Request>,
}

#[derive(Clone, Deserialize)]
struct Request {
    method: String,
    target: String,
    body: Json,
    status: u16,
    answer: Json,
}

/// A request, so far as it has to be the same: method, path and what the body says.
type Asked = (String, String, Json);

fn path(target: &str) -> &str {
    target.split('?').next().unwrap_or_default().trim_end_matches('/')
}

/// What only one of the two asks, or asks otherwise.
fn is_preparation(path: &str) -> bool {
    ["/v1/archive_policy", "/v1/resource_type", "/identity"].iter().any(|other| path.starts_with(other))
}

/// A body without what says nothing, numbers as numbers, and moments as moments.
fn plain(body: &Json) -> Json {
    match body {
        Json::Object(members) => {
            let told = members.iter().filter(|(_, value)| !value.is_null());
            let told = told.map(|(name, value)| match (name.as_str(), value) {
                ("timestamp" | "created_at" | "launched_at", Json::String(text)) => {
                    let nanos = Timestamp::parse(text, Timestamp::EPOCH).unwrap().as_nanos();
                    (name.clone(), json!(nanos))
                }
                _ => (name.clone(), plain(value)),
            });
            // In one order, for theirs is by chance.
            let mut told: Vec<_> = told.collect();
            told.sort_by(|one, other| one.0.cmp(&other.0));
            Json::Object(told.into_iter().collect())
        }
        Json::Array(items) => items.iter().map(plain).collect(),
        Json::Number(number) => json!(number.as_f64()),
        other => other.clone(),
    }
}

/// Batches in their order, and then the others, whose order is by chance.
fn in_order(asked: impl Iterator<Item = Asked>) -> Vec<Asked> {
    let (batches, mut others): (Vec<_>, Vec<_>) = asked
        .filter(|(_, path, _)| !is_preparation(path))
        .partition(|(_, path, _)| path.starts_with("/v1/batch"));
    others.sort_by_key(|(method, path, body)| format!("{method} {path} {body}"));
    batches.into_iter().chain(others).collect()
}

/// Where it is to go that theirs goes astray with.
fn mended(path: &str) -> &str {
    match path {
        "/v1/resource/volume/a" => "/v1/resource/volume/a%23b%3Fc",
        "/v1/resource/volume/lvm@host" => "/v1/resource/volume/lvm%40host%23pool",
        "/v1/resource/volume/p%2Fq" => "/v1/resource/volume/p%252Fq",
        path => path,
    }
}

impl Request {
    fn asked(&self) -> Asked {
        (self.method.clone(), mended(path(&self.target)).to_owned(), plain(&self.body))
    }
}

fn asked(request: &Received) -> Asked {
    let body = serde_json::from_slice(&request.body).unwrap_or_default();
    (request.method.clone(), path(&request.target).to_owned(), plain(&body))
}

/// One that answers what theirs was answered, each answer once. Of policies and types it knows none.
fn answering(steps: &[Step]) -> HttpDouble {
    let all: Vec<Request> = steps.iter().flat_map(|step| step.requests.clone()).collect();
    let left = Mutex::new(all.clone());
    HttpDouble::start(move |request| {
        let (method, path, body) = asked(request);
        if path.starts_with("/identity") {
            return of_keystone(&all, &method, &path);
        }
        if method == "GET" {
            let a_type = path.strip_prefix("/v1/resource_type/");
            let answer =
                a_type.map_or(json!([]), |name| json!({"name": name, "attributes": {}, "state": "active"}));
            return Reply::json(200, answer.to_string());
        }
        if is_preparation(&path) {
            return Reply::json(201, body.to_string());
        }
        let mut left = left.lock().unwrap();
        let is_it = |one: &Request| one.method == method && mended(self::path(&one.target)) == path;
        match left.iter().position(is_it) {
            Some(at) => {
                let Request { status, answer, .. } = left.remove(at);
                let answer = whole(answer);
                if answer.is_null() { Reply::empty(status) } else { Reply::json(status, answer.to_string()) }
            }
            None => Reply::json(500, "{}"),
        }
    })
}

/// What Keystone answered. The token was in a header, which is not kept.
fn of_keystone(all: &[Request], method: &str, path: &str) -> Reply {
    let is_it = |one: &&Request| one.method == method && self::path(&one.target) == path;
    match all.iter().find(is_it) {
        Some(it) => {
            let headers = vec![("x-subject-token", "token".into())];
            Reply::Answer(it.status, headers, it.answer.to_string().into_bytes())
        }
        None => Reply::json(404, "{}"),
    }
}

/// A resource with what each has: what theirs was answered by had only what it was given.
fn whole(mut answer: Json) -> Json {
    let is_resource = answer.get("original_resource_id").is_some();
    if let Some(resource) = answer.as_object_mut().filter(|_| is_resource) {
        for (name, value) in [
            ("creator", json!("admin")),
            ("metrics", json!({})),
            ("started_at", json!("2026-01-02T03:04:05+00:00")),
            ("revision_start", json!("2026-01-02T03:04:05+00:00")),
        ] {
            resource.entry(name).or_insert(value);
        }
    }
    answer
}

/// Samples as they came off the bus: JSON as Python writes it.
fn read(sample: &Json) -> Sample {
    let text = sample.to_string().replace("\"__nan__\"", "NaN").replace("\"__inf__\"", "Infinity");
    Sample::from_json(&text).unwrap()
}

/// A request without the project.
fn of_any_project((method, path, mut body): Asked) -> Asked {
    if let Some(members) = body.as_object_mut() {
        members.remove("project_id");
    }
    (method, path, body)
}

async fn asks_the_same(name: &str, options: &str) {
    let file = format!("{}/tests/golden/gnocchi/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let published: Published = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let double = answering(&published.steps);
    let port = double.port();
    let options = options.replace("PORT", &port.to_string());
    let to = ConnectionString::parse(&format!("gnocchi://ceilometer:x@127.0.0.1:{port}{options}")).unwrap();
    let rig = Rig::new();
    let dispatcher = remote(&to, &rig.around()).unwrap();
    let mut seen = 0;
    for (number, step) in published.steps.iter().enumerate() {
        let samples: Vec<_> = step.samples.iter().map(read).collect();
        dispatcher.samples(&samples).await.unwrap();
        let received = double.received();
        let mut ours = in_order(received[seen..].iter().map(asked));
        let mut theirs = in_order(step.requests.iter().map(Request::asked));
        if name == "missing_metadata" {
            for asked in [&mut ours, &mut theirs] {
                *asked = asked.drain(..).map(of_any_project).collect();
            }
        }
        seen = received.len();
        assert_eq!(ours, theirs, "{name}, step {number}");
    }
}

#[tokio::test]
async fn requests_are_those_of_ceilometer() {
    for (name, options) in [
        ("new_instance_then_cached", ""),
        ("resource_already_known", ""),
        ("conflict_409_on_create", ""),
        ("create_fails_400", ""),
        ("missing_metadata", ""),
        ("nan_inf", ""),
        ("unicode", ""),
        ("patch_url_quoting", ""),
        ("archive_policy_409_and_override", "?archive_policy=high"),
        ("filter_project_keystone", "?auth_url=http://127.0.0.1:PORT/identity&project=service"),
    ] {
        asks_the_same(name, options).await;
    }
}
