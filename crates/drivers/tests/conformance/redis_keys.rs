//! What only `redis://` promises: the keys and values of OSProfiler, of both ages, and no harm from any others.

use std::sync::Arc;

use nephoscope_telemetry::{
    ConnectionString, Driver, Error, ErrorKind, Id, Json, Points, Timestamp, TraceFilter, TracePoint,
};
use nephoscope_testkit::server::{Missing, RedisServer};
use nephoscope_testkit::{Trial, trial};

type Case = (&'static str, fn(&Bench));

const CASES: [Case; 8] = [
    ("values_are_osprofilers_to_the_byte", values_are_osprofilers_to_the_byte),
    ("points_of_old_are_read_listed_and_purged", points_of_old_are_read_listed_and_purged),
    ("points_of_old_written_later_are_found", points_of_old_written_later_are_found),
    ("wildcards_in_an_id_find_no_points_of_old", wildcards_in_an_id_find_no_points_of_old),
    ("a_key_of_the_wrong_type_harms_only_itself", a_key_of_the_wrong_type_harms_only_itself),
    ("a_bad_value_costs_only_itself", a_bad_value_costs_only_itself),
    ("other_peoples_error_records_are_listed", other_peoples_error_records_are_listed),
    ("a_full_server_is_unavailable", a_full_server_is_unavailable),
];

pub(super) fn trials() -> Vec<Trial> {
    let named = |(name, case): Case| {
        trial(format!("redis::keys::{name}"), move || Bench::start().map(|bench| case(&bench)))
    };
    CASES.into_iter().map(named).collect()
}

/// An empty server of its own.
struct Bench {
    server: RedisServer,
    runtime: tokio::runtime::Runtime,
}

impl Bench {
    fn start() -> Result<Self, Missing> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        Ok(Self { server: RedisServer::start()?, runtime: runtime.expect("it can be built") })
    }

    fn connect(&self, options: &str) -> Arc<dyn Driver> {
        let to = ConnectionString::parse(&format!("{}{options}", self.server.url())).expect("it is one");
        self.runtime.block_on(nephoscope_drivers::registry().connect(&to)).expect("the server is there")
    }

    fn store(&self, driver: &dyn Driver, points: &[TracePoint]) -> Result<(), Error> {
        self.runtime.block_on(driver.notify(points))
    }

    fn read(&self, driver: &dyn Driver, id: &str) -> Points {
        self.runtime.block_on(driver.points(&Id::new(id))).expect("it can be read")
    }

    fn list(&self, driver: &dyn Driver) -> Vec<(String, Option<u64>)> {
        let filter = TraceFilter::default();
        let list = self.runtime.block_on(driver.list(&filter)).expect("they can be listed");
        list.into_iter().map(|line| (line.base_id.to_string(), line.points)).collect()
    }
}

fn point(base_id: &str, name: &str, micros: i64) -> TracePoint {
    TracePoint::new(name, base_id.into(), "t".into(), base_id.into(), Timestamp::from_micros(micros))
}

/// Puts a point where OSProfiler before 2.8 put it.
fn set_of_old(server: &RedisServer, point: &TracePoint) {
    let TracePoint { base_id, trace_id, timestamp, .. } = point;
    server.command(&["SET", &format!("osprofiler:{base_id}_{trace_id}_{timestamp}"), &point.to_json()]);
}

fn values_are_osprofilers_to_the_byte(bench: &Bench) {
    let driver = bench.connect("?filter_error_trace=true");
    let mut failed = point("é", "db-stop", 1);
    failed.info = Json::parse(r#"{"etype": "ValueError", "host": "h"}"#).expect("it is JSON");
    bench.store(&*driver, &[point("é", "db-start", 0), failed]).expect("they are stored");
    let common = r#""base_id": "\u00e9", "trace_id": "t", "parent_id": "\u00e9", "timestamp": "1970-01-01T00:00:00.00000"#;
    let newest_first = [
        format!(
            r#"{{"name": "db-stop", {common}1", "info": {{"etype": "ValueError", "host": "h"}}, "project": null, "service": null}}"#
        ),
        format!(r#"{{"name": "db-start", {common}0", "info": {{}}, "project": null, "service": null}}"#),
    ];
    assert_eq!(bench.server.command(&["LRANGE", "osprofiler_opt:é", "0", "-1"]), newest_first.join("\n"));
    assert_eq!(
        bench.server.command(&["GET", "osprofiler_error:é"]),
        r#"{"base_id": "\u00e9", "timestamp": "1970-01-01T00:00:00.000001"}"#
    );
}

fn points_of_old_are_read_listed_and_purged(bench: &Bench) {
    let [first, second, third] =
        [("a-start", 1), ("b-start", 2), ("a-stop", 3)].map(|(n, at)| point("m", n, at));
    // Another trace whose id begins alike, and one that is all of old.
    let (alike, alone) = (point("m_t", "x-start", 9), point("n", "y-start", 4));
    for point in [&second, &first, &alike, &alone] {
        set_of_old(&bench.server, point);
    }
    let driver = bench.connect("");
    bench.store(&*driver, std::slice::from_ref(&third)).expect("it is stored");
    assert_eq!(bench.read(&*driver, "m").good, [first, second, third]);
    assert_eq!(bench.read(&*driver, "m_t").good, [alike]);
    let one = |id: &str| (id.to_owned(), Some(1));
    assert_eq!(bench.list(&*driver), [one("m_t"), one("n"), ("m".to_owned(), Some(3))]);
    let purged = bench.runtime.block_on(driver.purge(Timestamp::from_micros(5))).expect("they can be purged");
    assert_eq!(purged.traces, 2);
    assert_eq!(bench.list(&*driver), [one("m_t")]);
    assert_eq!(bench.server.command(&["DBSIZE"]), "1");
}

fn points_of_old_written_later_are_found(bench: &Bench) {
    let driver = bench.connect("");
    let [first, second] = [point("m", "a-start", 1), point("m", "a-stop", 2)];
    set_of_old(&bench.server, &first);
    assert_eq!(bench.read(&*driver, "m").good, std::slice::from_ref(&first));
    set_of_old(&bench.server, &second);
    assert_eq!(bench.read(&*driver, "m").good, [first, second]);
}

fn wildcards_in_an_id_find_no_points_of_old(bench: &Bench) {
    let odd = point(r"[a-z]\*?", "x-start", 2);
    set_of_old(&bench.server, &point("m", "x-start", 1));
    set_of_old(&bench.server, &odd);
    let driver = bench.connect("");
    for id in ["*", "?", "[a-z]", "", r"\m"] {
        assert_eq!(bench.read(&*driver, id), Points::default(), "of {id:?}");
    }
    assert_eq!(bench.read(&*driver, r"[a-z]\*?").good, [odd]);
}

fn a_key_of_the_wrong_type_harms_only_itself(bench: &Bench) {
    let driver = bench.connect("");
    bench.server.command(&["SET", "osprofiler_opt:text", "x"]);
    bench.server.command(&["HSET", "osprofiler_opt:hash", "a", "b"]);
    bench.server.command(&["RPUSH", "osprofiler:list_t_1", "x"]);
    bench.server.command(&["RPUSH", "osprofiler_error:list", "x"]);
    let points = ["right", "text", "alright"].map(|id| point(id, "x-start", 1));
    let error = bench.store(&*driver, &points).expect_err("one key is no list");
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("`osprofiler_opt:text`"), "{error}");
    assert_eq!(bench.list(&*driver), [("alright".to_owned(), Some(1)), ("right".to_owned(), Some(1))]);
    for id in ["text", "hash", "list"] {
        let read = bench.read(&*driver, id);
        assert_eq!((read.good.len(), read.bad.count()), (0, 1), "of {id}");
    }
    let errors = bench.runtime.block_on(driver.list_errors(&TraceFilter::default()));
    assert_eq!(errors.expect("they can be listed"), []);
    let purged = bench.runtime.block_on(driver.purge(Timestamp::from_micros(5))).expect("they can be purged");
    assert_eq!(purged.traces, 2);
}

fn a_bad_value_costs_only_itself(bench: &Bench) {
    let driver = bench.connect("");
    let points = [point("b", "x-start", 1), point("b", "x-stop", 2)];
    bench.server.command(&[
        "LPUSH",
        "osprofiler_opt:b",
        "{",
        &points[0].to_json(),
        "[]",
        &points[1].to_json(),
        "",
    ]);
    let read = bench.read(&*driver, "b");
    assert_eq!((read.good.as_slice(), read.bad.count()), (&points[..], 3));
    // Both ends of the list are bad, so that it has to be read whole.
    assert_eq!(bench.list(&*driver), [("b".to_owned(), Some(2))]);
}

fn other_peoples_error_records_are_listed(bench: &Bench) {
    let driver = bench.connect("");
    bench.store(&*driver, &[point("kept", "x-start", 1)]).expect("it is stored");
    for (id, time) in [("kept", "2026-01-01T00:00:00.000000"), ("gone", "2026-01-01T00:00:01.000000")] {
        let record = format!(r#"{{"base_id": "{id}", "timestamp": "{time}"}}"#);
        bench.server.command(&["SET", &format!("osprofiler_error:{id}"), &record]);
    }
    bench.server.command(&["SET", "osprofiler_error:bad", "{"]);
    let list = bench.runtime.block_on(driver.list_errors(&TraceFilter::default())).expect("it can be listed");
    let listed: Vec<_> = list.iter().map(|line| (line.base_id.to_string(), line.points)).collect();
    assert_eq!(listed, [("gone".to_owned(), None), ("kept".to_owned(), Some(1))]);
    assert_eq!(list[1].timestamp, Timestamp::from_micros(1), "of its earliest point");
}

fn a_full_server_is_unavailable(bench: &Bench) {
    let driver = bench.connect("");
    let points = [point("m", "x-start", 1)];
    bench.server.command(&["CONFIG", "SET", "maxmemory", "1"]);
    let error = bench.store(&*driver, &points).expect_err("there is no memory");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    bench.server.command(&["CONFIG", "SET", "maxmemory", "0"]);
    bench.store(&*driver, &points).expect("there is memory");
    assert_eq!(bench.read(&*driver, "m").good, points);
}
