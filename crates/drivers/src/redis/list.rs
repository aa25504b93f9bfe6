//! Which traces there are.

use std::collections::{HashMap, HashSet};

use futures_util::{StreamExt, TryStreamExt, stream};
use nephoscope_telemetry::{Id, Json, Result, Timestamp, TraceFilter, TraceSummary};
use redis::{Pipeline, RedisError, Value, cmd};
use tokio::task::spawn_blocking;

use super::connection::Answer;
use super::driver::Redis;
use super::failure::WRONG_TYPE;
use super::keys::{ERROR, Scan, TRACE, all, base_id, key};
use super::outline::Outline;
use super::read::{self, Record, record};

/// Of how many traces the ends are asked for at a time: three short commands each.
const TRACES_AT_A_TIME: usize = 500;
/// How many of these questions are on their way or being read.
const QUESTIONS: usize = 3;
/// How many traces are read whole at the same time. They share one connection: more would only take memory.
const WHOLE_AT_A_TIME: usize = 4;

/// A trace that was met, with what is known of it without reading it whole.
pub(super) struct Trace {
    pub(super) id: Id,
    /// Of its list, when it has one that can be read.
    list: Option<Outline>,
    /// Of its keys of old, when it has some.
    legacy: Option<Outline>,
}

impl Trace {
    /// What is known from both.
    pub(super) fn outline(&self) -> Outline {
        match (&self.list, &self.legacy) {
            (Some(list), legacy) => {
                let mut outline = list.clone();
                outline.merge(legacy.as_ref().unwrap_or(&Outline::default()));
                outline
            }
            (None, legacy) => legacy.clone().unwrap_or_default(),
        }
    }
}

impl Redis {
    pub(super) async fn list_traces(
        &self,
        operation: &'static str,
        filter: &TraceFilter,
    ) -> Result<Vec<TraceSummary>> {
        let traces = self.survey(operation, filter, None).await?;
        self.select(operation, filter, traces).await
    }

    pub(super) async fn list_error_traces(
        &self,
        operation: &'static str,
        filter: &TraceFilter,
    ) -> Result<Vec<TraceSummary>> {
        let mut errors = self.errors(operation).await?;
        let ids: HashSet<Id> = errors.keys().cloned().collect();
        let traces = self.survey(operation, filter, Some(&ids)).await?;
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

    /// All traces, or those of these ids, by their ends.
    pub(super) async fn survey(
        &self,
        operation: &'static str,
        filter: &TraceFilter,
        only: Option<&HashSet<Id>>,
    ) -> Result<Vec<Trace>> {
        let ids = async {
            match only {
                Some(ids) => Ok(ids.iter().cloned().collect()),
                None => self.ids(operation).await,
            }
        };
        let (ids, mut legacy) = tokio::try_join!(ids, self.legacy_outlines(operation, filter))?;
        if let Some(only) = only {
            legacy.retain(|id, _| only.contains(id));
        }
        let questions: Vec<_> =
            ids.chunks(TRACES_AT_A_TIME).map(|ids| self.ends(operation, ids.to_vec())).collect();
        let found: Vec<Vec<(Id, Option<Outline>)>> =
            stream::iter(questions).buffered(QUESTIONS).try_collect().await?;
        let mut traces = Vec::with_capacity(ids.len());
        for (id, ends) in found.into_iter().flatten() {
            let list = match ends {
                Some(ends) => Some(ends),
                None => Some(self.whole(operation, filter, &id).await?),
            };
            let legacy = legacy.remove(&id);
            traces.push(Trace { id, list, legacy });
        }
        traces.extend(legacy.into_iter().map(|(id, legacy)| Trace { id, list: None, legacy: Some(legacy) }));
        Ok(traces)
    }

    /// What the filter takes, newest first.
    async fn select(
        &self,
        operation: &'static str,
        filter: &TraceFilter,
        traces: Vec<Trace>,
    ) -> Result<Vec<TraceSummary>> {
        let mut taken: Vec<(Trace, TraceSummary)> = traces
            .into_iter()
            .filter_map(|trace| {
                let summary = trace.outline().summary(&trace.id)?;
                filter.takes_summary(&summary).then_some((trace, summary))
            })
            .collect();
        let mut list = if filter.needs_points() {
            taken.sort_by_key(|(_, summary)| std::cmp::Reverse(summary.timestamp));
            self.select_by_points(operation, filter, taken.into_iter().map(|(trace, _)| trace)).await?
        } else {
            taken.into_iter().map(|(_, summary)| summary).collect()
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

    /// The outline of a list, from all that is in it.
    pub(super) async fn whole(
        &self,
        operation: &'static str,
        filter: &TraceFilter,
        id: &Id,
    ) -> Result<Outline> {
        read::fold(operation, &self.connection, id, Outline::new(filter), Outline::add_record).await
    }

    async fn ids(&self, operation: &'static str) -> Result<Vec<Id>> {
        let mut ids = HashSet::new();
        let mut scan = Scan::new(all(TRACE));
        while let Some(keys) = scan.next(operation, &self.connection).await? {
            for key in keys {
                match base_id(TRACE, &key) {
                    Some(id) => drop(ids.insert(id)),
                    None => {
                        tracing::warn!(key = %key.escape_ascii(), "the name of this key is not UTF-8; not listed");
                    }
                }
            }
        }
        Ok(ids.into_iter().collect())
    }

    async fn legacy_outlines(
        &self,
        operation: &'static str,
        filter: &TraceFilter,
    ) -> Result<HashMap<Id, Outline>> {
        let mut outlines: HashMap<Id, Outline> = HashMap::new();
        let take = |key: &[u8], record: Record| match record {
            Ok(point) => {
                outlines.entry(point.base_id.clone()).or_insert_with(|| Outline::new(filter)).add(&point);
            }
            Err(bad) => {
                tracing::warn!(key = %key.escape_ascii(), %bad, "this key holds no trace point; not listed");
            }
        };
        self.legacy.visit_all(operation, &self.connection, take).await?;
        Ok(outlines)
    }

    /// What the ends of these lists tell; nothing where they are no points, and not the ids that have no list.
    async fn ends(&self, operation: &'static str, ids: Vec<Id>) -> Result<Vec<(Id, Option<Outline>)>> {
        let mut commands = Pipeline::with_capacity(3 * ids.len());
        for id in &ids {
            let key = key(TRACE, id);
            commands.cmd("LLEN").arg(&key);
            commands.cmd("LINDEX").arg(&key).arg("-1");
            commands.cmd("LINDEX").arg(&key).arg("0");
        }
        let answers = self.connection.run(operation, &commands).await?;
        let reading = spawn_blocking(move || {
            let ends = ids.into_iter().zip(answers.chunks_exact(3));
            ends.filter_map(|(id, answers)| read_ends(id, answers).transpose()).collect()
        });
        let ends: std::result::Result<_, RedisError> =
            reading.await.expect("reading answers does not panic, and nobody cancels it");
        ends.map_err(|error| self.connection.refusal(operation, &error))
    }

    /// The traces that have an error record, with the time of the error.
    async fn errors(&self, operation: &'static str) -> Result<HashMap<Id, Timestamp>> {
        let mut errors = HashMap::new();
        let mut scan = Scan::new(all(ERROR));
        while let Some(keys) = scan.next(operation, &self.connection).await? {
            if keys.is_empty() {
                continue;
            }
            let values: Vec<Value> = self.connection.ask(operation, cmd("MGET").arg(&keys)).await?;
            for (key, value) in keys.iter().zip(&values) {
                match base_id(ERROR, key).zip(time_of_error(value)) {
                    Some((id, timestamp)) => drop(errors.insert(id, timestamp)),
                    None => {
                        tracing::warn!(key = %key.escape_ascii(), "this key holds no error record; not listed");
                    }
                }
            }
        }
        Ok(errors)
    }
}

/// A trace from its length, its oldest point and its newest.
fn read_ends(id: Id, answers: &[Answer]) -> std::result::Result<Option<(Id, Option<Outline>)>, RedisError> {
    if let Some(error) = answers.iter().find_map(|answer| answer.as_ref().err()) {
        if error.code() != Some(WRONG_TYPE) {
            return Err(error.clone());
        }
        tracing::warn!(key = key(TRACE, &id), "this key holds no list; not listed");
        return Ok(None);
    }
    let [Ok(Value::Int(count)), Ok(oldest), Ok(newest)] = answers else { return Ok(None) };
    let points = u64::try_from(*count).unwrap_or(0);
    let ends = record(oldest).and_then(|oldest| match points {
        1 => Ok(Outline::between(&oldest, &oldest, points)),
        _ => Ok(Outline::between(&oldest, &record(newest)?, points)),
    });
    // Without points it was deleted since its key was met.
    Ok((points > 0).then(|| (id, ends.ok())))
}

fn time_of_error(value: &Value) -> Option<Timestamp> {
    let Value::BulkString(text) = value else { return None };
    let record = Json::parse(std::str::from_utf8(text).ok()?).ok()?;
    Timestamp::parse(&record.get_str("timestamp")?).ok()
}
