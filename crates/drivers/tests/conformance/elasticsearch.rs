//! `elasticsearch://` and `opensearch://`

use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, OnceLock};

use nephoscope_telemetry::{Timestamp, TracePoint};
use nephoscope_testkit::Excuse;
use nephoscope_testkit::conformance::{Place, Subject};
use nephoscope_testkit::server::{ElasticsearchServer, Missing, PASSWORD_ENCODED, SearchServer, java21};

use super::{Subjects, excuse};

pub(super) fn subjects() -> Subjects {
    let kind = |name, kind, excuses| Search {
        name,
        kind,
        excuses,
        server: OnceLock::new(),
        places: AtomicU16::new(0),
    };
    let mut subjects: Subjects = vec![
        Arc::new(kind("opensearch-2", SearchServer::OpenSearch2, &WITHOUT_USERS)),
        Arc::new(kind("elasticsearch-8", SearchServer::Elasticsearch8, &EXCUSES)),
    ];
    if java21().is_some() {
        subjects.push(Arc::new(kind("opensearch-3", SearchServer::OpenSearch3, &WITHOUT_USERS)));
        subjects.push(Arc::new(kind("elasticsearch-9", SearchServer::Elasticsearch9, &SLOW_TO_START)));
    }
    subjects
}

const EXCUSES: [Excuse; 1] =
    [excuse("errors_without_the_option_leave_no_record", "it finds them in the points")];
const WITHOUT_USERS: [Excuse; 2] = [
    EXCUSES[0],
    excuse(
        "a_wrong_password_is_a_mistake_in_the_connection_string",
        "this distribution of the server comes without the plugin that knows users",
    ),
];

/// On a busy machine two starts take longer than a case may.
const SLOW_TO_START: [Excuse; 4] = {
    const TAKES_LONG: &str = "it takes its time to start; Elasticsearch 8 is taken away and brought back";
    [
        EXCUSES[0],
        excuse("an_outage_is_unavailable_and_the_same_driver_works_after_it", TAKES_LONG),
        excuse("a_server_killed_in_mid_write_loses_nothing_acknowledged", TAKES_LONG),
        excuse("connecting_to_a_server_that_is_away_is_unavailable", TAKES_LONG),
    ]
};

/// One server, and an index of it for each place.
struct Search {
    name: &'static str,
    kind: SearchServer,
    excuses: &'static [Excuse],
    server: OnceLock<Result<ElasticsearchServer, Missing>>,
    places: AtomicU16,
}

fn place(server: &ElasticsearchServer, index: &str) -> Place {
    let url = server.url(index);
    Place {
        wrong_password: Some(url.replace(PASSWORD_ENCODED, "wrong-cirrus")),
        wrong_database: Some(server.url("No-Such-Index")),
        url,
        ..Place::default()
    }
}

impl Subject for Search {
    fn name(&self) -> &'static str {
        self.name
    }

    fn place(&self) -> Result<Place, Missing> {
        let server = self.server.get_or_init(|| ElasticsearchServer::start(self.kind));
        let server = server.as_ref().map_err(|missing| *missing)?;
        Ok(place(server, &format!("traces-{}", self.places.fetch_add(1, Ordering::Relaxed))))
    }

    fn place_of_its_own(&self) -> Result<Place, Missing> {
        let server = ElasticsearchServer::start(self.kind)?;
        let place = place(&server, "traces");
        Ok(Place { server: Some(Box::new(server)), ..place })
    }

    /// The id of its trace is longer than a keyword can be, so it could not be found again.
    fn unholdable(&self, _base_id: &str) -> Option<TracePoint> {
        let long = "x".repeat(40_000);
        Some(TracePoint::new(
            "wsgi-start",
            long.as_str().into(),
            "t".into(),
            "p".into(),
            Timestamp::from_micros(0),
        ))
    }

    fn excuses(&self) -> &'static [Excuse] {
        self.excuses
    }
}
