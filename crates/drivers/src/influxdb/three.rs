//! InfluxDB 3: rows go in as for 2.x, and are asked for in SQL.
//!
//! Source: InfluxData's reference of 3 Core (`/api/v2/write`, `/api/v3/query_sql`). It makes databases and tables with
//! the first row, and deletes no rows.

use nephoscope_http::{Incoming, Request};
use nephoscope_telemetry::{Error, ErrorKind, Result};
use serde_json::{Map, Value as Json, json};

use super::config::Config;
use super::question::Question;
use super::row::{Row, Value};
use super::sql;

/// Asks whether anybody is there, and takes the token.
pub(super) async fn prepare(config: &Config) -> Result<()> {
    config.http.get("connect", "/health").send().await.map(|_| ())
}

pub(super) fn write<'a>(config: &'a Config, operation: &'static str) -> Request<'a> {
    config.http.post(operation, "/api/v2/write").query("bucket", &config.database)
}

pub(super) async fn ask(
    config: &Config,
    operation: &'static str,
    question: &Question<'_>,
    mut take: impl FnMut(Row),
) -> Result<()> {
    let body = json!({"db": config.database, "q": sql::select(question), "format": "jsonl"});
    let request = config.http.post(operation, "/api/v3/query_sql").json(&body);
    let mut answer = match request.open().await {
        // A database or a table that is not there yet holds nothing.
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        answer => answer?,
    };
    let mut begun = Vec::new();
    while let Some(piece) = answer.chunk().await? {
        let mut rest = &piece[..];
        while let Some(end) = memchr::memchr(b'\n', rest) {
            begun.extend_from_slice(&rest[..end]);
            take(read(&answer, &begun)?);
            begun.clear();
            rest = &rest[end + 1..];
        }
        begun.extend_from_slice(rest);
    }
    if !begun.is_empty() {
        take(read(&answer, &begun)?);
    }
    Ok(())
}

/// The row of a line.
fn read(answer: &Incoming<'_>, line: &[u8]) -> Result<Row> {
    let mut row = Row::default();
    if line.is_empty() {
        return Ok(row);
    }
    let columns: Map<String, Json> = serde_json::from_slice(line)
        .map_err(|_| answer.failed(ErrorKind::Config, &String::from_utf8_lossy(line)))?;
    for (column, value) in columns {
        if let Ok(value) = serde_json::from_value::<Value>(value) {
            row.set(&column, value);
        }
    }
    Ok(row)
}

/// Deletes nothing, as it cannot.
pub(super) fn delete(operation: &'static str) -> Result<()> {
    let told = "InfluxDB 3 deletes no rows; give its database a retention period";
    Err(Error::new(ErrorKind::Unsupported, operation, told))
}
