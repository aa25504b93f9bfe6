//! What events say about the life of a resource.

use std::borrow::Cow;

use nephoscope_telemetry::{Event, Json};

use crate::Attributes;

/// What an event means for a resource.
#[derive(Clone, Debug, PartialEq)]
pub struct Lifecycle<'a> {
    /// What happens to it.
    pub change: Change,
    /// The type of the resource.
    pub resource_type: &'a str,
    /// Its id, as services call it.
    pub id: Cow<'a, str>,
    /// What the event says of it: attributes, and where they are known `user_id` and `project_id`.
    pub attributes: Attributes<'a>,
    /// Resources that end with it.
    pub associated: Vec<Associated<'a>>,
}

/// What happens to a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It begins to exist, with the attributes. One that exists stays as it is.
    Create,
    /// Its attributes change, and nothing of the associated ones. One that does not exist is not made.
    Update,
    /// It ends, and the associated ones do.
    End,
}

/// Resources that are found by a query.
#[derive(Clone, Debug, PartialEq)]
pub struct Associated<'a> {
    /// Their type.
    pub resource_type: &'a str,
    /// Which of them, as Gnocchi's search takes it: `{"=": {"instance_id": "…"}}`.
    pub query: Json,
}

/// The value of a trait, unless it is `null`. Of a name given twice the last counts.
pub fn trait_value<'a>(event: &'a Event, name: &str) -> Option<&'a str> {
    let found = event.traits.iter().rev().find(|known| known.name == name)?;
    Some(found.value.as_str()).filter(|value| *value != "null")
}
