//! `ceilometer://` of a daemon
//!
//! It only reads, so points go in through the daemon's own door, and lists come from there: what is held to the promises
//! is that a trace comes out of the events as it went in.

use std::sync::Arc;

use nephoscope_telemetry::{
    BoxFuture, Capabilities, Connecting, ConnectionString, Driver, Entry, ErrorKind, Id, Points, Purged,
    Registry, Result, Timestamp, TraceFilter, TracePoint, TraceSummary,
};
use nephoscope_testkit::conformance::{Excuse, Place, Subject};
use nephoscope_testkit::server::{KeystoneServer, Missing};
use nephoscope_testkit::{Trial, trial};

use super::{excuse, nephoscope, serve};

pub(super) fn subjects() -> Vec<Arc<dyn Subject>> {
    vec![Arc::new(Ceilometer)]
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
        Ok(Arc::new(Both { events, door }) as Arc<dyn Driver>)
    })
}

#[derive(Debug)]
struct Both {
    events: Arc<dyn Driver>,
    door: Arc<dyn Driver>,
}

impl Driver for Both {
    fn capabilities(&self) -> Capabilities {
        self.door.capabilities()
    }

    fn notify<'a>(&'a self, points: &'a [TracePoint]) -> BoxFuture<'a, Result<()>> {
        self.door.notify(points)
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
        const BY_TIME: &str = "events come in order of time, and the case looks for that of arrival";
        const IN_THE_POINTS: &str = "the embedded store finds errors in the points";
        const {
            &[
                excuse("order_of_arrival_is_kept", BY_TIME),
                excuse("ten_thousand_points_in_one_trace", BY_TIME),
                excuse("purge_deletes_the_traces_whose_latest_point_is_older", BY_TIME),
                excuse("a_server_killed_in_mid_write_loses_nothing_acknowledged", BY_TIME),
                excuse("a_wrong_password_is_a_mistake_in_the_connection_string", "the daemon asks for none"),
                excuse("a_wrong_database_is_a_mistake_in_the_connection_string", "the daemon is one place"),
                excuse("errors_are_listed_from_their_records", IN_THE_POINTS),
                excuse("errors_without_the_option_leave_no_record", IN_THE_POINTS),
            ]
        }
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
