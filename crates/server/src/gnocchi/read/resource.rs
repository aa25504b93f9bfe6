//! Resources, of a type that says which attributes they have.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use nephoscope_gnocchi::{
    Attribute, AttributeKind, AttributeValue, Creator, NamedMetric, NewResource, ResourceChange,
    ResourceType, SchemaError, SchemaResult, Timestamp, class_of, parse_uuid, resource_uuid,
};
use serde_json::Value;

use super::super::fault::Fault;
use super::{boolean, keep, moment, number, object, read_named_metrics, text, text_or_null};

/// What the body of a resource says.
#[derive(Debug, Default)]
struct Written {
    id: Option<String>,
    started_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
    user_id: Option<Option<String>>,
    project_id: Option<Option<String>>,
    metrics: Option<IndexMap<String, NamedMetric>>,
    attributes: BTreeMap<String, AttributeValue>,
}

/// Reads a resource that is to be made.
pub(in super::super) fn read_resource(
    json: &Value,
    resource_type: &ResourceType,
    creator: &Creator,
    now: Timestamp,
) -> Result<NewResource, Fault> {
    let written = read(json, resource_type, creator, now, true)?;
    let id = written.id.ok_or_else(|| SchemaError::missing("id"))?;
    for (name, attribute) in &resource_type.attributes {
        if attribute.required && !written.attributes.contains_key(name) {
            return Err(SchemaError::missing(name).into());
        }
    }
    Ok(NewResource {
        id,
        user_id: written.user_id.flatten(),
        project_id: written.project_id.flatten(),
        started_at: written.started_at,
        ended_at: written.ended_at,
        attributes: written.attributes,
        metrics: written.metrics.unwrap_or_default(),
    })
}

/// Reads a change of a resource; nothing, when it says that nothing changes.
pub(in super::super) fn read_change(
    json: &Value,
    resource_type: &ResourceType,
    creator: &Creator,
    now: Timestamp,
) -> Result<Option<ResourceChange>, Fault> {
    let written = read(json, resource_type, creator, now, false)?;
    if object(json)?.is_empty() {
        return Ok(None);
    }
    Ok(Some(ResourceChange {
        started_at: written.started_at,
        ended_at: written.ended_at.map(Some),
        user_id: written.user_id,
        project_id: written.project_id,
        attributes: written.attributes,
        metrics: written.metrics,
        if_revision_start: None,
    }))
}

fn read(
    json: &Value,
    resource_type: &ResourceType,
    creator: &Creator,
    now: Timestamp,
    with_id: bool,
) -> Result<Written, Fault> {
    let mut written = Written::default();
    for (key, value) in object(json)? {
        let taken = match key.as_str() {
            "id" if with_id => keep(&mut written.id, read_id(value, creator)),
            "started_at" => keep(&mut written.started_at, moment(value, now)),
            "ended_at" => keep(&mut written.ended_at, moment(value, now)),
            "user_id" => keep(&mut written.user_id, text_or_null(value)),
            "project_id" => keep(&mut written.project_id, text_or_null(value)),
            "metrics" => {
                let read = read_named_metrics(value, creator, |error| error.in_key("metrics"));
                written.metrics = Some(read?);
                Some(Ok(()))
            }
            name => resource_type.attributes.get(name).map(|attribute| {
                let value = read_attribute(value, attribute, now)?;
                written.attributes.insert(name.to_owned(), value);
                Ok(())
            }),
        };
        taken.ok_or_else(|| SchemaError::extra(key))?.map_err(|error| error.in_key(key))?;
    }
    Ok(written)
}

fn read_id(json: &Value, creator: &Creator) -> SchemaResult<String> {
    let id = match json {
        Value::String(id) => id.clone(),
        other => other.to_string(),
    };
    resource_uuid(&id, creator)?;
    Ok(id)
}

/// What Python says of a value that is no UUID.
fn no_uuid(json: &Value) -> String {
    match json {
        Value::String(_) => "badly formed hexadecimal UUID string".into(),
        Value::Null => "one of the hex, bytes, bytes_le, fields, or int arguments must be given".into(),
        other => format!("'{}' object has no attribute 'replace'", class_of(other)),
    }
}

/// Reads the value of an attribute.
pub(super) fn read_attribute(
    json: &Value,
    attribute: &Attribute,
    now: Timestamp,
) -> SchemaResult<AttributeValue> {
    match attribute.kind {
        AttributeKind::String { min_length, max_length } => {
            let text = text(json)?;
            let length = u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
            if length < min_length {
                return Err(SchemaError::new(format!("length of value must be at least {min_length}")));
            }
            if length > max_length {
                return Err(SchemaError::new(format!("length of value must be at most {max_length}")));
            }
            Ok(AttributeValue::String(text))
        }
        AttributeKind::Uuid => {
            let uuid = json.as_str().and_then(parse_uuid);
            uuid.map(AttributeValue::Uuid).ok_or_else(|| SchemaError::new(no_uuid(json)))
        }
        AttributeKind::Number { min, max } => {
            let number = number(json).ok_or_else(|| SchemaError::new("expected Real"))?;
            if let Some(min) = min.filter(|min| number < *min) {
                return Err(SchemaError::new(format!("value must be at least {min}")));
            }
            if let Some(max) = max.filter(|max| number > *max) {
                return Err(SchemaError::new(format!("value must be at most {max}")));
            }
            Ok(AttributeValue::Number(number))
        }
        AttributeKind::Bool => boolean(json).map(AttributeValue::Bool),
        AttributeKind::Datetime => moment(json, now).map(AttributeValue::Datetime),
    }
}
