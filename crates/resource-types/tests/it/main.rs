//! Resource types beside what the real Ceilometer makes of the same files, samples and events.

#![expect(clippy::unwrap_used, reason = "what goes wrong in a test is a failed test")]

mod definitions;
mod openstack;
mod outside;

use std::collections::BTreeMap;

use nephoscope_resource_types::{Attributes, ResourceTypes};
use nephoscope_telemetry::Sample;
use serde_json::Value;

/// What is found of a sample: the type, the archive policy, the attributes.
type Found = (String, String, BTreeMap<String, Value>);

fn attributes(attributes: &Attributes<'_>) -> BTreeMap<String, Value> {
    let read = |(name, json): (&str, &str)| (name.to_owned(), serde_json::from_str(json).unwrap());
    attributes.iter().map(read).collect()
}

fn found(types: &ResourceTypes, sample: &Value) -> Option<Found> {
    let sample = Sample::from_json(&sample.to_string()).unwrap();
    let owner = types.owner(&sample.name)?;
    let policy = owner.meter.archive_policy.clone().unwrap_or_default();
    Some((owner.resource_type.name().into(), policy.to_string(), attributes(&owner.attributes(&sample))))
}

/// Compares with `[sample, null or [type, policy, attributes as JSON texts]]`.
fn compare(types: &ResourceTypes, case: &Value) -> Option<String> {
    let expected = case[1].as_array().map(|expected| {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let attributes = expected[2].as_object().unwrap().iter();
        let attributes = attributes
            .map(|(name, json)| (name.clone(), serde_json::from_str(json.as_str().unwrap()).unwrap()));
        (text(&expected[0]), text(&expected[1]), attributes.collect())
    });
    let ours: Option<Found> = found(types, &case[0]);
    (ours != expected).then(|| format!("{}\n  expected {expected:?}\n  got      {ours:?}", case[0]))
}
