//! Real clients of the daemon's doors.
//!
//! `/v2/events` is read by the last OSProfiler that had a driver for Ceilometer, 1.15, with python-ceilometerclient. OTLP
//! comes from OpenTelemetry's SDK for Python, and from the `otlp` driver of OSProfiler 4.4. The message bus is RabbitMQ.

mod loss;
mod operating;
mod samples;
mod source;

use std::path::Path;
use std::process::ExitCode;

use nephoscope_otlp::ids::base_id_of_hex;
use nephoscope_telemetry::report::Node;
use nephoscope_telemetry::{Batch, ConnectionString, Id, Json, Points, TracePoint};
use nephoscope_testkit::ceilometerclient::CeilometerClient;
use nephoscope_testkit::opentelemetry::TracedProgram;
use nephoscope_testkit::osprofiler::Osprofiler;
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
        trial("otlp::an_sdk_exports_over_http", || an_sdk_exports("http")),
        trial("otlp::an_sdk_exports_over_grpc", || an_sdk_exports("grpc")),
        trial("otlp::osprofiler_exports", osprofiler_exports),
        trial("loss::nothing_is_lost_off_the_bus_by_crashes", loss::nothing_is_lost_off_the_bus_by_crashes),
        trial("operating::systemd_takes_the_unit", operating::systemd_takes_the_unit),
        trial(
            "operating::a_doctor_looks_at_a_bus_and_leaves_it_as_it_is",
            operating::a_doctor_looks_at_a_bus_and_leaves_it_as_it_is,
        ),
        trial("samples::ceilometer_sends_to_the_daemon", samples::ceilometer_sends_to_the_daemon),
        trial("source::osprofiler_sends_to_the_daemon", source::osprofiler_sends_to_the_daemon),
        trial("source::a_poisonous_message_costs_itself", source::a_poisonous_message_costs_itself),
        trial(
            "source::nothing_is_lost_while_backend_and_broker_are_away",
            source::nothing_is_lost_while_backend_and_broker_are_away,
        ),
        trial(
            "source::points_come_over_tls_and_off_a_quorum_queue",
            source::points_come_over_tls_and_off_a_quorum_queue,
        ),
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

/// The operations of a trace, in the order of the tree: how deep each stands, its service, its name and its exception.
fn operations(url: &str, base_id: &Id) -> Vec<String> {
    let to = ConnectionString::parse(url).expect("it is one");
    let runtime = tokio::runtime::Runtime::new().expect("threads can be started");
    let points = runtime.block_on(async {
        let driver = nephoscope_drivers::registry().connect(&to).await.expect("it listens");
        driver.points(base_id).await.expect("it answers")
    });
    let report = points.into_report();
    let shown = |(depth, node): (usize, &Node)| {
        let service = node.service.as_deref().unwrap_or("nobody");
        let name = report.full_name(node);
        let exception = node.error().map_or("", Json::as_str);
        format!("{depth} {service} {name} {exception}").trim_end().to_owned()
    };
    report.walk().map(shown).collect()
}

fn an_sdk_exports(protocol: &str) -> Result<(), Missing> {
    let program = TracedProgram::find()?;
    let (server, url) = serve(&[]);
    let endpoint = match protocol {
        "grpc" => format!("127.0.0.1:{}", server.grpc_port()),
        _ => format!("{url}/v1/traces"),
    };
    let trace_id = program.export(protocol, &endpoint);
    let base_id = base_id_of_hex(&trace_id).expect("it is a trace id");
    assert_eq!(
        operations(&url, &base_id),
        ["0 cart POST /cart-items/{id}", "1 cart SELECT cart", "1 cart charge-card-stop \"ValueError\"",]
    );
    Ok(())
}

fn osprofiler_exports() -> Result<(), Missing> {
    let peer = Osprofiler::find()?;
    let (server, url) = serve(&[]);
    let base_id = peer.trace(&format!("otlp://127.0.0.1:{}", server.port()), false);
    let found = operations(&url, &Id::new(&base_id));
    // Its driver names operations anew, and cuts letters off (`driver` is `drive`). After an operation that nobody ended it
    // ends that one in place of the next, so that `wsgi`, around all of them, is never sent.
    let count = |line: &str| found.iter().filter(|found| *found == line).count();
    for (line, times) in [
        ("0 cinder-volume SQL_SELECT", 1),
        ("0 cinder-volume neutron-api", 5),
        ("0 cinder-volume rpc \"ValueError\"", 1),
        ("0 cinder-volume unfinished", 1),
        ("3 cinder-volume drive", 1),
    ] {
        assert_eq!(count(line), times, "{line}: {found:#?}");
    }
    Ok(())
}
