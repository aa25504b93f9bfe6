//! `rabbit://` and `messaging://`

use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, OnceLock};

use nephoscope_telemetry::{Json, TracePoint};
use nephoscope_testkit::Excuse;
use nephoscope_testkit::conformance::{Place, Subject};
use nephoscope_testkit::server::{Missing, PASSWORD_ENCODED, RabbitmqOptions, RabbitmqServer};

use super::{Subjects, excuse};

pub(super) fn subjects() -> Subjects {
    let bus =
        |name, tls, option| Bus { name, tls, option, server: OnceLock::new(), places: AtomicU16::new(0) };
    vec![
        Arc::new(bus("rabbit", false, "amqp_durable_queues=true")),
        Arc::new(bus("rabbit+quorum", false, "rabbit_quorum_queue=true&rabbit_quorum_delivery_limit=1")),
        Arc::new(bus("rabbit+tls", true, "amqp_durable_queues=true")),
    ]
}

/// One server, and a topic for each place.
struct Bus {
    name: &'static str,
    tls: bool,
    option: &'static str,
    server: OnceLock<Result<RabbitmqServer, Missing>>,
    places: AtomicU16,
}

impl Bus {
    fn start(&self) -> Result<RabbitmqServer, Missing> {
        RabbitmqServer::start_with(RabbitmqOptions { tls: self.tls })
    }

    fn place_on(&self, server: &RabbitmqServer, topic: &str) -> Place {
        let url = server.url();
        let separator = if url.contains('?') { '&' } else { '?' };
        let url = format!("{url}{separator}{}&topic={topic}&control_exchange={topic}", self.option);
        Place {
            wrong_password: Some(url.replace(PASSWORD_ENCODED, "wrong-cirrus")),
            wrong_database: Some(url.replacen("/?", "/no_such_virtual_host?", 1)),
            url,
            ..Place::default()
        }
    }
}

impl Subject for Bus {
    fn name(&self) -> &'static str {
        self.name
    }

    fn place(&self) -> Result<Place, Missing> {
        let server = self.server.get_or_init(|| self.start()).as_ref().map_err(|missing| *missing)?;
        Ok(self.place_on(server, &format!("profiler{}", self.places.fetch_add(1, Ordering::Relaxed))))
    }

    fn place_of_its_own(&self) -> Result<Place, Missing> {
        let server = self.start()?;
        let place = self.place_on(&server, "profiler");
        Ok(Place { server: Some(Box::new(server)), ..place })
    }

    /// One larger than the messages that the server takes.
    fn unholdable(&self, base_id: &str) -> Option<TracePoint> {
        let time = nephoscope_telemetry::Timestamp::from_micros(0);
        let mut point = TracePoint::new("db-start", base_id.into(), "t".into(), base_id.into(), time);
        point.info = Json::parse(&format!("{{\"x\": \"{}\"}}", "x".repeat(17 << 20))).expect("it is JSON");
        Some(point)
    }

    fn excuses(&self) -> &'static [Excuse] {
        const RECORDS: &str = "it finds errors in the points";
        const PURGE: &str = "a queue gives its messages up to consumers only, and this driver takes none";
        const LEADERLESS: &str =
            "a quorum queue of RabbitMQ 3.10 on a single node finds no leader after a crash, for any client";
        const EXCUSES: &[Excuse] = &[
            excuse("errors_are_listed_from_their_records", RECORDS),
            excuse("errors_without_the_option_leave_no_record", RECORDS),
            excuse("purge_deletes_the_traces_whose_latest_point_is_older", PURGE),
            excuse("purge_deletes_error_records_too", PURGE),
            excuse("purge_deletes_many_traces", PURGE),
            excuse("a_purged_trace_can_come_back", PURGE),
            excuse("an_outage_is_unavailable_and_the_same_driver_works_after_it", LEADERLESS),
            excuse("a_server_killed_in_mid_write_loses_nothing_acknowledged", LEADERLESS),
        ];
        if self.option.contains("quorum") { EXCUSES } else { &EXCUSES[..6] }
    }
}
