//! `jaeger://`, and `otlp://` that reads back from Jaeger

use std::sync::Arc;

use nephoscope_telemetry::{Id, Json, Timestamp, TracePoint};
use nephoscope_testkit::Excuse;
use nephoscope_testkit::conformance::{Place, Subject};
use nephoscope_testkit::server::{JaegerServer, Missing};

use super::{Subjects, excuse};

pub(super) fn subjects() -> Subjects {
    let kind = |name, url| Jaeger { name, url };
    vec![
        Arc::new(kind("jaeger", JaegerServer::url)),
        Arc::new(kind("otlp+grpc", |server| {
            let (grpc, query) = (server.grpc_port(), server.query_port());
            format!("otlp+grpc://127.0.0.1:{grpc}?compression=gzip&query=jaeger://127.0.0.1:{query}")
        })),
    ]
}

/// A Jaeger for each place: it has one store, and starts in a fifth of a second.
struct Jaeger {
    name: &'static str,
    url: fn(&JaegerServer) -> String,
}

impl Subject for Jaeger {
    fn name(&self) -> &'static str {
        self.name
    }

    fn place(&self) -> Result<Place, Missing> {
        let server = JaegerServer::start()?;
        Ok(Place { url: (self.url)(&server), server: Some(Box::new(server)), ..Place::default() })
    }

    fn place_of_its_own(&self) -> Result<Place, Missing> {
        let server = JaegerServer::start_durable()?;
        Ok(Place { url: (self.url)(&server), server: Some(Box::new(server)), ..Place::default() })
    }

    /// Receivers take 20 MiB over HTTP and 4 MiB over gRPC, unless they are told otherwise.
    fn unholdable(&self, base_id: &str) -> Option<TracePoint> {
        let (id, operation) = (Id::new(base_id), Id::new("too large"));
        let mut point = TracePoint::new("db-stop", id.clone(), operation, id, Timestamp::from_micros(0));
        point.info = Json::parse(&format!("{{\"x\": \"{}\"}}", "x".repeat(21 << 20))).expect("it is JSON");
        Some(point)
    }

    fn excuses(&self) -> &'static [Excuse] {
        &EXCUSES
    }
}

const HELD: &str = "a start is held until its stop comes";
const KEEPS: &str = "Jaeger deletes traces itself";
const FINDS: &str = "it finds errors in the points";
const EXCUSES: [Excuse; 10] = [
    excuse("a_second_connection_sees_what_the_first_stored", HELD),
    excuse("an_info_of_ten_megabytes", "receivers take no such request, unless they are told to"),
    excuse("a_wrong_password_is_a_mistake_in_the_connection_string", "Jaeger asks for none"),
    excuse("a_wrong_database_is_a_mistake_in_the_connection_string", "Jaeger has one store"),
    excuse("errors_are_listed_from_their_records", FINDS),
    excuse("errors_without_the_option_leave_no_record", FINDS),
    excuse("purge_deletes_the_traces_whose_latest_point_is_older", KEEPS),
    excuse("purge_deletes_error_records_too", KEEPS),
    excuse("purge_deletes_many_traces", KEEPS),
    excuse("a_purged_trace_can_come_back", KEEPS),
];
