//! `memory://`

use std::sync::Arc;

use nephoscope_testkit::Excuse;
use nephoscope_testkit::conformance::{Place, Subject};
use nephoscope_testkit::server::Missing;

use super::{Subjects, excuse};

pub(super) fn subjects() -> Subjects {
    vec![Arc::new(Memory)]
}

struct Memory;

const NO_SERVER: &str = "it has no server";
const ONE_CONNECTION: &str = "every connection is a store of its own, gone with it";

impl Subject for Memory {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn place(&self) -> Result<Place, Missing> {
        Ok(Place { url: "memory://".into(), ..Place::default() })
    }

    fn excuses(&self) -> &'static [Excuse] {
        const {
            &[
                excuse("a_second_connection_sees_what_the_first_stored", ONE_CONNECTION),
                excuse("what_was_stored_is_there_after_connecting_again", ONE_CONNECTION),
                excuse("an_outage_is_unavailable_and_the_same_driver_works_after_it", NO_SERVER),
                excuse("a_server_killed_in_mid_write_loses_nothing_acknowledged", NO_SERVER),
                excuse("connecting_to_a_server_that_is_away_is_unavailable", NO_SERVER),
                excuse("a_wrong_password_is_a_mistake_in_the_connection_string", "it has no password"),
                excuse("a_wrong_database_is_a_mistake_in_the_connection_string", "it has one place only"),
                excuse("a_point_that_cannot_be_held_costs_only_itself", "it holds every point"),
                excuse("errors_are_listed_from_their_records", "it finds them in the points"),
                excuse("errors_without_the_option_leave_no_record", "it finds them in the points"),
            ]
        }
    }
}
