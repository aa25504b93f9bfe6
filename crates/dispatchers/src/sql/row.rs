//! Samples and events as rows.

use std::borrow::Cow;

use nephoscope_sql::{Dialect, Length, Value};
use nephoscope_telemetry::{BadRecord, Event, Json, Sample, SampleForm, Timestamp, Trait, json};
use uuid::Uuid;

use super::schema::WIDTH;

/// The values of one row, in the order of the columns.
pub(super) type Row = Vec<Value>;

/// The rows of a sample or an event.
#[derive(Debug)]
pub(super) struct Rows {
    /// That of `samples` or `events`.
    pub(super) main: Row,
    /// Those of `traits`.
    pub(super) traits: Vec<Row>,
}

/// The rows of one of those that were given.
#[derive(Debug)]
pub(super) struct Entry {
    /// Which.
    pub(super) at: usize,
    pub(super) rows: Rows,
}

/// A row of a table as part of a statement.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'a>(pub(super) &'a [Value]);

impl Rows {
    /// How long the longest row is.
    pub(super) fn longest(&self) -> usize {
        self.all().map(|row| Line(row).bytes()).max().unwrap_or_default()
    }

    fn all(&self) -> impl Iterator<Item = &Row> {
        std::iter::once(&self.main).chain(&self.traits)
    }
}

impl Length for Entry {
    fn bytes(&self) -> usize {
        self.rows.all().map(|row| Line(row).bytes()).sum()
    }
}

impl Length for Line<'_> {
    fn bytes(&self) -> usize {
        let length = |value: &Value| match value {
            Value::Text(Some(text)) => text.len(),
            Value::Text(None) => 0,
            Value::Number(_) | Value::Float(_) => size_of::<u64>(),
        };
        self.0.iter().map(length).sum()
    }
}

/// The row of a sample, unless this kind of database could never hold it.
pub(super) fn of_sample(sample: &Sample, dialect: Dialect) -> Result<Rows, BadRecord> {
    let fit = Fit { dialect };
    let main = vec![
        fit.name("message_id", &message_id(sample))?,
        fit.name("counter_name", &sample.name)?,
        fit.name("counter_type", &sample.kind)?,
        fit.name("counter_unit", &sample.unit)?,
        fit.volume(sample)?,
        fit.name("resource_id", &sample.resource_id)?,
        fit.optional("project_id", sample.project_id.as_deref())?,
        fit.optional("project_name", sample.project_name.as_deref())?,
        fit.optional("user_id", sample.user_id.as_deref())?,
        fit.optional("user_name", sample.user_name.as_deref())?,
        fit.optional("source", sample.source.as_deref())?,
        fit.time("timestamp", &sample.timestamp)?,
        object(&sample.metadata),
    ];
    Ok(Rows { main, traits: Vec::new() })
}

/// The rows of an event and its traits, as [`of_sample`].
pub(super) fn of_event(event: &Event, dialect: Dialect) -> Result<Rows, BadRecord> {
    let fit = Fit { dialect };
    let id = fit.name("message_id", &event.message_id)?;
    let numbered = (0..).zip(&event.traits);
    let traits = numbered.map(|(position, one)| fit.of_trait(id.clone(), position, one));
    let traits = traits.collect::<Result<_, _>>()?;
    let main = vec![
        id,
        fit.name("event_type", &event.event_type)?,
        fit.time("generated", &event.generated)?,
        object(&event.raw),
    ];
    Ok(Rows { main, traits })
}

/// The id of a sample. One that has none is told by all that it says.
fn message_id(sample: &Sample) -> Cow<'_, str> {
    match sample.id.as_deref().filter(|id| !id.is_empty()) {
        Some(id) => Cow::Borrowed(id),
        None => {
            let text = sample.to_json(SampleForm::Message);
            Cow::Owned(Uuid::new_v5(&Uuid::NAMESPACE_OID, text.as_bytes()).to_string())
        }
    }
}

/// As all databases read it: the dialect of Python has more.
fn object(object: &Json) -> Value {
    let standard = json::standard(object.as_str());
    without_halves(&standard).into()
}

/// A JSON text with U+FFFD for each half of a surrogate pair, of which PostgreSQL takes none.
fn without_halves(text: &str) -> String {
    let mut whole = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        whole.push_str(before);
        let (taken, is_half) = match (unit(escape), escape.get(6..).and_then(unit)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => (12, false),
            (Some(0xd800..=0xdfff), _) => (6, true),
            (Some(_), _) => (6, false),
            (None, _) => (2, false),
        };
        whole.push_str(if is_half { "\\ufffd" } else { &escape[..taken] });
        rest = &escape[taken..];
    }
    whole + rest
}

/// The UTF-16 unit that a text begins with, spelled as an escape of JSON.
fn unit(text: &str) -> Option<u16> {
    u16::from_str_radix(text.strip_prefix("\\u")?.get(..4)?, 16).ok()
}

/// Whether values fit into the columns of this kind of database.
#[derive(Clone, Copy)]
struct Fit {
    dialect: Dialect,
}

impl Fit {
    /// A text that has to fit into its column.
    fn name(self, field: &str, text: &str) -> Result<Value, BadRecord> {
        if self.dialect != Dialect::Sqlite && !is_short(text) {
            let problem = format!("has more than the {WIDTH} characters of its column");
            return Err(BadRecord::field(field, text, problem));
        }
        self.text(field, text)
    }

    fn optional(self, field: &str, text: Option<&str>) -> Result<Value, BadRecord> {
        text.map_or(Ok(Value::Text(None)), |text| self.name(field, text))
    }

    fn text(self, field: &str, text: &str) -> Result<Value, BadRecord> {
        if self.dialect == Dialect::Postgres && text.contains('\0') {
            return Err(BadRecord::field(field, text, "PostgreSQL cannot hold U+0000"));
        }
        Ok(text.into())
    }

    fn volume(self, sample: &Sample) -> Result<Value, BadRecord> {
        let volume = sample.volume.as_str();
        match sample.value() {
            Some(number) => self.float("counter_volume", volume, number),
            None if volume == "null" => Ok(Value::Float(None)),
            None => Err(BadRecord::field("counter_volume", volume, "expected a number")),
        }
    }

    fn float(self, field: &str, text: &str, number: f64) -> Result<Value, BadRecord> {
        let problem = match self.dialect {
            Dialect::MySql if !number.is_finite() => "MySQL holds finite numbers only",
            Dialect::Sqlite if number.is_nan() => "SQLite cannot hold NaN",
            _ => return Ok(Value::Float(Some(number))),
        };
        Err(BadRecord::field(field, text, problem))
    }

    /// A time as the column takes it, in UTC. PostgreSQL would take the session's zone if none were named.
    fn time(self, field: &str, text: &str) -> Result<Value, BadRecord> {
        let time =
            Timestamp::parse(text).map_err(|error| BadRecord::field(field, text, error.to_string()))?;
        let zone = if self.dialect == Dialect::Postgres { "+00" } else { "" };
        Ok(format!("{}{zone}", time.to_string().replace('T', " ")).into())
    }

    fn of_trait(self, message_id: Value, position: i64, one: &Trait) -> Result<Row, BadRecord> {
        let value = one.value.as_str();
        let text = json::decode(value).unwrap_or(Cow::Borrowed(value));
        let wrong = |problem: &str| BadRecord::field(&one.name, value, problem.to_owned());
        let (mut short, mut long) = (Value::Text(None), Value::Text(None));
        let (mut int, mut float, mut time) = (Value::Number(None), Value::Float(None), Value::Text(None));
        let kind = match one.kind {
            0 => "none",
            1 => "text",
            2 => "int",
            3 => "float",
            4 => "datetime",
            _ => return Err(wrong("expected one of the types 0 to 4")),
        };
        match one.kind {
            _ if value == "null" => {}
            2 => {
                let number = text.parse().map_err(|_| wrong("expected an integer of 64 bits"))?;
                int = Value::Number(Some(number));
            }
            3 => {
                let number = text.parse().map_err(|_| wrong("expected a number"))?;
                float = self.float(&one.name, value, number)?;
            }
            4 => time = self.time(&one.name, &text)?,
            _ if is_short(&text) => short = self.text(&one.name, &text)?,
            _ => long = self.text(&one.name, &text)?,
        }
        let name = self.name("name of a trait", &one.name)?;
        Ok(vec![message_id, position.into(), name, kind.into(), short, long, int, float, time])
    }
}

fn is_short(text: &str) -> bool {
    text.len() <= WIDTH || text.chars().count() <= WIDTH
}
