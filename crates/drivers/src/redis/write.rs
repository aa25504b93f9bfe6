//! Points into their lists, many at a time.

use nephoscope_telemetry::{Error, ErrorKind, Result, TracePoint, json};
use redis::{Cmd, Pipeline, RedisError, cmd};

use super::connection::Connection;
use super::failure::WRONG_TYPE;
use super::keys::{ERROR, TRACE, key};

/// How much is sent before the answers are waited for; a point that is larger goes alone. It bounds what a batch takes
/// in memory here and in the server's buffer, and is many times what a service sends at once.
const PIPELINE_BYTES: usize = 4 << 20;
/// The largest value that Redis takes, unless told otherwise by `proto-max-bulk-len`.
const LARGEST_VALUE: usize = 512 << 20;

/// Stores points: those of one trace with one command, in their order.
///
/// With `error_records` the last exception of each trace is noted too.
pub(super) async fn store(
    operation: &'static str,
    connection: &Connection,
    points: &[TracePoint],
    error_records: bool,
) -> Result<()> {
    let mut writer = Writer::new(operation, connection);
    // The sort is stable: the points of a trace keep their order.
    let mut by_trace: Vec<&TracePoint> = points.iter().collect();
    by_trace.sort_by(|one, other| one.base_id.cmp(&other.base_id));
    for trace in by_trace.chunk_by(|one, other| one.base_id == other.base_id) {
        writer.put(trace).await?;
        if let Some(failed) = trace.iter().rfind(|point| error_records && point.is_error()) {
            writer.add(error_record(failed), key(ERROR, &failed.base_id));
        }
    }
    writer.send().await?;
    writer.refused.map_or(Ok(()), Err)
}

/// Commands on their way.
struct Writer<'a> {
    operation: &'static str,
    connection: &'a Connection,
    commands: Pipeline,
    /// The key of each command.
    keys: Vec<String>,
    bytes: usize,
    /// What the server did not take, though it took the rest.
    refused: Option<Error>,
}

impl<'a> Writer<'a> {
    fn new(operation: &'static str, connection: &'a Connection) -> Self {
        Self { operation, connection, commands: Pipeline::new(), keys: Vec::new(), bytes: 0, refused: None }
    }

    /// Puts the points of one trace, which are not none, before the head of its list.
    async fn put(&mut self, trace: &[&TracePoint]) -> Result<()> {
        let key = key(TRACE, &trace[0].base_id);
        let mut push = Push::onto(&key);
        let mut text = String::new();
        for point in trace {
            text.clear();
            point.write_json(&mut text);
            if text.len() > LARGEST_VALUE {
                self.refuse(too_large(self.operation, text.len()));
                continue;
            }
            if self.bytes + text.len() > PIPELINE_BYTES {
                self.add_push(push, &key);
                push = Push::onto(&key);
                self.send().await?;
            }
            push.command.arg(&text);
            push.values += 1;
            self.bytes += text.len();
        }
        self.add_push(push, &key);
        Ok(())
    }

    fn add_push(&mut self, push: Push, key: &str) {
        if push.values > 0 {
            self.add(push.command, key.into());
        }
    }

    fn add(&mut self, command: Cmd, key: String) {
        self.commands.add_command(command);
        self.keys.push(key);
    }

    async fn send(&mut self) -> Result<()> {
        self.bytes = 0;
        let commands = std::mem::take(&mut self.commands);
        let keys = std::mem::take(&mut self.keys);
        let answers = self.connection.run(self.operation, &commands).await?;
        for (answer, key) in answers.into_iter().zip(keys) {
            if let Err(error) = answer {
                self.refuse(self.refusal(&key, &error));
            }
        }
        Ok(())
    }

    fn refusal(&self, key: &str, error: &RedisError) -> Error {
        if error.code() == Some(WRONG_TYPE) {
            let problem = format!("the key `{key}` holds something else than a list of points; delete it");
            return Error::new(ErrorKind::Invalid, self.operation, problem);
        }
        self.connection.refusal(self.operation, error)
    }

    /// Keeps the first error, but rather one that does not lie in the points: after that some of the others have to
    /// be sent again.
    fn refuse(&mut self, error: Error) {
        let lies_in_points = |error: &Error| error.kind() == ErrorKind::Invalid;
        if self.refused.as_ref().is_none_or(|earlier| lies_in_points(earlier) && !lies_in_points(&error)) {
            self.refused = Some(error);
        }
    }
}

/// One command with the points of one trace.
struct Push {
    command: Cmd,
    values: usize,
}

impl Push {
    fn onto(key: &str) -> Self {
        let mut command = cmd("LPUSH");
        command.arg(key);
        Self { command, values: 0 }
    }
}

/// The note of an exception, as OSProfiler writes it.
fn error_record(point: &TracePoint) -> Cmd {
    let mut text = String::from("{\"base_id\": ");
    point.base_id.with_str(|id| json::write_string(&mut text, id));
    text.push_str(", \"timestamp\": ");
    json::write_string(&mut text, &point.timestamp_text());
    text.push('}');
    let mut command = cmd("SET");
    command.arg(key(ERROR, &point.base_id)).arg(text);
    command
}

fn too_large(operation: &'static str, bytes: usize) -> Error {
    let problem = format!("a point has {bytes} bytes, and Redis takes at most {LARGEST_VALUE}");
    Error::new(ErrorKind::Invalid, operation, problem)
}
