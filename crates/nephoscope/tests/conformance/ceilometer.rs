//! `ceilometer://` of a daemon
//!
//! Lists come through the daemon's own door. Without a bus the driver only reads, and points go in there, too: what is
//! held to the promises is that a trace comes out of the events as it went in. With one they go over a real RabbitMQ,
//! which the daemon takes them off.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use nephoscope_telemetry::{
    BoxFuture, Capabilities, Connecting, ConnectionString, Driver, Entry, ErrorKind, Id, Json, Points,
    Purged, Registry, Result, Timestamp, TraceFilter, TracePoint, TraceSummary,
};
use nephoscope_testkit::Excuse;
use nephoscope_testkit::conformance::{Place, Subject};
use nephoscope_testkit::server::{KeystoneServer, Missing, RabbitmqServer};
use nephoscope_testkit::{Trial, trial};

use super::{excuse, nephoscope, serve};

pub(super) fn subjects() -> Vec<Arc<dyn Subject>> {
    vec![Arc::new(Ceilometer), Arc::new(Bus::default())]
}

/// The driver that reads events, and beside it one that does the rest.
pub(super) fn registry() -> Registry {
    let mut registry = Registry::default();
    registry.register("ceilometer", Entry::Built(connect));
    registry
}

fn connect(to: &ConnectionString) -> Connecting<'_> {
    Box::pin(async move {
        let drivers = nephoscope_drivers::registry();
        let events = drivers.connect(to).await?;
        let door = ConnectionString::parse(&to.expose("http", |_| false)).expect("it is one");
        let door = drivers.connect(&door).await?;
        let over_the_bus = to.option("transport_url").is_some();
        Ok(Arc::new(Both { events, door, over_the_bus }) as Arc<dyn Driver>)
    })
}

#[derive(Debug)]
struct Both {
    events: Arc<dyn Driver>,
    door: Arc<dyn Driver>,
    over_the_bus: bool,
}

impl Both {
    /// Waits until the daemon has taken points off the bus and stored them: what the driver does not promise to be seen
    /// by the next read.
    async fn arrived(&self, points: &[TracePoint]) -> Result<()> {
        let mut traces: BTreeMap<&Id, BTreeSet<String>> = BTreeMap::new();
        for point in points.iter().filter(|point| point.to_json().len() < LONGEST_MESSAGE) {
            traces.entry(&point.base_id).or_default().insert(point.to_json());
        }
        for (base_id, sent) in traces {
            loop {
                let stored = self.door.points(base_id).await?.good;
                let stored: BTreeSet<_> = stored.iter().map(TracePoint::to_json).collect();
                if sent.is_subset(&stored) {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
        Ok(())
    }
}

impl Driver for Both {
    fn capabilities(&self) -> Capabilities {
        self.door.capabilities()
    }

    fn notify<'a>(&'a self, points: &'a [TracePoint]) -> BoxFuture<'a, Result<()>> {
        if !self.over_the_bus {
            return self.door.notify(points);
        }
        Box::pin(async move {
            let sent = self.events.notify(points).await;
            if matches!(&sent, Err(error) if error.kind() != ErrorKind::Invalid) {
                return sent;
            }
            self.arrived(points).await.and(sent)
        })
    }

    fn points<'a>(&'a self, base_id: &'a Id) -> BoxFuture<'a, Result<Points>> {
        self.events.points(base_id)
    }

    fn list<'a>(&'a self, filter: &'a TraceFilter) -> BoxFuture<'a, Result<Vec<TraceSummary>>> {
        self.door.list(filter)
    }

    fn list_errors<'a>(&'a self, filter: &'a TraceFilter) -> BoxFuture<'a, Result<Vec<TraceSummary>>> {
        self.door.list_errors(filter)
    }

    fn purge(&self, older_than: Timestamp) -> BoxFuture<'_, Result<Purged>> {
        self.door.purge(older_than)
    }
}

/// What fits into a message of the tests' RabbitMQ, its two envelopes included.
const LONGEST_MESSAGE: usize = 12 << 20;
const BY_TIME: &str = "events come in order of time, and the case looks for that of arrival";
const IN_THE_POINTS: &str = "the embedded store finds errors in the points";
const NO_PASSWORD: &str = "the daemon asks for none";
const ONE_PLACE: &str = "the daemon is one place";
const KEPT: &str = "while the daemon is away, the bus keeps what is written";
/// The last one only with a bus.
const EXCUSES: [Excuse; 9] = [
    excuse("order_of_arrival_is_kept", BY_TIME),
    excuse("ten_thousand_points_in_one_trace", BY_TIME),
    excuse("purge_deletes_the_traces_whose_latest_point_is_older", BY_TIME),
    excuse("a_server_killed_in_mid_write_loses_nothing_acknowledged", BY_TIME),
    excuse("a_wrong_password_is_a_mistake_in_the_connection_string", NO_PASSWORD),
    excuse("a_wrong_database_is_a_mistake_in_the_connection_string", ONE_PLACE),
    excuse("errors_are_listed_from_their_records", IN_THE_POINTS),
    excuse("errors_without_the_option_leave_no_record", IN_THE_POINTS),
    excuse("an_outage_is_unavailable_and_the_same_driver_works_after_it", KEPT),
];

struct Ceilometer;

impl Subject for Ceilometer {
    fn name(&self) -> &'static str {
        "ceilometer"
    }

    fn place(&self) -> Result<Place, Missing> {
        let server = serve("");
        let url = format!("ceilometer://127.0.0.1:{}", server.port());
        Ok(Place { url, server: Some(Box::new(server)), ..Place::default() })
    }

    fn unholdable(&self, base_id: &str) -> Option<TracePoint> {
        Some(nephoscope::longer_than_a_body(base_id))
    }

    fn excuses(&self) -> &'static [Excuse] {
        EXCUSES.split_last().expect("there are some").1
    }
}

/// One RabbitMQ, with a topic for each daemon.
#[derive(Default)]
struct Bus {
    rabbit: OnceLock<Result<RabbitmqServer, Missing>>,
    places: AtomicU16,
}

impl Subject for Bus {
    fn name(&self) -> &'static str {
        "ceilometer+bus"
    }

    fn place(&self) -> Result<Place, Missing> {
        let rabbit = self.rabbit.get_or_init(RabbitmqServer::start).as_ref().map_err(|missing| *missing)?;
        let topic = format!("profiler{}", self.places.fetch_add(1, Ordering::Relaxed));
        let bus = format!("{}?amqp_durable_queues=true", rabbit.url());
        let server = serve(&format!("[[source]]\nurl = \"{bus}&topics={topic}\"\n"));
        let url = ConnectionString::parse(&format!("ceilometer://127.0.0.1:{}", server.port()))
            .expect("it is one")
            .with_option("transport_url", &format!("{bus}&topic={topic}"))
            .expose("ceilometer", |_| true);
        Ok(Place { url, server: Some(Box::new(server)), ..Place::default() })
    }

    /// One larger than the messages that the server takes.
    fn unholdable(&self, base_id: &str) -> Option<TracePoint> {
        let time = Timestamp::from_micros(0);
        let mut point = TracePoint::new("db-start", base_id.into(), "t".into(), base_id.into(), time);
        point.info = Json::parse(&format!("{{\"x\": \"{}\"}}", "x".repeat(17 << 20))).expect("it is JSON");
        Some(point)
    }

    fn excuses(&self) -> &'static [Excuse] {
        &EXCUSES
    }
}

/// What the driver promises besides.
pub(super) fn trials() -> Vec<Trial> {
    vec![
        trial("ceilometer::the_catalog_of_a_real_keystone_says_where_it_is", || {
            let server = serve("");
            let api = format!("http://127.0.0.1:{}", server.port());
            let keystone = KeystoneServer::start(&api)?;
            run(through_a_keystone(&keystone, &api));
            Ok(())
        }),
        trial("ceilometer::what_a_daemon_does_not_do_is_not_claimed", || {
            let server = serve("");
            let to = format!("ceilometer://127.0.0.1:{}", server.port());
            run(async {
                let driver = open(&to).await.expect("it connects");
                let only_reads = Capabilities { read: true, ..Capabilities::default() };
                assert_eq!(driver.capabilities(), only_reads);
                let error = driver.list(&TraceFilter::default()).await.expect_err("it cannot");
                assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
            });
            Ok(())
        }),
    ]
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Runtime::new().expect("threads can be started").block_on(future)
}

async fn open(to: &str) -> Result<Arc<dyn Driver>> {
    nephoscope_drivers::registry().connect(&ConnectionString::parse(to).expect("it is one")).await
}

async fn through_a_keystone(keystone: &KeystoneServer, api: &str) {
    let time = Timestamp::from_micros(0);
    let point = TracePoint::new("a-start", "b".into(), "c".into(), "d".into(), time);
    open(api).await.expect("it connects").notify(std::slice::from_ref(&point)).await.expect("it stores");
    let (login, url) = (KeystoneServer::login(), keystone.url());
    let scope = "project=weather&user_domain=clouds&project_domain=clouds";
    let to = format!("ceilometer://{login}?auth_url={url}&{scope}");
    let driver = open(&to).await.expect("it connects");
    assert_eq!(driver.points(&"b".into()).await.expect("it reads").good, [point]);
    for (wrong, told) in [
        (to.replace(&login, "somebody:else@"), "mend the login"),
        (format!("{to}&region=west"), "with the region west"),
        // An endpoint that the catalog has, and where nothing is.
        (format!("{to}&region=south"), "no event API"),
    ] {
        let error = open(&wrong).await.expect_err("it is wrong");
        assert_eq!(error.kind(), ErrorKind::Config, "{error}");
        assert!(error.to_string().contains(told), "{error}");
    }
}
