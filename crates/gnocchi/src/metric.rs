//! A series of measures.

use uuid::Uuid;

use crate::{ArchivePolicy, Page, Resource};

/// A series of measures.
#[derive(Clone, Debug, PartialEq)]
pub struct Metric {
    /// Its id.
    pub id: Uuid,
    /// The creator, as `user:project` or the user alone.
    pub creator: Option<String>,
    /// How it is kept.
    pub archive_policy: ArchivePolicy,
    /// Its name, where it has one.
    pub name: Option<String>,
    /// Unit of its values.
    pub unit: Option<String>,
    /// The resource that it belongs to.
    pub resource_id: Option<Uuid>,
    /// That resource, where it was asked for in detail.
    pub resource: Option<Box<Resource>>,
}

/// A metric to be made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewMetric {
    /// How it is kept; as the first rule says that its name matches, where none is named.
    pub archive_policy_name: Option<String>,
    /// Its name, which one of a resource has to have; without a slash.
    pub name: Option<String>,
    /// Unit of its values.
    pub unit: Option<String>,
    /// The resource that it belongs to.
    pub resource_id: Option<String>,
}

/// A metric of a resource, in the making or change of the resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NamedMetric {
    /// One that exists.
    Existing(Uuid),
    /// A new one.
    New {
        /// How it is kept; as the first rule says that its name matches, where none is named.
        archive_policy_name: Option<String>,
        /// Unit of its values.
        unit: Option<String>,
    },
}

/// Whether a metric is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MetricStatus {
    /// It is.
    #[default]
    Active,
    /// It is deleted; its measures are not, yet.
    Delete,
}

/// Which metrics are listed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MetricChoice {
    /// There, or deleted.
    pub status: MetricStatus,
    /// Those that it takes, by `id`, `name`, `unit`, `archive_policy_name`, `creator`, `resource_id`, and by the
    /// `resource.creator` and `resource.project_id` of their resource; all, where there is none.
    pub filter: Option<crate::Filter>,
    /// Those whose resource it takes, where there is one.
    pub resource_filter: Option<crate::Filter>,
    /// With their resources.
    pub details: bool,
    /// Which part, in which order.
    pub page: Page,
}
