//! Lists of traces.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use futures_util::{StreamExt, TryStreamExt, stream};
use nephoscope_telemetry::{Id, Result, Timestamp, TraceFilter, TraceSummary};

use super::driver::Redis;
use super::keys::{ERROR, Scan, all, base_id};
use super::read::{texts, timestamp};
use super::survey::Trace;

/// How many traces are read whole at the same time. They share one connection: more would only take memory.
const WHOLE_AT_A_TIME: usize = 4;

impl Redis {
    pub(super) async fn list_traces(
        &self,
        operation: &'static str,
        filter: &TraceFilter,
    ) -> Result<Vec<TraceSummary>> {
        let traces = self.survey(operation, filter).await?;
        self.select(operation, filter, traces).await
    }

    pub(super) async fn list_error_traces(
        &self,
        operation: &'static str,
        filter: &TraceFilter,
    ) -> Result<Vec<TraceSummary>> {
        let mut errors = self.error_records(operation).await?;
        let ids: HashSet<Id> = errors.keys().cloned().collect();
        let traces = self.survey_of(operation, filter, &ids).await?;
        for trace in &traces {
            errors.remove(&trace.id);
        }
        let mut list = self.select(operation, filter, traces).await?;
        if !filter.needs_points() {
            // Of a trace that is gone the record is all that there is.
            let gone = errors.into_iter().map(|(id, timestamp)| TraceSummary::new(id, timestamp));
            list.extend(gone.filter(|summary| filter.takes_summary(summary)));
        }
        filter.order(&mut list);
        Ok(list)
    }

    /// What the filter takes, newest first.
    async fn select(
        &self,
        operation: &'static str,
        filter: &TraceFilter,
        traces: Vec<Trace>,
    ) -> Result<Vec<TraceSummary>> {
        let summary = |trace: &Trace| {
            let summary = trace.outline().summary(&trace.id)?;
            filter.takes_summary(&summary).then_some(summary)
        };
        let mut list = if filter.needs_points() {
            let timed = |trace: Trace| summary(&trace).map(|summary| (summary.timestamp, trace));
            let mut candidates: Vec<_> = traces.into_iter().filter_map(timed).collect();
            candidates.sort_by_key(|(timestamp, _)| Reverse(*timestamp));
            self.select_by_points(operation, filter, candidates.into_iter().map(|(_, trace)| trace)).await?
        } else {
            traces.iter().filter_map(summary).collect()
        };
        filter.order(&mut list);
        Ok(list)
    }

    /// Reads traces whole until there are as many as the filter wants.
    async fn select_by_points(
        &self,
        operation: &'static str,
        filter: &TraceFilter,
        newest_first: impl Iterator<Item = Trace> + Send,
    ) -> Result<Vec<TraceSummary>> {
        let summaries = newest_first.map(async |mut trace: Trace| {
            if trace.list.is_some() {
                trace.list = Some(self.whole(operation, filter, &trace.id).await?);
            }
            let outline = trace.outline();
            let summary = outline.is_wanted().then(|| outline.summary(&trace.id)).flatten();
            Ok(summary.filter(|summary| filter.takes_summary(summary)))
        });
        stream::iter(summaries)
            .buffered(WHOLE_AT_A_TIME)
            .try_filter_map(async |summary| Ok(summary))
            .take(filter.limit.unwrap_or(usize::MAX))
            .try_collect()
            .await
    }

    /// The traces that have an error record, with the time of the error.
    async fn error_records(&self, operation: &'static str) -> Result<HashMap<Id, Timestamp>> {
        let mut errors = HashMap::new();
        let mut scan = Scan::new(all(ERROR));
        while let Some(keys) = scan.next(operation, &self.connection).await? {
            if keys.is_empty() {
                continue;
            }
            for (key, text) in keys.iter().zip(texts(operation, &self.connection, &keys).await?) {
                match base_id(ERROR, key).zip(text.as_ref().and_then(timestamp)) {
                    Some((id, timestamp)) => drop(errors.insert(id, timestamp)),
                    None => {
                        tracing::warn!(key = %key.escape_ascii(), "not listed: this key holds no error record");
                    }
                }
            }
        }
        Ok(errors)
    }
}
