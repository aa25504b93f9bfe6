//! Operations as JSON, in the list form.

use serde_json::{Value as Json, json};

use super::Operation;
use crate::Resolution;

impl Operation {
    /// The list form, which [`from_json`](Self::from_json) reads, and any Gnocchi.
    pub fn to_json(&self) -> Json {
        match self {
            Self::Metrics(metrics) => {
                let pairs = metrics.iter().map(|(metric, aggregation)| json!([metric, aggregation]));
                Json::Array(std::iter::once(json!("metric")).chain(pairs).collect())
            }
            Self::Number(number) => self::number(*number),
            Self::Binary(function, one, other) => json!([function.name(), one.to_json(), other.to_json()]),
            Self::Unary(function, of) => json!([function.name(), of.to_json()]),
            Self::Clip(of, least, None) => json!(["clip", of.to_json(), least.to_json()]),
            Self::Clip(of, least, Some(most)) => {
                json!(["clip", of.to_json(), least.to_json(), most.to_json()])
            }
            Self::Aggregate(aggregation, of) => {
                json!(["aggregate", aggregation.to_string(), of.to_json()])
            }
            Self::Rolling(aggregation, window, of) => {
                json!(["rolling", aggregation.to_string(), window, of.to_json()])
            }
            Self::Resample(method, resolution, of) => {
                json!(["resample", method.to_string(), self::resolution(*resolution), of.to_json()])
            }
        }
    }
}

/// A number, or the text of one that JSON has no form for.
fn number(number: f64) -> Json {
    match serde_json::Number::from_f64(number) {
        Some(number) => Json::Number(number),
        None if number.is_nan() => "nan".into(),
        None => if number > 0.0 { "inf" } else { "-inf" }.into(),
    }
}

/// Seconds, or the letter of a calendar period, which operations of Gnocchi itself do not take.
fn resolution(resolution: Resolution) -> Json {
    match resolution {
        Resolution::Span(span) => span.as_readable_seconds().into(),
        calendar => calendar.letter().into(),
    }
}
