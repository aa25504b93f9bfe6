//! Real clients of the daemon's doors.
//!
//! `/v2/events` is read by the last OSProfiler that had a driver for Ceilometer, 1.15, with python-ceilometerclient.

use std::path::Path;
use std::process::ExitCode;

use nephoscope_telemetry::{Batch, ConnectionString, Points, TracePoint};
use nephoscope_testkit::ceilometerclient::CeilometerClient;
use nephoscope_testkit::server::{Missing, NephoscopeServer};
use nephoscope_testkit::{conclude, trial};
use serde_json::{Value, json};

fn main() -> ExitCode {
    conclude(vec![
        trial(
            "ceilometer::osprofiler_reports_the_events_of_a_trace",
            osprofiler_reports_the_events_of_a_trace,
        ),
        trial("ceilometer::its_client_finds_events", its_client_finds_events),
    ])
}

/// A daemon that holds the points of golden files, and where its API is.
fn serve(points: &[TracePoint]) -> (NephoscopeServer, String) {
    let server = NephoscopeServer::start(Path::new(env!("CARGO_BIN_EXE_nephoscope")), "");
    let url = format!("http://127.0.0.1:{}", server.port());
    let to = ConnectionString::parse(&url).expect("it is one");
    let runtime = tokio::runtime::Runtime::new().expect("threads can be started");
    runtime.block_on(async {
        let driver = nephoscope_drivers::registry().connect(&to).await.expect("it listens");
        driver.notify(points).await.expect("it stores");
    });
    (server, url)
}

fn golden(name: &str) -> Points {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../telemetry/tests/golden");
    let lines = std::fs::read(golden.join(format!("{name}.redis_list.jsonl"))).expect("it is there");
    Points::from(Batch::read(&lines).points)
}

fn value(json: &str) -> Value {
    serde_json::from_str(json).unwrap_or_else(|error| panic!("{error}: {json}"))
}

fn osprofiler_reports_the_events_of_a_trace() -> Result<(), Missing> {
    let peer = CeilometerClient::find()?;
    let traces = ["nested", "exceptions", "several_roots", "fixed_clock"].map(golden);
    let ids = traces.each_ref().map(|points| points.good[0].base_id.to_string());
    let all = traces.iter().flat_map(|points| points.good.clone()).collect::<Vec<_>>();
    let (_server, url) = serve(&all);
    let theirs = value(&peer.reports(&url, &ids.each_ref().map(String::as_str)));
    let ours = traces.map(|points| value(&points.into_report().to_json()));
    assert_eq!(theirs, json!(ours));
    Ok(())
}

fn its_client_finds_events() -> Result<(), Missing> {
    let peer = CeilometerClient::find()?;
    let mut points = golden("nested");
    points.sort_by_time();
    let (_server, url) = serve(&points.good);
    let found = value(&peer.events(&url, &points.good[0].base_id.to_string()));
    let listed = found["listed"].as_array().expect("it is a list");
    let payloads: Vec<_> = listed.iter().map(|event| event["raw"]["payload"].clone()).collect();
    let wanted: Vec<_> = points.good.iter().map(|point| value(&point.to_json())).collect();
    assert_eq!(payloads, wanted);
    assert_eq!(found["got"], listed[0]);
    assert_eq!(
        found["stops"],
        json!([listed.iter().find(|event| event["raw"]["payload"]["name"] == "wsgi-stop")])
    );
    assert_eq!(found["traits"][0], json!({"name": "base_id", "type": "string"}));
    assert_eq!(found["missing"], "not found");
    Ok(())
}
