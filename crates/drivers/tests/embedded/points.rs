//! Trace points as OSProfiler makes them.

use nephoscope_telemetry::{Id, Json, Timestamp, TracePoint};

/// A time within 2026.
pub(crate) const START: i64 = 1_767_323_045_000_000;

/// Ids and times that look random and are the same in every run.
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn id(&mut self) -> Id {
        let (high, low) = (self.next().to_be_bytes(), self.next().to_be_bytes());
        Id::from_uuid([high, low].concat().try_into().unwrap())
    }
}

const WSGI: &str = r#"{"request": {"path": "/v3/volumes/detail", "query": "limit=10", "method": "GET", "scheme": "http"}, "host": "bench-host"}"#;
const DB: &str = r#"{"db": {"statement": "SELECT volumes.id, volumes.size FROM volumes WHERE volumes.deleted = %(deleted_1)s", "params": {"deleted_1": 0}}, "host": "bench-host"}"#;
const STOP: &str = r#"{"host": "bench-host"}"#;

/// The points of a request that works on the database: a random tree of at most twenty levels.
pub(crate) fn request(chance: &mut Chance, start: i64, operations: usize) -> Vec<TracePoint> {
    let base = chance.id();
    let mut time = start;
    let mut points = Vec::with_capacity(operations * 2);
    let mut stack: Vec<(&str, Id, Id)> = Vec::new();
    let mut made = 0;
    while made < operations || !stack.is_empty() {
        time += 1 + (chance.next() % 2_000).cast_signed();
        let opens =
            made < operations && (stack.len() < 2 || stack.len() < 20 && chance.next().is_multiple_of(2));
        let (name, info, (trace, parent)) = if opens {
            let (name, info) = if made == 0 { ("wsgi", WSGI) } else { ("db", DB) };
            let parent = stack.last().map_or(&base, |(_, trace, _)| trace).clone();
            let trace = chance.id();
            stack.push((name, trace.clone(), parent.clone()));
            made += 1;
            (format!("{name}-start"), info, (trace, parent))
        } else {
            let (name, trace, parent) = stack.pop().unwrap();
            (format!("{name}-stop"), STOP, (trace, parent))
        };
        let mut point = TracePoint::new(&name, base.clone(), trace, parent, Timestamp::from_micros(time));
        point.info = Json::parse(info).unwrap();
        point.project = Some("cinder".into());
        point.service = Some("api".into());
        points.push(point);
    }
    points
}
