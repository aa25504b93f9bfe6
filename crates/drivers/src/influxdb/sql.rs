//! SQL: how InfluxDB 3 is asked.

use std::fmt::Write;

use super::part;
use super::place;
use super::question::{Columns, Question};
use super::row::MEASUREMENT;
use super::word;

/// The statement of a question. A text in it can hold anything: SQL of DataFusion knows no escape but a doubled quote.
pub(super) fn select(question: &Question<'_>) -> String {
    let mut text = "SELECT CAST(time AS BIGINT) AS nanos".to_owned();
    for name in question.columns.names() {
        write!(text, ", \"{name}\"").expect("a String takes all");
    }
    write!(text, " FROM \"{MEASUREMENT}\"").expect("a String takes all");
    for (at, condition) in conditions(question).into_iter().enumerate() {
        text.push_str(if at == 0 { " WHERE " } else { " AND " });
        text.push_str(&condition);
    }
    if let Some(count) = question.newest {
        write!(text, " ORDER BY time DESC LIMIT {count}").expect("a String takes all");
    }
    text
}

fn conditions(question: &Question<'_>) -> Vec<String> {
    let mut conditions = Vec::new();
    if !question.traces.is_empty() {
        let list = |texts: Vec<String>| texts.join(", ");
        let buckets = question.traces.iter().map(|id| quoted(&place::bucket(id))).collect();
        let ids =
            question.traces.iter().map(|id| id.with_str(|text| quoted(&word::encode(Some(text))))).collect();
        conditions.push(format!("\"bucket\" IN ({}) AND \"base_id\" IN ({})", list(buckets), list(ids)));
    }
    if question.columns == Columns::Summary || question.newest.is_some() {
        conditions.push("\"piece\" = 0".into());
    }
    conditions.extend(question.from.map(|time| format!("time >= to_timestamp_nanos({time})")));
    conditions.extend(question.to.map(|time| format!("time <= to_timestamp_nanos({time})")));
    let holds = |field: &str, name: &str| format!("strpos(\"{field}\", {}) > 0", quoted(&part::quoted(name)));
    conditions.extend(question.name.map(|name| holds("names", name)));
    conditions.extend(question.service.map(|name| holds("services", name)));
    if question.errors {
        conditions.push("\"errors\" > 0".into());
    }
    conditions
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
