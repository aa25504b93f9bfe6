//! Archive policies and rules.

use std::collections::HashMap;

use nephoscope_gnocchi::{
    ArchivePolicy, ArchivePolicyRule, Definition, MethodChoice, SchemaError, SchemaResult, Timespan,
    TimespanError, each,
};
use serde_json::Value;

use super::super::fault::Fault;
use super::{fields, keep, number, text, whole};

/// A resolution as it is written: two of the three at least.
#[derive(Clone, Copy, Debug, Default)]
struct Written {
    granularity: Option<Timespan>,
    points: Option<i64>,
    timespan: Option<Timespan>,
}

/// Reads an archive policy.
pub(in super::super) fn read_policy(json: &Value) -> Result<ArchivePolicy, Fault> {
    let (mut name, mut definition, mut back_window, mut methods) = (None, None, None, None);
    fields(json, |key, value| match key {
        "name" => keep(&mut name, text(value)),
        "back_window" => keep(&mut back_window, whole(value, 0)),
        "aggregation_methods" => keep(&mut methods, each(value, method)),
        "definition" => keep(&mut definition, read_written(value)),
        _ => None,
    })?;
    let definition = definition.ok_or_else(|| SchemaError::missing("definition"))?;
    let name = name.ok_or_else(|| SchemaError::missing("name"))?;
    Ok(ArchivePolicy {
        name,
        back_window: window(back_window.unwrap_or_default()),
        definition: read_definitions(&definition)?,
        aggregation_methods: MethodChoice::choose(&methods.unwrap_or_default()),
    })
}

/// Reads a change of an archive policy: its resolutions, and its back window.
pub(in super::super) fn read_policy_change(json: &Value) -> Result<(Vec<Definition>, Option<u32>), Fault> {
    let (mut definition, mut back_window) = (None, None);
    fields(json, |key, value| match key {
        "back_window" => keep(&mut back_window, whole(value, 0)),
        "definition" => keep(&mut definition, read_written(value)),
        _ => None,
    })?;
    let definition = definition.ok_or_else(|| SchemaError::missing("definition"))?;
    // One that is there twice is no change that can be made, which is told once the policy is known.
    let definition = definition.iter().map(read_definition).collect::<Result<_, _>>()?;
    Ok((definition, back_window.map(window)))
}

fn window(periods: i64) -> u32 {
    u32::try_from(periods).unwrap_or(u32::MAX)
}

fn read_written(json: &Value) -> SchemaResult<Vec<Written>> {
    let written = each(json, |json| {
        let (mut granularity, mut points, mut timespan) = (None, None, None);
        fields(json, |key, value| match key {
            "granularity" => keep(&mut granularity, span(value)),
            "points" => keep(&mut points, whole(value, 1)),
            "timespan" => keep(&mut timespan, span(value)),
            _ => None,
        })?;
        Ok(Written { granularity, points, timespan })
    })?;
    if written.is_empty() {
        return Err(SchemaError::new("length of value must be at least 1"));
    }
    Ok(written)
}

fn span(json: &Value) -> SchemaResult<Timespan> {
    let read = match json {
        Value::String(text) => Timespan::parse(text),
        Value::Null => return Err(SchemaError::new("Invalid timespan")),
        json => number(json).ok_or(TimespanError::Unreadable).and_then(Timespan::from_seconds_f64),
    };
    read.map_err(|error| SchemaError::new(error.to_string()))
}

/// Makes resolutions of what is written, which has to agree with itself.
fn read_definitions(written: &[Written]) -> Result<Vec<Definition>, Fault> {
    let definitions = written.iter().map(read_definition).collect::<Result<Vec<_>, _>>()?;
    let mut counts = HashMap::new();
    for definition in &definitions {
        *counts.entry(definition.granularity).or_insert(0) += 1;
    }
    match definitions.iter().find(|definition| counts[&definition.granularity] > 1) {
        Some(twice) => Err(Fault::bad_request(format!(
            "More than one archive policy uses granularity `{:?}'",
            twice.granularity.as_seconds()
        ))),
        None => Ok(definitions),
    }
}

fn read_definition(written: &Written) -> Result<Definition, Fault> {
    let points = written.points.and_then(|points| u64::try_from(points).ok());
    Definition::of(written.granularity, points, written.timespan)
        .map_err(|error| Fault::bad_request(error.to_string()))
}

fn method(json: &Value) -> SchemaResult<MethodChoice> {
    let choice = json.as_str().and_then(|text| text.parse().ok());
    choice.ok_or_else(|| SchemaError::new("not a valid value"))
}

/// Reads an archive policy rule.
pub(in super::super) fn read_rule(json: &Value) -> SchemaResult<ArchivePolicyRule> {
    let (mut name, mut pattern, mut policy) = (None, None, None);
    fields(json, |key, value| match key {
        "name" => keep(&mut name, text(value)),
        "metric_pattern" => keep(&mut pattern, text(value)),
        "archive_policy_name" => keep(&mut policy, text(value)),
        _ => None,
    })?;
    Ok(ArchivePolicyRule {
        name: name.ok_or_else(|| SchemaError::missing("name"))?,
        metric_pattern: pattern.ok_or_else(|| SchemaError::missing("metric_pattern"))?,
        archive_policy_name: policy.ok_or_else(|| SchemaError::missing("archive_policy_name"))?,
    })
}

/// Reads the new name of an archive policy rule.
pub(in super::super) fn read_rule_name(json: &Value) -> SchemaResult<String> {
    let mut name = None;
    fields(json, |key, value| match key {
        "name" => keep(&mut name, text(value)),
        _ => None,
    })?;
    name.ok_or_else(|| SchemaError::missing("name"))
}
