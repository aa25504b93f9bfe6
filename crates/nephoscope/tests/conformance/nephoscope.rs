//! `http://` of a daemon

use std::sync::Arc;

use nephoscope_telemetry::{Json, Timestamp, TracePoint};
use nephoscope_testkit::Excuse;
use nephoscope_testkit::conformance::{Place, Subject};
use nephoscope_testkit::server::Missing;

use super::{excuse, serve};

pub(super) fn subjects() -> Vec<Arc<dyn Subject>> {
    vec![Arc::new(Nephoscope)]
}

/// A point that no daemon takes.
pub(super) fn longer_than_a_body(base_id: &str) -> TracePoint {
    let time = Timestamp::from_micros(0);
    let mut point = TracePoint::new("db-start", base_id.into(), "t".into(), "p".into(), time);
    let long = "x".repeat(33 << 20);
    point.info = Json::parse(&format!("{{\"x\": \"{long}\"}}")).expect("it is JSON");
    point
}

/// Each place is a daemon of its own, on an embedded store.
struct Nephoscope;

impl Subject for Nephoscope {
    fn name(&self) -> &'static str {
        "nephoscope"
    }

    fn place(&self) -> Result<Place, Missing> {
        let server = serve("");
        let url = format!("http://127.0.0.1:{}", server.port());
        Ok(Place { url, server: Some(Box::new(server)), ..Place::default() })
    }

    fn unholdable(&self, base_id: &str) -> Option<TracePoint> {
        Some(longer_than_a_body(base_id))
    }

    fn excuses(&self) -> &'static [Excuse] {
        const NO_PASSWORD: &str = "the daemon asks for no password";
        const IN_THE_POINTS: &str = "the embedded store finds errors in the points";
        const {
            &[
                excuse("a_wrong_password_is_a_mistake_in_the_connection_string", NO_PASSWORD),
                excuse("a_wrong_database_is_a_mistake_in_the_connection_string", "the daemon is one place"),
                excuse("errors_are_listed_from_their_records", IN_THE_POINTS),
                excuse("errors_without_the_option_leave_no_record", IN_THE_POINTS),
            ]
        }
    }
}
