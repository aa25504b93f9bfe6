//! What holds for each kind of database.

use nephoscope_telemetry::{Dispatcher, ErrorKind, Event, Refused, Result, Sample};
use nephoscope_testkit::server::PASSWORD_ENCODED;

use crate::database::{Kind, Place};

pub(super) const SAMPLE: &str = r#"{"counter_name": "cpu", "counter_type": "cumulative", "counter_unit": "ns", "counter_volume": 1, "resource_id": "vm", "project_id": "p", "timestamp": "2026-01-02T03:04:05", "resource_metadata": {"host": "h"}, "message_id": "m"}"#;
pub(super) const EVENT: &str = r#"{"message_id": "m", "event_type": "a.b", "generated": "2026-01-02T03:04:05", "traits": [["t", 1, "v"]], "raw": {}}"#;

pub(super) fn sample(id: &str) -> Sample {
    let mut sample = Sample::from_json(SAMPLE).unwrap();
    sample.id = Some(id.into());
    sample
}

pub(super) fn event(id: &str, traits: &str) -> Event {
    let mut event = Event::from_json(&EVENT.replace(r#"["t", 1, "v"]"#, traits)).unwrap();
    event.message_id = id.into();
    event
}

pub(super) fn twice(place: &Place) {
    let dispatcher = place.dispatcher();
    // Those of one id within a batch, too; of different ones the first stays.
    let mut other = sample("1");
    other.unit = "s".into();
    let samples = [sample("1"), sample("2"), sample("1"), other];
    let events = [event("1", r#"["t", 1, "v"], ["u", 2, 5]"#), event("1", r#"["t", 1, "v"], ["u", 2, 5]"#)];
    for _ in 0..2 {
        assert_eq!(place.runtime.block_on(dispatcher.samples(&samples)).unwrap(), []);
        assert_eq!(place.runtime.block_on(dispatcher.events(&events)).unwrap(), []);
    }
    let stored: Vec<(String, String)> = place.ask("SELECT message_id, unit FROM samples ORDER BY id");
    let stored: Vec<_> = stored.iter().map(|(id, unit)| (id.as_str(), unit.as_str())).collect();
    assert_eq!(stored, [("1", "ns"), ("2", "ns")]);
    assert_eq!(place.count("SELECT count(*) FROM events"), 1);
    assert_eq!(place.count("SELECT count(*) FROM traits"), 2);
    // Ids that differ in case are two.
    place.runtime.block_on(dispatcher.samples(&[sample("a"), sample("A")])).unwrap();
    assert_eq!(place.count("SELECT count(*) FROM samples"), 4);
}

pub(super) fn other_traits(place: &Place) {
    let dispatcher = place.dispatcher();
    let one = event("1", r#"["t", 1, "v"]"#);
    let more = event("1", r#"["t", 1, "w"], ["u", 1, "x"]"#);
    place.runtime.block_on(dispatcher.events(&[one, more.clone()])).unwrap();
    place.runtime.block_on(dispatcher.events(&[more])).unwrap();
    let traits: Vec<(String, String)> = place.ask("SELECT name, text_value FROM traits");
    assert_eq!(traits, [("t".to_owned(), "v".to_owned())]);
}

pub(super) fn whole(place: &Place) {
    let dispatcher = place.dispatcher();
    place.runtime.block_on(dispatcher.events(&[])).unwrap();
    let events = [event("1", r#"["t", 1, "v"]"#)];
    place.run("ALTER TABLE traits RENAME TO elsewhere");
    place.runtime.block_on(dispatcher.events(&events)).unwrap_err();
    assert_eq!(place.count("SELECT count(*) FROM events"), 0);
    place.run("ALTER TABLE elsewhere RENAME TO traits");
    assert_eq!(place.runtime.block_on(dispatcher.events(&events)).unwrap(), []);
    assert_eq!(place.count("SELECT count(*) FROM traits"), 1);
}

pub(super) fn order(place: &Place) {
    let samples: Vec<_> = (0..5000).map(|at| sample(&format!("{at}"))).collect();
    assert_eq!(place.runtime.block_on(place.dispatcher().samples(&samples)).unwrap(), []);
    let stored: Vec<(String,)> = place.ask("SELECT message_id FROM samples ORDER BY id");
    let expected = samples.iter().map(|sample| sample.id.as_deref().unwrap());
    assert!(stored.iter().map(|(id,)| id.as_str()).eq(expected));
}

pub(super) fn retention(place: &Place) {
    let mut old = event("old", r#"["t", 1, "v"]"#);
    old.generated = "2025-01-02T03:04:05".into();
    let events = [old, event("new", r#"["t", 1, "v"]"#)];
    place.runtime.block_on(place.dispatcher().events(&events)).unwrap();
    place.run("DELETE FROM events WHERE generated_at < '2026-01-01 00:00:00'");
    let left: Vec<(String,)> = place.ask("SELECT message_id FROM traits");
    assert_eq!(left, [("new".to_owned(),)]);
}

pub(super) fn together(place: &Place) {
    let storing: Vec<_> = (0..8)
        .map(|number| {
            let dispatcher = place.dispatcher();
            place.runtime.spawn(async move { patiently(&*dispatcher, &[sample(&number.to_string())]).await })
        })
        .collect();
    for stored in storing {
        assert_eq!(place.runtime.block_on(stored).unwrap().unwrap(), []);
    }
    assert_eq!(place.count("SELECT count(*) FROM samples"), 8);
    assert_eq!(place.count("SELECT version FROM nephoscope_schema"), 1);
}

/// Tries again what is unavailable, as whoever calls a dispatcher does: one that makes a file holds up the others.
async fn patiently(dispatcher: &dyn Dispatcher, samples: &[Sample]) -> Result<Vec<Refused>> {
    loop {
        match dispatcher.samples(samples).await {
            Err(error) if error.kind() == ErrorKind::Unavailable => {}
            outcome => return outcome,
        }
    }
}

pub(super) fn foreign(place: &Place) {
    place.run("CREATE TABLE events (id INTEGER, name VARCHAR(255))");
    let error = place.runtime.block_on(place.dispatcher().samples(&[sample("1")])).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("not one of Nephoscope"), "{error}");
    // Nothing was made beside it.
    place.run("CREATE TABLE samples (id INTEGER)");
}

pub(super) fn wrong(place: &Place) {
    let wrong: Vec<String> = match place.kind {
        Kind::Sqlite => vec![format!("sqlite:///{}", place.path("no/such/directory/x.db").display())],
        Kind::Postgres | Kind::Mysql => {
            let (server, _) = place.url.rsplit_once('/').unwrap();
            vec![place.url.replace(PASSWORD_ENCODED, "wrong-cirrus"), format!("{server}/no_such_database")]
        }
    };
    for url in wrong {
        // It is there when the daemon starts, and told when something is to be stored.
        let dispatcher = place.dispatcher_to(&url).unwrap();
        let error = place.runtime.block_on(dispatcher.samples(&[sample("1")])).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{error}");
        let all = format!("{error} {error:?} {dispatcher:?}");
        assert!(!all.contains("cirrus") && !all.contains("cumulus") && !all.contains("nephele"), "{all}");
    }
}
