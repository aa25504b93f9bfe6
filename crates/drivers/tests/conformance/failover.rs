//! What only `redissentinel://` and `redis-cluster://` promise: they follow the masters.

use std::time::{Duration, Instant};

use nephoscope_telemetry::{ConnectionString, Driver, ErrorKind, Timestamp, TracePoint};
use nephoscope_testkit::server::{Missing, RedisCluster, RedisOptions, SentinelGroup};
use nephoscope_testkit::{Trial, trial};

pub(super) fn trials() -> Vec<Trial> {
    vec![
        trial("redissentinel::the_new_master_is_found_after_a_fail_over", || {
            block_on(follow_sentinel(SentinelGroup::start_with(PROTECTED)?))
        }),
        trial("redis-cluster::the_new_master_is_found_after_a_fail_over", || {
            block_on(follow_cluster(RedisCluster::start_with(PROTECTED)?))
        }),
        trial("redis-cluster::a_slot_is_followed_while_it_moves", || {
            block_on(follow_slot(RedisCluster::start_with(PROTECTED)?))
        }),
    ]
}

const PROTECTED: RedisOptions = RedisOptions { password: true, ..RedisOptions::NONE };

fn block_on(test: impl Future<Output = ()>) -> Result<(), Missing> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("it can be built").block_on(test);
    Ok(())
}

async fn connect(url: &str) -> std::sync::Arc<dyn Driver> {
    let to = ConnectionString::parse(url).expect("it is one");
    nephoscope_drivers::registry().connect(&to).await.expect("the master is there")
}

/// The two points of a trace.
fn trace(id: &str) -> [TracePoint; 2] {
    ["wsgi-start", "wsgi-stop"]
        .map(|name| TracePoint::new(name, id.into(), "t".into(), id.into(), Timestamp::from_micros(0)))
}

async fn follow_sentinel(mut group: SentinelGroup) {
    let driver = connect(&group.url()).await;
    let [before, after] = trace("b");
    driver.notify(std::slice::from_ref(&before)).await.expect("the master is there");
    assert_eq!(group.master().command(&["WAIT", "1", "10000"]), "1", "the replica has it");
    group.fail_over();
    store(&*driver, std::slice::from_ref(&after)).await;
    let points = driver.points(&"b".into()).await.expect("the new master answers");
    assert_eq!(points.good, [before, after]);
    assert_eq!(group.master().command(&["LLEN", "osprofiler_opt:b"]), "2");
}

async fn follow_cluster(mut cluster: RedisCluster) {
    let driver = connect(&cluster.url()).await;
    let [before, after] = trace(ON_FIRST);
    driver.notify(std::slice::from_ref(&before)).await.expect("the master is there");
    assert_eq!(cluster.masters()[0].command(&["WAIT", "1", "10000"]), "1", "the replica has it");
    cluster.fail_over();
    store(&*driver, std::slice::from_ref(&after)).await;
    let points = driver.points(&ON_FIRST.into()).await.expect("the new master answers");
    assert_eq!(points.good, [before, after]);
    assert_eq!(cluster.masters()[0].command(&["DBSIZE"]), "1");
}

async fn follow_slot(cluster: RedisCluster) {
    let driver = connect(&cluster.url()).await;
    let key = format!("osprofiler_opt:{ON_SECOND}");
    let [before, after] = trace(ON_SECOND);
    cluster.offer_slot(&key);
    driver.notify(std::slice::from_ref(&before)).await.expect("the third node is asked");
    assert_eq!(cluster.masters()[2].command(&["DBSIZE"]), "1", "the new trace is on the third node");
    cluster.give_slot(&key);
    driver.notify(std::slice::from_ref(&after)).await.expect("the third node is told of");
    let points = driver.points(&ON_SECOND.into()).await.expect("it is there");
    assert_eq!(points.good, [before, after]);
}

/// A trace whose list is the first node's.
const ON_FIRST: &str = "d";
/// A trace whose list is the second node's.
const ON_SECOND: &str = "a";

/// Stores when the new master is found; until then the backend is unavailable, and nothing else is wrong.
async fn store(driver: &dyn Driver, points: &[TracePoint]) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while let Err(error) = driver.notify(points).await {
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
        assert!(Instant::now() < deadline, "the new master is not found: {error:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
