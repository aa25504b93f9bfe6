//! Resources, and the values of their attributes: what kind a value is of, only the type of its resource tells.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use nephoscope_gnocchi::{AttributeKind, AttributeValue, Resource, ResourceType, Timestamp, parse_uuid};
use serde::Deserialize;
use serde_json::Value as Json;
use uuid::Uuid;

use super::{moment, optional_moment, read_moment};

#[derive(Debug, Deserialize)]
pub(crate) struct WireResource {
    pub(crate) id: Uuid,
    original_resource_id: Option<String>,
    #[serde(rename = "type")]
    pub(crate) resource_type: String,
    creator: Option<String>,
    user_id: Option<String>,
    project_id: Option<String>,
    #[serde(deserialize_with = "moment")]
    pub(crate) started_at: Timestamp,
    #[serde(default, deserialize_with = "optional_moment")]
    ended_at: Option<Timestamp>,
    #[serde(deserialize_with = "moment")]
    pub(crate) revision_start: Timestamp,
    #[serde(default, deserialize_with = "optional_moment")]
    revision_end: Option<Timestamp>,
    #[serde(default)]
    metrics: BTreeMap<String, Uuid>,
    /// They follow from the creator.
    #[serde(rename = "created_by_user_id")]
    _user: Option<String>,
    #[serde(rename = "created_by_project_id")]
    _project: Option<String>,
    #[serde(flatten)]
    attributes: BTreeMap<String, Json>,
}

/// Resource types by name, as far as they are known.
pub(crate) type Kinds = HashMap<String, Arc<ResourceType>>;

/// The number of the current revision.
const CURRENT: i64 = -1;
/// The API does not tell the numbers of others.
const UNTOLD: i64 = 0;

impl WireResource {
    /// Whether there is a value whose kind has to be known.
    pub(crate) fn has_attributes(&self) -> bool {
        !self.attributes.is_empty()
    }

    /// Whether all its attributes are those of this type, and of their kinds.
    pub(crate) fn fits(&self, resource_type: &ResourceType) -> bool {
        self.attributes.iter().all(|(name, value)| {
            resource_type
                .attributes
                .get(name)
                .is_some_and(|attribute| of_kind(attribute.kind, value).is_some())
        })
    }

    /// With the kinds that its type says. A value that is of another form than its kind is taken as it is.
    pub(crate) fn into_resource(self, types: &Kinds) -> Resource {
        let own = types.get(&self.resource_type);
        let kind = |name: &str| Some(own?.attributes.get(name)?.kind);
        let attributes = self.attributes.into_iter().map(|(name, value)| {
            let value = kind(&name).and_then(|kind| of_kind(kind, &value)).unwrap_or_else(|| by_form(&value));
            (name, value)
        });
        Resource {
            id: self.id,
            original_resource_id: self.original_resource_id.unwrap_or_else(|| self.id.to_string()),
            resource_type: self.resource_type,
            creator: self.creator,
            user_id: self.user_id,
            project_id: self.project_id,
            started_at: self.started_at,
            ended_at: self.ended_at,
            revision_start: self.revision_start,
            revision_end: self.revision_end,
            revision: if self.revision_end.is_none() { CURRENT } else { UNTOLD },
            attributes: attributes.collect(),
            metrics: self.metrics,
        }
    }
}

/// A value of that kind; nothing where it is none.
pub(crate) fn of_kind(kind: AttributeKind, value: &Json) -> Option<AttributeValue> {
    Some(match (kind, value) {
        (_, Json::Null) => AttributeValue::Null,
        (AttributeKind::String { .. }, Json::String(text)) => AttributeValue::String(text.clone()),
        (AttributeKind::Uuid, Json::String(text)) => AttributeValue::Uuid(parse_uuid(text)?),
        (AttributeKind::Number { .. }, Json::Number(number)) => AttributeValue::Number(number.as_f64()?),
        (AttributeKind::Bool, Json::Bool(is)) => AttributeValue::Bool(*is),
        (AttributeKind::Datetime, Json::String(text)) => AttributeValue::Datetime(read_moment(text)?),
        _ => return None,
    })
}

/// A value of which nobody says what kind it is.
pub(crate) fn by_form(value: &Json) -> AttributeValue {
    match value {
        Json::Null => AttributeValue::Null,
        Json::Bool(is) => AttributeValue::Bool(*is),
        Json::Number(number) => AttributeValue::Number(number.as_f64().unwrap_or(f64::NAN)),
        Json::String(text) => AttributeValue::String(text.clone()),
        other => AttributeValue::String(other.to_string()),
    }
}

/// The kind of an attribute that all resources have.
pub(crate) fn base_attribute(name: &str) -> Option<AttributeKind> {
    match name {
        "id" => Some(AttributeKind::Uuid),
        "started_at" | "ended_at" | "revision_start" | "revision_end" => Some(AttributeKind::Datetime),
        "original_resource_id"
        | "type"
        | "creator"
        | "user_id"
        | "project_id"
        | "created_by_user_id"
        | "created_by_project_id" => Some(AttributeKind::String { min_length: 0, max_length: u32::MAX }),
        _ => None,
    }
}
