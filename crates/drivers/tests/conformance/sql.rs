//! `sqlite://`, `postgresql://` and `mysql://`

use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, OnceLock};

use nephoscope_telemetry::TracePoint;
use nephoscope_testkit::Excuse;
use nephoscope_testkit::conformance::{Place, Subject};
use nephoscope_testkit::server::{MariadbServer, Missing, PASSWORD_ENCODED, PostgresServer};

use super::{Subjects, excuse};

pub(super) fn subjects() -> Subjects {
    vec![Arc::new(Sqlite), Arc::new(Postgres::default()), Arc::new(Mysql::default())]
}

const APPENDS: &str = "a row is inserted for every point, as OSProfiler does";
const SEARCHES: &str = "it finds them in the points";
const NO_SERVER: &str = "it has no server";

const fn common() -> [Excuse; 3] {
    [
        excuse("a_point_stored_twice_is_kept_once", APPENDS),
        excuse("errors_are_listed_from_their_records", SEARCHES),
        excuse("errors_without_the_option_leave_no_record", SEARCHES),
    ]
}

struct Sqlite;

impl Subject for Sqlite {
    fn name(&self) -> &'static str {
        "sqlite"
    }

    fn place(&self) -> Result<Place, Missing> {
        let directory = tempfile::tempdir().expect("a temporary directory can be made");
        Ok(Place {
            url: format!("sqlite:///{}", directory.path().join("traces.db").display()),
            wrong_database: Some(format!("sqlite:///{}/no/such/directory/x.db", directory.path().display())),
            keep: Some(Box::new(directory)),
            ..Place::default()
        })
    }

    fn excuses(&self) -> &'static [Excuse] {
        const {
            let [twice, records, option] = common();
            &[
                twice,
                records,
                option,
                excuse("an_outage_is_unavailable_and_the_same_driver_works_after_it", NO_SERVER),
                excuse("a_server_killed_in_mid_write_loses_nothing_acknowledged", NO_SERVER),
                excuse("connecting_to_a_server_that_is_away_is_unavailable", NO_SERVER),
                excuse("a_wrong_password_is_a_mistake_in_the_connection_string", "it has no password"),
                excuse("a_point_that_cannot_be_held_costs_only_itself", "it holds every point"),
            ]
        }
    }
}

/// An outage is told when connecting has been tried for so long; the default would make the suite slow.
const IMPATIENT: &str = "?connect_timeout=1";

/// A place in a database of its own.
fn place(url: String, database: &str) -> Place {
    Place {
        wrong_password: Some(url.replace(PASSWORD_ENCODED, "wrong-cirrus")),
        wrong_database: Some(url.replace(&format!("/{database}"), "/no_such_database")),
        url,
        ..Place::default()
    }
}

/// A point whose name is longer than its column.
fn long_name(base_id: &str) -> TracePoint {
    let time = nephoscope_telemetry::Timestamp::from_micros(0);
    TracePoint::new(&"x".repeat(300), base_id.into(), "t".into(), base_id.into(), time)
}

/// One server, and a database of it for each place.
#[derive(Default)]
struct Postgres {
    server: OnceLock<Result<PostgresServer, Missing>>,
    places: AtomicU16,
}

impl Subject for Postgres {
    fn name(&self) -> &'static str {
        "postgresql"
    }

    fn place(&self) -> Result<Place, Missing> {
        let server = self.server.get_or_init(PostgresServer::start).as_ref().map_err(|missing| *missing)?;
        let database = format!("osp_{}", self.places.fetch_add(1, Ordering::Relaxed));
        server.create_database(&database);
        Ok(place(server.database_url(&database), &database))
    }

    fn place_of_its_own(&self) -> Result<Place, Missing> {
        let server = PostgresServer::start()?;
        let url = server.url() + IMPATIENT;
        Ok(Place { server: Some(Box::new(server)), ..place(url, "osp") })
    }

    fn unholdable(&self, base_id: &str) -> Option<TracePoint> {
        Some(long_name(base_id))
    }

    fn excuses(&self) -> &'static [Excuse] {
        const { &common() }
    }
}

/// One server, and a database of it for each place.
#[derive(Default)]
struct Mysql {
    server: OnceLock<Result<MariadbServer, Missing>>,
    places: AtomicU16,
}

impl Subject for Mysql {
    fn name(&self) -> &'static str {
        "mysql"
    }

    fn place(&self) -> Result<Place, Missing> {
        let server = self.server.get_or_init(MariadbServer::start).as_ref().map_err(|missing| *missing)?;
        let database = format!("osp_{}", self.places.fetch_add(1, Ordering::Relaxed));
        server.create_database(&database);
        Ok(place(server.database_url(&database), &database))
    }

    fn place_of_its_own(&self) -> Result<Place, Missing> {
        let server = MariadbServer::start()?;
        let url = server.url() + IMPATIENT;
        Ok(Place { server: Some(Box::new(server)), ..place(url, "osp") })
    }

    fn unholdable(&self, base_id: &str) -> Option<TracePoint> {
        Some(long_name(base_id))
    }

    fn excuses(&self) -> &'static [Excuse] {
        const { &common() }
    }
}
