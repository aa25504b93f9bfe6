//! `embedded://`

use std::sync::Arc;

use nephoscope_telemetry::{Id, Timestamp, TracePoint};
use nephoscope_testkit::Excuse;
use nephoscope_testkit::conformance::{Place, Subject};
use nephoscope_testkit::server::Missing;

use super::{Subjects, excuse};

pub(super) fn subjects() -> Subjects {
    vec![Arc::new(Embedded)]
}

struct Embedded;

const NO_SERVER: &str = "it has no server; that a kill loses nothing is tested beside the driver";

impl Subject for Embedded {
    fn name(&self) -> &'static str {
        "embedded"
    }

    fn place(&self) -> Result<Place, Missing> {
        let directory = tempfile::tempdir().expect("a temporary directory can be made");
        let path = directory.path();
        Ok(Place {
            url: format!("embedded://{}", path.join("traces").display()),
            wrong_database: Some("embedded:///proc/no/such/directory".into()),
            keep: Some(Box::new(directory)),
            ..Place::default()
        })
    }

    /// Only the length of a base id has a limit, that of a key of the engine.
    fn unholdable(&self, _base_id: &str) -> Option<TracePoint> {
        let id = Id::new(&"x".repeat(40_000));
        Some(TracePoint::new("long-start", id.clone(), id.clone(), id, Timestamp::from_micros(0)))
    }

    fn excuses(&self) -> &'static [Excuse] {
        const {
            &[
                excuse(
                    "a_second_connection_sees_what_the_first_stored",
                    "a store is opened once; opening it twice is a clear error",
                ),
                excuse("an_outage_is_unavailable_and_the_same_driver_works_after_it", NO_SERVER),
                excuse("a_server_killed_in_mid_write_loses_nothing_acknowledged", NO_SERVER),
                excuse("connecting_to_a_server_that_is_away_is_unavailable", NO_SERVER),
                excuse("a_wrong_password_is_a_mistake_in_the_connection_string", "it has no password"),
                excuse("errors_are_listed_from_their_records", "it finds them in the points"),
                excuse("errors_without_the_option_leave_no_record", "it finds them in the points"),
            ]
        }
    }
}
