//! Rows as they are read.

use nephoscope_telemetry::{Id, Timestamp};
use serde::Deserialize;

use super::word;

/// The measurement that all rows are of.
pub(super) const MEASUREMENT: &str = "osprofiler_traces";

/// What a column holds.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub(super) enum Value {
    Boolean(bool),
    Integer(i64),
    /// Not one of ours.
    Float(f64),
    Text(String),
}

/// What was asked for of a row; the rest is empty. In a row of somebody else all of it may be.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Row {
    /// When it stands, in nanoseconds.
    pub(super) time: Option<i64>,
    pub(super) base_id: Option<Id>,
    /// Which batch of the trace.
    pub(super) batch: Option<String>,
    pub(super) piece: Option<i64>,
    pub(super) pieces: Option<i64>,
    pub(super) stored: Option<i64>,
    pub(super) start: Option<Timestamp>,
    pub(super) end: Option<Timestamp>,
    pub(super) stop: Option<bool>,
    pub(super) points: Option<u64>,
    pub(super) errors: Option<u64>,
    pub(super) name: Option<String>,
    pub(super) service: Option<String>,
    pub(super) project: Option<String>,
    pub(super) names: Option<String>,
    pub(super) services: Option<String>,
    pub(super) text: Option<String>,
}

impl Row {
    /// Takes the value of a column. One of another type than ours is passed over.
    pub(super) fn set(&mut self, column: &str, value: Value) {
        match value {
            Value::Text(text) => self.set_text(column, text),
            Value::Integer(number) => self.set_integer(column, number),
            Value::Boolean(flag) if column == "stop" => self.stop = Some(flag),
            Value::Boolean(_) | Value::Float(_) => {}
        }
    }

    fn set_text(&mut self, column: &str, text: String) {
        let slot = match column {
            "base_id" => {
                self.base_id = word::decode(text).map(|text| Id::new(&text));
                return;
            }
            "name" | "service" | "project" => {
                let word = word::decode(text);
                match column {
                    "name" => self.name = word,
                    "service" => self.service = word,
                    _ => self.project = word,
                }
                return;
            }
            "batch" => &mut self.batch,
            "names" => &mut self.names,
            "services" => &mut self.services,
            "text" => &mut self.text,
            _ => return,
        };
        *slot = Some(text);
    }

    fn set_integer(&mut self, column: &str, number: i64) {
        match column {
            "time" | "nanos" => self.time = Some(number),
            "piece" => self.piece = Some(number),
            "pieces" => self.pieces = Some(number),
            "stored" => self.stored = Some(number),
            "start_us" => self.start = Some(Timestamp::from_micros(number)),
            "end_us" => self.end = Some(Timestamp::from_micros(number)),
            "points" => self.points = u64::try_from(number).ok(),
            "errors" => self.errors = u64::try_from(number).ok(),
            _ => {}
        }
    }
}
