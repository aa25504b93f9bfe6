//! `redis://`, `rediss://` and `redissentinel://`

use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use nephoscope_testkit::Excuse;
use nephoscope_testkit::conformance::{Place, Subject};
use nephoscope_testkit::server::{
    Missing, PASSWORD_ENCODED, RedisCluster, RedisOptions, RedisServer, SentinelGroup, Server,
};

use super::{Subjects, excuse};

pub(super) fn subjects() -> Subjects {
    let kind = |name, options, option| Redis {
        name,
        options,
        option,
        server: OnceLock::new(),
        places: AtomicU16::new(0),
    };
    let encrypted = RedisOptions { tls: true, ..PROTECTED };
    vec![
        Arc::new(kind("redis", PROTECTED, "")),
        Arc::new(kind("redis+filter_error_trace", PROTECTED, "filter_error_trace=true")),
        Arc::new(kind("rediss", encrypted, "")),
        Arc::new(kind("valkey", RedisOptions { valkey: true, ..PROTECTED }, "")),
        Arc::new(Cluster { name: "redis-cluster", options: PROTECTED, idle: Arc::default() }),
        Arc::new(Cluster { name: "rediss-cluster", options: encrypted, idle: Arc::default() }),
        Arc::new(Sentinel { group: OnceLock::new(), places: AtomicU16::new(0) }),
    ]
}

const APPENDS: &str = "a list of points is appended to, as OSProfiler does";
const RECORDS: &str = "it finds errors in their records only";
const HOLDS_ALL: &str = "it holds every point";
const ENDS_ONLY: &str = "a list reads only the points that arrived first and last of each trace";
const EXCUSES: [Excuse; 5] = [
    excuse("a_point_stored_twice_is_kept_once", APPENDS),
    excuse("a_point_that_cannot_be_held_costs_only_itself", HOLDS_ALL),
    excuse("a_list_is_right_when_points_arrive_out_of_order", ENDS_ONLY),
    excuse("errors_are_found_in_the_points", RECORDS),
    excuse("a_list_of_errors_obeys_the_filter", RECORDS),
];

/// One server, and a numbered database of it for each place.
struct Redis {
    name: &'static str,
    options: RedisOptions,
    option: &'static str,
    server: OnceLock<Result<RedisServer, Missing>>,
    places: AtomicU16,
}

/// The place of a connection string, which may have options already.
fn place(url: &str, database: u16, option: &str, server: Option<Box<dyn Server>>) -> Place {
    let url = match (option, url.contains('?')) {
        ("", _) => url.to_owned(),
        (option, true) => format!("{url}&{option}"),
        (option, false) => format!("{url}?{option}"),
    };
    Place {
        wrong_password: Some(url.replace(PASSWORD_ENCODED, "wrong-cirrus")),
        // There are fewer databases.
        wrong_database: Some(url.replace(&format!("/{database}"), "/30000")),
        url,
        server,
        keep: None,
    }
}

impl Redis {
    fn start(&self, durable: bool) -> Result<RedisServer, Missing> {
        RedisServer::start_with(RedisOptions { durable, ..self.options })
    }
}

impl Subject for Redis {
    fn name(&self) -> &'static str {
        self.name
    }

    fn place(&self) -> Result<Place, Missing> {
        let server = self.server.get_or_init(|| self.start(false)).as_ref().map_err(|missing| *missing)?;
        let database = self.places.fetch_add(1, Ordering::Relaxed);
        Ok(place(&server.database_url(database), database, self.option, None))
    }

    fn place_of_its_own(&self) -> Result<Place, Missing> {
        let server = self.start(true)?;
        Ok(place(&server.url(), 0, self.option, Some(Box::new(server))))
    }

    fn excuses(&self) -> &'static [Excuse] {
        const WITHOUT_RECORDS: &[Excuse] = &EXCUSES;
        const WITH_RECORDS: &[Excuse] = &[
            EXCUSES[0],
            EXCUSES[1],
            EXCUSES[2],
            EXCUSES[3],
            EXCUSES[4],
            excuse("errors_without_the_option_leave_no_record", "it is given the option"),
        ];
        if self.option.is_empty() { WITHOUT_RECORDS } else { WITH_RECORDS }
    }
}

/// A master found by a sentinel, with a numbered database for each place.
struct Sentinel {
    group: OnceLock<Result<SentinelGroup, Missing>>,
    places: AtomicU16,
}

const PROTECTED: RedisOptions = RedisOptions { password: true, ..RedisOptions::NONE };

impl Subject for Sentinel {
    fn name(&self) -> &'static str {
        "redissentinel"
    }

    fn place(&self) -> Result<Place, Missing> {
        let start = || SentinelGroup::start_with(PROTECTED);
        let group = self.group.get_or_init(start).as_ref().map_err(|missing| *missing)?;
        let database = self.places.fetch_add(1, Ordering::Relaxed);
        Ok(place(&format!("{}/{database}", group.url()), database, "", None))
    }

    fn place_of_its_own(&self) -> Result<Place, Missing> {
        let group = SentinelGroup::start_with(RedisOptions { durable: true, ..PROTECTED })?;
        Ok(place(&format!("{}/0", group.url()), 0, "", Some(Box::new(group))))
    }

    fn excuses(&self) -> &'static [Excuse] {
        &EXCUSES
    }
}

/// Clusters have no databases: each place has one of its own while it lasts.
struct Cluster {
    name: &'static str,
    options: RedisOptions,
    idle: Arc<Mutex<Vec<RedisCluster>>>,
}

/// A cluster that goes back, emptied, for the next place.
struct Lease {
    cluster: Option<RedisCluster>,
    idle: Arc<Mutex<Vec<RedisCluster>>>,
}

impl Drop for Lease {
    fn drop(&mut self) {
        let cluster = self.cluster.take().expect("it is taken only here");
        cluster.flush();
        self.idle.lock().expect("nobody panics with it").push(cluster);
    }
}

impl Subject for Cluster {
    fn name(&self) -> &'static str {
        self.name
    }

    fn place(&self) -> Result<Place, Missing> {
        let idle = self.idle.lock().expect("nobody panics with it").pop();
        let cluster = idle.map_or_else(|| RedisCluster::start_with(self.options), Ok)?;
        let url = cluster.url();
        let lease = Lease { cluster: Some(cluster), idle: self.idle.clone() };
        Ok(Place { keep: Some(Box::new(lease)), ..place(&url, 0, "", None) })
    }

    fn place_of_its_own(&self) -> Result<Place, Missing> {
        let cluster = RedisCluster::start_with(RedisOptions { durable: true, ..self.options })?;
        Ok(place(&cluster.url(), 0, "", Some(Box::new(cluster))))
    }

    fn excuses(&self) -> &'static [Excuse] {
        const EXCUSES_OF_CLUSTERS: &[Excuse] = &[
            EXCUSES[0],
            EXCUSES[1],
            EXCUSES[2],
            EXCUSES[3],
            EXCUSES[4],
            excuse("a_wrong_database_is_a_mistake_in_the_connection_string", "a cluster has but one"),
        ];
        EXCUSES_OF_CLUSTERS
    }
}
