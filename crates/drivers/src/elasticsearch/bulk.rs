//! Storing: batches through `_bulk`, and what became of each document.

use nephoscope_http::Answer;
use nephoscope_telemetry::{Error, ErrorKind, Json, Result, TracePoint};
use serde::Deserialize;

use super::config::{OUT_OF_DISK, is_out_of_disk};
use super::document::{Document, Form, id};
use super::driver::Elasticsearch;

const OPERATION: &str = "store trace points";
/// How long the body of one request gets: a tenth of what servers take (`http.max_content_length`, 100 MB), and long
/// enough that the round trip does not count.
const REQUEST_BYTES: usize = 8 << 20;

/// What servers answer to a batch, as far as it is asked for: one item for each action, in order.
#[derive(Deserialize)]
pub(super) struct BulkAnswer {
    #[serde(default)]
    pub(super) items: Vec<Item>,
}

#[derive(Deserialize)]
pub(super) enum Item {
    #[serde(rename = "create")]
    Create(Outcome),
    #[serde(rename = "index")]
    Index(Outcome),
    #[serde(rename = "delete")]
    Delete(Outcome),
}

#[derive(Deserialize)]
pub(super) struct Outcome {
    pub(super) status: u16,
    error: Option<Failure>,
}

#[derive(Deserialize)]
struct Failure {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    reason: String,
    caused_by: Option<Cause>,
}

#[derive(Deserialize)]
struct Cause {
    #[serde(default)]
    reason: String,
}

/// What an outcome means.
pub(super) enum Fate {
    Done,
    /// The server does not take this document in this form.
    Refused(String),
    /// It cannot take it, whatever it is; the kind says what to do about it.
    Failed(ErrorKind, String),
}

impl Item {
    pub(super) fn outcome(&self) -> &Outcome {
        let (Self::Create(outcome) | Self::Index(outcome) | Self::Delete(outcome)) = self;
        outcome
    }
}

impl Outcome {
    pub(super) fn fate(&self) -> Fate {
        let reason = self.error.as_ref().map_or_else(|| format!("status {}", self.status), Failure::text);
        if is_out_of_disk(&reason) {
            return Fate::Failed(ErrorKind::Unavailable, reason + OUT_OF_DISK);
        }
        match self.status {
            // A conflict: the same point is there.
            200..=299 | 409 => Fate::Done,
            400 | 413 => Fate::Refused(reason),
            // Somebody deleted the index; the next try makes it again.
            404 | 408 | 429 | 500..=599 => Fate::Failed(ErrorKind::Unavailable, reason),
            _ => Fate::Failed(ErrorKind::Config, reason + "; grant it to the user, or open the index"),
        }
    }
}

impl Failure {
    fn text(&self) -> String {
        let cause = self.caused_by.as_ref().map_or("", |cause| cause.reason.as_str());
        // What failed to be parsed is repeated on further lines.
        let line = |text: &str| text.lines().next().unwrap_or_default().chars().take(300).collect::<String>();
        match cause {
            "" => format!("{}: {}", self.kind, line(&self.reason)),
            cause => format!("{}: {}: {}", self.kind, line(&self.reason), line(cause)),
        }
    }
}

/// What could not be stored, of one batch.
#[derive(Default)]
struct Losses {
    refused: Vec<String>,
    failed: usize,
    first_failure: Option<(ErrorKind, String)>,
}

impl Losses {
    fn fail(&mut self, kind: ErrorKind, reason: String) {
        self.failed += 1;
        self.first_failure.get_or_insert((kind, reason));
    }

    fn into_result(self, backend: &str, points: usize) -> Result<()> {
        if let Some((kind, reason)) = self.first_failure {
            let message = format!("{backend} did not take {} of {points} points: {reason}", self.failed);
            return Err(Error::new(kind, OPERATION, message));
        }
        let Some(first) = self.refused.first() else { return Ok(()) };
        let refused = self.refused.len();
        let message = format!("{backend} cannot hold {refused} of {points} points; the first is {first}");
        Err(Error::new(ErrorKind::Invalid, OPERATION, message))
    }
}

impl Elasticsearch {
    /// Stores points. What the server refuses in its plain form is sent once more with its exact text beside.
    pub(super) async fn store(&self, points: &[TracePoint]) -> Result<()> {
        if points.is_empty() {
            return Ok(());
        }
        let target = self.target(OPERATION).await?;
        let mut losses = Losses::default();
        let mut rest = points;
        while !rest.is_empty() {
            let (documents, after) = next_batch(rest);
            let mut again = self.send(&target, documents, &mut losses).await?;
            if !again.is_empty() {
                again = again.into_iter().map(Document::beside).collect();
                self.send(&target, again, &mut losses).await?;
            }
            rest = after;
        }
        losses.into_result(&self.place(), points.len())
    }

    fn place(&self) -> String {
        format!("index {}", self.index)
    }

    /// Sends documents, in parts where a proxy takes no such long request, and returns those to be tried in another form.
    async fn send<'a>(
        &self,
        target: &str,
        documents: Vec<Document<'a>>,
        losses: &mut Losses,
    ) -> Result<Vec<Document<'a>>> {
        let mut again = Vec::new();
        let mut waiting = vec![documents];
        while let Some(mut documents) = waiting.pop() {
            let (body, records) = self.body(&documents);
            let Some(answer) = self.bulk(OPERATION, target, body).await? else {
                if let [document] = documents.as_slice() {
                    losses.refused.push(format!("{}: it is too long", document.point.trace_id));
                } else {
                    let rest = documents.split_off(documents.len() / 2);
                    waiting.extend([rest, documents]);
                }
                continue;
            };
            let items = items(&answer, documents.len() + records)?;
            let (of_records, of_points) = items.split_at(records);
            for item in of_records {
                if let Fate::Failed(kind, reason) = item.outcome().fate() {
                    losses.fail(kind, reason);
                }
            }
            for (document, item) in documents.into_iter().zip(of_points) {
                match item.outcome().fate() {
                    Fate::Done => {}
                    Fate::Refused(_) if document.form == Form::Plain => again.push(document),
                    Fate::Refused(reason) => {
                        losses.refused.push(format!("{}: {reason}", document.point.trace_id));
                    }
                    Fate::Failed(kind, reason) => losses.fail(kind, reason),
                }
            }
        }
        if losses.failed > 0 {
            self.forget_target();
        }
        Ok(again)
    }

    /// The body of a request: records of errors first, then the points; and how many records there are.
    fn body(&self, documents: &[Document<'_>]) -> (String, usize) {
        let length = documents.iter().map(|document| document.body.len() + 64).sum();
        let mut body = String::with_capacity(length);
        let mut records = 0;
        let failed = documents.iter().filter(|document| self.records && document.point.is_error());
        for document in failed {
            let base_id = document.point.base_id.to_string();
            body.push_str(&format!(
                "{{\"index\":{{\"_index\":\"{}\",\"_id\":\"{}\"}}}}\n",
                self.error_index,
                id(&base_id)
            ));
            body.push_str(&format!(
                "{{\"base_id\":{},\"timestamp\":\"{}\"}}\n",
                Json::string(&base_id),
                document.point.timestamp
            ));
            records += 1;
        }
        for document in documents {
            body.push_str("{\"create\":{\"_id\":\"");
            body.push_str(&document.id);
            body.push_str("\"}}\n");
            body.push_str(&document.body);
            body.push('\n');
        }
        (body, records)
    }

    /// Sends a body of actions; nothing when it is too long for whatever stands there.
    pub(super) async fn bulk(
        &self,
        operation: &'static str,
        target: &str,
        body: String,
    ) -> Result<Option<Answer>> {
        const ASKED: &str =
            "items.*.status,items.*.error.type,items.*.error.reason,items.*.error.caused_by.reason";
        let request = self.http.post(operation, target).query("filter_path", ASKED);
        let answer = request.body("application/x-ndjson", body).accept(&[404, 413]).send().await?;
        match answer.status().as_u16() {
            413 => Ok(None),
            404 => {
                self.forget_target();
                let message = format!("{} is gone; it is made again", self.place());
                Err(Error::new(ErrorKind::Unavailable, operation, message))
            }
            _ => Ok(Some(answer)),
        }
    }
}

/// The items of an answer, which has to have one for each action.
pub(super) fn items(answer: &Answer, actions: usize) -> Result<Vec<Item>> {
    let BulkAnswer { items } = answer.json()?;
    if items.len() == actions {
        Ok(items)
    } else {
        Err(answer.strange(&format!("{} items for {actions} actions", items.len())))
    }
}

/// The documents of so many points as make a request long enough, and the points behind them.
fn next_batch(points: &[TracePoint]) -> (Vec<Document<'_>>, &[TracePoint]) {
    let (mut documents, mut bytes) = (Vec::new(), 0);
    for point in points {
        let document = Document::of(point);
        bytes += document.body.len();
        documents.push(document);
        if bytes >= REQUEST_BYTES {
            break;
        }
    }
    let after = &points[documents.len()..];
    (documents, after)
}
