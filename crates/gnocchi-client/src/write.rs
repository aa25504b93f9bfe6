//! Bodies and queries of the API as it takes them.

mod measures;
mod policy;
mod query;
mod resource;
mod resource_type;

use nephoscope_gnocchi::{Timespan, Timestamp};
use serde_json::{Number, Value as Json};

pub(crate) use measures::{measures, metric_measures, resource_measures};
pub(crate) use policy::{policy, policy_change, rule};
pub(crate) use query::{aggregates, aggregates_query, page, range};
pub(crate) use resource::{change, named_metrics, new_metric, new_resource};
pub(crate) use resource_type::{patch, resource_type};

/// An object of what is there.
fn object<const N: usize>(fields: [(&str, Option<Json>); N]) -> Json {
    let given = fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Json::Object(given.collect())
}

/// A moment to the nanosecond. Without an offset it is UTC, and nothing has to be converted.
struct Moment(Timestamp);

impl std::fmt::Display for Moment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let whole = self.0.to_string();
        // The date and time without fraction and offset are always as long.
        f.write_str(whole.get(..SECONDS).unwrap_or(&whole))?;
        match self.0.as_nanos().rem_euclid(1_000_000_000) {
            0 => Ok(()),
            nanos => write!(f, ".{nanos:09}"),
        }
    }
}

/// The length of a date and time to the second.
const SECONDS: usize = "1970-01-01T00:00:00".len();

fn moment(timestamp: Timestamp) -> Json {
    Moment(timestamp).to_string().into()
}

/// Seconds that are read as the same span.
fn seconds(span: Timespan) -> Json {
    Number::from_f64(span.as_readable_seconds()).map_or(Json::Null, Json::Number)
}

/// The same in a query.
fn seconds_text(span: Timespan) -> String {
    span.as_readable_seconds().to_string()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn moments_are_read_as_they_were(nanos in 0..i64::MAX) {
            let written = Moment(Timestamp::from_nanos(nanos)).to_string();
            prop_assert_eq!(Timestamp::parse(&written, Timestamp::EPOCH).unwrap().as_nanos(), nanos, "{}", written);
        }

        /// Of any nanoseconds up to what a double can tell apart, and of whole seconds up to 136 years.
        #[test]
        fn spans_are_read_as_they_were(nanos in 1..(1_i64 << 51), seconds in 1..(1_i64 << 32)) {
            for span in [Timespan::from_nanos(nanos), Timespan::from_seconds(seconds)] {
                let span = span.unwrap();
                prop_assert_eq!(Timespan::parse(&seconds_text(span)), Ok(span));
            }
        }
    }

    #[test]
    fn moments_have_their_nanoseconds() {
        let written = |nanos| Moment(Timestamp::from_nanos(nanos)).to_string();
        assert_eq!(written(0), "1970-01-01T00:00:00");
        assert_eq!(written(1), "1970-01-01T00:00:00.000000001");
        // Before 1970 Gnocchi refuses it, and is to see why.
        assert_eq!(written(-1), "1969-12-31T23:59:59.999999999");
        assert_eq!(written(i64::MAX), "2262-04-11T23:47:16.854775807");
    }
}
