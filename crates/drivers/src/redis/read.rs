//! A trace from its list, chunk by chunk.

use nephoscope_telemetry::{BadRecord, Id, Result, Timestamp, TracePoint, json};
use redis::{Cmd, RedisError, Value, cmd};
use tokio::task::spawn_blocking;

use super::connection::Connection;
use super::failure::WRONG_TYPE;
use super::keys::{TRACE, key};

/// One thing found where a point should be.
pub(super) type Record = std::result::Result<TracePoint, BadRecord>;

/// How many bytes are asked for at a time: enough to make the round trips cheap, and little beside the points.
const CHUNK_BYTES: usize = 1 << 20;
/// How many values are asked for before their size is known.
const FIRST_CHUNK: usize = 256;
/// How many values are asked for at most, should the next be larger than those before.
const LARGEST_CHUNK: usize = 10_000;

/// Gives every record of a trace to `take`, in the order in which they came, and returns what it made of them.
///
/// While one chunk is parsed the next is on its way, and no third is in memory. Points that come meanwhile do no harm:
/// they are put before the head of the list, and it is read from the tail.
pub(super) async fn fold<S: Send + 'static>(
    operation: &'static str,
    connection: &Connection,
    base_id: &Id,
    mut state: S,
    take: fn(&mut S, Record),
) -> Result<S> {
    let mut list = List { key: key(TRACE, base_id), taken: 0, size: FIRST_CHUNK, ended: false };
    let mut chunk = list.next(operation, connection).await?;
    while !list.ended {
        let parsing = spawn_blocking(move || {
            take_all(&mut state, chunk, take);
            state
        });
        let (next, parsed) = tokio::join!(list.next(operation, connection), parsing);
        chunk = next?;
        state = parsed.expect("taking records does not panic, and nobody cancels it");
    }
    take_all(&mut state, chunk, take);
    Ok(state)
}

/// How many records a trace has; none when its key holds something else.
pub(super) async fn count(operation: &'static str, connection: &Connection, base_id: &Id) -> Result<usize> {
    let mut commands = redis::pipe();
    commands.cmd("LLEN").arg(key(TRACE, base_id));
    match connection.run(operation, &commands).await?.pop() {
        Some(Ok(Value::Int(count))) => Ok(usize::try_from(count).unwrap_or(0)),
        Some(Err(error)) if error.code() != Some(WRONG_TYPE) => Err(connection.refusal(operation, &error)),
        _ => Ok(0),
    }
}

/// What a value of a list, or of a key of the old form, says.
pub(super) fn record(value: &Value) -> Record {
    match value {
        Value::BulkString(bytes) => TracePoint::from_json_bytes(bytes),
        Value::SimpleString(text) => TracePoint::from_json(text),
        _ => Err(BadRecord::whole("is no text")),
    }
}

/// The texts under these keys; nothing under a key that is gone or holds something else.
pub(super) async fn texts(
    operation: &'static str,
    connection: &Connection,
    keys: &[Vec<u8>],
) -> Result<Vec<Option<Value>>> {
    let mut commands = redis::pipe();
    for key in keys {
        commands.cmd("GET").arg(key);
    }
    let answers = connection.run(operation, &commands).await?.into_iter().map(|answer| match answer {
        Ok(Value::Nil) => Ok(None),
        Ok(value) => Ok(Some(value)),
        Err(error) if error.code() == Some(WRONG_TYPE) => Ok(None),
        Err(error) => Err(connection.refusal(operation, &error)),
    });
    answers.collect()
}

/// The time in a point or in an error record, whatever else is in it: much cheaper than all of the point.
pub(super) fn timestamp(value: &Value) -> Option<Timestamp> {
    let Value::BulkString(text) = value else { return None };
    let (_, value) = json::entries(std::str::from_utf8(text).ok()?).find(|(key, _)| key == "timestamp")?;
    Timestamp::parse(&json::decode(value)?).ok()
}

fn take_all<S>(state: &mut S, chunk: Chunk, take: fn(&mut S, Record)) {
    match chunk {
        // The head of the list is its newest point.
        Ok(values) => values.into_iter().rev().for_each(|value| take(state, record(&value))),
        Err(other_type) => take(state, Err(other_type)),
    }
}

/// Values of the list, newest first, or that there is something else in its place.
type Chunk = std::result::Result<Vec<Value>, BadRecord>;

/// A list that is being read from its tail.
struct List {
    key: String,
    taken: usize,
    /// How many values to ask for next.
    size: usize,
    ended: bool,
}

impl List {
    async fn next(&mut self, operation: &'static str, connection: &Connection) -> Result<Chunk> {
        let mut commands = redis::pipe();
        commands.add_command(self.range());
        match connection.run(operation, &commands).await?.pop() {
            Some(Ok(Value::Array(values))) => {
                self.advance(&values);
                Ok(Ok(values))
            }
            Some(Err(error)) if error.code() == Some(WRONG_TYPE) => {
                self.ended = true;
                let problem = format!("is no list: the key `{}` holds something else", self.key);
                Ok(Err(BadRecord::whole(problem)))
            }
            Some(Err(error)) => Err(connection.refusal(operation, &error)),
            _ => Err(connection.refusal(operation, &not_a_list())),
        }
    }

    /// Negative positions count from the tail, where nothing is added.
    fn range(&self) -> Cmd {
        let mut command = cmd("LRANGE");
        command
            .arg(&self.key)
            .arg(format!("-{}", self.taken + self.size))
            .arg(format!("-{}", self.taken + 1));
        command
    }

    fn advance(&mut self, values: &[Value]) {
        self.ended = values.len() < self.size;
        self.taken += values.len();
        let bytes: usize = values.iter().map(size).sum();
        self.size = (CHUNK_BYTES * values.len().max(1) / bytes.max(1)).clamp(1, LARGEST_CHUNK);
    }
}

fn size(value: &Value) -> usize {
    if let Value::BulkString(bytes) = value { bytes.len() } else { 0 }
}

fn not_a_list() -> RedisError {
    (redis::ErrorKind::UnexpectedReturnType, "LRANGE is answered with a list").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list() -> List {
        List { key: "osprofiler_opt:a".into(), taken: 0, size: FIRST_CHUNK, ended: false }
    }

    fn values(count: usize, bytes: usize) -> Vec<Value> {
        vec![Value::BulkString(vec![b' '; bytes]); count]
    }

    #[test]
    fn chunks_follow_each_other_from_the_tail() {
        let mut list = list();
        list.advance(&values(FIRST_CHUNK, CHUNK_BYTES / 100));
        assert_eq!((list.taken, list.size, list.ended), (256, 100, false));
        assert!(
            String::from_utf8(list.range().get_packed_command()).unwrap().contains("-356\r\n$4\r\n-257\r\n")
        );
    }

    #[test]
    fn a_time_is_found_in_points_and_error_records_only() {
        let time = |text: &str| timestamp(&Value::BulkString(text.into()));
        let noon = Timestamp::parse("2026-01-01T12:00:00.000000").ok();
        assert_eq!(time(r#"{"base_id": "a", "timestamp": "2026-01-01T12:00:00.000000"}"#), noon);
        for text in ["", "[]", r#"{"base_id": "a"}"#, r#"{"timestamp": "noon"}"#, r#"{"timestamp": 12}"#] {
            assert_eq!(time(text), None, "{text}");
        }
        assert_eq!(timestamp(&Value::Nil), None);
    }

    #[test]
    fn a_short_chunk_is_the_last() {
        let mut list = list();
        list.advance(&values(FIRST_CHUNK - 1, 100));
        assert!(list.ended);
    }

    #[test]
    fn large_points_come_one_by_one_and_tiny_ones_not_without_bound() {
        let mut list = list();
        list.size = 2;
        list.advance(&values(2, CHUNK_BYTES * 2));
        assert_eq!(list.size, 1);
        list.advance(&values(1, 0));
        assert_eq!(list.size, LARGEST_CHUNK);
    }
}
