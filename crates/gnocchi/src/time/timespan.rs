//! Lengths of time as text: seconds, or what the Python library pytimeparse reads.

use super::Timespan;
use super::number::{is_space, parse_number};

/// Why a text or number is no [`Timespan`], in Gnocchi's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimespanError {
    /// It is neither a number nor in one of the forms.
    #[error("Unable to parse timespan")]
    Unreadable,
    /// It is nothing, or less.
    #[error("Timespan must be positive")]
    NotPositive,
    /// It is longer than 292 years, or no number.
    #[error("Timespan is too long")]
    TooLong,
}

impl Timespan {
    /// Reads a number of seconds (`60`, `0.5`), units (`5 minutes`, `1h30m`, `1w, 2 days`) or a clock (`0:05:00`, `1:30`,
    /// `1 day, 00:00:00`, `1-00:00:00`).
    ///
    /// Two numbers of a clock are minutes and seconds. A fraction of anything but seconds is cut to whole seconds, unless
    /// seconds have one, too.
    pub fn parse(text: &str) -> Result<Self, TimespanError> {
        parse_signed(text).and_then(|nanos| Self::from_nanos(nanos).ok_or(TimespanError::NotPositive))
    }

    /// A number of seconds, cut off to whole nanoseconds.
    pub fn from_seconds_f64(seconds: f64) -> Result<Self, TimespanError> {
        nanos(seconds).and_then(|nanos| Self::from_nanos(nanos).ok_or(TimespanError::NotPositive))
    }
}

/// Nanoseconds of a text that may go back in time: `-10 seconds`.
pub(super) fn parse_signed(text: &str) -> Result<i64, TimespanError> {
    match parse_number(text).or_else(|| seconds(text)) {
        Some(seconds) => nanos(seconds),
        None => Err(TimespanError::Unreadable),
    }
}

/// In nanoseconds, cut off.
pub(super) fn nanos(seconds: f64) -> Result<i64, TimespanError> {
    let nanos = seconds * 1e9;
    // 2^63 as a double: all doubles below it fit.
    if nanos.abs() < 9_223_372_036_854_775_808.0 {
        #[expect(clippy::cast_possible_truncation, reason = "it fits, and its fraction is to go")]
        let nanos = nanos as i64;
        Ok(nanos)
    } else {
        Err(TimespanError::TooLong)
    }
}

/// The units, from large to small, and the seconds of each.
const UNITS: [(&[&str], u32); 5] = [
    (&["w", "wk", "wks", "week", "weeks"], 604_800),
    (&["d", "dy", "dys", "day", "days"], DAY),
    (&["h", "hr", "hrs", "hour", "hours"], HOUR),
    (&["m", "min", "mins", "minute", "minutes"], MINUTE),
    (&["s", "sec", "secs", "second", "seconds"], 1),
];
const DAY: u32 = 86_400;
const HOUR: u32 = 3_600;
const MINUTE: u32 = 60;

/// Places in [`UNITS`].
const DAYS_PLACE: usize = 1;
const SECONDS_PLACE: usize = 4;

fn seconds(text: &str) -> Option<f64> {
    let text = text.trim_matches(is_space);
    let (sign, unsigned) = match text.as_bytes().first()? {
        b'-' => (-1.0, &text[1..]),
        b'+' => (1.0, &text[1..]),
        _ => (1.0, text),
    };
    unsigned_seconds(unsigned.trim_start_matches(is_space)).map(|seconds| sign * seconds)
}

/// Numbers and the seconds that each is worth; those of seconds themselves are last.
#[derive(Default)]
struct Parts<'a>([Option<(&'a str, u32)>; 5]);

fn unsigned_seconds(text: &str) -> Option<f64> {
    let mut parts = Parts::default();
    let mut rest = text;
    // The place in `UNITS` that the next unit may have at the earliest.
    let mut next = 0;
    while let Some((number, unit, behind)) = number_with_unit(rest) {
        let place = (next..UNITS.len())
            .find(|place| UNITS[*place].0.iter().any(|name| unit.eq_ignore_ascii_case(name)))?;
        parts.0[place] = Some((number, UNITS[place].1));
        next = place + 1;
        rest = behind.trim_start_matches(is_space);
        if place < SECONDS_PLACE
            && let Some(behind) = rest.strip_prefix([',', '/'])
        {
            rest = behind.trim_start_matches(is_space);
        }
    }
    if !rest.is_empty() {
        clock(rest, next, &mut parts)?;
    } else if next == 0 {
        return None;
    }
    parts.sum()
}

/// `5 minutes`, and what is behind it.
fn number_with_unit(text: &str) -> Option<(&str, &str, &str)> {
    let (number, rest) = split_while(text, |c| c.is_ascii_digit() || c == '.');
    let (unit, behind) = split_while(rest.trim_start_matches(is_space), |c| c.is_ascii_alphabetic());
    (!number.is_empty() && !unit.is_empty()).then_some((number, unit, behind))
}

fn split_while(text: &str, belongs: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !belongs(c)).unwrap_or(text.len()))
}

/// What stands behind units up to `next`, or alone where that is 0: `1:30`, `0:05:00`, `:30`, `1-00:00:00`.
fn clock<'a>(text: &'a str, next: usize, parts: &mut Parts<'a>) -> Option<()> {
    let (main, seconds) = text.rsplit_once(':')?;
    let (whole, fraction) = seconds.split_once('.').map_or((seconds, None), |(w, f)| (w, Some(f)));
    if !is_digits(whole, 2, 2) || fraction.is_some_and(|fraction| !is_digits(fraction, 1, usize::MAX)) {
        return None;
    }
    let mut fields = main.split([':', '-']);
    let fields = [fields.next()?, fields.next().unwrap_or(""), fields.next().unwrap_or("")]
        .map(|field| (field, field.len()));
    let separators = main.bytes().filter(|byte| matches!(byte, b':' | b'-')).count();
    // A dash stands between days and hours alone.
    let dash = main.find('-');
    let large = match (fields, separators) {
        ([("", _), ..], 0) if next == 0 => [None, None, None],
        ([(minutes, 1 | 2), ..], 0) if next == 0 => [None, None, Some(minutes)],
        ([(hours, 1..), (minutes, 2), _], 1) if next <= DAYS_PLACE + 1 && dash.is_none() => {
            [None, Some(hours), Some(minutes)]
        }
        ([(days, 1..), (hours, 2), (minutes, 2)], 2)
            if next == 0
                && dash.is_none_or(|at| at == days.len())
                && !main[days.len() + 1..].contains('-') =>
        {
            [Some(days), Some(hours), Some(minutes)]
        }
        _ => return None,
    };
    for (place, (value, worth)) in large.into_iter().zip([DAY, HOUR, MINUTE]).enumerate() {
        if let Some(value) = value {
            if !is_digits(value, 1, usize::MAX) {
                return None;
            }
            parts.0[DAYS_PLACE + place] = Some((value, worth));
        }
    }
    parts.0[SECONDS_PLACE] = Some((seconds, 1));
    Some(())
}

fn is_digits(text: &str, least: usize, most: usize) -> bool {
    (least..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

impl Parts<'_> {
    /// Together. Without a fraction of seconds in whole seconds, counted exactly.
    #[expect(clippy::cast_precision_loss, reason = "as Python makes floats of its integers")]
    fn sum(&self) -> Option<f64> {
        let parts = self.0.iter().flatten();
        match self.0[SECONDS_PLACE] {
            Some((seconds, _)) if !is_digits(seconds, 1, usize::MAX) => {
                // From large to small, as rounding may depend on it.
                parts.map(|(number, worth)| Some(f64::from(*worth) * number.parse::<f64>().ok()?)).sum()
            }
            _ => {
                let mut sum = 0_u128;
                for (number, worth) in parts {
                    sum = sum.checked_add(decimal(number)?.checked_mul(u128::from(*worth))?)?;
                }
                Some((sum / DECIMAL_ONE) as f64)
            }
        }
    }
}

/// One, as [`decimal`] has it: 18 places.
const DECIMAL_ONE: u128 = 10_u128.pow(18);

/// An exact decimal number of 18 places; further ones are left out, as they cannot fill a second.
fn decimal(number: &str) -> Option<u128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.len() + fraction.len() == 0 || !is_digits(fraction, 0, usize::MAX) {
        return None;
    }
    let whole: u128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let fraction = fraction.bytes().chain(std::iter::repeat(b'0')).take(18);
    let fraction = fraction.fold(0, |value, digit| value * 10 + u128::from(digit - b'0'));
    whole.checked_mul(DECIMAL_ONE)?.checked_add(fraction)
}
