//! `mongodb://`, on FerretDB and on the server that `NEPHOSCOPE_TEST_MONGODB` names.

use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, OnceLock};

use nephoscope_telemetry::{Json, Timestamp, TracePoint};
use nephoscope_testkit::Excuse;
use nephoscope_testkit::conformance::{Place, Subject};
use nephoscope_testkit::server::{FerretdbServer, Missing, Mongod, PASSWORD_ENCODED};

use super::{Subjects, excuse};

pub(super) fn subjects() -> Subjects {
    let mut subjects: Subjects = vec![Arc::new(Ferretdb::default())];
    if let Some(server) = Mongod::named() {
        subjects.push(Arc::new(Named(server)));
    }
    subjects
}

const SEARCHES: Excuse = excuse("errors_without_the_option_leave_no_record", "it finds them in the points");
const NOT_OURS: &str = "the server is not ours to stop";

/// An outage is told when a server has been looked for so long; the default would make the suite slow.
const IMPATIENT: &str = "&serverSelectionTimeoutMS=1000";

/// More than the 16 MiB of a document.
fn large(base_id: &str) -> TracePoint {
    let time = Timestamp::from_micros(0);
    let mut point = TracePoint::new("db-start", base_id.into(), "t".into(), base_id.into(), time);
    point.info = Json::parse(&format!("{{\"text\": \"{}\"}}", "x".repeat(17 << 20))).expect("it is JSON");
    point
}

/// One server, and a database of it for each place.
#[derive(Default)]
struct Ferretdb {
    server: OnceLock<Result<FerretdbServer, Missing>>,
    places: AtomicU16,
}

impl Subject for Ferretdb {
    fn name(&self) -> &'static str {
        "mongodb"
    }

    fn place(&self) -> Result<Place, Missing> {
        let server = self.server.get_or_init(FerretdbServer::start).as_ref().map_err(|missing| *missing)?;
        let url = server.database_url(&format!("osp_{}", self.places.fetch_add(1, Ordering::Relaxed)));
        Ok(Place {
            wrong_password: Some(url.replace(PASSWORD_ENCODED, "wrong-cirrus")),
            wrong_database: Some(url.replace("database=", "database=no%2F")),
            url,
            ..Place::default()
        })
    }

    fn place_of_its_own(&self) -> Result<Place, Missing> {
        let server = FerretdbServer::start()?;
        let url = server.url() + IMPATIENT;
        Ok(Place { url, server: Some(Box::new(server)), ..Place::default() })
    }

    fn unholdable(&self, base_id: &str) -> Option<TracePoint> {
        Some(large(base_id))
    }

    fn excuses(&self) -> &'static [Excuse] {
        const { &[SEARCHES] }
    }
}

/// The server that is named, and a database of it for each place.
struct Named(Mongod);

impl Subject for Named {
    fn name(&self) -> &'static str {
        "mongod"
    }

    fn place(&self) -> Result<Place, Missing> {
        let url = self.0.fresh_url();
        Ok(Place {
            wrong_password: Some(self.0.stranger_url("wrong-cirrus")),
            wrong_database: Some(url.replace("database=", "database=no%2F")),
            url,
            ..Place::default()
        })
    }

    fn unholdable(&self, base_id: &str) -> Option<TracePoint> {
        Some(large(base_id))
    }

    fn excuses(&self) -> &'static [Excuse] {
        const {
            &[
                SEARCHES,
                excuse("an_outage_is_unavailable_and_the_same_driver_works_after_it", NOT_OURS),
                excuse("a_server_killed_in_mid_write_loses_nothing_acknowledged", NOT_OURS),
                excuse("connecting_to_a_server_that_is_away_is_unavailable", NOT_OURS),
            ]
        }
    }
}
