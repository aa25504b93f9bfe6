//! The tables, and how long their rows live.

use nephoscope_telemetry::{ConnectionString, Error, ErrorKind, Result};

use super::binary::Reader;
use super::server::{Query, Server};

/// A start or stop of an operation, a row each.
const POINTS: &str = "CREATE TABLE IF NOT EXISTS trace_points (
    base_id String,
    trace_id String,
    parent_id String,
    timestamp DateTime64(6, 'UTC'),
    name LowCardinality(String),
    operation LowCardinality(String) MATERIALIZED multiIf(
        endsWith(name, '-start'), substring(name, 1, length(name) - 6),
        endsWith(name, '-stop'), substring(name, 1, length(name) - 5), name),
    project LowCardinality(Nullable(String)),
    service LowCardinality(Nullable(String)),
    host LowCardinality(Nullable(String)),
    error Bool,
    point String CODEC(ZSTD(1)),
    hash UInt64 MATERIALIZED sipHash64(point),
    stored DateTime64(9, 'UTC') DEFAULT now64(9),
    position UInt32,
    INDEX traces base_id TYPE bloom_filter(0.001) GRANULARITY 1
) ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMMDD(timestamp)
ORDER BY (base_id, timestamp, hash)";

/// What a list needs of a trace, a row for every hour (since 1970) in which it has points.
const SUMMARIES: &str = "CREATE TABLE IF NOT EXISTS trace_summaries (
    hour Int32,
    base_id String,
    first SimpleAggregateFunction(min, DateTime64(6, 'UTC')),
    last SimpleAggregateFunction(max, DateTime64(6, 'UTC')),
    first_point AggregateFunction(argMin,
        Tuple(String, Nullable(String), Nullable(String)),
        Tuple(DateTime64(6, 'UTC'), UInt8, DateTime64(9, 'UTC'), UInt32)),
    operations SimpleAggregateFunction(groupUniqArrayArray, Array(String)),
    services SimpleAggregateFunction(groupUniqArrayArray, Array(String)),
    error SimpleAggregateFunction(max, UInt8)
) ENGINE = AggregatingMergeTree
PARTITION BY intDiv(hour, 24)
ORDER BY (hour, base_id)";

/// The first point is the earliest, a start before a stop, and of equal ones that which was stored first.
const VIEW: &str =
    "CREATE MATERIALIZED VIEW IF NOT EXISTS trace_summaries_of_points TO trace_summaries AS SELECT
    toInt32(intDiv(toUnixTimestamp64Micro(timestamp), 3600000000)) AS hour,
    base_id,
    min(timestamp) AS first,
    max(timestamp) AS last,
    argMinState(
        (toString(operation), CAST(service AS Nullable(String)), CAST(project AS Nullable(String))),
        (timestamp, toUInt8(endsWith(name, 'stop')), stored, position)) AS first_point,
    groupUniqArray(toString(operation)) AS operations,
    groupUniqArray(CAST(service AS Nullable(String))) AS services,
    max(toUInt8(error)) AS error
FROM trace_points
GROUP BY hour, base_id";

/// The earliest release whose `DELETE FROM`, with which we purge, is no experiment.
const MINIMUM: (u32, u32) = (23, 3);
const CONNECT: &str = "connect";

/// Makes the tables that are missing, and gives all of them the retention of the connection string if it has one.
pub(super) async fn prepare(server: &Server, to: &ConnectionString) -> Result<()> {
    let retention = retention(to)?;
    check_version(server, to).await?;
    let there = definitions(server).await?;
    if there.len() < 3 {
        // The view last: what it reads and writes has to be there.
        for table in [with_retention(POINTS, retention), with_retention(SUMMARIES, retention), VIEW.into()] {
            server.run(CONNECT, Query::statement(&table)).await?;
        }
    }
    let Some(seconds) = retention else { return Ok(()) };
    for table in [POINTS, SUMMARIES] {
        let (name, lifetime) = (name(table), lifetime(table, seconds));
        let lives_so = |(known, text): &(String, String)| known == name && text.contains(&lifetime);
        if there.len() == 3 && !there.iter().any(lives_so) {
            let change = format!("ALTER TABLE {name} MODIFY TTL {lifetime}");
            server.run(CONNECT, Query::statement(&change)).await?;
        }
    }
    Ok(())
}

/// Seconds; no time of ClickHouse is later than as many after 1970 as 32 bits hold.
fn retention(to: &ConnectionString) -> Result<Option<u32>> {
    let Some(time) = to.period("retention")? else { return Ok(None) };
    u32::try_from(time.as_secs())
        .map(Some)
        .map_err(|_| to.wrong("option `retention` is at most 7000w, as ClickHouse counts time"))
}

/// `trace_points` or `trace_summaries`.
fn name(table: &str) -> &str {
    if table == POINTS { "trace_points" } else { "trace_summaries" }
}

/// The time at which a row may be deleted, as ClickHouse spells it when asked. Times before 1970 count as 1970, and
/// none is later than ClickHouse can tell.
fn lifetime(table: &str, seconds: u32) -> String {
    let end = match name(table) {
        "trace_points" => "intDiv(toUnixTimestamp64Micro(timestamp), 1000000)",
        _ => "((hour + 1) * 3600)",
    };
    format!("toDateTime(toUInt32(least(greatest({end}, 0) + {seconds}, {})))", u32::MAX)
}

fn with_retention(table: &str, retention: Option<u32>) -> String {
    match retention {
        // Whole parts are dropped, which costs nothing, instead of rewriting them row by row.
        Some(seconds) => {
            format!("{table}\nTTL {}\nSETTINGS ttl_only_drop_parts = 1", lifetime(table, seconds))
        }
        None => format!("{table}\nSETTINGS ttl_only_drop_parts = 1"),
    }
}

/// Names and definitions of our tables as far as they are there.
async fn definitions(server: &Server) -> Result<Vec<(String, String)>> {
    let query = Query::select(
        "name, create_table_query FROM system.tables WHERE database = currentDatabase() \
         AND name IN ('trace_points', 'trace_summaries', 'trace_summaries_of_points')",
    );
    let text = |row: &mut Reader<'_>| row.text().map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    server.ask_all(CONNECT, query, |row| Some((text(row)?, text(row)?))).await
}

async fn check_version(server: &Server, to: &ConnectionString) -> Result<()> {
    let versions = server.ask_all(CONNECT, Query::select("version()"), |row| row.text().map(<[u8]>::to_vec));
    let version = versions.await?.pop().unwrap_or_default();
    let version = String::from_utf8_lossy(&version);
    let mut numbers = version.split('.').map(|number| number.parse().unwrap_or(0));
    if (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) < MINIMUM {
        let (year, month) = MINIMUM;
        let problem = format!("the server is ClickHouse {version}; it has to be {year}.{month} or later");
        return Err(Error::new(ErrorKind::Config, CONNECT, format!("{to}: {problem}")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(option: &str) -> Result<Option<u32>> {
        retention(&ConnectionString::parse(&format!("clickhouse://h/{option}")).unwrap())
    }

    #[test]
    fn a_retention_has_to_fit() {
        assert_eq!(read("").unwrap(), None);
        assert_eq!(read("?retention=30d").unwrap(), Some(2_592_000));
        assert_eq!(read("?retention=7000w").unwrap(), Some(4_233_600_000));
        assert!(read("?retention=7200w").unwrap_err().to_string().contains("at most 7000w"));
    }
}
