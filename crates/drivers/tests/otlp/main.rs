//! What is on the wire, as the OpenTelemetry Collector and Jaeger understand it, and beside it what the OTLP driver of
//! the real OSProfiler sends.

mod foreign;
mod upstream;
mod wire;

use std::process::ExitCode;
use std::sync::Arc;

use nephoscope_telemetry::{ConnectionString, Driver, Error, Id, Json, Result, Timestamp, TracePoint};
use nephoscope_testkit::server::Missing;
use nephoscope_testkit::{conclude, trial};

fn main() -> ExitCode {
    conclude([wire::trials(), upstream::trials(), foreign::trials()].into_iter().flatten().collect())
}

/// Runs a test in a runtime of its own.
fn run(test: impl Future<Output = Result<(), Missing>>) -> Result<(), Missing> {
    tokio::runtime::Runtime::new().expect("threads can be started").block_on(test)
}

async fn connect(url: &str) -> Arc<dyn Driver> {
    try_connect(url).await.unwrap_or_else(|error| panic!("cannot connect to {url}: {error}"))
}

async fn try_connect(url: &str) -> Result<Arc<dyn Driver>, Error> {
    nephoscope_drivers::registry().connect(&ConnectionString::parse(url).expect("it is one")).await
}

/// A point of the trace of this id, so many microseconds after 2026-01-01T00:00:00.
fn point(base_id: &str, operation: &str, name: &str, micros: i64, info: &str) -> TracePoint {
    let time = Timestamp::from_micros(1_767_225_600_000_000 + micros);
    let mut point = TracePoint::new(name, Id::new(base_id), Id::new(operation), Id::new(base_id), time);
    point.info = Json::parse(info).expect("it is JSON");
    (point.project, point.service) = (Some("nova".into()), Some("api".into()));
    point
}
