//! Options that are a length of time.

use std::time::Duration;

use super::ConnectionString;
use crate::Error;

/// Seconds of each unit.
const UNITS: [(char, u64); 5] = [('s', 1), ('m', 60), ('h', 3_600), ('d', 86_400), ('w', 604_800)];

impl ConnectionString {
    /// An option that is a whole number and its unit, such as `30d`, and never nothing: a retention of that would
    /// delete everything at once.
    pub fn period(&self, name: &str) -> Result<Option<Duration>, Error> {
        let Some(text) = self.option(name) else { return Ok(None) };
        let wrong = || {
            self.wrong(format!(
                "option `{name}` is a number and a unit (s, m, h, d, w) such as `30d`, not `{text}`"
            ))
        };
        parse(text).map(Some).ok_or_else(wrong)
    }
}

fn parse(text: &str) -> Option<Duration> {
    let unit = text.chars().last()?;
    let (_, seconds) = UNITS.into_iter().find(|(known, _)| *known == unit)?;
    let count: u64 = text.strip_suffix(unit)?.parse().ok()?;
    count.checked_mul(seconds).filter(|seconds| *seconds > 0).map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn period(text: &str) -> Result<Option<Duration>, Error> {
        ConnectionString::parse(&format!("x://?retention={text}")).unwrap().period("retention")
    }

    #[test]
    fn every_unit_is_read() {
        for (text, seconds) in [("1s", 1), ("2m", 120), ("3h", 10_800), ("30d", 2_592_000), ("1w", 604_800)] {
            assert_eq!(period(text).unwrap(), Some(Duration::from_secs(seconds)));
        }
        assert_eq!(ConnectionString::parse("x://").unwrap().period("retention").unwrap(), None);
    }

    #[test]
    fn what_cannot_be_meant_is_refused_with_the_cure() {
        for text in ["30", "0d", "-1d", "1y", "99999999999999999w", "", "1é"] {
            let error = period(text).unwrap_err();
            assert!(error.to_string().contains("such as `30d`"), "{error}");
        }
    }
}
