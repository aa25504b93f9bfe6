//! What reaches a Gnocchi of 2015, beside what Ceilometer's first dispatcher got through to it of the same samples.
//!
//! Each measure arrives, once, and so do those that theirs lost where a request failed. The requests differ on purpose: ours
//! first asks for today's batch, which is not there; what is measured of a metric goes together; a resource gets the metrics
//! that are measured, where theirs made all that its type may have; it is sought as `generic`, which every type is; and it is
//! changed when something changed, not with each metric.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use nephoscope_gnocchi::Timestamp;
use nephoscope_testkit::http::{HttpDouble, Received, Reply};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::*;

#[derive(Deserialize)]
struct Captured {
    /// Resources that were there, without metrics.
    known: Vec<String>,
    steps: Vec<Step>,
}

#[derive(Deserialize)]
struct Step {
    samples: Vec<Json>,
    requests: Vec<Request>,
}

#[derive(Deserialize)]
struct Request {
    target: String,
    body: Json,
    /// Of the answer, if there was one.
    status: Option<u16>,
}

/// Measures by resource and metric: moments and values.
type Arrived = BTreeMap<(String, String), Vec<(i128, f64)>>;

/// A Gnocchi that finds metrics by their resource and name, and has no batches.
#[derive(Default)]
struct Early {
    metrics: BTreeMap<String, BTreeSet<String>>,
    arrived: Arrived,
    /// How the next request with measures fails.
    failure: Option<Reply>,
}

fn refusal(status: u16, description: &str) -> Reply {
    Reply::json(status, json!({"code": status, "title": "", "description": description}).to_string())
}

fn add(arrived: &mut Arrived, resource: &str, metric: &str, measures: &Json) {
    let measures = measures.as_array().unwrap().iter().map(|measure| {
        let timestamp = Timestamp::parse(measure["timestamp"].as_str().unwrap(), Timestamp::EPOCH).unwrap();
        (i128::from(timestamp.as_nanos()), measure["value"].as_f64().unwrap())
    });
    arrived.entry((resource.into(), metric.into())).or_default().extend(measures);
}

impl Early {
    fn answer(&mut self, request: &Received) -> Reply {
        let path = request.target.split('?').next().unwrap_or_default();
        let parts: Vec<_> = path.trim_matches('/').split('/').skip(1).collect();
        let body: Json = serde_json::from_slice(&request.body).unwrap_or_default();
        match (request.method.as_str(), parts.as_slice()) {
            ("POST", ["batch", ..]) => refusal(404, ""),
            ("GET", ["resource_type", name]) => {
                Reply::json(200, json!({"name": name, "attributes": {}, "state": "active"}).to_string())
            }
            ("GET", ["archive_policy" | "resource_type"]) => Reply::json(200, "[]"),
            ("POST" | "PATCH", ["archive_policy" | "resource_type", ..]) => {
                Reply::json(201, body.to_string())
            }
            ("POST", ["resource", _, id, "metric", name, "measures"]) => self.measures(id, name, &body),
            ("POST", ["resource", _, id, "metric"]) => {
                let names = body.as_object().unwrap().keys().cloned();
                self.metrics.get_mut(*id).unwrap().extend(names);
                Reply::empty(204)
            }
            ("POST", ["resource", of_type]) => {
                let id = body["id"].as_str().unwrap();
                if self.metrics.contains_key(id) {
                    return refusal(409, &format!("Resource {id} already exists"));
                }
                self.metrics.insert(id.into(), BTreeSet::new());
                Reply::json(201, resource(of_type, id).to_string())
            }
            ("PATCH", ["resource", of_type, id]) => Reply::json(200, resource(of_type, id).to_string()),
            _ => refusal(404, ""),
        }
    }

    fn measures(&mut self, id: &str, name: &str, body: &Json) -> Reply {
        if let Some(failure) = self.failure.take() {
            return failure;
        }
        match self.metrics.get(id) {
            None => refusal(404, &format!("Resource {id} does not exist")),
            Some(metrics) if !metrics.contains(name) => {
                refusal(404, &format!("Metric {name} does not exist"))
            }
            Some(_) => {
                add(&mut self.arrived, id, name, body);
                Reply::empty(202)
            }
        }
    }
}

fn resource(of_type: &str, id: &str) -> Json {
    let now = "2026-01-02T03:04:05+00:00";
    json!({
        "id": id, "original_resource_id": id, "type": of_type, "creator": "admin", "metrics": {},
        "created_by_user_id": "admin", "created_by_project_id": "", "user_id": null, "project_id": null,
        "started_at": now, "ended_at": null, "revision_start": now, "revision_end": null
    })
}

/// What theirs got through.
fn theirs(captured: &Captured) -> Arrived {
    let mut arrived = Arrived::new();
    for request in captured.steps.iter().flat_map(|step| &step.requests) {
        let parts: Vec<_> = request.target.split('/').collect();
        if let (Some(200..300), ["", "v1", "resource", _, id, "metric", name, "measures"]) =
            (request.status, parts.as_slice())
        {
            add(&mut arrived, id, name, &request.body);
        }
    }
    arrived
}

/// What ours gets through, however often it has to be sent.
async fn ours(captured: &Captured, options: &str, failure: Option<Reply>) -> Arrived {
    let metrics = captured.known.iter().map(|id| (id.clone(), BTreeSet::new())).collect();
    let early = Arc::new(Mutex::new(Early { metrics, failure, ..Early::default() }));
    let answering = early.clone();
    let double = HttpDouble::start(move |request| answering.lock().unwrap().answer(request));
    let to = format!("gnocchi://ceilometer:x@127.0.0.1:{}{options}", double.port());
    let rig = Rig::new();
    let dispatcher = remote(&ConnectionString::parse(&to).unwrap(), &rig.around()).unwrap();
    for step in &captured.steps {
        let samples: Vec<_> =
            step.samples.iter().map(|sample| Sample::from_json(&sample.to_string()).unwrap()).collect();
        let mut tries = 0..3;
        while let Err(error) = dispatcher.samples(&samples).await {
            assert!(tries.next().is_some(), "{error}");
        }
    }
    early.lock().unwrap().arrived.clone()
}

fn count(arrived: &Arrived) -> usize {
    arrived.values().map(Vec::len).sum()
}

#[tokio::test]
async fn what_the_first_dispatcher_got_through_and_what_it_lost_arrives() {
    let failing = || Some(refusal(500, ""));
    let hanging_up = || Some(Reply::Raw(Vec::new()));
    for (name, options, failure, lost) in [
        ("new_instance", "", None, 0),
        ("second_batch", "", None, 0),
        ("known_resource_without_metrics", "", None, 0),
        ("filtered", "?filter_project=gnocchi-project", None, 0),
        ("unsorted", "", None, 0),
        ("unhandled_meter", "?unowned=drop", None, 0),
        ("500", "", failing(), 1),
        ("conn_aborted", "", hanging_up(), 1),
        ("missing_metadata", "", None, 1),
    ] {
        let file = format!("{}/tests/golden/gnocchi_2015/{name}.json", env!("CARGO_MANIFEST_DIR"));
        let captured: Captured = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
        let theirs = theirs(&captured);
        let ours = ours(&captured, options, failure).await;
        assert_eq!(count(&ours), count(&theirs) + lost, "{name}: {ours:?}");
        for (metric, measures) in theirs {
            let arrived = ours.get(&metric).is_some_and(|ours| measures.iter().all(|one| ours.contains(one)));
            assert!(arrived, "{name}: {metric:?} {measures:?} in {ours:?}");
        }
    }
}
