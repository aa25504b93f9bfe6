//! `clickhouse://`, on the current engine of ClickHouse behind an imitation of its HTTP interface

use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, OnceLock};

use nephoscope_testkit::Excuse;
use nephoscope_testkit::conformance::{Place, Subject};
use nephoscope_testkit::server::{ClickhouseEngine, Missing, PASSWORD_ENCODED};

use super::{Subjects, excuse};

pub(super) fn subjects() -> Subjects {
    vec![Arc::new(Engine::default())]
}

/// One server, and a database of it for each place.
#[derive(Default)]
struct Engine {
    server: OnceLock<Result<ClickhouseEngine, Missing>>,
    places: AtomicU16,
}

fn place(url: String, database: &str) -> Place {
    Place {
        wrong_password: Some(url.replace(PASSWORD_ENCODED, "wrong-cirrus")),
        wrong_database: Some(url.replace(&format!("/{database}"), "/no_such_database")),
        url,
        ..Place::default()
    }
}

impl Subject for Engine {
    fn name(&self) -> &'static str {
        "clickhouse"
    }

    fn place(&self) -> Result<Place, Missing> {
        let server = self.server.get_or_init(ClickhouseEngine::start).as_ref().map_err(|missing| *missing)?;
        let database = format!("osp_{}", self.places.fetch_add(1, Ordering::Relaxed));
        server.create_database(&database);
        Ok(place(server.database_url(&database), &database))
    }

    fn place_of_its_own(&self) -> Result<Place, Missing> {
        let server = ClickhouseEngine::start()?;
        let place = place(server.url(), "default");
        Ok(Place { server: Some(Box::new(server)), ..place })
    }

    fn excuses(&self) -> &'static [Excuse] {
        const SEARCHES: &str = "it finds them in the points";
        const {
            &[
                excuse("a_point_that_cannot_be_held_costs_only_itself", "it holds every point"),
                excuse("errors_are_listed_from_their_records", SEARCHES),
                excuse("errors_without_the_option_leave_no_record", SEARCHES),
            ]
        }
    }
}
