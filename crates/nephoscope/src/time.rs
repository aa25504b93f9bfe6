//! Times and durations as people write them on a command line.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nephoscope_telemetry::Timestamp;

/// The units of a duration, in milliseconds.
const UNITS: [(&str, u64); 6] =
    [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000), ("w", 604_800_000)];

/// The time now.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// Reads a number with its unit, such as `30d`, `12h`, `90s` or `250ms`.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let millis = UNITS.iter().find(|(name, _)| *name == unit).map(|(_, millis)| millis);
    match (number.parse::<u64>(), millis) {
        (Ok(number), Some(millis)) => {
            number.checked_mul(*millis).map(Duration::from_millis).ok_or_else(|| "that is too long".into())
        }
        _ => Err("expected a number and a unit: ms, s, m, h, d or w, as in 30d".into()),
    }
}

/// A duration as [`parse_duration`] reads it.
pub(crate) fn show_duration(duration: Duration) -> String {
    let all = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let whole = UNITS.iter().rev().find(|(_, millis)| all > 0 && all.is_multiple_of(*millis));
    let (unit, millis) = whole.unwrap_or(&UNITS[1]);
    format!("{}{unit}", all / millis)
}

/// Reads milliseconds, or a duration with its unit.
pub(crate) fn parse_milliseconds(text: &str) -> Result<Duration, String> {
    match text.parse::<f64>() {
        Ok(millis) => Duration::try_from_secs_f64(millis / 1_000.0)
            .map_err(|_| "expected milliseconds, not negative".to_owned()),
        Err(_) => parse_duration(text),
    }
}

/// Reads a time, a day, or how long ago it is meant: `2026-01-31T12:00:00`, `2026-01-31`, `30d`.
pub(crate) fn parse_moment(text: &str) -> Result<Timestamp, String> {
    parse_moment_from(text, now())
}

fn parse_moment_from(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    if let Ok(time) = Timestamp::parse(text).or_else(|_| Timestamp::parse(&format!("{text}T00:00:00"))) {
        return Ok(time);
    }
    match parse_duration(text) {
        Ok(ago) => {
            let ago = i64::try_from(ago.as_micros()).unwrap_or(i64::MAX);
            Ok(Timestamp::from_micros(now.as_micros().saturating_sub(ago)))
        }
        Err(_) => {
            Err("expected a time as 2026-01-31T12:00:00 or 2026-01-31 (UTC), or an age as 30d or 12h".into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units() {
        for (text, seconds) in
            [("30d", 2_592_000.0), ("12h", 43_200.0), ("90s", 90.0), ("250ms", 0.25), ("0m", 0.0)]
        {
            assert_eq!(parse_duration(text).unwrap().as_secs_f64(), seconds, "{text}");
        }
        for text in
            ["", "30", "d", "-1d", "1.5h", "3 d", "1y", "99999999999999999999d", "18446744073709551615w"]
        {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn durations_are_shown_as_they_are_read() {
        for text in ["250ms", "90s", "36h", "30d", "4w", "0s"] {
            assert_eq!(show_duration(parse_duration(text).unwrap()), text);
        }
    }

    #[test]
    fn a_minimum_is_in_milliseconds_unless_it_has_a_unit() {
        assert_eq!(parse_milliseconds("1.5").unwrap(), Duration::from_micros(1_500));
        assert_eq!(parse_milliseconds("2s").unwrap(), Duration::from_secs(2));
        assert!(parse_milliseconds("-1").is_err());
        assert!(parse_milliseconds("NaN").is_err());
    }

    #[test]
    fn a_moment_is_a_time_a_day_or_an_age() {
        let now = Timestamp::parse("2026-01-31T12:00:00").unwrap();
        for (text, expected) in [
            ("2026-01-30", "2026-01-30T00:00:00.000000"),
            ("2026-01-30T01:02:03.5", "2026-01-30T01:02:03.500000"),
            ("30d", "2026-01-01T12:00:00.000000"),
            ("9999999d", "0001-01-01T00:00:00.000000"),
        ] {
            assert_eq!(parse_moment_from(text, now).unwrap().to_string(), expected);
        }
        assert!(parse_moment_from("yesterday", now).is_err());
    }
}
