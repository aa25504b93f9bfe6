//! Resource types.

use std::collections::BTreeMap;

use nephoscope_gnocchi::{
    Attribute, AttributeKind, AttributeValue, Error, ResourceType, Result, TypeChange, TypeState,
};

use super::Index;
use super::plan::Plan;
use super::record::{Change, Column, TypeRecord};
use super::state::GENERIC;
use super::value::Value;

impl Index {
    pub(crate) fn resource_types(&self) -> Vec<ResourceType> {
        self.state().types().map(describe).collect()
    }

    pub(crate) fn resource_type(&self, name: &str) -> Result<ResourceType> {
        let no_such = || Error::NoSuchResourceType(name.into());
        self.state().type_named(name).map(describe).ok_or_else(no_such)
    }

    pub(crate) fn create_resource_type(&self, resource_type: ResourceType) -> Result<ResourceType> {
        for (name, attribute) in &resource_type.attributes {
            check_attribute(name, attribute)?;
        }
        self.change(|plan| {
            if plan.state.type_named(&resource_type.name).is_some() {
                return Err(Error::ResourceTypeAlreadyExists(resource_type.name));
            }
            let mut record = TypeRecord {
                key: plan.next_type(),
                name: resource_type.name,
                columns: Vec::new(),
                next_column: 0,
            };
            for (name, attribute) in resource_type.attributes {
                record.add(name, attribute, Value::Null);
            }
            let created = describe(&record);
            plan.push(Change::ResourceType(record));
            Ok(created)
        })
    }

    pub(crate) fn update_resource_type(&self, name: &str, change: TypeChange) -> Result<ResourceType> {
        self.change(|plan| {
            let known = plan.state.type_named(name);
            let mut record = known.ok_or_else(|| Error::NoSuchResourceType(name.into()))?.clone();
            if name == GENERIC {
                return Err(Error::Invalid("Resource type generic cannot have attributes".into()));
            }
            let before = record.clone();
            for attribute in &change.remove {
                let at = record.columns.iter().position(|column| column.name == *attribute);
                let at = at.ok_or_else(|| no_attribute(name, attribute))?;
                record.columns.remove(at);
            }
            for (attribute_name, (attribute, fill)) in change.add {
                let known = record.columns.iter_mut().find(|column| column.name == attribute_name);
                match known {
                    Some(column) if column.attribute == attribute => {}
                    Some(column) => {
                        check_kind(name, column, &attribute)?;
                        let fill = check_fill(&attribute_name, &attribute, &fill)?;
                        column.attribute = attribute;
                        let column = column.clone();
                        fill_nulls(plan, &record, &column, &fill);
                    }
                    None => {
                        let fill = check_fill(&attribute_name, &attribute, &fill)?;
                        record.add(attribute_name, attribute, fill);
                    }
                }
            }
            let changed = describe(&record);
            if record != before {
                plan.push(Change::ResourceType(record));
            }
            Ok(changed)
        })
    }

    pub(crate) fn delete_resource_type(&self, name: &str) -> Result<()> {
        self.change(|plan| {
            let record = plan.state.type_named(name);
            let record = record.ok_or_else(|| Error::NoSuchResourceType(name.into()))?;
            if name == GENERIC || plan.state.attributes.count_of_type(record.key) > 0 {
                return Err(Error::ResourceTypeInUse(name.into()));
            }
            plan.push(Change::NoResourceType(record.key));
            Ok(())
        })
    }
}

impl TypeRecord {
    fn add(&mut self, name: String, attribute: Attribute, fill: Value) {
        self.columns.push(Column { number: self.next_column, name, attribute, fill });
        self.next_column += 1;
    }

    /// Checks values of attributes, which `given` are all that there will be, or only those that change.
    pub(super) fn check(&self, given: &BTreeMap<String, AttributeValue>, are_all: bool) -> Result<()> {
        if let Some(unknown) = given.keys().find(|name| !self.columns.iter().any(|own| own.name == **name)) {
            return Err(no_attribute(&self.name, unknown));
        }
        for column in &self.columns {
            let value = given.get(&column.name);
            match value {
                None | Some(AttributeValue::Null) if !column.attribute.required => {}
                None if !are_all => {}
                None => {
                    let message = format!("required key not provided @ data['{}']", column.name);
                    return Err(Error::Invalid(message));
                }
                Some(value) if !fits(&column.attribute.kind, value) => {
                    return Err(Error::InvalidAttributeValue {
                        resource_type: self.name.clone(),
                        attribute: column.name.clone(),
                        value: shown(value),
                    });
                }
                Some(_) => {}
            }
        }
        Ok(())
    }
}

/// Gives all resources of a type that have nothing in a column a value there.
fn fill_nulls(plan: &mut Plan<'_>, own: &TypeRecord, column: &Column, fill: &Value) {
    if fill.is_null() {
        return;
    }
    let state = plan.state;
    for slot in state.attributes.of_type(own.key) {
        let Some(row) = state.resource(slot) else { continue };
        if row.record.attribute(column).is_null() {
            let mut record = row.record.as_ref().clone();
            record.set_attribute(column, fill.clone());
            plan.push(Change::Resource(record));
        }
    }
}

fn describe(record: &TypeRecord) -> ResourceType {
    ResourceType {
        name: record.name.clone(),
        attributes: record
            .columns
            .iter()
            .map(|column| (column.name.clone(), column.attribute.clone()))
            .collect(),
        state: TypeState::Active,
    }
}

fn check_attribute(name: &str, attribute: &Attribute) -> Result<()> {
    if !Attribute::can_be_called(name) {
        return Err(Error::Invalid(format!("Resource attribute name {name} is invalid")));
    }
    let bounds = match attribute.kind {
        AttributeKind::String { min_length, max_length } if min_length > max_length => {
            Some((min_length.to_string(), max_length.to_string()))
        }
        AttributeKind::Number { min: Some(min), max: Some(max) } if min > max => {
            Some((min.to_string(), max.to_string()))
        }
        _ => None,
    };
    match bounds {
        Some((min, max)) => Err(Error::Invalid(format!(
            "Resource attribute value min (or min_length) {min} must be less  than or equal to max (or max_length) {max}!"
        ))),
        None => Ok(()),
    }
}

fn check_kind(resource_type: &str, column: &Column, attribute: &Attribute) -> Result<()> {
    let (was, is) = (kind_name(&column.attribute.kind), kind_name(&attribute.kind));
    if was == is {
        return Ok(());
    }
    Err(Error::Invalid(format!(
        "Type update is not available yet. Changing {was} to {is} for attribute {} of resource {resource_type}",
        column.name
    )))
}

fn check_fill(name: &str, attribute: &Attribute, fill: &AttributeValue) -> Result<Value> {
    check_attribute(name, attribute)?;
    let invalid = |reason: &str| {
        Error::Invalid(format!("Option 'fill' of resource attribute {name} is invalid: {reason}"))
    };
    match fill {
        AttributeValue::Null if attribute.required => Err(invalid("must not be empty if required=True")),
        AttributeValue::Null => Ok(Value::Null),
        fill if fits(&attribute.kind, fill) => Ok(fill.into()),
        fill => Err(invalid(&format!("{} is not a value of the attribute", shown(fill)))),
    }
}

fn fits(kind: &AttributeKind, value: &AttributeValue) -> bool {
    match (kind, value) {
        (AttributeKind::String { min_length, max_length }, AttributeValue::String(text)) => {
            let length = text.chars().count();
            (*min_length as usize..=*max_length as usize).contains(&length)
        }
        (AttributeKind::Number { min, max }, AttributeValue::Number(number)) => {
            min.is_none_or(|min| *number >= min) && max.is_none_or(|max| *number <= max)
        }
        (AttributeKind::Uuid, AttributeValue::Uuid(_))
        | (AttributeKind::Bool, AttributeValue::Bool(_))
        | (AttributeKind::Datetime, AttributeValue::Datetime(_)) => true,
        _ => false,
    }
}

fn kind_name(kind: &AttributeKind) -> &'static str {
    match kind {
        AttributeKind::String { .. } => "string",
        AttributeKind::Uuid => "uuid",
        AttributeKind::Number { .. } => "number",
        AttributeKind::Bool => "bool",
        AttributeKind::Datetime => "datetime",
    }
}

fn shown(value: &AttributeValue) -> String {
    match value {
        AttributeValue::Null => "None".into(),
        AttributeValue::String(text) => text.clone(),
        AttributeValue::Uuid(uuid) => uuid.to_string(),
        AttributeValue::Number(number) => number.to_string(),
        AttributeValue::Bool(true) => "True".into(),
        AttributeValue::Bool(false) => "False".into(),
        AttributeValue::Datetime(time) => time.to_string().replace('T', " "),
    }
}

fn no_attribute(resource_type: &str, attribute: &str) -> Error {
    Error::NoSuchAttribute { resource_type: resource_type.into(), attribute: attribute.into() }
}
