//! Samples and events of the cases.

use nephoscope_telemetry::{Event, Json, Sample, Timestamp, Trait};
use uuid::Uuid;

/// Moments are so many seconds apart: a place may keep aggregates of them, and then the finest of Ceilometer's archive
/// policies are of five minutes.
const APART: i64 = 300;
/// 2026-01-01T00:00:00
const FIRST: i64 = 1_767_225_600;

/// A gauge of this resource at the moment of this number, with a volume as it is written.
pub(super) fn sample(resource_id: &str, meter: &str, moment: i64, volume: &str) -> Sample {
    let said = format!("{resource_id} {meter} {moment} {volume}");
    Sample {
        name: meter.into(),
        kind: "gauge".into(),
        unit: "B".into(),
        volume: Json::parse(volume).expect("it is JSON"),
        resource_id: resource_id.into(),
        timestamp: timestamp(moment).into(),
        project_id: Some("a project".into()),
        project_name: None,
        user_id: Some("a user".into()),
        user_name: None,
        metadata: Json::empty_object(),
        source: Some("openstack".into()),
        // A UUID, as Ceilometer gives every sample its own.
        id: Some(Uuid::new_v5(&Uuid::NAMESPACE_OID, said.as_bytes()).to_string().into()),
        extra: Vec::new(),
    }
}

/// The moment of this number as Ceilometer's agents spell it.
fn timestamp(moment: i64) -> String {
    let time = Timestamp::from_micros((FIRST + moment * APART) * 1_000_000);
    format!("{time}+00:00")
}

/// An event with a trait of each type.
pub(super) fn event(number: usize) -> Event {
    let one = |name: &str, kind, value: &str| Trait {
        name: name.into(),
        kind,
        value: Json::parse(value).expect("it is JSON"),
    };
    Event {
        message_id: format!("{number:08}-0000-4000-8000-000000000000").into(),
        event_type: "conformance.happened".into(),
        generated: "2026-01-01T00:00:00.000001".into(),
        traits: vec![
            one("text", 1, "\"日本語 \\\" 😀\""),
            one("integer", 2, "9007199254740993"),
            one("float", 3, "0.1"),
            one("time", 4, "\"2026-01-01T00:00:00\""),
        ],
        raw: Json::empty_object(),
        extra: Vec::new(),
    }
}
