//! What is metered.

use std::collections::BTreeMap;
use std::fmt;

use indexmap::IndexMap;
use uuid::Uuid;

use crate::{AttributeValue, Filter, NamedMetric, Page, Timestamp};

/// Who made a resource or metric.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Creator {
    /// The user.
    pub user_id: String,
    /// The user's project; none where users have no projects, as with basic authentication.
    pub project_id: Option<String>,
}

impl fmt::Display for Creator {
    /// As Gnocchi keeps it: `user:project`, or the user alone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.user_id)?;
        self.project_id.as_ref().map_or(Ok(()), |project| write!(f, ":{project}"))
    }
}

/// A text that cannot name a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidResourceId {
    /// It has a slash.
    #[error("'/' is not supported in resource id")]
    Slash,
    /// It is no UUID, and longer than the 289 characters of which Gnocchi makes one.
    #[error("transformable resource id >289 max allowed characters")]
    TooLong,
}

/// The id of the resource that a user means by a text: the UUID that it is, or one made of the text and the user.
pub fn resource_uuid(text: &str, creator: &Creator) -> Result<Uuid, InvalidResourceId> {
    /// Gnocchi's, for ever the same.
    const NAMESPACE: Uuid = Uuid::from_u128(0x0a7a15ff_aa13_4ac2_897c_9bdf30ce175b);
    /// In characters.
    const LONGEST: usize = 289;

    if text.contains('/') {
        return Err(InvalidResourceId::Slash);
    }
    if let Some(uuid) = parse_uuid(text) {
        return Ok(uuid);
    }
    if text.chars().count() > LONGEST {
        return Err(InvalidResourceId::TooLong);
    }
    Ok(Uuid::new_v5(&NAMESPACE, format!("{text}\0{creator}").as_bytes()))
}

/// A UUID in any of the forms that Python's `UUID` takes: hyphens anywhere or nowhere, in braces, as a URN.
pub fn parse_uuid(text: &str) -> Option<Uuid> {
    if let Ok(uuid) = Uuid::try_parse(text) {
        return Some(uuid);
    }
    let bare = text.replace("urn:", "").replace("uuid:", "");
    let digits = bare.trim_matches(['{', '}']).replace('-', "");
    let is_hexadecimal = digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hexadecimal.then(|| u128::from_str_radix(&digits, 16).ok().map(Uuid::from_u128)).flatten()
}

/// Something that is metered: one revision of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Resource {
    /// Its id.
    pub id: Uuid,
    /// Its id as the creator spelled it.
    pub original_resource_id: String,
    /// Name of its type.
    pub resource_type: String,
    /// The creator, as `user:project` or the user alone.
    pub creator: Option<String>,
    /// The user that it belongs to.
    pub user_id: Option<String>,
    /// The project that it belongs to.
    pub project_id: Option<String>,
    /// Since when it exists.
    pub started_at: Timestamp,
    /// Until when it existed.
    pub ended_at: Option<Timestamp>,
    /// Since when this revision holds.
    pub revision_start: Timestamp,
    /// Until when this revision held; none for the current one.
    pub revision_end: Option<Timestamp>,
    /// Number of the revision, -1 for the current one.
    pub revision: i64,
    /// Attributes of its type, in the order of the type. A listing as `generic` without details has none.
    pub attributes: IndexMap<String, AttributeValue>,
    /// Its metrics by name.
    pub metrics: BTreeMap<String, Uuid>,
}

impl Resource {
    /// An attribute by the name that queries have for it, be it of all resources or of its type; none, where it has no such
    /// attribute.
    pub fn attribute(&self, name: &str) -> AttributeValue {
        let text = |text: Option<&str>| {
            text.map_or(AttributeValue::Null, |text| AttributeValue::String(text.into()))
        };
        let time = |time: Option<Timestamp>| time.map_or(AttributeValue::Null, AttributeValue::Datetime);
        let creator = self.creator.as_deref();
        let parts = creator.map(|creator| creator.split_once(':').unwrap_or((creator, "")));
        match name {
            "id" => AttributeValue::Uuid(self.id),
            "original_resource_id" => text(Some(&self.original_resource_id)),
            "type" => text(Some(&self.resource_type)),
            "creator" => text(creator),
            "created_by_user_id" => text(parts.map(|(user, _)| user)),
            "created_by_project_id" => text(parts.map(|(_, project)| project)),
            "user_id" => text(self.user_id.as_deref()),
            "project_id" => text(self.project_id.as_deref()),
            "started_at" => time(Some(self.started_at)),
            "ended_at" => time(self.ended_at),
            "revision_start" => time(Some(self.revision_start)),
            "revision_end" => time(self.revision_end),
            name => self.attributes.get(name).cloned().unwrap_or(AttributeValue::Null),
        }
    }
}

/// Which revision of a resource is meant, where there are several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Revision {
    /// Of this resource.
    pub id: Uuid,
    /// Its number; none for the current one.
    pub revision: Option<i64>,
}

/// A resource to be made.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NewResource {
    /// Its id: a UUID, or any text without a slash.
    pub id: String,
    /// The user that it belongs to.
    pub user_id: Option<String>,
    /// The project that it belongs to.
    pub project_id: Option<String>,
    /// Since when it exists: now, where none is given.
    pub started_at: Option<Timestamp>,
    /// Until when it existed.
    pub ended_at: Option<Timestamp>,
    /// Attributes of its type.
    pub attributes: BTreeMap<String, AttributeValue>,
    /// Its metrics by name.
    pub metrics: IndexMap<String, NamedMetric>,
}

/// A change of a resource. What is `None` stays.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ResourceChange {
    /// Since when it exists.
    pub started_at: Option<Timestamp>,
    /// Until when it existed; `Some(None)` makes it live again.
    pub ended_at: Option<Option<Timestamp>>,
    /// The user that it belongs to.
    pub user_id: Option<Option<String>>,
    /// The project that it belongs to.
    pub project_id: Option<Option<String>>,
    /// Attributes of its type that change.
    pub attributes: BTreeMap<String, AttributeValue>,
    /// All its metrics by name, in place of those it has.
    pub metrics: Option<IndexMap<String, NamedMetric>>,
    /// Only if its current revision began at that moment, else
    /// [`Error::RevisionChanged`](crate::Error::RevisionChanged).
    pub if_revision_start: Option<Timestamp>,
}

/// Which resources are listed, and how.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ResourceSelection {
    /// Those that it takes; all, where there is none.
    pub filter: Option<Filter>,
    /// Attributes of their own type, even where the listing is of `generic`.
    pub details: bool,
    /// All their revisions, not only the current one.
    pub history: bool,
    /// Which part, in which order.
    pub page: Page,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn creator(user_id: &str, project_id: Option<&str>) -> Creator {
        Creator { user_id: user_id.into(), project_id: project_id.map(str::to_owned) }
    }

    #[test]
    fn other_text_becomes_the_uuid_that_gnocchi_makes_of_it_for_each_creator() {
        // What `gnocchi.utils.ResourceUUID` gives.
        for (text, creator, uuid) in [
            ("foobar", creator("foo", None), "c5bcb7f9-064a-5064-a340-b02a0ef0d24b"),
            ("foobar", creator("u", Some("p")), "ea62b9f2-59bb-5d04-a555-3b3cfbfb60c2"),
            ("foobar", creator("", Some("")), "5c214224-6e70-5abc-bc4b-0219576d3f80"),
            ("é", creator("admin", None), "f8e47bd2-eaeb-5c5a-8b7c-00d62e795037"),
        ] {
            assert_eq!(resource_uuid(text, &creator).unwrap().to_string(), uuid);
        }
    }

    #[test]
    fn a_uuid_is_kept_however_it_is_written() {
        let uuid = Uuid::from_u128(0x0a7a15ff_aa13_4ac2_897c_9bdf30ce175b);
        for text in [
            "0a7a15ff-aa13-4ac2-897c-9bdf30ce175b",
            "0A7A15FF-AA13-4AC2-897C-9BDF30CE175B",
            "0a7a15ffaa134ac2897c9bdf30ce175b",
            "{0a7a15ff-aa13-4ac2-897c-9bdf30ce175b}",
            "urn:uuid:0a7a15ff-aa13-4ac2-897c-9bdf30ce175b",
            "0a7a-15ffaa134ac2897c9bdf30ce17-5b",
        ] {
            assert_eq!(resource_uuid(text, &Creator::default()), Ok(uuid), "{text}");
        }
        assert_ne!(resource_uuid("0a7a15ffaa134ac2897c9bdf30ce175", &Creator::default()), Ok(uuid));
    }

    #[test]
    fn what_gnocchi_makes_no_uuid_of_is_refused() {
        let creator = Creator::default();
        assert_eq!(resource_uuid("a/b", &creator), Err(InvalidResourceId::Slash));
        assert_eq!(resource_uuid(&"é".repeat(290), &creator), Err(InvalidResourceId::TooLong));
        assert!(resource_uuid(&"é".repeat(289), &creator).is_ok());
    }
}
