//! Resource types.

use std::collections::BTreeMap;

use nephoscope_gnocchi::{Attribute, AttributeKind, ResourceType, TypeState};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
pub(crate) struct WireType {
    name: String,
    #[serde(default)]
    attributes: BTreeMap<String, WireAttribute>,
    state: WireState,
}

#[derive(Debug, Deserialize)]
struct WireAttribute {
    required: bool,
    #[serde(flatten)]
    kind: WireKind,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum WireKind {
    String { min_length: u32, max_length: u32 },
    Uuid,
    Number { min: Option<f64>, max: Option<f64> },
    Bool,
    Datetime,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WireState {
    Active,
    Creating,
    CreationError,
    Deleting,
    DeletionError,
    Updating,
    UpdatingError,
}

impl From<WireType> for ResourceType {
    fn from(wire: WireType) -> Self {
        let attributes = wire.attributes.into_iter();
        let attributes =
            attributes.map(|(name, it)| (name, Attribute { kind: it.kind.into(), required: it.required }));
        let state = match wire.state {
            WireState::Active => TypeState::Active,
            WireState::Creating => TypeState::Creating,
            WireState::CreationError => TypeState::CreationError,
            WireState::Deleting => TypeState::Deleting,
            WireState::DeletionError => TypeState::DeletionError,
            WireState::Updating => TypeState::Updating,
            WireState::UpdatingError => TypeState::UpdatingError,
        };
        Self { name: wire.name, attributes: attributes.collect(), state }
    }
}

impl From<WireKind> for AttributeKind {
    fn from(wire: WireKind) -> Self {
        match wire {
            WireKind::String { min_length, max_length } => Self::String { min_length, max_length },
            WireKind::Uuid => Self::Uuid,
            WireKind::Number { min, max } => Self::Number { min, max },
            WireKind::Bool => Self::Bool,
            WireKind::Datetime => Self::Datetime,
        }
    }
}
