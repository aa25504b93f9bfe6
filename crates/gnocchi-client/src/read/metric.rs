//! Metrics.

use nephoscope_gnocchi::Metric;
use serde::Deserialize;
use uuid::Uuid;

use super::{Kinds, WirePolicy, WireResource};

/// A metric in a list or by itself.
#[derive(Debug, Deserialize)]
pub(crate) struct WireMetric {
    pub(crate) id: Uuid,
    creator: Option<String>,
    name: Option<String>,
    unit: Option<String>,
    archive_policy: WirePolicy,
    resource_id: Option<Uuid>,
    pub(crate) resource: Option<WireResource>,
}

/// As much as is of interest of one that was just made.
#[derive(Debug, Deserialize)]
pub(crate) struct WireNewMetric {
    pub(crate) id: Uuid,
}

impl WireMetric {
    /// With the kinds of the attributes of its resource.
    pub(crate) fn into_metric(self, types: &Kinds) -> Metric {
        let resource_id = self.resource_id.or(self.resource.as_ref().map(|resource| resource.id));
        Metric {
            id: self.id,
            creator: self.creator,
            archive_policy: self.archive_policy.into(),
            name: self.name,
            unit: self.unit,
            resource_id,
            resource: self.resource.map(|resource| Box::new(resource.into_resource(types))),
        }
    }
}
