//! `influxdb://`

use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, OnceLock};

use nephoscope_telemetry::{Timestamp, TracePoint};
use nephoscope_testkit::Excuse;
use nephoscope_testkit::conformance::{Place, Subject};
use nephoscope_testkit::server::{InfluxdbServer, Missing, PASSWORD_ENCODED};

use super::{Subjects, excuse};

pub(super) fn subjects() -> Subjects {
    vec![Arc::new(One::default())]
}

const SEARCHES: &str = "it finds them in the points";
pub(super) const EXCUSES: [Excuse; 2] = [
    excuse("errors_are_listed_from_their_records", SEARCHES),
    excuse("errors_without_the_option_leave_no_record", SEARCHES),
];

/// A point whose name is longer than a field may be.
pub(super) fn long_name(base_id: &str) -> TracePoint {
    let time = Timestamp::from_micros(1_767_225_600_000_000);
    TracePoint::new(&"x".repeat(10_000), base_id.into(), "t".into(), base_id.into(), time)
}

/// A real InfluxDB 1.x, and a database of it for each place.
#[derive(Default)]
struct One {
    server: OnceLock<Result<InfluxdbServer, Missing>>,
    places: AtomicU16,
}

fn place(server: &InfluxdbServer, database: &str) -> Place {
    server.create_database(database);
    let url = server.url(database);
    Place {
        wrong_password: Some(url.replace(PASSWORD_ENCODED, "wrong-cirrus")),
        wrong_database: Some(server.url("no_such_database")),
        url,
        ..Place::default()
    }
}

impl Subject for One {
    fn name(&self) -> &'static str {
        "influxdb"
    }

    fn place(&self) -> Result<Place, Missing> {
        let server = self.server.get_or_init(InfluxdbServer::start).as_ref().map_err(|missing| *missing)?;
        Ok(place(server, &format!("osp_{}", self.places.fetch_add(1, Ordering::Relaxed))))
    }

    fn place_of_its_own(&self) -> Result<Place, Missing> {
        let server = InfluxdbServer::start()?;
        let place = place(&server, "osp");
        Ok(Place { server: Some(Box::new(server)), ..place })
    }

    fn unholdable(&self, base_id: &str) -> Option<TracePoint> {
        Some(long_name(base_id))
    }

    fn excuses(&self) -> &'static [Excuse] {
        &EXCUSES
    }
}
