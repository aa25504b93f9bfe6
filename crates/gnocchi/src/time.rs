//! Moments and lengths of time, in nanoseconds as Gnocchi has them.

mod number;
#[cfg(test)]
mod tests;
mod timespan;
mod timestamp;

use std::fmt;

pub(crate) use number::parse_number;
pub use timespan::TimespanError;
pub use timestamp::{TimestampError, Timestamps};

/// Nanoseconds of a second.
const SECOND: i64 = 1_000_000_000;

/// A moment, in nanoseconds since 1970-01-01 UTC: from 1677 to 2262.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// 1970-01-01 UTC.
    pub const EPOCH: Self = Self(0);
    /// The latest there is.
    pub const MAX: Self = Self(i64::MAX);

    /// So many nanoseconds after 1970.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds after 1970.
    pub const fn as_nanos(self) -> i64 {
        self.0
    }

    /// The start of the period that it lies in; periods are counted from 1970.
    pub const fn floor(self, granularity: Timespan) -> Self {
        Self(self.0 - self.0.rem_euclid(granularity.as_nanos()))
    }

    /// To the microsecond as Gnocchi makes a `datetime` of it: its seconds are a double, of which the microseconds are the nearest,
    /// and the even one in the middle between two.
    #[must_use]
    pub fn rounded_to_micros(self) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "that is what becomes of it there")]
        let seconds = self.0 as f64 / SECOND as f64;
        #[expect(clippy::cast_possible_truncation, reason = "there are few microseconds in a second")]
        let micros = (seconds.fract() * 1e6).round_ties_even() as i64;
        #[expect(clippy::cast_possible_truncation, reason = "there are few seconds in 292 years")]
        let seconds = seconds.trunc() as i64;
        Self(seconds.saturating_mul(SECOND).saturating_add(micros * 1000))
    }

    /// Its day.
    pub(crate) fn date(self) -> jiff::civil::Date {
        let time =
            jiff::Timestamp::from_nanosecond(i128::from(self.0)).expect("jiff knows the years to 9999");
        jiff::tz::TimeZone::UTC.to_datetime(time).date()
    }

    /// Cut off to a whole second.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(SECOND)
    }
}

impl fmt::Display for Timestamp {
    /// As Python's `datetime.isoformat` has it in UTC: microseconds only where there are any.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time =
            jiff::Timestamp::from_nanosecond(i128::from(self.0)).expect("jiff knows the years to 9999");
        let civil = jiff::tz::TimeZone::UTC.to_datetime(time);
        let (date, clock) = (civil.date(), civil.time());
        let (year, month, day) = (date.year(), date.month(), date.day());
        write!(f, "{year:04}-{month:02}-{day:02}T")?;
        write!(f, "{:02}:{:02}:{:02}", clock.hour(), clock.minute(), clock.second())?;
        let micros = clock.subsec_nanosecond() / 1000;
        if micros > 0 {
            write!(f, ".{micros:06}")?;
        }
        f.write_str("+00:00")
    }
}

/// A length of time, longer than nothing, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timespan(i64);

impl Timespan {
    /// So many nanoseconds; nothing when that is none, or less.
    pub const fn from_nanos(nanos: i64) -> Option<Self> {
        if nanos > 0 { Some(Self(nanos)) } else { None }
    }

    /// So many seconds; nothing when that is none, less, or more than there is room for.
    pub const fn from_seconds(seconds: i64) -> Option<Self> {
        match seconds.checked_mul(SECOND) {
            Some(nanos) => Self::from_nanos(nanos),
            None => None,
        }
    }

    /// In nanoseconds.
    pub const fn as_nanos(self) -> i64 {
        self.0
    }

    /// In seconds, as answers give granularities.
    pub fn as_seconds(self) -> f64 {
        // Exact for whole seconds, and the nearest double to all others that occur.
        #[expect(clippy::cast_precision_loss, reason = "seconds are wanted, not nanoseconds")]
        let seconds = self.0 as f64 / SECOND as f64;
        seconds
    }

    /// Seconds that are read as the same span: they are cut off to nanoseconds, so a double just below them will not do.
    pub fn as_readable_seconds(self) -> f64 {
        let seconds = self.as_seconds();
        if Self::from_seconds_f64(seconds) == Ok(self) { seconds } else { seconds.next_up() }
    }
}

impl fmt::Display for Timespan {
    /// As Python's `str(timedelta)`: `0:05:00`, `30 days, 0:00:00`, `0:00:00.500000`. To the nearest microsecond, and from the
    /// middle between two to the even one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0 / 1000, self.0 % 1000);
        let micros = whole + i64::from(rest > 500 || rest == 500 && whole % 2 == 1);
        let (seconds, micros) = (micros / 1_000_000, micros % 1_000_000);
        let (days, rest) = (seconds / 86_400, seconds % 86_400);
        match days {
            0 => {}
            1 => write!(f, "1 day, ")?,
            _ => write!(f, "{days} days, ")?,
        }
        write!(f, "{}:{:02}:{:02}", rest / 3600, rest / 60 % 60, rest % 60)?;
        if micros > 0 {
            write!(f, ".{micros:06}")?;
        }
        Ok(())
    }
}
