//! The queries of `docs/samples.md`.

use nephoscope_telemetry::Sample;

use crate::cases::event;
use crate::database::{Kind, Place};

const DOCUMENT: &str = include_str!("../../../../docs/samples.md");
/// Captured from Ceilometer 27.
const SAMPLES: &str = include_str!("../../../telemetry/tests/golden/samples/dictionaries.jsonl");
const VM: &str = "2f1e0d3c-4b5a-4697-8877-a1b2c3d4e5f6";

pub(super) fn queries(place: &Place) {
    let mut samples: Vec<_> = SAMPLES.lines().map(|line| Sample::from_json(line).unwrap()).collect();
    let later = SAMPLES
        .lines()
        .next()
        .unwrap()
        .replace("T03:", "T04:")
        .replace("\"volume\": 1", "\"volume\": 2500000001");
    let next_day = later.replace("-02T04", "-03T04");
    for (id, text) in [("later", later), ("next day", next_day)] {
        samples.push(Sample { id: Some(id.into()), ..Sample::from_json(&text).unwrap() });
    }
    let of_vm = |id, kind: &str, minute: &str| {
        let mut event = event(id, &format!("[\"instance_id\", 1, \"{VM}\"]"));
        event.event_type = format!("compute.instance.{kind}.end").into();
        event.generated = format!("2026-01-02T03:{minute}:00").into();
        event
    };
    let other = event("4", r#"["instance_id", 1, "other"]"#);
    let events = [of_vm("1", "delete", "30"), of_vm("2", "create", "10"), of_vm("3", "resize", "20"), other];
    let dispatcher = place.dispatcher();
    assert_eq!(place.runtime.block_on(dispatcher.samples(&samples)).unwrap(), []);
    assert_eq!(place.runtime.block_on(dispatcher.events(&events)).unwrap(), []);

    let mut queries = DOCUMENT.split("```sql\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let seconds: Vec<(String, f64)> = place.ask(queries.next().unwrap());
    assert_eq!(seconds, [(VM.to_owned(), 2.5)]);
    let happened: Vec<(String,)> = place.ask(queries.next().unwrap());
    let kinds: Vec<_> = happened.iter().map(|(kind,)| kind.as_str()).collect();
    let expected = ["create", "resize", "delete"].map(|kind| format!("compute.instance.{kind}.end"));
    assert_eq!(kinds, expected);
    assert_eq!(queries.next(), None);

    let paths = [
        "metadata #>> '{flavor,name}'",
        "json_value(metadata, '$.flavor.name')",
        "metadata ->> '$.flavor.name'",
    ];
    assert!(paths.iter().all(|path| DOCUMENT.contains(path)));
    let path = paths[match place.kind {
        Kind::Postgres => 0,
        Kind::Mysql => 1,
        Kind::Sqlite => 2,
    }];
    let flavors: Vec<(String,)> = place.ask(&format!("SELECT DISTINCT {path} FROM samples"));
    assert_eq!(flavors, [("m1.small".to_owned(),)]);
}
