//! InfluxQL: how 1.x is asked, and what it answers.
//!
//! Source: InfluxData's reference of 1.x (`/query` with `params`, `epoch=ns` and `chunked=true`), and what 1.6.7 does.

use std::fmt::Write;

use nephoscope_telemetry::Id;
use serde::Deserialize;
use serde_json::{Map, Value as Json};

use super::part;
use super::place;
use super::question::{Columns, Question};
use super::row::{MEASUREMENT, Row, Value};
use super::word;

/// A statement, and what its `$` parameters stand for.
#[derive(Debug)]
pub(super) struct Statement {
    pub(super) text: String,
    pub(super) parameters: Map<String, Json>,
}

/// An identifier. Line breaks cannot be in one, and are refused before.
pub(super) fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
}

/// The statement of a question.
pub(super) fn select(question: &Question<'_>) -> Statement {
    let columns: Vec<_> = question.columns.names().iter().map(|name| column(name)).collect();
    let mut text = format!("SELECT {} FROM {}", columns.join(", "), identifier(MEASUREMENT));
    let mut parameters = Map::new();
    for (at, condition) in conditions(question, &mut parameters).into_iter().enumerate() {
        text.push_str(if at == 0 { " WHERE " } else { " AND " });
        text.push_str(&condition);
    }
    if let Some(count) = question.newest {
        write!(text, " ORDER BY time DESC LIMIT {count}").expect("a String takes all");
    }
    Statement { text, parameters }
}

/// A column by the type that it has in our rows: where others wrote another one, theirs would hide ours.
fn column(name: &str) -> String {
    let kind = match name {
        "bucket" => "tag",
        "piece" | "pieces" | "stored" | "start_us" | "end_us" | "points" | "errors" => "integer",
        "stop" => "boolean",
        _ => "string",
    };
    format!("\"{name}\"::{kind}")
}

fn conditions(question: &Question<'_>, parameters: &mut Map<String, Json>) -> Vec<String> {
    let mut conditions = Vec::new();
    if !question.traces.is_empty() {
        let (bucket, base_id) = (column("bucket"), column("base_id"));
        let one = |(at, id): (usize, &Id)| {
            parameters
                .insert(format!("id{at}"), id.with_str(|text| word::encode(Some(text)).into_owned()).into());
            format!("({bucket} = '{}' AND {base_id} = $id{at})", place::bucket(id))
        };
        let traces: Vec<_> = question.traces.iter().enumerate().map(one).collect();
        conditions.push(format!("({})", traces.join(" OR ")));
    }
    if question.columns == Columns::Summary || question.newest.is_some() {
        conditions.push(format!("{} = 0", column("piece")));
    }
    conditions.extend(question.from.map(|time| format!("time >= {time}")));
    conditions.extend(question.to.map(|time| format!("time <= {time}")));
    let holds = |field: &str, name: &str| format!("{} =~ {}", column(field), pattern(name));
    conditions.extend(question.name.map(|name| holds("names", name)));
    conditions.extend(question.service.map(|name| holds("services", name)));
    if question.errors {
        conditions.push(format!("{} > 0", column("errors")));
    }
    conditions
}

/// The regular expression of [`part::quoted`], between slashes. Only letters and digits stand for themselves in it, so that
/// nothing in a name means anything.
fn pattern(name: &str) -> String {
    let mut pattern = String::from("/");
    for byte in part::quoted(name).bytes() {
        if byte.is_ascii_alphanumeric() {
            pattern.push(char::from(byte));
        } else {
            write!(pattern, "\\x{byte:02x}").expect("a String takes all");
        }
    }
    pattern.push('/');
    pattern
}

/// Deletes the rows of these times, of one bucket or of all.
pub(super) fn delete(bucket: Option<&str>, from: i64, to: i64) -> String {
    let mut text = format!("DELETE FROM {} WHERE time >= {from} AND time <= {to}", identifier(MEASUREMENT));
    if let Some(bucket) = bucket {
        write!(text, " AND \"bucket\" = '{bucket}'").expect("a String takes all");
    }
    text
}

/// One document of an answer: chunked answers are several, a line each.
#[derive(Debug, Deserialize)]
pub(super) struct Document {
    #[serde(default)]
    results: Vec<Outcome>,
    error: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Outcome {
    #[serde(default)]
    series: Vec<Series>,
    error: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Series {
    columns: Vec<String>,
    #[serde(default)]
    values: Vec<Vec<Option<Value>>>,
}

impl Document {
    /// Its rows, or what failed.
    pub(super) fn rows(self) -> Result<Vec<Row>, String> {
        let mut error = self.error;
        let mut rows = Vec::new();
        for outcome in self.results {
            error = error.or(outcome.error);
            for Series { columns, values } in outcome.series {
                rows.extend(values.into_iter().map(|values| row(&columns, values)));
            }
        }
        error.map_or(Ok(rows), Err)
    }

    /// All texts in its rows, whatever their columns.
    pub(super) fn texts(self) -> Result<Vec<String>, String> {
        let mut error = self.error;
        let mut texts = Vec::new();
        for outcome in self.results {
            error = error.or(outcome.error);
            let values = outcome.series.into_iter().flat_map(|series| series.values).flatten();
            texts.extend(values.filter_map(|value| match value {
                Some(Value::Text(text)) => Some(text),
                _ => None,
            }));
        }
        error.map_or(Ok(texts), Err)
    }
}

fn row(columns: &[String], values: Vec<Option<Value>>) -> Row {
    let mut row = Row::default();
    for (column, value) in columns.iter().zip(values) {
        if let Some(value) = value {
            row.set(column, value);
        }
    }
    row
}
