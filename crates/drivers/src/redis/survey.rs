//! Which traces there are, by the ends of their lists.

use std::collections::{HashMap, HashSet};

use futures_util::stream::{self, Stream};
use futures_util::{StreamExt, TryStreamExt};
use nephoscope_telemetry::{Id, Result, TraceFilter};
use redis::{Pipeline, RedisError, Value};
use tokio::task::spawn_blocking;

use super::driver::Redis;
use super::failure::WRONG_TYPE;
use super::keys::{Scan, TRACE, all, base_id, key};
use super::node::Answer;
use super::outline::Outline;
use super::read::{self, Record, record, timestamp};

/// Of how many traces the ends are asked for at a time: three short commands each.
const TRACES_AT_A_TIME: usize = 500;
/// How many of these questions are on their way or being read.
const QUESTIONS: usize = 3;

/// A trace that was met, with what is known of it without reading it whole.
pub(super) struct Trace {
    pub(super) id: Id,
    /// Of its list, when it has one.
    pub(super) list: Option<Outline>,
    /// Of its keys of old, when it has some.
    pub(super) legacy: Option<Outline>,
}

/// A trace that has a list, with its outline unless an end of the list is no point.
type Ends = (Id, Option<Outline>);

impl Trace {
    /// What is known from both.
    pub(super) fn outline(&self) -> Outline {
        let mut outline = self.list.as_ref().or(self.legacy.as_ref()).cloned().unwrap_or_default();
        if let (Some(_), Some(legacy)) = (&self.list, &self.legacy) {
            outline.merge(legacy);
        }
        outline
    }
}

impl Redis {
    /// All traces.
    pub(super) async fn survey(&self, operation: &'static str, filter: &TraceFilter) -> Result<Vec<Trace>> {
        let ends = self.scan_ids(operation).map_ok(|ids| self.ends(operation, ids));
        let ends = ends.try_buffered(QUESTIONS).try_concat();
        let (ends, legacy) = tokio::try_join!(ends, self.legacy_outlines(operation, filter))?;
        self.traces(operation, filter, ends, legacy).await
    }

    /// Those of these traces that there are.
    pub(super) async fn survey_of(
        &self,
        operation: &'static str,
        filter: &TraceFilter,
        ids: &HashSet<Id>,
    ) -> Result<Vec<Trace>> {
        let all: Vec<Id> = ids.iter().cloned().collect();
        let questions: Vec<_> =
            all.chunks(TRACES_AT_A_TIME).map(|ids| self.ends(operation, ids.to_vec())).collect();
        let ends = stream::iter(questions).buffered(QUESTIONS).try_concat();
        let (ends, mut legacy) = tokio::try_join!(ends, self.legacy_outlines(operation, filter))?;
        legacy.retain(|id, _| ids.contains(id));
        self.traces(operation, filter, ends, legacy).await
    }

    async fn traces(
        &self,
        operation: &'static str,
        filter: &TraceFilter,
        ends: Vec<Ends>,
        mut legacy: HashMap<Id, Outline>,
    ) -> Result<Vec<Trace>> {
        let mut traces = Vec::with_capacity(ends.len() + legacy.len());
        for (id, ends) in ends {
            let list = match ends {
                Some(ends) => ends,
                None => self.whole(operation, filter, &id).await?,
            };
            let legacy = legacy.remove(&id);
            traces.push(Trace { id, list: Some(list), legacy });
        }
        traces.extend(legacy.into_iter().map(|(id, legacy)| Trace { id, list: None, legacy: Some(legacy) }));
        Ok(traces)
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

    /// The ids of all traces that have a list, each once.
    fn scan_ids(&self, operation: &'static str) -> impl Stream<Item = Result<Vec<Id>>> + Send {
        let start = (Scan::new(all(TRACE)), HashSet::new());
        stream::try_unfold(start, move |(mut scan, mut met)| async move {
            let keys = scan.next(operation, &self.connection).await?;
            Ok(keys.map(|keys| (new_ids(&keys, &mut met), (scan, met))))
        })
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
                tracing::warn!(key = %key.escape_ascii(), %bad, "not listed: this key holds no point");
            }
        };
        self.legacy.visit_all(operation, &self.connection, take).await?;
        Ok(outlines)
    }

    async fn ends(&self, operation: &'static str, ids: Vec<Id>) -> Result<Vec<Ends>> {
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
}

/// The ids in these keys that were not met before.
fn new_ids(keys: &[Vec<u8>], met: &mut HashSet<Id>) -> Vec<Id> {
    let readable = keys.iter().filter_map(|key| {
        let id = base_id(TRACE, key);
        if id.is_none() {
            tracing::warn!(key = %key.escape_ascii(), "not listed: this key is not UTF-8");
        }
        id
    });
    readable.filter(|id| met.insert(id.clone())).collect()
}

/// A trace from the length of its list, its oldest point and its newest; nothing when there is no such list.
fn read_ends(id: Id, answers: &[Answer]) -> std::result::Result<Option<Ends>, RedisError> {
    if let Some(error) = answers.iter().find_map(|answer| answer.as_ref().err()) {
        if error.code() != Some(WRONG_TYPE) {
            return Err(error.clone());
        }
        tracing::warn!(key = key(TRACE, &id), "not listed: this key holds no list");
        return Ok(None);
    }
    let [Ok(Value::Int(points @ 1..)), Ok(oldest), Ok(newest)] = answers else { return Ok(None) };
    let ends = record(oldest).ok().zip(timestamp(newest));
    let outline = ends.map(|(oldest, newest)| Outline::between(&oldest, newest, points.unsigned_abs()));
    Ok(Some((id, outline)))
}
