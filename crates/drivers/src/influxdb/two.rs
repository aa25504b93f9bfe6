//! InfluxDB 2: `/api/v2/write`, `/api/v2/query` and `/api/v2/delete`.

use nephoscope_http::Request;
use nephoscope_telemetry::{ErrorKind, Result, Timestamp};
use serde_json::json;

use super::config::Config;
use super::csv::Tables;
use super::flux;
use super::question::Question;
use super::refusal;
use super::row::{MEASUREMENT, Row};

const CONNECT: &str = "connect";

/// Looks for the bucket.
pub(super) async fn prepare(config: &Config) -> Result<()> {
    let request = at(config, config.http.get(CONNECT, "/api/v2/buckets")).query("name", &config.database);
    if request.accept(&[404]).send().await?.status() != 404 {
        return Ok(());
    }
    // Whose token is for writing alone sees no bucket. Writing nothing tells whether it is there.
    write(config, CONNECT).query("precision", "ns").send().await.map(|_| ())
}

fn at<'a>(config: &'a Config, request: Request<'a>) -> Request<'a> {
    request.query("org", config.org.as_deref().unwrap_or_default())
}

pub(super) fn write<'a>(config: &'a Config, operation: &'static str) -> Request<'a> {
    at(config, config.http.post(operation, "/api/v2/write")).query("bucket", &config.database)
}

pub(super) async fn ask(
    config: &Config,
    operation: &'static str,
    question: &Question<'_>,
    mut take: impl FnMut(Row),
) -> Result<()> {
    let body = json!({
        "query": flux::script(&config.database, question),
        "type": "flux",
        "dialect": {"annotations": ["datatype"], "header": true},
    });
    let mut answer = at(config, config.http.post(operation, "/api/v2/query")).json(&body).open().await?;
    let mut tables = Tables::default();
    let mut failure = None;
    while let Some(piece) = answer.chunk().await? {
        match tables.feed(&piece) {
            Ok(rows) => rows.into_iter().for_each(&mut take),
            Err(told) => {
                failure = Some(told);
                break;
            }
        }
    }
    let ended = failure.map_or_else(|| tables.end(), Err);
    let row = ended.map_err(|told| {
        let (kind, cure) = refusal::of(&told).unwrap_or((ErrorKind::Other, ""));
        answer.failed(kind, &(told + cure))
    })?;
    row.into_iter().for_each(take);
    Ok(())
}

pub(super) async fn delete(
    config: &Config,
    operation: &'static str,
    bucket: Option<&str>,
    from: i64,
    to: i64,
) -> Result<()> {
    let mut predicate = format!("_measurement=\"{MEASUREMENT}\"");
    if let Some(bucket) = bucket {
        predicate += &format!(" AND bucket=\"{bucket}\"");
    }
    let body = json!({"start": rfc3339(from), "stop": rfc3339(to), "predicate": predicate});
    let request = at(config, config.http.post(operation, "/api/v2/delete"));
    request.query("bucket", &config.database).json(&body).send().await.map(|_| ())
}

/// A time in nanoseconds as RFC 3339 spells it.
fn rfc3339(nanos: i64) -> String {
    format!("{}{:03}Z", Timestamp::from_micros(nanos.div_euclid(1000)), nanos.rem_euclid(1000))
}
