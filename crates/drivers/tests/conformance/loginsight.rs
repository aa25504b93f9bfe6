//! `loginsight://`, on a double that does what its API documents: no server can be had.

use std::sync::Arc;

use nephoscope_telemetry::{ConnectionString, Timestamp, TraceFilter, TracePoint};
use nephoscope_testkit::Excuse;
use nephoscope_testkit::conformance::{Place, Subject};
use nephoscope_testkit::server::{Missing, PASSWORD_ENCODED, USER};
use nephoscope_testkit::{Trial, trial};

use super::loginsight_double::{self, MOST};
use super::{Subjects, excuse};

pub(super) fn subjects() -> Subjects {
    vec![Arc::new(Double)]
}

struct Double;

/// What the driver promises besides.
pub(super) fn trials() -> Vec<Trial> {
    vec![trial("loginsight_double::more_events_than_the_server_gives_at_once_are_read", || {
        let place = Double.place()?;
        let runtime = tokio::runtime::Runtime::new().expect("threads can be started");
        runtime.block_on(read_in_parts(&place.url));
        Ok(())
    })]
}

async fn read_in_parts(url: &str) {
    let to = ConnectionString::parse(url).expect("it is one");
    let driver = nephoscope_drivers::registry().connect(&to).await.expect("it is there");
    let count = MOST + MOST / 2;
    let point = |number: usize| {
        let time = Timestamp::from_micros(number as i64);
        // Every tenth is of another trace, which a search for this one does not find.
        let base_id = if number.is_multiple_of(10) { "other" } else { "large" };
        TracePoint::new("a-start", base_id.into(), number.to_string().as_str().into(), base_id.into(), time)
    };
    let points: Vec<_> = (0..count).map(point).collect();
    driver.notify(&points).await.expect("it is stored");
    let read = driver.points(&"large".into()).await.expect("it is read").good;
    let expected: Vec<_> = points.iter().filter(|point| point.base_id == "large".into()).cloned().collect();
    assert!(expected.len() > MOST && read == expected, "{} of {} points", read.len(), expected.len());
    let listed = driver.list(&TraceFilter::default()).await.expect("they are listed");
    assert_eq!(listed.iter().filter_map(|line| line.points).sum::<u64>(), count as u64);
}

impl Subject for Double {
    fn name(&self) -> &'static str {
        "loginsight_double"
    }

    fn place(&self) -> Result<Place, Missing> {
        let double = loginsight_double::start();
        let url = format!("loginsight://{USER}:{PASSWORD_ENCODED}@127.0.0.1:{}?tls=false", double.port());
        Ok(Place {
            wrong_password: Some(url.replace(PASSWORD_ENCODED, "wrong-cirrus")),
            url,
            ..Place::default()
        })
    }

    fn unholdable(&self, base_id: &str) -> Option<TracePoint> {
        let time = Timestamp::from_micros(0);
        Some(TracePoint::new(&"x".repeat(20_000), base_id.into(), "t".into(), base_id.into(), time))
    }

    fn excuses(&self) -> &'static [Excuse] {
        const SEARCHES: &str = "it finds them in the points";
        const DOUBLE: &str = "a double cannot be taken away";
        const KEEPS: &str = "the server deletes by itself";
        const {
            &[
                excuse("errors_are_listed_from_their_records", SEARCHES),
                excuse("errors_without_the_option_leave_no_record", SEARCHES),
                excuse("an_outage_is_unavailable_and_the_same_driver_works_after_it", DOUBLE),
                excuse("a_server_killed_in_mid_write_loses_nothing_acknowledged", DOUBLE),
                excuse("connecting_to_a_server_that_is_away_is_unavailable", DOUBLE),
                excuse("a_wrong_database_is_a_mistake_in_the_connection_string", "it has one place only"),
                excuse("an_info_of_ten_megabytes", "a field holds 16 KiB"),
                excuse("purge_deletes_the_traces_whose_latest_point_is_older", KEEPS),
                excuse("purge_deletes_error_records_too", KEEPS),
                excuse("purge_deletes_many_traces", KEEPS),
                excuse("a_purged_trace_can_come_back", KEEPS),
            ]
        }
    }
}
