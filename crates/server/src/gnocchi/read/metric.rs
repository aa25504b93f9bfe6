//! Metrics.

use axum::http::StatusCode;
use indexmap::IndexMap;
use nephoscope_gnocchi::{
    Creator, NamedMetric, NewMetric, SchemaError, SchemaResult, parse_uuid, resource_uuid,
};
use serde_json::{Value, json};

use super::super::fault::Fault;
use super::{fields, keep, object, text};

/// The most characters that the name of a unit has.
const LONGEST_UNIT: usize = 31;

/// Reads a metric that is to be made.
pub(in super::super) fn read_new_metric(json: &Value, creator: &Creator) -> Result<NewMetric, Fault> {
    let mut name = None;
    let metric = read(json, creator, &mut name)?;
    if name.as_deref().is_some_and(|name| name.contains('/')) {
        return Err(slash());
    }
    if metric.resource_id.is_some() && name.is_none() {
        return Err(Fault::described(
            StatusCode::BAD_REQUEST,
            json!({
                "cause": "Attribute value error",
                "detail": "name",
                "reason": "Name cannot be null if resource_id is not null",
            }),
        ));
    }
    Ok(NewMetric { name, ..metric })
}

fn read(json: &Value, creator: &Creator, name: &mut Option<String>) -> SchemaResult<NewMetric> {
    let (mut policy, mut unit, mut resource_id) = (None, None, None);
    fields(json, |key, value| match key {
        "archive_policy_name" => keep(&mut policy, text(value)),
        "name" => keep(name, text(value)),
        "unit" => keep(&mut unit, read_unit(value)),
        "resource_id" => keep(
            &mut resource_id,
            text(value).and_then(|id| {
                resource_uuid(&id, creator)?;
                Ok(id)
            }),
        ),
        _ => None,
    })?;
    Ok(NewMetric { archive_policy_name: policy, name: None, unit, resource_id })
}

fn read_unit(json: &Value) -> SchemaResult<String> {
    let unit = text(json)?;
    if unit.chars().count() > LONGEST_UNIT {
        return Err(SchemaError::new(format!("length of value must be at most {LONGEST_UNIT}")));
    }
    Ok(unit)
}

fn slash() -> Fault {
    Fault::bad_request("'/' is not supported in metric name")
}

/// The names of new metrics in a body that say no policy. Those that say something else which they cannot are left out.
pub(in super::super) fn names_without_policy(json: &Value) -> impl Iterator<Item = &str> {
    let is_without = |value: &Value| {
        let known = ["name", "unit", "resource_id"];
        value.as_object().is_some_and(|metric| {
            metric.iter().all(|(key, value)| known.contains(&key.as_str()) && value.is_string())
        })
    };
    // One that nothing can be called is told first.
    let metrics = json.as_object().into_iter().flatten().take_while(|(name, _)| !name.contains('/'));
    metrics.filter(move |(_, value)| is_without(value)).map(|(name, _)| name.as_str())
}

/// Reads metrics of a resource by their names: each a UUID, or what a new one is like. What is wrong is told by its place in the
/// body, which `place` knows.
pub(in super::super) fn read_named_metrics(
    json: &Value,
    creator: &Creator,
    place: fn(SchemaError) -> SchemaError,
) -> Result<IndexMap<String, NamedMetric>, Fault> {
    let mut metrics = IndexMap::new();
    for (name, value) in object(json).map_err(place)? {
        let wrong = |error: SchemaError| place(error.in_key(name));
        let metric = if value.is_object() {
            let read = read(value, creator, &mut None).map_err(wrong)?;
            if name.contains('/') {
                return Err(slash());
            }
            NamedMetric::New { archive_policy_name: read.archive_policy_name, unit: read.unit }
        } else {
            let id = value.as_str().and_then(parse_uuid);
            NamedMetric::Existing(id.ok_or_else(|| wrong(SchemaError::new("not a valid value")))?)
        };
        metrics.insert(name.clone(), metric);
    }
    Ok(metrics)
}
