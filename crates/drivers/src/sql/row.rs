//! A trace point as a row of the table, and back.

use std::borrow::Cow;

use nephoscope_sql::{Dialect, Length};
use nephoscope_telemetry::json;
use nephoscope_telemetry::{BadRecord, Id, Json, Timestamp, TracePoint};

use smol_str::SmolStr;
use sqlx::{ColumnIndex, Decode, FromRow, Type};

/// The columns of a [`Row`], in its order.
pub(super) const COLUMNS: [&str; 9] =
    ["timestamp", "base_id", "parent_id", "trace_id", "project", "host", "service", "name", "data"];

/// The beginning of a query for [`Stored`].
pub(super) fn select(dialect: Dialect) -> String {
    let data = dialect.text("data");
    format!("SELECT timestamp, base_id, parent_id, trace_id, project, service, name, {data} FROM data")
}

/// How many characters the columns hold, all but `timestamp` and `data`. SQLite does not enforce it.
const WIDTH: usize = 255;

/// The values of [`COLUMNS`].
#[derive(Debug)]
pub(super) struct Row<'a>([Option<Cow<'a, str>>; COLUMNS.len()]);

/// What is read of a row: all columns but `host`, which is in `data` too.
#[derive(Clone, Debug, Default)]
pub(super) struct Stored {
    timestamp: Option<String>,
    base_id: Option<String>,
    parent_id: Option<String>,
    trace_id: Option<String>,
    project: Option<String>,
    service: Option<String>,
    name: Option<String>,
    data: Option<String>,
}

impl<'r, R: sqlx::Row> FromRow<'r, R> for Stored
where
    usize: ColumnIndex<R>,
    Option<String>: Decode<'r, R::Database> + Type<R::Database>,
{
    fn from_row(row: &'r R) -> sqlx::Result<Self> {
        Ok(Self {
            timestamp: row.try_get(0)?,
            base_id: row.try_get(1)?,
            parent_id: row.try_get(2)?,
            trace_id: row.try_get(3)?,
            project: row.try_get(4)?,
            service: row.try_get(5)?,
            name: row.try_get(6)?,
            data: row.try_get(7)?,
        })
    }
}

impl<'a> Row<'a> {
    /// The row of a point, unless a column cannot hold its value.
    pub(super) fn of(point: &'a TracePoint, dialect: Dialect) -> Result<Self, BadRecord> {
        let text = |field, value: Cow<'a, str>| match misfit(dialect, &value) {
            None => Ok(Some(value)),
            Some(problem) => Err(BadRecord::field(field, &value, problem)),
        };
        let id = |field, id: &Id| text(field, Cow::Owned(id.to_string()));
        let optional = |field, value: &'a Option<SmolStr>| match value {
            Some(value) => text(field, Cow::Borrowed(value.as_str())),
            None => Ok(None),
        };
        Ok(Self([
            Some(Cow::Owned(point.timestamp.to_string())),
            id("base_id", &point.base_id)?,
            id("parent_id", &point.parent_id)?,
            id("trace_id", &point.trace_id)?,
            optional("project", &point.project)?,
            // Only a copy of what `data` holds.
            point.host().filter(|host| misfit(dialect, host).is_none()),
            optional("service", &point.service)?,
            text("name", Cow::Borrowed(&point.name))?,
            Some(Cow::Owned(data(point))),
        ]))
    }

    /// The values, in the order of [`COLUMNS`].
    pub(super) fn values(&self) -> impl Iterator<Item = Option<&str>> {
        self.0.iter().map(Option::as_deref)
    }

    /// The value of one of [`COLUMNS`].
    pub(super) fn value(&self, column: usize) -> Option<&str> {
        self.0[column].as_deref()
    }

    /// The id of the point, to name it in an error.
    pub(super) fn trace_id(&self) -> &str {
        self.value(3).unwrap_or_default()
    }
}

impl Length for Row<'_> {
    fn bytes(&self) -> usize {
        self.values().flatten().map(str::len).sum()
    }
}

/// Why a column of this kind of server cannot hold a text.
fn misfit(dialect: Dialect, text: &str) -> Option<&'static str> {
    if dialect != Dialect::Sqlite && text.len() > WIDTH && text.chars().count() > WIDTH {
        return Some("has more than the 255 characters of its column");
    }
    (dialect == Dialect::Postgres && text.contains('\0')).then_some("PostgreSQL cannot hold U+0000")
}

/// The column `data`: a JSON string that holds an object with `info` and what else has no column.
fn data(point: &TracePoint) -> String {
    let mut object = String::with_capacity(point.info.as_str().len() + 16);
    object.push_str("{\"info\": ");
    object.push_str(point.info.as_str());
    let spelled = point.timestamp_text();
    if spelled != point.timestamp.to_string() {
        object.push_str(", \"timestamp\": ");
        json::write_string(&mut object, &spelled);
    }
    for (key, value) in &point.extra {
        object.push_str(", ");
        json::write_string(&mut object, key);
        object.push_str(": ");
        object.push_str(value.as_str());
    }
    object.push('}');
    let mut text = String::with_capacity(object.len() + object.len() / 4);
    json::write_string(&mut text, &object);
    text
}

/// The point of a row.
pub(super) fn point(row: Stored) -> Result<TracePoint, BadRecord> {
    let Stored { timestamp, base_id, parent_id, trace_id, project, service, name, data } = row;
    let id = |field, id: Option<String>| id.map(|id| Id::new(&id)).ok_or_else(|| BadRecord::missing(field));
    let mut point = TracePoint::new(
        &name.ok_or_else(|| BadRecord::missing("name"))?,
        id("base_id", base_id)?,
        id("trace_id", trace_id)?,
        id("parent_id", parent_id)?,
        Timestamp::from_micros(0),
    );
    point.set_timestamp_text(&timestamp.ok_or_else(|| BadRecord::missing("timestamp"))?)?;
    point.project = project.map(Into::into);
    point.service = service.map(Into::into);
    if let Some(data) = data {
        read_data(&mut point, &data)?;
    }
    Ok(point)
}

fn read_data(point: &mut TracePoint, data: &str) -> Result<(), BadRecord> {
    let wrong = |problem: String| BadRecord::field("data", data, problem);
    let parse = |text: &str| Json::parse(text).map_err(|error| wrong(error.to_string()));
    let outer = parse(data)?;
    let object = match json::decode(outer.as_str()) {
        Some(inner) => parse(&inner)?,
        None => outer,
    };
    if !object.is_object() {
        return Err(wrong("expected an object, or a string that holds one".into()));
    }
    for (key, value) in json::entries(object.as_str()) {
        match key.as_ref() {
            "info" if value == "null" => {}
            "info" if !value.starts_with('{') => return Err(wrong("expected an object in `info`".into())),
            "info" => point.info = parse(value)?,
            "timestamp" => {
                let spelled =
                    json::decode(value).ok_or_else(|| wrong("expected a string in `timestamp`".into()))?;
                point.set_timestamp_text(&spelled)?;
            }
            _ => {
                point.extra.retain(|(earlier, _)| *earlier != *key);
                point.extra.push((key.as_ref().into(), parse(value)?));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
