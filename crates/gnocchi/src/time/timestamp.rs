//! Moments as numbers and text, in all forms that Gnocchi takes.

use super::number::parse_number;
use super::{SECOND, Timestamp, timespan};

/// Why a text or number is no [`Timestamp`], in Gnocchi's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimestampError {
    /// It is in none of the forms, or not in that of those before it, or after 2262.
    #[error("Unable to convert timestamps")]
    Unreadable,
    /// It is before 1970.
    #[error("Timestamp must be after Epoch")]
    BeforeEpoch,
}

impl Timestamp {
    /// Reads a moment: seconds since 1970 (`1735689600.5`), ISO 8601 (`2025-01-01T00:00:00.5+00:00`; with no offset it is
    /// UTC), or a span from now (`-10 seconds`; see [`Timespan::parse`](crate::Timespan::parse)).
    pub fn parse(text: &str, now: Self) -> Result<Self, TimestampError> {
        Timestamps::new(now).text(text)
    }

    /// So many seconds after 1970, cut off to whole nanoseconds.
    pub fn from_seconds_f64(seconds: f64) -> Result<Self, TimestampError> {
        let nanos = timespan::nanos(seconds).map_err(|_| TimestampError::Unreadable)?;
        not_before_epoch(nanos)
    }
}

/// Reads the timestamps of one list, all of which have the form of the first.
#[derive(Clone, Copy, Debug)]
pub struct Timestamps {
    now: Timestamp,
    form: Option<Form>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Seconds,
    Iso,
    Span,
}

impl Timestamps {
    /// Spans are counted from `now`.
    pub const fn new(now: Timestamp) -> Self {
        Self { now, form: None }
    }

    /// Reads one that is text.
    #[inline]
    pub fn text(&mut self, text: &str) -> Result<Timestamp, TimestampError> {
        match self.form {
            Some(Form::Iso) => iso(text.as_bytes(), self.now),
            Some(Form::Seconds) => {
                parse_number(text).ok_or(TimestampError::Unreadable).and_then(Timestamp::from_seconds_f64)
            }
            Some(Form::Span) => self.span(timespan::parse_signed(text)),
            None => self.first(text),
        }
    }

    /// Reads one that is a number.
    #[inline]
    pub fn number(&mut self, number: f64) -> Result<Timestamp, TimestampError> {
        match self.form {
            None | Some(Form::Seconds) => {
                self.form = Some(Form::Seconds);
                Timestamp::from_seconds_f64(number)
            }
            Some(Form::Span) => self.span(timespan::nanos(number)),
            // Gnocchi takes an integer among ISO texts for nanoseconds; nobody can mean that.
            Some(Form::Iso) => Err(TimestampError::Unreadable),
        }
    }

    fn first(&mut self, text: &str) -> Result<Timestamp, TimestampError> {
        // What begins with a year and a month is no number, and what is a number is no year.
        if text.as_bytes().get(4) == Some(&b'-')
            && text.as_bytes()[..4].iter().all(u8::is_ascii_digit)
            && let Ok(timestamp) = iso(text.as_bytes(), self.now)
        {
            self.form = Some(Form::Iso);
            return Ok(timestamp);
        }
        if let Some(seconds) = parse_number(text) {
            return self.number(seconds);
        }
        let (form, read) = match iso(text.as_bytes(), self.now) {
            Err(TimestampError::Unreadable) => (Form::Span, self.span(timespan::parse_signed(text))),
            read => (Form::Iso, read),
        };
        self.form = Some(form);
        read
    }

    fn span(&self, nanos: Result<i64, timespan::TimespanError>) -> Result<Timestamp, TimestampError> {
        let nanos = nanos.ok().and_then(|nanos| self.now.as_nanos().checked_add(nanos));
        nanos.ok_or(TimestampError::Unreadable).and_then(not_before_epoch)
    }
}

const fn not_before_epoch(nanos: i64) -> Result<Timestamp, TimestampError> {
    if nanos < 0 { Err(TimestampError::BeforeEpoch) } else { Ok(Timestamp::from_nanos(nanos)) }
}

/// ISO 8601 as numpy takes it: a year and a month at least; a time with its hour at least, of two digits each; up to 18
/// places, of which nine count; an offset behind a time; white space before and, behind a time, after. And the words
/// `now` and `today`.
fn iso(text: &[u8], now: Timestamp) -> Result<Timestamp, TimestampError> {
    read_iso(text, now).ok_or(TimestampError::Unreadable).and_then(|nanos| match i64::try_from(nanos) {
        Ok(nanos) => not_before_epoch(nanos),
        Err(_) if nanos < 0 => Err(TimestampError::BeforeEpoch),
        Err(_) => Err(TimestampError::Unreadable),
    })
}

/// The last year that is read: numbers stay small, and it is beyond what a timestamp can hold.
const LAST_YEAR: i64 = 9999;

fn read_iso(text: &[u8], now: Timestamp) -> Option<i128> {
    if text.eq_ignore_ascii_case(b"now") {
        return Some(i128::from(now.seconds()) * i128::from(SECOND));
    }
    if text.eq_ignore_ascii_case(b"today") {
        return Some(i128::from(now.seconds() - now.seconds().rem_euclid(DAY)) * i128::from(SECOND));
    }
    let mut rest = Bytes(text);
    rest.skip_space();
    let negative = rest.take(b'-');
    if !negative {
        rest.take(b'+');
    }
    let year = if negative { -rest.year()? } else { rest.year()? };
    if rest.0.is_empty() {
        return nanos_of([year, 1, 1], 0, 0);
    }
    let month = rest.expect(b'-')?.two_digits(1, 12)?;
    if rest.0.is_empty() {
        return nanos_of([year, month, 1], 0, 0);
    }
    let day = rest.expect(b'-')?.two_digits(1, days_of_month(year, month))?;
    if rest.0.is_empty() {
        return nanos_of([year, month, day], 0, 0);
    }
    if !rest.take(b'T') && !rest.take(b' ') {
        return None;
    }
    let hour = rest.two_digits(0, 23)?;
    let (mut minute, mut second, mut fraction) = (0, 0, 0);
    if rest.take(b':') {
        minute = rest.two_digits(0, 59)?;
        if rest.take(b':') {
            second = rest.two_digits(0, 59)?;
            if rest.take(b'.') {
                fraction = rest.fraction()?;
            }
        }
    }
    let offset = rest.offset()?;
    nanos_of([year, month, day], (hour * 60 + minute - offset) * 60 + second, fraction)
}

/// Seconds of a day.
const DAY: i64 = 86_400;

fn nanos_of([year, month, day]: [i64; 3], seconds: i64, nanos: i64) -> Option<i128> {
    let seconds = days_from_civil(year, month, day) * DAY + seconds;
    Some(i128::from(seconds) * i128::from(SECOND) + i128::from(nanos))
}

/// Days from 1970-01-01 to a day of the Gregorian calendar. Years are counted from March here, so that the leap day
/// is the last of its year.
const fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

const fn days_of_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// What is still to read.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn take(&mut self, byte: u8) -> bool {
        match self.0.split_first() {
            Some((first, rest)) if *first == byte => {
                self.0 = rest;
                true
            }
            _ => false,
        }
    }

    fn expect(&mut self, byte: u8) -> Option<&mut Self> {
        self.take(byte).then_some(self)
    }

    /// White space as C has it.
    fn skip_space(&mut self) {
        while let [b' ' | b'\t'..=b'\r', rest @ ..] = self.0 {
            self.0 = rest;
        }
    }

    fn year(&mut self) -> Option<i64> {
        let (mut year, mut digits) = (0, false);
        while let [digit @ b'0'..=b'9', rest @ ..] = self.0 {
            (year, digits) = (year * 10 + i64::from(digit - b'0'), true);
            self.0 = rest;
            if year > LAST_YEAR {
                return None;
            }
        }
        digits.then_some(year)
    }

    fn two_digits(&mut self, least: i64, most: i64) -> Option<i64> {
        let [tens @ b'0'..=b'9', ones @ b'0'..=b'9', rest @ ..] = self.0 else { return None };
        self.0 = rest;
        let value = i64::from(tens - b'0') * 10 + i64::from(ones - b'0');
        (least..=most).contains(&value).then_some(value)
    }

    /// In nanoseconds.
    fn fraction(&mut self) -> Option<i64> {
        let (mut nanos, mut places) = (0, 0);
        while let [digit @ b'0'..=b'9', rest @ ..] = self.0 {
            if places < 9 {
                nanos = nanos * 10 + i64::from(digit - b'0');
            }
            places += 1;
            self.0 = rest;
        }
        (places <= 18).then(|| nanos * 10_i64.pow(9_u32.saturating_sub(places)))
    }

    /// In minutes, up to the end.
    fn offset(&mut self) -> Option<i64> {
        let sign = match self.0.first() {
            Some(b'Z') => 0,
            Some(b'+') => 1,
            Some(b'-') => -1,
            _ => {
                self.skip_space();
                return self.0.is_empty().then_some(0);
            }
        };
        self.0 = &self.0[1..];
        let mut minutes = 0;
        if sign != 0 {
            minutes = self.two_digits(0, 23)? * 60;
            if self.0.is_empty() {
                return Some(sign * minutes);
            }
            self.take(b':');
            minutes += self.two_digits(0, 59)?;
        }
        self.skip_space();
        self.0.is_empty().then_some(sign * minutes)
    }
}
