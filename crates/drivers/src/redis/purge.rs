//! Deleting what is old.

use std::collections::HashSet;

use nephoscope_telemetry::{Id, Purged, Result, Timestamp, TraceFilter};
use redis::Pipeline;

use super::driver::Redis;
use super::keys::{ERROR, TRACE, key};
use super::outline::Outline;
use super::read;
use super::survey::Trace;

/// How many keys are deleted at a time.
const KEYS_AT_A_TIME: usize = 500;

/// A list that was read, and how many values it had.
#[derive(Default)]
struct Counted {
    outline: Outline,
    values: u64,
}

impl Redis {
    /// Deletes the traces whose latest point is before this time.
    ///
    /// Points need not lie in the order of their times: a trace that looks old by its ends is read whole before it is
    /// deleted.
    pub(super) async fn purge_traces(
        &self,
        operation: &'static str,
        older_than: Timestamp,
    ) -> Result<Purged> {
        let is_old = |outline: &Outline| outline.latest().is_some_and(|latest| latest < older_than);
        let mut purged = HashSet::new();
        for trace in self.survey(operation, &TraceFilter::default()).await? {
            if !is_old(&trace.outline()) {
                continue;
            }
            let list = self.count(operation, &trace.id).await?;
            let lists_nothing_newer = list.outline.latest().is_none_or(|latest| latest < older_than);
            if lists_nothing_newer {
                self.delete(operation, &trace, list.values).await?;
                purged.insert(trace.id);
            }
        }
        self.delete_legacy(operation, &purged).await?;
        Ok(Purged { traces: purged.len() as u64 })
    }

    async fn count(&self, operation: &'static str, id: &Id) -> Result<Counted> {
        read::fold(operation, &self.connection, id, Counted::default(), |counted, record| {
            counted.values += 1;
            counted.outline.add_record(record);
        })
        .await
    }

    /// Deletes the values that were read, and with them the key, unless a point came in the meantime: that one stays.
    async fn delete(&self, operation: &'static str, trace: &Trace, values: u64) -> Result<()> {
        let mut commands = Pipeline::new();
        if trace.list.is_some() {
            commands.cmd("LTRIM").arg(key(TRACE, &trace.id)).arg("0").arg(format!("-{}", values + 1));
        }
        commands.cmd("UNLINK").arg(key(ERROR, &trace.id));
        for answer in self.connection.run(operation, &commands).await? {
            answer.map_err(|error| self.connection.refusal(operation, &error))?;
        }
        Ok(())
    }

    async fn delete_legacy(&self, operation: &'static str, of: &HashSet<Id>) -> Result<()> {
        let mut keys: Vec<Vec<u8>> = Vec::new();
        let take = |key: &[u8], record: read::Record| {
            if record.is_ok_and(|point| of.contains(&point.base_id)) {
                keys.push(key.into());
            }
        };
        self.legacy.visit_all(operation, &self.connection, take).await?;
        for keys in keys.chunks(KEYS_AT_A_TIME) {
            let mut commands = Pipeline::new();
            for key in keys {
                commands.cmd("UNLINK").arg(key);
            }
            for answer in self.connection.run(operation, &commands).await? {
                answer.map_err(|error| self.connection.refusal(operation, &error))?;
            }
        }
        Ok(())
    }
}
