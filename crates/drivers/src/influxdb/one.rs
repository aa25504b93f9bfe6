//! InfluxDB 1.x: `/write` and `/query`.

use nephoscope_http::{Incoming, Request, segment};
use nephoscope_telemetry::{Error, ErrorKind, Result};

use super::config::Config;
use super::influxql::{self, Document, Statement, identifier};
use super::question::Question;
use super::refusal;
use super::row::Row;

const CONNECT: &str = "connect";
/// Rows of one piece of an answer.
const CHUNK: usize = 500;

/// Makes the database when it is not there and this user may, and looks for the retention policy.
pub(super) async fn prepare(config: &Config) -> Result<()> {
    let database = identifier(&config.database);
    let show = format!("SHOW RETENTION POLICIES ON {database}");
    let answer = statement(config, CONNECT, &plain(show)).accept(&[403]).send().await?;
    if answer.status() == 403 {
        // Who may only write is refused what was asked. Writing nothing tells whether it is there, too.
        return write(config, CONNECT).accept(&[400]).send().await.map(|_| ());
    }
    match answer.json::<Document>()?.texts() {
        Ok(names) => match &config.retention_policy {
            Some(wanted) if !names.contains(wanted) => Err(missing(format!(
                "the database has no retention policy {wanted}; create it, or name another"
            ))),
            _ => Ok(()),
        },
        Err(told) if told.contains("database not found") => create(config, &database).await,
        Err(told) => Err(answer.strange(&told)),
    }
}

async fn create(config: &Config, database: &str) -> Result<()> {
    if config.retention_policy.is_some() {
        return Err(missing("there is no such database; create it and its retention policy".into()));
    }
    let create = format!("CREATE DATABASE {database}");
    let answer = statement(config, CONNECT, &plain(create.clone())).accept(&[401, 403]).send().await?;
    let told =
        if answer.status().is_success() { answer.json::<Document>()?.texts() } else { Err(String::new()) };
    told.map(|_| ()).map_err(|_| {
        missing(format!(
            "there is no such database, and this user may not make it; as an administrator: {create}"
        ))
    })
}

fn missing(told: String) -> Error {
    Error::new(ErrorKind::Config, CONNECT, told)
}

fn plain(text: String) -> Statement {
    Statement { text, parameters: serde_json::Map::new() }
}

/// The request of a statement. It goes as a form, as its parameters may be longer than an address should be.
fn statement<'a>(config: &'a Config, operation: &'static str, statement: &Statement) -> Request<'a> {
    let mut form = format!("epoch=ns&db={}&q={}", segment(&config.database), segment(&statement.text));
    if let Some(policy) = &config.retention_policy {
        form += &format!("&rp={}", segment(policy));
    }
    if !statement.parameters.is_empty() {
        let parameters = serde_json::to_string(&statement.parameters).expect("texts can be written as JSON");
        form += &format!("&params={}", segment(&parameters));
    }
    form += &format!("&chunked=true&chunk_size={CHUNK}");
    config.http.post(operation, "/query").body("application/x-www-form-urlencoded", form)
}

pub(super) fn write<'a>(config: &'a Config, operation: &'static str) -> Request<'a> {
    let request = config.http.post(operation, "/write").query("db", &config.database);
    match &config.retention_policy {
        Some(policy) => request.query("rp", policy),
        None => request,
    }
}

pub(super) async fn ask(
    config: &Config,
    operation: &'static str,
    question: &Question<'_>,
    mut take: impl FnMut(Row),
) -> Result<()> {
    let mut answer = statement(config, operation, &influxql::select(question)).open().await?;
    let mut begun = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        let mut chunk = &chunk[..];
        while let Some(end) = memchr::memchr(b'\n', chunk) {
            begun.extend_from_slice(&chunk[..end]);
            read(&answer, &begun)?.into_iter().for_each(&mut take);
            begun.clear();
            chunk = &chunk[end + 1..];
        }
        begun.extend_from_slice(chunk);
    }
    read(&answer, &begun)?.into_iter().for_each(&mut take);
    Ok(())
}

/// The rows of one line of an answer.
fn read(answer: &Incoming<'_>, line: &[u8]) -> Result<Vec<Row>> {
    if line.is_empty() {
        return Ok(Vec::new());
    }
    let document: Document = serde_json::from_slice(line)
        .map_err(|_| answer.failed(ErrorKind::Config, &String::from_utf8_lossy(line)))?;
    document.rows().map_err(|told| {
        let (kind, cure) = refusal::of(&told).unwrap_or((ErrorKind::Other, ""));
        answer.failed(kind, &(told + cure))
    })
}

pub(super) async fn delete(
    config: &Config,
    operation: &'static str,
    bucket: Option<&str>,
    from: i64,
    to: i64,
) -> Result<()> {
    let delete = plain(influxql::delete(bucket, from, to));
    let answer = statement(config, operation, &delete).open().await?;
    let answer = answer.whole().await?;
    match answer.json::<Document>()?.rows() {
        Ok(_) => Ok(()),
        Err(told) => {
            let (kind, cure) = refusal::of(&told).unwrap_or((ErrorKind::Other, ""));
            Err(Error::new(kind, operation, told + cure))
        }
    }
}
