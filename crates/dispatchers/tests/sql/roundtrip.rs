//! Random samples and events in, and out by SQL.

use nephoscope_telemetry::{Event, Json, Sample, Timestamp, Trait};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::cases::{EVENT, SAMPLE};
use crate::database::{Kind, Place};

/// The years 1 to 9999, in microseconds.
const TIMES: std::ops::RangeInclusive<i64> = -62_135_596_800_000_000..=253_402_300_799_999_999;

fn runner() -> TestRunner {
    TestRunner::new(Config { cases: 24, failure_persistence: None, ..Config::default() })
}

/// Text that the database can hold.
fn text(kind: Kind) -> BoxedStrategy<String> {
    // What a column of PostgreSQL cannot hold is a case of its own.
    let characters = if kind == Kind::Postgres { "[^\0]{0,20}" } else { "(?s).{0,20}" };
    prop_oneof![characters.prop_map(String::from), Just("'; DROP TABLE samples; --".to_owned())].boxed()
}

/// SQLite and MySQL forget the sign of a zero.
fn finite() -> impl Strategy<Value = f64> + Clone {
    let any = any::<f64>().prop_filter("it is finite", |number| number.is_finite());
    any.prop_map(|number| number + 0.0)
}

fn volume(kind: Kind) -> BoxedStrategy<Option<f64>> {
    let any = match kind {
        Kind::Mysql => finite().boxed(),
        Kind::Sqlite => prop_oneof![5 => finite(), 1 => Just(f64::INFINITY)].boxed(),
        Kind::Postgres => {
            prop_oneof![5 => finite(), 1 => Just(f64::NEG_INFINITY), 1 => Just(f64::NAN)].boxed()
        }
    };
    proptest::option::weighted(0.9, any).boxed()
}

fn metadata(kind: Kind) -> BoxedStrategy<Json> {
    let pairs = proptest::collection::btree_map(text(kind), (text(kind), any::<i32>()), 0..4);
    let object = |pairs: std::collections::BTreeMap<String, (String, i32)>| {
        let pairs = pairs.iter().map(|(key, (text, number))| {
            format!("{}: [{}, {{\"n\": {number}}}, null, true]", Json::string(key), Json::string(text))
        });
        Json::parse(&format!("{{{}}}", pairs.collect::<Vec<_>>().join(", "))).unwrap()
    };
    pairs.prop_map(object).boxed()
}

fn sample(kind: Kind) -> impl Strategy<Value = Sample> {
    let names = proptest::collection::vec(text(kind), 4);
    let people = proptest::collection::vec(proptest::option::of(text(kind)), 5);
    (names, people, volume(kind), TIMES, metadata(kind)).prop_map(
        |(names, people, volume, time, metadata)| {
            let mut sample = Sample::from_json(SAMPLE).unwrap();
            let [name, kind, unit, resource] = names.try_into().unwrap();
            (sample.name, sample.kind, sample.unit) = (name.into(), kind.into(), unit.into());
            sample.resource_id = resource.into();
            let people: [Option<String>; 5] = people.try_into().unwrap();
            let [project, project_name, user, user_name, source] = people.map(|text| text.map(Into::into));
            (sample.project_id, sample.project_name) = (project, project_name);
            (sample.user_id, sample.user_name, sample.source) = (user, user_name, source);
            let number = volume.map_or("null".into(), |number| match number {
                number if number.is_nan() => "NaN".into(),
                f64::INFINITY => "Infinity".into(),
                f64::NEG_INFINITY => "-Infinity".into(),
                number => format!("{number:?}"),
            });
            sample.volume = Json::parse(&number).unwrap();
            sample.timestamp = Timestamp::from_micros(time).to_string().into();
            sample.metadata = metadata;
            sample
        },
    )
}

type People = (Option<String>, Option<String>, Option<String>, Option<String>, Option<String>);

pub(super) fn samples(place: &Place) {
    let dispatcher = place.dispatcher();
    let (time, metadata) = (place.time("timestamp"), place.text("metadata"));
    let run = std::cell::Cell::new(0);
    let batches = proptest::collection::vec(sample(place.kind), 0..40);
    let outcome = runner().run(&batches, |mut batch| {
        run.set(run.get() + 1);
        for (at, sample) in batch.iter_mut().enumerate() {
            sample.id = Some(format!("{}-{at}", run.get()).into());
        }
        prop_assert_eq!(place.runtime.block_on(dispatcher.samples(&batch)).unwrap(), []);
        let of_run = format!("FROM samples WHERE message_id LIKE '{}-%' ORDER BY id", run.get());
        let what: Vec<(String, String, String, String, Option<f64>, String)> =
            place.ask(&format!("SELECT meter, type, unit, resource_id, volume, {time} {of_run}"));
        let whose: Vec<People> =
            place.ask(&format!("SELECT project_id, project_name, user_id, user_name, source {of_run}"));
        let known: Vec<(String,)> = place.ask(&format!("SELECT {metadata} {of_run}"));
        prop_assert_eq!(what.len(), batch.len());
        for (at, sample) in batch.iter().enumerate() {
            let (meter, kind, unit, resource, volume, time) = &what[at];
            prop_assert_eq!(
                [meter, kind, unit, resource],
                [&sample.name, &sample.kind, &sample.unit, &sample.resource_id]
            );
            prop_assert_eq!(volume.map(f64::to_bits), sample.value().map(f64::to_bits));
            prop_assert_eq!(time.as_str(), sample.timestamp.as_str());
            let of_sample = [
                &sample.project_id,
                &sample.project_name,
                &sample.user_id,
                &sample.user_name,
                &sample.source,
            ];
            let (project, project_name, user, user_name, source) = &whose[at];
            let stored = [project, project_name, user, user_name, source];
            prop_assert_eq!(stored.map(|text| text.as_deref()), of_sample.map(|text| text.as_deref()));
            let parse = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
            prop_assert_eq!(parse(&known[at].0), parse(sample.metadata.as_str()));
        }
        Ok(())
    });
    outcome.unwrap();
}

fn trait_value(kind: Kind) -> impl Strategy<Value = (u8, Json)> {
    let text = text(kind).prop_map(|text| (1, Json::string(&text)));
    let long = Just((1, Json::string(&"ä".repeat(256))));
    let integer = any::<i64>().prop_map(|number| (2, Json::parse(&number.to_string()).unwrap()));
    let float = finite().prop_map(|number| (3, Json::parse(&format!("{number:?}")).unwrap()));
    let time = TIMES.prop_map(|micros| (4, Json::string(&Timestamp::from_micros(micros).to_string())));
    prop_oneof![text, long, integer, float, time, Just((1, Json::parse("null").unwrap()))]
}

fn event(kind: Kind) -> impl Strategy<Value = Event> {
    let traits = proptest::collection::vec((text(kind), trait_value(kind)), 0..6);
    (text(kind), TIMES, traits, metadata(kind)).prop_map(|(event_type, time, traits, raw)| {
        let mut event = Event::from_json(EVENT).unwrap();
        event.event_type = event_type.into();
        event.generated = Timestamp::from_micros(time).to_string().into();
        let of = |(name, (kind, value)): (String, _)| Trait { name: name.into(), kind, value };
        event.traits = traits.into_iter().map(of).collect();
        event.raw = raw;
        event
    })
}

type StoredTrait = (String, String, Option<String>, Option<String>, Option<i64>, Option<f64>, Option<String>);

/// The trait of a row.
fn trait_of((name, kind, short, long, int, float, time): StoredTrait) -> Trait {
    let text = short.or(long).or(time).map(|text| Json::string(&text));
    let int = int.map(|number| Json::parse(&number.to_string()).unwrap());
    let float = float.map(|number| Json::parse(&format!("{number:?}")).unwrap());
    let kinds = ["none", "text", "int", "float", "datetime"];
    Trait {
        name: name.into(),
        kind: (0..).zip(kinds).find(|(_, known)| *known == kind).unwrap().0,
        value: text.or(int).or(float).unwrap_or_else(|| Json::parse("null").unwrap()),
    }
}

pub(super) fn events(place: &Place) {
    let dispatcher = place.dispatcher();
    let (generated, raw, time) = (place.time("generated_at"), place.text("raw"), place.time("time_value"));
    let run = std::cell::Cell::new(0);
    let batches = proptest::collection::vec(event(place.kind), 0..20);
    let outcome = runner().run(&batches, |mut batch| {
        run.set(run.get() + 1);
        for (at, event) in batch.iter_mut().enumerate() {
            event.message_id = format!("{}-{at}", run.get()).into();
        }
        prop_assert_eq!(place.runtime.block_on(dispatcher.events(&batch)).unwrap(), []);
        let of_run = format!("FROM events WHERE message_id LIKE '{}-%' ORDER BY id", run.get());
        let stored: Vec<(String, String, String)> =
            place.ask(&format!("SELECT event_type, {generated}, {raw} {of_run}"));
        prop_assert_eq!(stored.len(), batch.len());
        for (event, (event_type, generated, raw)) in batch.iter().zip(stored) {
            prop_assert_eq!(&event_type, event.event_type.as_str());
            prop_assert_eq!(&generated, event.generated.as_str());
            let parse = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
            prop_assert_eq!(parse(&raw), parse(event.raw.as_str()));
            let traits: Vec<StoredTrait> = place.ask(&format!(
                "SELECT name, type, text_value, long_text_value, int_value, float_value, {time} \
                FROM traits WHERE message_id = '{}' ORDER BY position",
                event.message_id
            ));
            prop_assert_eq!(traits.into_iter().map(trait_of).collect::<Vec<_>>(), event.traits.clone());
        }
        Ok(())
    });
    outcome.unwrap();
}
