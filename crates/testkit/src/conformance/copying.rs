//! Between any two drivers nothing is lost.

use std::sync::Arc;

use libtest_mimic::Trial;
use nephoscope_telemetry::{Id, Registry, TracePoint};

use super::Subject;
use super::bench::{Bench, read, sorted, store};
use super::traces::{at, info};
use crate::random::Random;
use crate::suite::block_on;
use crate::trial;

/// How many traces are copied, and how many points each has at most.
const TRACES: u64 = 4;
const POINTS: usize = 12;

/// One test of every ordered pair of subjects: what one holds, whatever it is, is read and stored in the other and is
/// there as it was.
pub fn copies(registry: &Registry, subjects: &[Arc<dyn Subject>]) -> Vec<Trial> {
    let pairs = subjects.iter().flat_map(|from| subjects.iter().map(move |to| (from.clone(), to.clone())));
    let pairs = pairs.filter(|(from, to)| from.name() != to.name());
    let make = |(from, to): (Arc<dyn Subject>, Arc<dyn Subject>)| {
        let registry = registry.clone();
        trial(format!("copy::{}::to::{}", from.name(), to.name()), move || {
            let places = (from.place()?, to.place()?);
            let from = Bench::new(registry.clone(), from.clone(), places.0);
            let to = Bench::new(registry.clone(), to.clone(), places.1);
            block_on(copy(from, to));
            Ok(())
        })
    };
    pairs.map(make).collect()
}

async fn copy(from: Bench, to: Bench) {
    let (source, target) = (from.connect().await, to.connect().await);
    let names = from.subject.name().bytes().chain(to.subject.name().bytes());
    let mut random = Random::new(names.fold(0, |seed, byte| u64::wrapping_mul(seed, 31) ^ u64::from(byte)));
    let traces: Vec<Vec<TracePoint>> = (0..TRACES).map(|number| trace(&mut random, number)).collect();
    store(&*source, &traces.concat()).await;
    for points in &traces {
        let base_id = points[0].base_id.to_string();
        let held = read(&*source, &base_id).await;
        store(&*target, &held).await;
        assert_eq!(sorted(read(&*target, &base_id).await), sorted(points.clone()));
    }
}

/// A trace of points that every backend can hold.
fn trace(random: &mut Random, number: u64) -> Vec<TracePoint> {
    const BASES: [&str; 4] =
        ["7f4c1a04-3d5e-4a0a-9a3f-0c6d2b1e8f0", "*", "é/%20 '\"\\", "4bf92f3577b34da6a3ce929d0e0e473"];
    const NAMES: [&str; 6] = ["wsgi-start", "wsgi-stop", "task-run-start", "日本語-stop", "", "a b-start"];
    const INFOS: [&str; 6] = [
        r#"{"host": "node-1"}"#,
        "{}",
        r#"{"a": [NaN, -0.0, 1180591620717411303424, 1.50], "a": null}"#,
        r#"{"half": "\ud83d", "line\n": "\u2028 ' \" \\"}"#,
        r#"{"etype": "ValueError", "message": {"any": ["type"]}, "host": "n"}"#,
        r#"{ "spaces" :  [ 1,2 ] , "db": {"statement": "SELECT '%s', ?"}}"#,
    ];
    const TIMES: [&str; 3] = ["2026-01-01T00:00:00.123", "2026-01-01T00:00:00", "2026-01-01 00:00:00.5"];
    let base_id = Id::new(&format!("{}{number}", BASES[usize::try_from(number).expect("there are few")]));
    let count = 1 + random.below(POINTS);
    let points = (0..count).map(|position| {
        let operation = Id::new(&format!("00000000-0000-4000-8000-{:012x}", random.next() >> 16));
        let time = at(i64::try_from(random.below(5_000)).expect("it is small"));
        let name: &str = random.one_of::<&str>(&NAMES);
        let mut point = TracePoint::new(name, base_id.clone(), operation, base_id.clone(), time);
        point.info = info(random.one_of::<&str>(&INFOS));
        point.project = random.one_of::<Option<&str>>(&[None, Some("nova"), Some("")]).map(Into::into);
        point.service = random.one_of::<Option<&str>>(&[None, Some("api"), Some("söörvice")]).map(Into::into);
        if random.below(4) == 0 {
            point.extra.push(("a key: \"é\"".into(), info(r#"{"position": [1, 2.50]}"#)));
        }
        if position == 0 {
            point.set_timestamp_text(random.one_of::<&str>(&TIMES)).expect("it is a time");
        }
        point
    });
    points.collect()
}
