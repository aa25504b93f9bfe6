//! Aggregates: `[timestamp, granularity, value]`.

use std::borrow::Cow;

use nephoscope_gnocchi::{Point, Resolution, Timespan, Timestamp};
use serde::Deserialize;
use serde::de::{Deserializer, Error};

use super::moment;

/// One aggregate.
#[derive(Debug, Deserialize)]
pub(crate) struct WirePoint(
    #[serde(deserialize_with = "moment")] Timestamp,
    #[serde(deserialize_with = "resolution")] Resolution,
    #[serde(deserialize_with = "value")] f64,
);

impl From<WirePoint> for Point {
    fn from(WirePoint(timestamp, granularity, value): WirePoint) -> Self {
        Self { timestamp, granularity, value }
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Scalar<'a> {
    Number(f64),
    #[serde(borrow)]
    Text(Cow<'a, str>),
    Nothing,
}

/// Nanoseconds of a second.
const NANOS: f64 = 1e9;

/// Seconds, or the letter of a calendar period.
fn resolution<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Resolution, D::Error> {
    match Scalar::deserialize(deserializer)? {
        Scalar::Number(seconds) => {
            // They are the nearest double to what was meant: cut off, they may fall short of it.
            #[expect(clippy::cast_possible_truncation, reason = "what is too large becomes the largest")]
            let nanos = (seconds * NANOS).round() as i64;
            let span = Timespan::from_nanos(nanos);
            span.map(Resolution::Span).ok_or_else(|| D::Error::custom("a granularity is longer than nothing"))
        }
        Scalar::Text(text) => Resolution::parse(&text).map_err(D::Error::custom),
        Scalar::Nothing => Err(D::Error::custom("a point has a granularity")),
    }
}

/// A number, or what stands for one that is none.
fn value<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    match Scalar::deserialize(deserializer)? {
        Scalar::Number(number) => Ok(number),
        Scalar::Text(text) => text.parse().map_err(D::Error::custom),
        Scalar::Nothing => Ok(f64::NAN),
    }
}
