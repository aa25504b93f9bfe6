//! `otlp://` to a daemon, read back over its HTTP interface

use std::sync::Arc;

use nephoscope_telemetry::{Json, Timestamp, TracePoint};
use nephoscope_testkit::Excuse;
use nephoscope_testkit::conformance::{Place, Subject};
use nephoscope_testkit::server::Missing;

use super::{excuse, serve};

pub(super) fn subjects() -> Vec<Arc<dyn Subject>> {
    vec![Arc::new(Otlp)]
}

/// Each place is a daemon of its own, on an embedded store.
struct Otlp;

impl Subject for Otlp {
    fn name(&self) -> &'static str {
        "otlp"
    }

    fn place(&self) -> Result<Place, Missing> {
        let server = serve("");
        let port = server.port();
        let url = format!("otlp://127.0.0.1:{port}?compression=gzip&query=http://127.0.0.1:{port}");
        Ok(Place { url, server: Some(Box::new(server)), ..Place::default() })
    }

    fn unholdable(&self, base_id: &str) -> Option<TracePoint> {
        let mut point =
            TracePoint::new("db-stop", base_id.into(), "t".into(), "p".into(), Timestamp::from_micros(0));
        let longer_than_a_body = "x".repeat(65 << 20);
        point.info = Json::parse(&format!("{{\"x\": \"{longer_than_a_body}\"}}")).expect("it is JSON");
        Some(point)
    }

    fn excuses(&self) -> &'static [Excuse] {
        &EXCUSES
    }
}

const NO_PASSWORD: &str = "the daemon asks for no password";
const IN_THE_POINTS: &str = "the embedded store finds errors in the points";
const WRITES: &str = "OTLP deletes nothing";
const EXCUSES: [Excuse; 9] = [
    excuse("a_second_connection_sees_what_the_first_stored", "a start is held until its stop comes"),
    excuse("a_wrong_password_is_a_mistake_in_the_connection_string", NO_PASSWORD),
    excuse("a_wrong_database_is_a_mistake_in_the_connection_string", "the daemon is one place"),
    excuse("errors_are_listed_from_their_records", IN_THE_POINTS),
    excuse("errors_without_the_option_leave_no_record", IN_THE_POINTS),
    excuse("purge_deletes_the_traces_whose_latest_point_is_older", WRITES),
    excuse("purge_deletes_error_records_too", WRITES),
    excuse("purge_deletes_many_traces", WRITES),
    excuse("a_purged_trace_can_come_back", WRITES),
];
