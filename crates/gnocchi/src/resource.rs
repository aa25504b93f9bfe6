//! What is metered.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use uuid::Uuid;

use crate::{AttributeValue, Filter, NamedMetric, Page, Timestamp};

/// Who made a resource or metric.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Creator {
    /// The user.
    pub user_id: String,
    /// The user's project; empty where users have none.
    pub project_id: String,
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
    /// Attributes of its type. A listing as `generic` without details has none.
    pub attributes: BTreeMap<String, AttributeValue>,
    /// Its metrics by name.
    pub metrics: BTreeMap<String, Uuid>,
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
