//! What Gnocchi has to know of a type before there can be resources of it.

use nephoscope_gnocchi::{Attribute, AttributeKind, AttributeValue, ResourceType, TypeChange, TypeState};

/// The longest text that an attribute takes: what fits where Gnocchi keeps it.
const MAX_TEXT: u32 = 255;

/// A type of resources as Gnocchi has to have it.
#[derive(Clone, Debug, PartialEq)]
pub struct TypeDefinition {
    /// Its name.
    pub name: String,
    /// Its attributes.
    pub attributes: Vec<AttributeDefinition>,
}

/// An attribute of a [`TypeDefinition`].
#[derive(Clone, Debug, PartialEq)]
pub struct AttributeDefinition {
    /// Its name.
    pub name: String,
    /// What values it takes, and whether every resource has to have it.
    pub attribute: Attribute,
    /// What resources get that are there before the attribute is.
    pub fill: AttributeValue,
}

impl TypeDefinition {
    /// A type without attributes.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), attributes: Vec::new() }
    }

    /// With an attribute, which a resource may lack.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, kind: AttributeKind) -> Self {
        let attribute = Attribute { kind, required: false };
        self.attributes.push(AttributeDefinition {
            name: name.into(),
            attribute,
            fill: AttributeValue::Null,
        });
        self
    }

    /// With an attribute that is a text of at most 255 characters, which a resource may lack.
    #[must_use]
    pub fn with_text(self, name: impl Into<String>) -> Self {
        self.with(name, AttributeKind::String { min_length: 0, max_length: MAX_TEXT })
    }

    /// With the last attribute required of every resource. One that is there already gets `fill`.
    #[must_use]
    pub fn required(mut self, fill: AttributeValue) -> Self {
        if let Some(last) = self.attributes.last_mut() {
            last.attribute.required = true;
            last.fill = fill;
        }
        self
    }

    /// The type, to be made.
    pub fn to_resource_type(&self) -> ResourceType {
        let attributes = self.attributes.iter().map(|known| (known.name.clone(), known.attribute.clone()));
        ResourceType { name: self.name.clone(), attributes: attributes.collect(), state: TypeState::Active }
    }

    /// What has to change of a type that exists; nothing, when nothing has to.
    ///
    /// Attributes that are missing are added, and one that is required and need not be is so no more. What an operator
    /// has made otherwise, with attributes of their own or with other limits, stays.
    pub fn change_of(&self, existing: &ResourceType) -> Option<TypeChange> {
        let mut change = TypeChange::default();
        for wanted in &self.attributes {
            let attribute = match existing.attributes.get(&wanted.name) {
                None => wanted.attribute.clone(),
                Some(known) if known.required && !wanted.attribute.required => {
                    Attribute { required: false, ..known.clone() }
                }
                Some(_) => continue,
            };
            change.add.insert(wanted.name.clone(), (attribute, wanted.fill.clone()));
        }
        if change.add.is_empty() { None } else { Some(change) }
    }
}
