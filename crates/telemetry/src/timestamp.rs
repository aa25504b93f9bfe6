//! Times, to the microsecond.

use std::fmt;

/// A point in time: microseconds since 1970-01-01T00:00:00 UTC.
///
/// Displays as OSProfiler writes it: `%Y-%m-%dT%H:%M:%S.%f`, UTC without a zone, always six digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(i64);

/// A text that names no time between the years 1 and 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a time of the form 2026-01-31T23:59:59.123456")]
pub struct InvalidTimestamp;

/// 0001-01-01T00:00:00 and 9999-12-31T23:59:59.999999: what Python's `datetime`, and so OSProfiler, can hold.
const FIRST: i64 = -62_135_596_800_000_000;
const LAST: i64 = 253_402_300_799_999_999;
/// How OSProfiler spells a time, with zeros for its digits.
const USUAL: &str = "0000-00-00T00:00:00.000000";

impl Timestamp {
    /// The time this many microseconds after 1970-01-01T00:00:00 UTC, brought into the years 1 to 9999.
    pub const fn from_micros(micros: i64) -> Self {
        if micros < FIRST {
            Self(FIRST)
        } else if micros > LAST {
            Self(LAST)
        } else {
            Self(micros)
        }
    }

    /// Microseconds since 1970-01-01T00:00:00 UTC.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Reads what OSProfiler writes, and what its reader refuses but is plain enough: a time without a fraction,
    /// a fraction of up to nine digits (cut to microseconds), `Z` or a numeric offset, a space instead of `T`.
    pub fn parse(text: &str) -> Result<Self, InvalidTimestamp> {
        parse(text.as_bytes()).ok_or(InvalidTimestamp)
    }
}

fn parse(text: &[u8]) -> Option<Timestamp> {
    let mut rest = text;
    let year = digits(&mut rest, 4, 4)?;
    byte(&mut rest, b"-")?;
    let month = digits(&mut rest, 1, 2)?;
    byte(&mut rest, b"-")?;
    let day = digits(&mut rest, 1, 2)?;
    byte(&mut rest, b"T ")?;
    let hour = digits(&mut rest, 1, 2)?;
    byte(&mut rest, b":")?;
    let minute = digits(&mut rest, 1, 2)?;
    byte(&mut rest, b":")?;
    let second = digits(&mut rest, 1, 2)?;
    let micros = if byte(&mut rest, b".").is_some() { fraction(&mut rest)? } else { 0 };
    let offset_seconds = offset(&mut rest)?;
    if !rest.is_empty() || year == 0 {
        return None;
    }
    let valid = (1..=12).contains(&month)
        && (1..=days_in_month(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    if !valid {
        return None;
    }
    let seconds =
        days_before(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset_seconds;
    let micros = seconds * 1_000_000 + micros;
    (FIRST..=LAST).contains(&micros).then_some(Timestamp(micros))
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 to a date of the Gregorian calendar. Years are counted from March, so that a leap day is
/// the last of its year, and in eras of 400 years, which all have 146,097 days.
fn days_before(year: i64, month: i64, day: i64) -> i64 {
    let year = if month > 2 { year } else { year - 1 };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// The inverse of [`days_before`]: year, month and day.
fn date_of(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month, day_of_year - (153 * shifted + 2) / 5 + 1)
}

/// Takes at least `least` and at most `most` digits.
fn digits(rest: &mut &[u8], least: usize, most: usize) -> Option<i64> {
    let count = rest.iter().take(most).take_while(|byte| byte.is_ascii_digit()).count();
    let (number, after) = rest.split_at(count);
    *rest = after;
    (count >= least).then(|| number.iter().fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0')))
}

fn byte(rest: &mut &[u8], accepted: &[u8]) -> Option<u8> {
    let (&first, after) = rest.split_first()?;
    accepted.contains(&first).then(|| *rest = after).map(|()| first)
}

fn fraction(rest: &mut &[u8]) -> Option<i64> {
    let before = rest.len();
    let number = digits(rest, 1, 9)?;
    let count = before - rest.len();
    let scale = |exponent: usize| 10_i64.pow(u32::try_from(exponent).expect("at most nine digits"));
    Some(if count <= 6 { number * scale(6 - count) } else { number / scale(count - 6) })
}

/// Seconds east of UTC: nothing, `Z`, `+hh:mm`, `+hhmm` or `+hh`.
fn offset(rest: &mut &[u8]) -> Option<i64> {
    let sign = match byte(rest, b"Zz+-") {
        Some(b'+') => 1,
        Some(b'-') => -1,
        _ => return Some(0),
    };
    let hours = digits(rest, 2, 2)?;
    let _colon = byte(rest, b":");
    let minutes = if rest.is_empty() { 0 } else { digits(rest, 2, 2)? };
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

impl Timestamp {
    /// Whether the text, which was read as a time, is spelled as this type displays.
    pub(crate) fn is_usual_spelling(text: &str) -> bool {
        // The separators of a time that was read are in order; a zone would make it longer, and so would more digits.
        text.len() == USUAL.len()
            && text
                .bytes()
                .zip(USUAL.bytes())
                .all(|(byte, usual)| (byte == usual) || usual == b'0' && byte.is_ascii_digit())
    }

    /// Appends the time as it displays.
    pub(crate) fn write(self, out: &mut String) {
        out.push_str(std::str::from_utf8(&self.spell()).expect("digits and separators are ASCII"));
    }

    fn spell(self) -> [u8; USUAL.len()] {
        let (seconds, micros) = (self.0.div_euclid(1_000_000), self.0.rem_euclid(1_000_000));
        let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let (year, month, day) = date_of(days);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        let mut text = *USUAL.as_bytes().first_chunk().expect("it is as long as itself");
        let places = [(4, year), (7, month), (10, day), (13, hour), (16, minute), (19, second), (26, micros)];
        for (end, mut number) in places {
            let mut at = end;
            while number > 0 {
                at -= 1;
                text[at] = b'0' + u8::try_from(number % 10).expect("it is a digit");
                number /= 10;
            }
        }
        text
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(std::str::from_utf8(&self.spell()).expect("digits and separators are ASCII"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_osprofiler_writes_is_read() {
        let time = Timestamp::parse("2026-01-02T03:04:05.001499").unwrap();
        assert_eq!(time.as_micros(), 1_767_323_045_001_499);
        assert_eq!(Timestamp::parse("1970-01-01T00:00:00.1").unwrap().as_micros(), 100_000);
        assert_eq!(Timestamp::parse("1969-12-31T23:59:59.999999").unwrap().as_micros(), -1);
    }

    #[test]
    fn what_its_reader_refuses_but_is_plain_is_read_too() {
        let noon = Timestamp::parse("2026-01-01T12:00:00.000000").unwrap();
        for text in [
            "2026-01-01T12:00:00",
            "2026-01-01 12:00:00.000000",
            "2026-01-01T12:00:00.00000Z",
            "2026-01-01 12:00:00",
            "2026-01-01T12:00:00Z",
            "2026-01-01T14:30:00.000+02:30",
            "2026-01-01T10:00:00-0200",
            "2026-01-01T12:00:00.000000999",
            "2026-1-1T12:0:0",
        ] {
            assert_eq!(Timestamp::parse(text), Ok(noon), "{text}");
            assert!(!Timestamp::is_usual_spelling(text), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "now",
            "2026-02-30T00:00:00.0",
            "2026-01-01",
            "2026-01-01T24:00:00",
            "2026-01-01T00:00:60.0",
            "-001-01-01T00:00:00.0",
            "0000-01-01T00:00:00.0",
            "2026-01-01T00:00:00.",
            "2026-01-01T00:00:00.1234567890",
            "2026-01-01T00:00:00.0 ",
            "2026-01-01T00:00:00+99:00",
            "0001-01-01T00:00:00+01:00",
        ] {
            assert_eq!(Timestamp::parse(text), Err(InvalidTimestamp), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_time_survives_its_text(micros in FIRST..=LAST) {
            let time = Timestamp::from_micros(micros);
            prop_assert_eq!(time.as_micros(), micros);
            prop_assert_eq!(time.to_string().len(), 26);
            prop_assert_eq!(Timestamp::parse(&time.to_string()), Ok(time));
            prop_assert!(Timestamp::is_usual_spelling(&time.to_string()));
        }

        #[test]
        fn no_text_makes_it_panic(text in ".*") {
            let _outcome = Timestamp::parse(&text);
        }
    }
}
