//! What is done to an index beside requests: what is gone for good, what is too old, what it holds, whether it is whole.

use std::collections::BTreeSet;
use std::ops::Bound;
use std::path::Path;

use nephoscope_gnocchi::{Result, Timestamp};
use uuid::Uuid;

use super::Index;
use super::attributes::{Bounds, Common};
use super::disk::Found;
use super::record::Change;
use super::value::Value;
use crate::series::MetricKey;

/// How far a purge of revisions has come.
#[derive(Clone, Debug, Default)]
pub(crate) struct Revisions {
    /// The last one that was looked at.
    behind: Option<(Uuid, u64)>,
    pub(crate) is_done: bool,
    pub(crate) purged: usize,
}

/// What an index holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) archive_policies: usize,
    pub(crate) resource_types: usize,
    pub(crate) resources: usize,
    /// About as many: they are on disk alone.
    pub(crate) revisions: usize,
    pub(crate) metrics: usize,
    pub(crate) deleted_metrics: usize,
    pub(crate) disk_bytes: u64,
}

impl Index {
    /// Some metrics that are deleted and not expunged.
    pub(crate) fn deleted_metrics(&self, limit: usize) -> Vec<MetricKey> {
        self.state().deleted_metrics().take(limit).collect()
    }

    /// Takes away what is left of deleted metrics.
    pub(crate) fn expunge(&self, keys: &[MetricKey]) -> Result<()> {
        self.change(|plan| {
            for key in keys {
                if plan.state.metric(*key).is_some_and(|metric| metric.is_deleted()) {
                    plan.push(Change::NoMetric(*key));
                }
            }
            Ok(())
        })
    }

    /// Deletes at most so many resources that ended before a time. How many.
    pub(crate) fn purge_ended(&self, before: Timestamp, limit: usize) -> Result<usize> {
        let bounds = Bounds { from: Bound::Excluded(Value::LEAST), to: Bound::Excluded(Value::Time(before)) };
        self.change(|plan| {
            let state = plan.state;
            let slots = state.attributes.common(Common::EndedAt, &bounds);
            let rows = slots.into_iter().flatten().filter_map(|slot| state.resource(slot));
            let ids: Vec<_> = rows.map(|row| row.record.id).take(limit).collect();
            for id in &ids {
                plan.delete_resource(*id);
            }
            Ok(ids.len())
        })
    }

    /// Looks at so many revisions, and takes away those that ended before a time.
    pub(crate) fn purge_revisions(
        &self,
        before: Timestamp,
        limit: usize,
        so_far: &Revisions,
    ) -> Result<Revisions> {
        let seen = self.with_disk(|disk| disk.revisions_behind(so_far.behind, limit))?;
        let old: Vec<_> = seen.iter().filter(|(_, ended)| *ended < before).map(|(key, _)| *key).collect();
        self.change(|plan| {
            for (id, number) in &old {
                plan.push(Change::NoRevision(*id, *number));
            }
            Ok(())
        })?;
        Ok(Revisions {
            behind: seen.last().map(|(key, _)| *key),
            is_done: seen.len() < limit,
            purged: so_far.purged + old.len(),
        })
    }

    pub(crate) fn counts(&self) -> Result<Counts> {
        let (revisions, disk_bytes) = self.with_disk(|disk| Ok(disk.sizes()))?;
        let state = self.state();
        Ok(Counts {
            archive_policies: state.policies().count(),
            resource_types: state.types().count(),
            resources: state.resource_count(),
            revisions,
            metrics: state.metric_count(),
            deleted_metrics: state.deleted_metrics().count(),
            disk_bytes,
        })
    }

    /// Reads everything, and says what is wrong with it.
    pub(crate) fn check(&self) -> Result<Vec<String>> {
        let mut problems = Vec::new();
        let mut resources = BTreeSet::new();
        let state = self.state();
        self.with_disk(|disk| {
            disk.check_all(|found| match found {
                Found::Damaged(what) => problems.push(what),
                Found::Resource(record) => {
                    if state.type_of(&record).is_none() {
                        problems.push(format!("resource {} has a type that is not there", record.id));
                    }
                    resources.insert(record.id);
                }
                Found::Revision(record) => {
                    if !resources.contains(&record.resource.id) {
                        let id = record.resource.id;
                        problems.push(format!("a revision of resource {id} is there, and it is not"));
                    }
                }
                Found::Metric(record) => {
                    let id = record.id;
                    if state.policy(&record.archive_policy).is_none() {
                        problems.push(format!("metric {id} has an archive policy that is not there"));
                    }
                    if record.resource.is_some_and(|resource| !resources.contains(&resource)) {
                        problems.push(format!("metric {id} belongs to a resource that is not there"));
                    }
                }
            })
        })?;
        Ok(problems)
    }

    /// Rewrites what is left after many changes, which gives space back.
    pub(crate) fn compact(&self) -> Result<()> {
        self.with_disk(super::disk::Disk::compact)
    }

    /// Writes everything, as it is at one moment, into a directory that is not there yet.
    pub(crate) fn backup(&self, to: &Path) -> Result<()> {
        self.with_disk(|disk| disk.copy(to))
    }
}
