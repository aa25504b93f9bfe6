//! Deletes old traces.

use std::collections::HashSet;

use mongodb::bson::doc;
use nephoscope_telemetry::{Purged, Result, Timestamp};

use super::driver::Mongo;
use super::list::Walk;

/// Traces that are looked at and deleted at a time.
const PAGE: usize = 500;
const OPERATION: &str = "delete old traces";

impl Mongo {
    /// Deletes the traces without a point of this time or later, with their error records. A point that comes in
    /// meanwhile stays.
    pub(super) async fn purge_traces(&self, older_than: Timestamp) -> Result<Purged> {
        let end = older_than.to_string();
        let old = doc! { "timestamp": { "$gte": "", "$lt": &end } };
        let mut walk = Walk::start(self, OPERATION, old, 1).await?;
        let mut purged = Purged::default();
        loop {
            let page = walk.page(PAGE, |_| false).await?;
            let is_last = page.len() < PAGE;
            let ended = self.ended(page, &end).await?;
            if !ended.is_empty() {
                purged.traces += ended.len() as u64;
                let points = doc! { "base_id": { "$in": &ended }, "timestamp": { "$lt": &end } };
                self.points.delete_many(points).await.map_err(self.fail(OPERATION))?;
                let records = doc! { "base_id": { "$in": &ended } };
                self.errors.delete_many(records).await.map_err(self.fail(OPERATION))?;
            }
            if is_last {
                return Ok(purged);
            }
        }
    }

    /// Those of the traces that have no point of this time or later.
    async fn ended(&self, mut page: Vec<String>, end: &str) -> Result<Vec<String>> {
        if page.is_empty() {
            return Ok(page);
        }
        let later = doc! { "base_id": { "$in": &page }, "timestamp": { "$gte": end } };
        let going_on = self.points.distinct("base_id", later).await.map_err(self.fail(OPERATION))?;
        let going_on: HashSet<&str> = going_on.iter().filter_map(|id| id.as_str()).collect();
        page.retain(|id| !going_on.contains(id.as_str()));
        Ok(page)
    }
}
