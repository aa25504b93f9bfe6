//! What only `redissentinel://` promises: it follows the master.

use std::time::{Duration, Instant};

use nephoscope_telemetry::{ConnectionString, Driver, ErrorKind, Timestamp, TracePoint};
use nephoscope_testkit::server::{Missing, RedisOptions, SentinelGroup};
use nephoscope_testkit::{Trial, trial};

pub(super) fn trials() -> Vec<Trial> {
    vec![trial("redissentinel::the_new_master_is_found_after_a_fail_over", || {
        let options = RedisOptions { password: true, ..RedisOptions::default() };
        let group = SentinelGroup::start_with(options)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("it can be built").block_on(follow(group))
    })]
}

async fn follow(mut group: SentinelGroup) -> Result<(), Missing> {
    let to = ConnectionString::parse(&group.url()).expect("it is one");
    let driver = nephoscope_drivers::registry().connect(&to).await.expect("the master is there");
    let point = |name| TracePoint::new(name, "b".into(), "t".into(), "b".into(), Timestamp::from_micros(0));
    let [before, after] = ["wsgi-start", "wsgi-stop"].map(point);
    driver.notify(std::slice::from_ref(&before)).await.expect("the master is there");
    assert_eq!(group.master().command(&["WAIT", "1", "10000"]), "1", "the replica has it");
    group.fail_over();
    store(&*driver, std::slice::from_ref(&after)).await;
    let points = driver.points(&"b".into()).await.expect("the new master answers");
    assert_eq!(points.good, [before, after]);
    assert_eq!(group.master().command(&["LLEN", "osprofiler_opt:b"]), "2");
    Ok(())
}

/// Stores when the new master is found; until then the backend is unavailable, and nothing else is wrong.
async fn store(driver: &dyn Driver, points: &[TracePoint]) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while let Err(error) = driver.notify(points).await {
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
        assert!(Instant::now() < deadline, "the new master is not found: {error:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
