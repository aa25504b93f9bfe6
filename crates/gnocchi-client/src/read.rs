//! Answers of the API as they are written, and the words that they become.
//!
//! What an answer says more than we know is left alone; what it has in a form that we do not know makes it a strange
//! answer, except where only one attribute of something is concerned.

mod aggregates;
mod metric;
mod points;
mod policy;
mod resource;
mod resource_type;

use nephoscope_gnocchi::{Error, Result, Timestamp};
use nephoscope_http::Answer;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _};

pub(crate) use aggregates::{WireAnswer, groups};
pub(crate) use metric::{WireMetric, WireNewMetric};
pub(crate) use points::WirePoint;
pub(crate) use policy::{WirePolicy, WireRule};
pub(crate) use resource::{Kinds, WireResource, base_attribute, by_form, of_kind};
pub(crate) use resource_type::WireType;

use crate::api::of_backend;
use crate::json::strict;

/// The answer as JSON of that form.
pub(crate) fn json<'a, T: Deserialize<'a>>(answer: &'a Answer) -> Result<T> {
    answer.json().map_err(of_backend)
}

/// The same, where numbers may be none.
pub(crate) fn json_of_python<T: for<'a> Deserialize<'a>>(answer: &Answer) -> Result<T> {
    serde_json::from_slice(&strict(answer.body())).map_err(|error| of_backend(answer.strange(&error)))
}

/// An answer that Gnocchi does not give.
pub(crate) fn strange(answer: &Answer, problem: &dyn std::fmt::Display) -> Error {
    of_backend(answer.strange(problem))
}

fn moment<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Timestamp, D::Error> {
    let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
    read_moment(&text).ok_or_else(|| D::Error::custom(format!("{text} is no date")))
}

fn optional_moment<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> std::result::Result<Option<Timestamp>, D::Error> {
    let text = Option::<std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
    let Some(text) = text else { return Ok(None) };
    read_moment(&text).map(Some).ok_or_else(|| D::Error::custom(format!("{text} is no date")))
}

/// A date with its time, as Gnocchi writes it.
fn read_moment(text: &str) -> Option<Timestamp> {
    let is_date =
        text.as_bytes().get(4) == Some(&b'-') && text.starts_with(|first: char| first.is_ascii_digit());
    Timestamp::parse(text, Timestamp::EPOCH).ok().filter(|_| is_date)
}
