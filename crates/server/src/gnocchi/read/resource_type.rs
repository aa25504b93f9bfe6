//! Resource types, and patches of them.

use indexmap::IndexMap;
use nephoscope_gnocchi::{
    Attribute, AttributeKind, AttributeValue, ResourceType, SchemaError, SchemaResult, Timestamp, TypeChange,
    TypeState, each,
};
use serde_json::Value;

use super::super::fault::Fault;
use super::super::wire;
use super::resource::read_attribute;
use super::{boolean, fields, keep, object, text};

/// The longest text that an attribute holds.
const LONGEST_TEXT: i64 = 256;

/// The kinds of attributes, in the order in which Gnocchi tries them.
const KINDS: [&str; 5] = ["bool", "datetime", "number", "string", "uuid"];

/// An attribute as a body says it, with what existing resources get.
#[derive(Debug)]
struct Written {
    attribute: Attribute,
    fill: Option<Value>,
}

/// Reads a resource type that is to be made.
pub(in super::super) fn read_type(json: &Value) -> Result<ResourceType, Fault> {
    let (mut name, mut attributes) = (None, None);
    fields(json, |key, value| match key {
        "name" => keep(&mut name, text(value)),
        "attributes" => keep(&mut attributes, read_attributes(value, false)),
        _ => None,
    })?;
    let name = name.ok_or_else(|| SchemaError::missing("name"))?;
    let attributes = attributes.unwrap_or_default();
    for (name, written) in &attributes {
        check(name, written)?;
    }
    let attributes = attributes.into_iter().map(|(name, written)| (name, written.attribute)).collect();
    Ok(ResourceType { name, attributes, state: TypeState::Active })
}

fn read_attributes(json: &Value, for_update: bool) -> SchemaResult<IndexMap<String, Written>> {
    let mut attributes = IndexMap::new();
    for (name, value) in object(json)? {
        let written = read_written(value, for_update).map_err(|error| error.in_key(name))?;
        attributes.insert(name.clone(), written);
    }
    Ok(attributes)
}

/// Reads an attribute as each kind in turn. Of what is wrong with it as each, Gnocchi tells what lies deepest, and of those the
/// first.
fn read_written(json: &Value, for_update: bool) -> SchemaResult<Written> {
    let mut told: Option<SchemaError> = None;
    for kind in KINDS {
        match read_as(kind, json, for_update) {
            Ok(written) => return Ok(written),
            Err(error) if told.as_ref().is_none_or(|told| error.path.len() > told.path.len()) => {
                told = Some(error);
            }
            Err(_) => {}
        }
    }
    Err(told.expect("there are kinds, and it is of none"))
}

fn read_as(kind: &str, json: &Value, for_update: bool) -> SchemaResult<Written> {
    let (mut named, mut required, mut fill) = (None, None, None);
    let (mut min_length, mut max_length, mut min, mut max) = (None, None, None, None);
    fields(json, |key, value| match (key, kind) {
        ("type", _) => {
            let is_it = value.as_str() == Some(kind);
            keep(&mut named, is_it.then_some(()).ok_or_else(|| SchemaError::new("not a valid value")))
        }
        ("required", _) => keep(&mut required, boolean(value)),
        ("options", _) if for_update => Some(read_fill(value).map(|read| fill = read)),
        ("min_length", "string") => keep(&mut min_length, read_length(value, 0)),
        ("max_length", "string") => keep(&mut max_length, read_length(value, 1)),
        ("min", "number") => keep(&mut min, read_bound(value)),
        ("max", "number") => keep(&mut max, read_bound(value)),
        _ => None,
    })?;
    named.ok_or_else(|| SchemaError::missing("type"))?;
    let length = |length: Option<i64>, default: i64| u32::try_from(length.unwrap_or(default)).unwrap_or(0);
    let kind = match kind {
        "string" => AttributeKind::String {
            min_length: length(min_length, 0),
            max_length: length(max_length, LONGEST_TEXT),
        },
        "uuid" => AttributeKind::Uuid,
        "number" => AttributeKind::Number { min: min.flatten(), max: max.flatten() },
        "bool" => AttributeKind::Bool,
        _ => AttributeKind::Datetime,
    };
    Ok(Written { attribute: Attribute { kind, required: required.unwrap_or(true) }, fill })
}

fn read_length(json: &Value, at_least: i64) -> SchemaResult<i64> {
    let length = json.as_i64().ok_or_else(|| SchemaError::new("expected int"))?;
    if length < at_least {
        return Err(SchemaError::new(format!("value must be at least {at_least}")));
    }
    if length > LONGEST_TEXT {
        return Err(SchemaError::new(format!("value must be at most {LONGEST_TEXT}")));
    }
    Ok(length)
}

fn read_bound(json: &Value) -> SchemaResult<Option<f64>> {
    match json {
        Value::Null => Ok(None),
        Value::Number(number) => Ok(number.as_f64()),
        _ => Err(SchemaError::new("not a valid value")),
    }
}

fn read_fill(json: &Value) -> SchemaResult<Option<Value>> {
    let mut fill = None;
    fields(json, |key, value| match key {
        "fill" => keep(&mut fill, Ok(value.clone())),
        _ => None,
    })?;
    Ok(fill.filter(|fill| !fill.is_null()))
}

/// Refuses limits that no value is within, and names that cannot be.
fn check(name: &str, written: &Written) -> Result<(), Fault> {
    let limits = match written.attribute.kind {
        AttributeKind::String { min_length, max_length } => {
            Some((f64::from(min_length), f64::from(max_length)))
        }
        AttributeKind::Number { min: Some(min), max: Some(max) } => Some((min, max)),
        _ => None,
    };
    if let Some((min, max)) = limits
        && min > max
    {
        return Err(Fault::bad_request(format!(
            "Invalid input: Resource attribute value min (or min_length) {min} must be less  than or equal to max \
             (or max_length) {max}!"
        )));
    }
    if !Attribute::can_be_called(name) {
        return Err(Fault::bad_request(format!("Invalid input: Resource attribute name {name} is invalid")));
    }
    Ok(())
}

/// A step of a JSON patch (RFC 6902): the only two that change attributes.
#[derive(Debug)]
enum Step {
    Add(String, Value),
    Remove(String),
}

/// Reads a JSON patch of a resource type, and what it comes to; nothing, when it changes nothing.
pub(in super::super) fn read_patch(
    json: &Value,
    resource_type: &ResourceType,
    now: Timestamp,
) -> Result<Option<TypeChange>, Fault> {
    let steps = each(json, read_step)?;
    let steps = steps.into_iter().collect::<Result<Vec<_>, _>>().map_err(Fault::bad_request)?;
    let mut next = wire::resource_type(resource_type);
    if let Some(next) = next.as_object_mut() {
        next.shift_remove("state");
    }
    for step in steps {
        apply(&mut next, step)?;
    }
    let input = |error: SchemaError| Fault::bad_request(format!("Invalid input: {error}"));
    let attributes = object(&next).and_then(|next| {
        let attributes = next.get("attributes").ok_or_else(|| SchemaError::missing("attributes"))?;
        read_attributes(attributes, true).map_err(|error| error.in_key("attributes"))
    });
    let attributes = attributes.map_err(input)?;
    let mut change = TypeChange::default();
    let known = &resource_type.attributes;
    change.remove = known.keys().filter(|name| !attributes.contains_key(*name)).cloned().collect();
    for (name, old) in known {
        let Some(written) = attributes.get(name) else { continue };
        let (old, new) = (wire::kind(old.kind), wire::kind(written.attribute.kind));
        if old != new {
            return Err(Fault::bad_request(format!(
                "Type update is not available yet. Changing {old} to {new} for attribute {name} of resource {}",
                resource_type.name
            )));
        }
    }
    // What is wrong with one that is new is told before what is wrong with one that changes.
    let (changed, added): (Vec<_>, Vec<_>) =
        attributes.into_iter().partition(|(name, _)| known.contains_key(name));
    for (name, written) in added.into_iter().chain(changed) {
        if known.get(&name) == Some(&written.attribute) {
            continue;
        }
        check(&name, &written)?;
        let fill = read_filling(&name, &written, now)?;
        change.add.insert(name, (written.attribute, fill));
    }
    Ok(Some(change).filter(|change| *change != TypeChange::default()))
}

fn read_filling(name: &str, written: &Written, now: Timestamp) -> Result<AttributeValue, Fault> {
    let option = |reason: &str| {
        Fault::bad_request(format!(
            "Invalid input: Option 'fill' of resource attribute {name} is invalid: {reason}"
        ))
    };
    match &written.fill {
        Some(fill) => {
            read_attribute(fill, &written.attribute, now).map_err(|error| option(&error.to_string()))
        }
        None if written.attribute.required => Err(option("must not be empty if required=True")),
        None => Ok(AttributeValue::Null),
    }
}

/// A step, or what is missing in it, which is told when all else is known to be well.
fn read_step(json: &Value) -> SchemaResult<Result<Step, &'static str>> {
    let (mut add, mut path, mut value) = (None, None, None);
    fields(json, |key, json| match key {
        "op" => keep(
            &mut add,
            match json.as_str() {
                Some("add") => Ok(true),
                Some("remove") => Ok(false),
                _ => Err(SchemaError::new("not a valid value")),
            },
        ),
        "path" => keep(
            &mut path,
            match json.as_str() {
                Some(path) if path.starts_with("/attributes") => Ok(path.to_owned()),
                _ => Err(SchemaError::new("not a valid value")),
            },
        ),
        "value" => {
            let is_object = json.is_object().then(|| json.clone());
            keep(&mut value, is_object.ok_or_else(|| SchemaError::new("expected dict")))
        }
        _ => None,
    })?;
    Ok(match (add, path, value) {
        (None, ..) => Err("Operation does not contain 'op' member"),
        (_, None, _) => Err("Operation must have a 'path' member"),
        (Some(false), Some(path), _) => Ok(Step::Remove(path)),
        (Some(true), Some(path), Some(value)) => Ok(Step::Add(path, value)),
        (Some(true), Some(_), None) => Err("The operation does not contain a 'value' member"),
    })
}

fn apply(document: &mut Value, step: Step) -> Result<(), Fault> {
    let (path, value) = match step {
        Step::Add(path, value) => (path, Some(value)),
        Step::Remove(path) => (path, None),
    };
    let (parent, name) = path.rsplit_once('/').unwrap_or(("", &path));
    let name = name.replace("~1", "/").replace("~0", "~");
    let parent = document.pointer_mut(parent).and_then(Value::as_object_mut);
    let Some(parent) = parent else {
        return Err(Fault::bad_request(format!("member '{name}' not found in {path}")));
    };
    match value {
        Some(value) => {
            parent.insert(name, value);
        }
        None => {
            if parent.shift_remove(&name).is_none() {
                return Err(Fault::bad_request(format!("can't remove a non-existent object '{name}'")));
            }
        }
    }
    Ok(())
}
