//! The attributes of resources and of metrics, as conditions and orders name them.

use std::sync::Arc;

use nephoscope_gnocchi::{AttributeKind, Timestamp};

use super::attributes::Common;
use super::filter::{Attribute, Attributes, Kind};
use super::record::{ResourceRecord, TypeRecord};
use super::state::MetricView;
use super::value::Value;

/// A revision of a resource.
#[derive(Clone, Copy, Debug)]
pub(super) struct ResourceRow<'a> {
    pub(super) record: &'a ResourceRecord,
    pub(super) own: &'a TypeRecord,
    /// Number and end of one that has ended.
    pub(super) ended: Option<(u64, Timestamp)>,
}

#[derive(Clone, Debug)]
pub(super) enum ResourceAttribute {
    Id,
    Type,
    Common(Common),
    RevisionEnd,
    Revision,
    Lifespan,
    /// Of the type: its column.
    Own(Arc<super::record::Column>),
}

impl Attribute for ResourceAttribute {
    type Row<'a> = ResourceRow<'a>;

    fn kind(&self) -> Kind {
        match self {
            Self::Id => Kind::ResourceId,
            Self::Type => Kind::Text,
            Self::Common(Common::StartedAt | Common::EndedAt | Common::RevisionStart) | Self::RevisionEnd => {
                Kind::Time
            }
            Self::Common(_) => Kind::Text,
            Self::Revision => Kind::Integer,
            Self::Lifespan => Kind::Span,
            Self::Own(column) => match column.attribute.kind {
                AttributeKind::String { .. } => Kind::Text,
                AttributeKind::Uuid => Kind::Uuid,
                AttributeKind::Number { .. } => Kind::Number,
                AttributeKind::Bool => Kind::Bool,
                AttributeKind::Datetime => Kind::Time,
            },
        }
    }

    fn value(&self, row: &ResourceRow<'_>) -> Value {
        match self {
            Self::Id => Value::Uuid(row.record.id),
            Self::Type => Value::Text(row.own.name.as_str().into()),
            Self::Common(common) => common.value(row.record),
            Self::RevisionEnd => Value::time(row.ended.map(|(_, ended)| ended)),
            #[expect(clippy::cast_precision_loss, reason = "2^53 revisions are more than there will be")]
            Self::Revision => Value::Number(row.ended.map_or(-1.0, |(number, _)| number as f64)),
            Self::Lifespan => row.record.ended_at.map_or(Value::Null, |ended| {
                let nanos = ended.as_nanos() - row.record.started_at.as_nanos();
                #[expect(clippy::cast_precision_loss, reason = "times are whole microseconds")]
                Value::Number(nanos as f64 / 1e9)
            }),
            Self::Own(column) => row.record.attribute(column).clone(),
        }
    }
}

/// What attributes the resources of a type have.
#[derive(Clone, Copy, Debug)]
pub(super) struct ResourceAttributes<'a> {
    pub(super) own: &'a TypeRecord,
    /// Of revisions, which have a number and an end.
    pub(super) with_history: bool,
}

impl Attributes for ResourceAttributes<'_> {
    type Attribute = ResourceAttribute;

    fn type_name(&self) -> &str {
        &self.own.name
    }

    fn find(&self, name: &str) -> Option<ResourceAttribute> {
        Some(match name {
            "id" => ResourceAttribute::Id,
            "type" => ResourceAttribute::Type,
            "original_resource_id" => ResourceAttribute::Common(Common::OriginalId),
            "creator" => self.creator(),
            "user_id" => ResourceAttribute::Common(Common::UserId),
            "project_id" => ResourceAttribute::Common(Common::ProjectId),
            "started_at" => ResourceAttribute::Common(Common::StartedAt),
            "ended_at" => ResourceAttribute::Common(Common::EndedAt),
            "revision_start" => ResourceAttribute::Common(Common::RevisionStart),
            "revision_end" if self.with_history => ResourceAttribute::RevisionEnd,
            "revision" if self.with_history => ResourceAttribute::Revision,
            "lifespan" => ResourceAttribute::Lifespan,
            name => {
                let column = self.own.columns.iter().find(|column| column.name == name)?;
                ResourceAttribute::Own(Arc::new(column.clone()))
            }
        })
    }

    fn creator(&self) -> ResourceAttribute {
        ResourceAttribute::Common(Common::Creator)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MetricAttribute {
    Id,
    Name,
    Unit,
    Creator,
    ArchivePolicy,
    Resource,
    ResourceCreator,
    ResourceProject,
    Status,
}

impl Attribute for MetricAttribute {
    type Row<'a> = MetricView<'a>;

    fn kind(&self) -> Kind {
        match self {
            Self::Id => Kind::Uuid,
            Self::Resource => Kind::ResourceId,
            _ => Kind::Text,
        }
    }

    fn value(&self, row: &MetricView<'_>) -> Value {
        match self {
            Self::Id => Value::Uuid(row.id()),
            Self::Name => Value::text(row.name()),
            Self::Unit => Value::text(row.unit()),
            Self::Creator => Value::text(row.creator()),
            Self::ArchivePolicy => {
                row.policy().map_or(Value::Null, |policy| Value::Text(policy.name.as_str().into()))
            }
            Self::Resource => row.resource_id().map_or(Value::Null, Value::Uuid),
            Self::ResourceCreator => Value::text(row.resource().and_then(|row| row.record.creator.as_ref())),
            Self::ResourceProject => {
                Value::text(row.resource().and_then(|row| row.record.project_id.as_ref()))
            }
            Self::Status => Value::Text(if row.is_deleted() { "delete" } else { "active" }.into()),
        }
    }
}

/// What attributes metrics have.
#[derive(Clone, Copy, Debug)]
pub(super) struct MetricAttributes;

impl Attributes for MetricAttributes {
    type Attribute = MetricAttribute;

    fn type_name(&self) -> &str {
        "metric"
    }

    fn find(&self, name: &str) -> Option<MetricAttribute> {
        Some(match name {
            "id" => MetricAttribute::Id,
            "name" => MetricAttribute::Name,
            "unit" => MetricAttribute::Unit,
            "creator" => MetricAttribute::Creator,
            "archive_policy_name" => MetricAttribute::ArchivePolicy,
            "resource_id" => MetricAttribute::Resource,
            "resource.creator" => MetricAttribute::ResourceCreator,
            "resource.project_id" => MetricAttribute::ResourceProject,
            "status" => MetricAttribute::Status,
            _ => return None,
        })
    }

    fn creator(&self) -> MetricAttribute {
        MetricAttribute::Creator
    }
}
