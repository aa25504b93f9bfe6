//! What resources of a kind have in common.

use indexmap::IndexMap;
use uuid::Uuid;

use crate::Timestamp;

/// The longest name of an attribute, in characters: as long as the name of a column may be where Gnocchi keeps it.
const LONGEST_NAME: usize = 63;
/// Names that all resources have, or that Gnocchi keeps for itself.
const TAKEN_NAMES: [&str; 14] = [
    "id",
    "type",
    "metrics",
    "revision",
    "revision_start",
    "revision_end",
    "started_at",
    "ended_at",
    "user_id",
    "project_id",
    "created_by_user_id",
    "created_by_project_id",
    "get_metric",
    "creator",
];

/// A kind of resources, and the attributes that they have besides those of all.
#[derive(Clone, Debug, PartialEq)]
pub struct ResourceType {
    /// Its name, such as `instance`.
    pub name: String,
    /// Its attributes by name, in the order in which they were declared.
    pub attributes: IndexMap<String, Attribute>,
    /// Whether it can be used yet.
    pub state: TypeState,
}

/// One attribute of a [`ResourceType`].
#[derive(Clone, Debug, PartialEq)]
pub struct Attribute {
    /// What values it takes.
    pub kind: AttributeKind,
    /// Whether every resource has to have it.
    pub required: bool,
}

impl Attribute {
    /// Whether an attribute can have this name: a letter or digit first, not too long, and none that is taken.
    pub fn can_be_called(name: &str) -> bool {
        let begins_well = name.starts_with(|first: char| first.is_ascii_alphanumeric());
        begins_well && name.chars().count() <= LONGEST_NAME && !TAKEN_NAMES.contains(&name)
    }
}

/// What values an [`Attribute`] takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum AttributeKind {
    /// Text of so many characters.
    String {
        /// At least.
        min_length: u32,
        /// At most.
        max_length: u32,
    },
    /// A UUID.
    Uuid,
    /// A number within bounds.
    Number {
        /// At least.
        min: Option<f64>,
        /// At most.
        max: Option<f64>,
    },
    /// True or false.
    Bool,
    /// A moment.
    Datetime,
}

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq)]
pub enum AttributeValue {
    /// None was given.
    Null,
    /// Of kind [`AttributeKind::String`].
    String(String),
    /// Of kind [`AttributeKind::Uuid`].
    Uuid(Uuid),
    /// Of kind [`AttributeKind::Number`].
    Number(f64),
    /// Of kind [`AttributeKind::Bool`].
    Bool(bool),
    /// Of kind [`AttributeKind::Datetime`].
    Datetime(Timestamp),
}

/// What a [`ResourceType`] is ready for. An embedded store knows `active` alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TypeState {
    /// Ready.
    Active,
    /// Being made.
    Creating,
    /// It could not be made.
    CreationError,
    /// Being deleted.
    Deleting,
    /// It could not be deleted.
    DeletionError,
    /// Being changed.
    Updating,
    /// It could not be changed.
    UpdatingError,
}

/// A change of a [`ResourceType`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TypeChange {
    /// Attributes that are new, with the value that existing resources get; or that replace one of the same kind with other
    /// limits.
    pub add: IndexMap<String, (Attribute, AttributeValue)>,
    /// Attributes that go.
    pub remove: Vec<String>,
}
