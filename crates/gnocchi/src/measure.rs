//! Values at moments: as they come in, and as they are given out.

use indexmap::IndexMap;
use uuid::Uuid;

use crate::{AggregationMethod, Timespan, TimespanError, Timestamp};

/// A value at a moment, as it came in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measure {
    /// When it was measured.
    pub timestamp: Timestamp,
    /// What was measured.
    pub value: f64,
}

/// Measures of metrics that are there.
pub type MetricMeasures = Vec<(Uuid, Vec<Measure>)>;

/// Measures of one resource by the names of its metrics.
#[derive(Clone, Debug, PartialEq)]
pub struct ResourceMeasures {
    /// The resource, as its creator spelled it.
    pub resource_id: String,
    /// Measures of each metric, and how a metric is kept that is made for them.
    pub metrics: IndexMap<String, (crate::NamedMetric, Vec<Measure>)>,
}

/// The aggregate of one period.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Start of the period.
    pub timestamp: Timestamp,
    /// The period: of the granularity that was asked for, or that it was aggregated again to.
    pub granularity: Resolution,
    /// The aggregate.
    pub value: f64,
}

/// Which aggregates are asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Range {
    /// From the period that this lies in.
    pub start: Option<Timestamp>,
    /// Before this.
    pub stop: Option<Timestamp>,
    /// Which of the policy's methods.
    pub aggregation: AggregationMethod,
    /// One granularity of the policy; all of them, coarse first, where none is given.
    pub granularity: Option<Timespan>,
    /// Aggregated again to this resolution.
    pub resample: Option<Resolution>,
}

/// The periods of a resampled series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// Of a length, counted from 1970.
    Span(Timespan),
    /// Years.
    Year,
    /// Halves of a year.
    Half,
    /// Quarters of a year.
    Quarter,
    /// Months.
    Month,
    /// Weeks from Sunday.
    Week,
}

impl From<Timespan> for Resolution {
    fn from(span: Timespan) -> Self {
        Self::Span(span)
    }
}

/// Nanoseconds of a day.
const DAY: i64 = 86_400_000_000_000;

impl Resolution {
    /// Reads a length of time, or the letter of a calendar period: `Y`, `H`, `Q`, `M`, `W`.
    pub fn parse(text: &str) -> Result<Self, TimespanError> {
        let calendar = Self::CALENDAR.iter().find(|(_, letter)| *letter == text);
        calendar.map_or_else(|| Timespan::parse(text).map(Self::Span), |(resolution, _)| Ok(*resolution))
    }

    const CALENDAR: [(Self, &str); 5] =
        [(Self::Year, "Y"), (Self::Half, "H"), (Self::Quarter, "Q"), (Self::Month, "M"), (Self::Week, "W")];

    /// The letter of a calendar period; of a length of time there is none, and the text is empty.
    pub fn letter(self) -> &'static str {
        Self::CALENDAR.iter().find(|(resolution, _)| *resolution == self).map_or("", |(_, letter)| letter)
    }

    /// The start of the period that a moment lies in.
    pub fn floor(self, timestamp: Timestamp) -> Timestamp {
        let months = match self {
            Self::Span(span) => return timestamp.floor(span),
            Self::Week => {
                // 1970 began on a Thursday, four days into its week.
                let days = timestamp.as_nanos().div_euclid(DAY);
                return Timestamp::from_nanos(((days + 4).div_euclid(7) * 7 - 4).saturating_mul(DAY));
            }
            Self::Year => 12,
            Self::Half => 6,
            Self::Quarter => 3,
            Self::Month => 1,
        };
        let date = timestamp.date();
        let month = (date.month() - 1) / months * months + 1;
        let first = jiff::civil::Date::new(date.year(), month, 1).expect("a month has a first day");
        let start = first.to_zoned(jiff::tz::TimeZone::UTC).expect("UTC has all times").timestamp();
        Timestamp::from_nanos(i64::try_from(start.as_nanosecond()).unwrap_or(i64::MIN))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calendar_periods_begin_where_they_do() {
        let moment = |text| Timestamp::parse(text, Timestamp::EPOCH).unwrap();
        for (letter, of, start) in [
            ("Y", "2015-12-31T23:59:59.999999", "2015-01-01"),
            ("H", "2015-06-30T23:59:59", "2015-01-01"),
            ("H", "2015-07-01", "2015-07-01"),
            ("Q", "2015-12-31", "2015-10-01"),
            ("M", "2016-02-29T12:00", "2016-02-01"),
            ("W", "2015-03-07T23:59:59", "2015-03-01"),
            ("W", "2015-03-08", "2015-03-08"),
            ("1 day", "2015-03-08T13:00", "2015-03-08"),
        ] {
            let resolution = Resolution::parse(letter).unwrap();
            assert_eq!(resolution.floor(moment(of)), moment(start), "{letter} {of}");
            assert!(resolution.letter().is_empty() || resolution.letter() == letter);
        }
        assert_eq!(Resolution::Week.floor(Timestamp::EPOCH).as_nanos(), -4 * DAY);
        assert!(Resolution::parse("y").is_err());
    }
}
