//! Resources that had ended and are measured again: as Gnocchi does, they are taken to be back.

use std::collections::BTreeSet;

use nephoscope_gnocchi::{Measure, Result};
use uuid::Uuid;

use super::Index;
use super::plan::now;
use super::record::{Change, RevisionRecord};
use super::state::ResourceRow;

/// The resources of a batch that are back.
#[derive(Debug, Default)]
pub(super) struct Returns(BTreeSet<Uuid>);

impl Returns {
    /// Looks at measures of a metric that this resource has. It is back when the latest of them is not from before its end.
    pub(super) fn see(&mut self, row: &ResourceRow, measures: &[Measure]) {
        let Some(ended_at) = row.record.ended_at else { return };
        if measures.iter().any(|measure| measure.timestamp >= ended_at) {
            self.0.insert(row.record.id);
        }
    }
}

impl Index {
    /// Takes the end from resources, which is a new revision of each.
    pub(super) fn take_back(&self, returns: &Returns) -> Result<()> {
        if returns.0.is_empty() {
            return Ok(());
        }
        self.change(|plan| {
            for id in &returns.0 {
                let Some(row) = plan.state.resource_with_id(*id) else { continue };
                let resource = row.record.as_ref().clone();
                let now = now();
                let mut changed = resource.clone();
                (changed.ended_at, changed.revision_start) = (None, now);
                let number = plan.next_revision();
                plan.push(Change::Revision(RevisionRecord { number, ended: now, resource }));
                plan.push(Change::Resource(changed));
            }
            Ok(())
        })
    }
}
