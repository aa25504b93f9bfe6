//! Flux: how InfluxDB 2 is asked.

use std::fmt::Write;

use super::part;
use super::place;
use super::question::{Columns, Question};
use super::row::MEASUREMENT;
use super::word;

/// The times that 2.x has.
const FIRST: i64 = i64::MIN + 2;
const LAST: i64 = i64::MAX - 1;

/// The script of a question, of the rows in a bucket of InfluxDB, which is what 2.x calls a database.
pub(super) fn script(database: &str, question: &Question<'_>) -> String {
    let (from, to) = (question.from.unwrap_or(FIRST), question.to.unwrap_or(LAST).min(LAST - 1));
    let mut text = format!(
        "import \"strings\"\nfrom(bucket: {}) |> range(start: time(v: {from}), stop: time(v: {}))",
        quoted(database),
        to + 1
    );
    let mut series = format!("r._measurement == {}", quoted(MEASUREMENT));
    if !question.traces.is_empty() {
        let mut buckets: Vec<_> = question.traces.iter().map(place::bucket).collect();
        buckets.sort_unstable();
        buckets.dedup();
        let buckets: Vec<_> = buckets.iter().map(|bucket| format!("r.bucket == \"{bucket}\"")).collect();
        write!(series, " and ({})", buckets.join(" or ")).expect("a String takes all");
    }
    let fields: Vec<_> = fields(question).iter().map(|name| format!("r._field == \"{name}\"")).collect();
    write!(series, " and ({})", fields.join(" or ")).expect("a String takes all");
    push(&mut text, &format!("filter(fn: (r) => {series})"));
    push(&mut text, "pivot(rowKey: [\"_time\"], columnKey: [\"_field\"], valueColumn: \"_value\")");
    let conditions = conditions(question);
    if !conditions.is_empty() {
        push(&mut text, &format!("filter(fn: (r) => {})", conditions.join(" and ")));
    }
    push(&mut text, "group()");
    push(&mut text, "map(fn: (r) => ({r with nanos: int(v: r._time)}))");
    let columns: Vec<_> = question.columns.names().iter().map(|name| format!("\"{name}\"")).collect();
    push(&mut text, &format!("keep(columns: [\"nanos\", {}])", columns.join(", ")));
    if let Some(count) = question.newest {
        push(&mut text, "sort(columns: [\"nanos\"], desc: true)");
        push(&mut text, &format!("limit(n: {count})"));
    }
    text
}

fn push(text: &mut String, step: &str) {
    text.push_str("\n|> ");
    text.push_str(step);
}

/// The fields to read: what is asked for, and what is looked at.
fn fields(question: &Question<'_>) -> Vec<&'static str> {
    let mut fields = question.columns.names().to_vec();
    let looked_at = [
        (needs_piece(question), "piece"),
        (question.name.is_some(), "names"),
        (question.service.is_some(), "services"),
        (question.errors, "errors"),
    ];
    for (_, name) in looked_at.into_iter().filter(|(needed, _)| *needed) {
        if !fields.contains(&name) {
            fields.push(name);
        }
    }
    fields
}

fn needs_piece(question: &Question<'_>) -> bool {
    question.columns == Columns::Summary || question.newest.is_some()
}

fn conditions(question: &Question<'_>) -> Vec<String> {
    let mut conditions = Vec::new();
    if !question.traces.is_empty() {
        let ids = question
            .traces
            .iter()
            .map(|id| id.with_str(|text| format!("r.base_id == {}", quoted(&word::encode(Some(text))))));
        conditions.push(format!("({})", ids.collect::<Vec<_>>().join(" or ")));
    }
    if needs_piece(question) {
        conditions.push("exists r.piece and r.piece == 0".into());
    }
    let holds = |field: &str, name: &str| {
        format!(
            "exists r.{field} and strings.containsStr(v: r.{field}, substr: {})",
            quoted(&part::quoted(name))
        )
    };
    conditions.extend(question.name.map(|name| holds("names", name)));
    conditions.extend(question.service.map(|name| holds("services", name)));
    if question.errors {
        conditions.push("exists r.errors and r.errors > 0".into());
    }
    conditions
}

/// A text in which only letters and digits stand for themselves: nothing in it ends it, and nothing is computed.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() {
            quoted.push(char::from(byte));
        } else {
            write!(quoted, "\\x{byte:02x}").expect("a String takes all");
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use nephoscope_telemetry::Id;

    use super::*;

    #[test]
    fn nothing_in_a_text_is_flux() {
        let ids = [Id::new("a\" or true or r.x == \"${1}\n日")];
        let script = script("b", &Question::new(Columns::Points).of(&ids));
        let told = "r.base_id == \"a\\x22\\x20or\\x20true\\x20or\\x20r\\x2ex\\x20\\x3d\\x3d\\x20\\x22\\x24\\x7b1\\x7d\\x5cn\\xe6\\x97\\xa5\"";
        assert!(script.contains(told), "{script}");
    }
}
