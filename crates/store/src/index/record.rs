//! What there is, one record each: what a change makes, what is on disk.

use std::sync::Arc;

use nephoscope_gnocchi::{ArchivePolicy, ArchivePolicyRule, Attribute, Timestamp};
use uuid::Uuid;

use super::value::Value;
use crate::series::MetricKey;

/// The number of a resource type, never given again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct TypeKey(pub(crate) u32);

/// A resource type.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TypeRecord {
    pub(crate) key: TypeKey,
    pub(crate) name: String,
    pub(crate) columns: Vec<Column>,
    /// The number of the next column: numbers are not given again, so that old records are not misread.
    pub(crate) next_column: u32,
}

/// An attribute of a resource type.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Column {
    pub(crate) number: u32,
    pub(crate) name: String,
    pub(crate) attribute: Attribute,
    /// What resources have that were written before it was there.
    pub(crate) fill: Value,
}

/// The current revision of a resource, without its metrics.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ResourceRecord {
    pub(crate) id: Uuid,
    pub(crate) original_id: Arc<str>,
    pub(crate) resource_type: TypeKey,
    pub(crate) creator: Option<Arc<str>>,
    pub(crate) user_id: Option<Arc<str>>,
    pub(crate) project_id: Option<Arc<str>>,
    pub(crate) started_at: Timestamp,
    pub(crate) ended_at: Option<Timestamp>,
    pub(crate) revision_start: Timestamp,
    /// By the number of their column, in its order.
    pub(crate) attributes: Vec<(u32, Value)>,
}

impl ResourceRecord {
    /// The value of a column of its type.
    pub(crate) fn attribute<'a>(&'a self, column: &'a Column) -> &'a Value {
        let found = self.attributes.binary_search_by_key(&column.number, |(number, _)| *number);
        found.map_or(&column.fill, |at| &self.attributes[at].1)
    }

    /// Gives a column of its type a value.
    pub(crate) fn set_attribute(&mut self, column: &Column, value: Value) {
        match self.attributes.binary_search_by_key(&column.number, |(number, _)| *number) {
            Ok(at) => self.attributes[at].1 = value,
            Err(at) => self.attributes.insert(at, (column.number, value)),
        }
    }
}

/// A revision of a resource that has ended.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RevisionRecord {
    pub(crate) number: u64,
    pub(crate) ended: Timestamp,
    pub(crate) resource: ResourceRecord,
}

/// A metric.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct MetricRecord {
    pub(crate) key: MetricKey,
    pub(crate) id: Uuid,
    pub(crate) creator: Option<Arc<str>>,
    pub(crate) archive_policy: Arc<str>,
    pub(crate) name: Option<Arc<str>>,
    pub(crate) unit: Option<Arc<str>>,
    pub(crate) resource: Option<Uuid>,
    /// It is gone for everybody but the janitor.
    pub(crate) is_deleted: bool,
}

/// The numbers that are given next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counters {
    pub(crate) metric: u64,
    pub(crate) resource_type: u32,
    pub(crate) revision: u64,
}

impl Default for Counters {
    fn default() -> Self {
        // `generic` has the number 0, and Gnocchi's first revision the number 1.
        Self { metric: 0, resource_type: 1, revision: 1 }
    }
}

/// One thing that changes. Changes that belong together reach the disk together or not at all.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Change {
    ArchivePolicy(ArchivePolicy),
    NoArchivePolicy(String),
    Rule(ArchivePolicyRule),
    NoRule(String),
    ResourceType(TypeRecord),
    NoResourceType(TypeKey),
    Resource(ResourceRecord),
    /// With all its revisions.
    NoResource(Uuid),
    Revision(RevisionRecord),
    NoRevision(Uuid, u64),
    Metric(MetricRecord),
    NoMetric(MetricKey),
    Counters(Counters),
}
