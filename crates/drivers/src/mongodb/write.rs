//! Stores points and the records of errors.

use std::collections::BTreeMap;

use mongodb::bson::{Bson, Document, doc};
use mongodb::error::{ErrorKind as MongoKind, IndexedWriteError};
use nephoscope_telemetry::{Error, ErrorKind, Id, Result, Timestamp, TracePoint};

use super::document::Stored;
use super::driver::Mongo;
use super::failure::{self, Told};

const OPERATION: &str = "store trace points";
/// A unique index holds this value already.
const DUPLICATE_KEY: i32 = 11_000;
/// How many error records one command updates: far below the 100,000 and the 48 MB that a server takes.
const RECORDS: usize = 1_000;

/// A point on its way.
struct Sent<'a> {
    point: &'a TracePoint,
    stored: Stored,
}

/// What became of documents that were sent together.
enum Outcome {
    /// They are stored, but for those at these places, and why.
    Stored(Vec<(usize, String)>),
    /// The server failed on them as a whole, maybe for one of them.
    Failed(Told),
}

impl Mongo {
    /// Stores points, and the records of those that report an exception.
    pub(super) async fn store(&self, points: &[TracePoint]) -> Result<()> {
        let mut refused = Vec::new();
        let mut sending = Vec::with_capacity(points.len());
        for point in points {
            match Stored::of(point) {
                Ok(stored) => sending.push(Sent { point, stored }),
                Err(bad) => refused.push(refusal(point, &bad.to_string())),
            }
        }
        self.send(sending, &mut refused).await?;
        if self.error_records {
            self.record_errors(points).await?;
        }
        self.refused(&refused, points.len())
    }

    /// Sends documents. What the server refuses as fields it gets again as an outline with the exact text; what it
    /// refuses then, too, is added to `refused`. Documents that it fails on are halved until the one it fails on
    /// stands alone: servers that only speak as MongoDB fail on what MongoDB takes.
    async fn send<'a>(&self, sending: Vec<Sent<'a>>, refused: &mut Vec<String>) -> Result<()> {
        let mut batches = vec![sending];
        while let Some(mut batch) = batches.pop() {
            if batch.is_empty() {
                continue;
            }
            match self.insert(&batch).await? {
                Outcome::Stored(rejected) => {
                    let rejected = rejected.into_iter().filter_map(|(at, why)| Some((batch.get(at)?, why)));
                    let mut again = Vec::new();
                    for (sent, why) in rejected {
                        match outlined(sent) {
                            Some(outline) => again.push(outline),
                            None => refused.push(refusal(sent.point, &why)),
                        }
                    }
                    batches.push(again);
                }
                Outcome::Failed(told) => match batch.as_slice() {
                    [one] => match outlined(one) {
                        Some(outline) => batches.push(vec![outline]),
                        None => return Err(told.at(&self.place, OPERATION)),
                    },
                    _ => {
                        let rest = batch.split_off(batch.len() / 2);
                        batches.extend([rest, batch]);
                    }
                },
            }
        }
        Ok(())
    }

    /// Sends documents together. What fails for another reason than the documents is an error.
    async fn insert(&self, sending: &[Sent<'_>]) -> Result<Outcome> {
        let documents = sending.iter().map(|sent| &sent.stored.document);
        let Err(error) = self.points.insert_many(documents).ordered(false).await else {
            return Ok(Outcome::Stored(Vec::new()));
        };
        let failed = match &*error.kind {
            MongoKind::InsertMany(failed) if failed.write_concern_error.is_none() => failed,
            MongoKind::Command(_) => {
                let told = failure::told(&error);
                let blamed = told.kind == ErrorKind::Other;
                return if blamed { Ok(Outcome::Failed(told)) } else { Err(told.at(&self.place, OPERATION)) };
            }
            _ => return Err(self.fail(OPERATION)(error)),
        };
        let mut rejected = Vec::new();
        for item in failed.write_errors.iter().flatten().filter(|item| !is_there_already(item)) {
            let told =
                failure::answered(item.code, item.code_name.as_deref().unwrap_or_default(), &item.message);
            if told.kind != ErrorKind::Other {
                return Err(told.at(&self.place, OPERATION));
            }
            rejected.push((item.index, told.why.unwrap_or(told.what)));
        }
        Ok(Outcome::Stored(rejected))
    }

    fn refused(&self, refused: &[String], of: usize) -> Result<()> {
        let Some(first) = refused.first() else { return Ok(()) };
        let message = format!(
            "{}: {} of {of} points cannot be stored; the first is {first}",
            self.place,
            refused.len()
        );
        Err(Error::new(ErrorKind::Invalid, OPERATION, message))
    }

    /// Notes the time of the last exception of each trace, as OSProfiler does, in the form that servers of today want.
    async fn record_errors(&self, points: &[TracePoint]) -> Result<()> {
        let failed = points.iter().filter(|point| point.is_error());
        let latest: BTreeMap<&Id, Timestamp> =
            failed.map(|point| (&point.base_id, point.timestamp)).collect();
        let updates: Vec<Bson> = latest.into_iter().map(|(id, time)| record(id, time).into()).collect();
        for updates in updates.chunks(RECORDS) {
            let command = doc! {
                "update": self.errors.name(),
                "updates": updates,
                "ordered": false,
                "writeConcern": self.write_concern.clone(),
            };
            let answer = self.database.run_command(command).await.map_err(self.fail(OPERATION))?;
            if let Some(told) = first_failure(&answer) {
                return Err(told.at(&self.place, "store error records"));
            }
        }
        Ok(())
    }
}

fn record(base_id: &Id, time: Timestamp) -> Document {
    doc! {
        "q": { "base_id": base_id.to_string() },
        "u": { "$set": { "timestamp": time.to_string() } },
        "upsert": true,
    }
}

/// A command that was done may have failed in its parts.
fn first_failure(answer: &Document) -> Option<Told> {
    let item =
        answer.get_array("writeErrors").ok().and_then(|items| items.first()).and_then(Bson::as_document);
    let failed = item.or_else(|| answer.get_document("writeConcernError").ok())?;
    let code = failed.get_i32("code").unwrap_or_default();
    Some(failure::answered(
        code,
        failed.get_str("codeName").unwrap_or_default(),
        failed.get_str("errmsg").unwrap_or_default(),
    ))
}

/// The outline of a point whose fields were not taken; nothing when they were not sent.
fn outlined<'a>(sent: &Sent<'a>) -> Option<Sent<'a>> {
    let outline = Stored::outline(sent.point).ok().filter(|_| !sent.stored.outline)?;
    Some(Sent { point: sent.point, stored: outline })
}

/// Whether it was stored before. A unique index that somebody else made could refuse it, too, and is named then.
fn is_there_already(item: &IndexedWriteError) -> bool {
    item.code == DUPLICATE_KEY && (!item.message.contains("index: ") || item.message.contains("index: _id_"))
}

fn refusal(point: &TracePoint, why: &str) -> String {
    format!("point {}: {why}", point.trace_id)
}
