//! What a connection string says about the store.

use std::path::PathBuf;
use std::time::Duration;

use nephoscope_telemetry::{ConnectionString, Error};

/// Seconds of each unit in which a retention is given.
const UNITS: [(char, u64); 5] = [('s', 1), ('m', 60), ('h', 3_600), ('d', 86_400), ('w', 604_800)];

#[derive(Debug, PartialEq)]
pub(super) struct Options {
    pub(super) path: PathBuf,
    pub(super) retention: Option<Duration>,
}

impl Options {
    pub(super) fn read(to: &ConnectionString) -> Result<Self, Error> {
        to.expect_options(&["retention", "filter_error_trace"])?;
        to.flag("filter_error_trace")?;
        let location = to.location();
        if location.is_empty() {
            return Err(to.wrong("a path is needed, such as `embedded:///var/lib/nephoscope/traces`"));
        }
        let retention = to.option("retention").map(|text| {
            duration(text).ok_or_else(|| {
                to.wrong(format!(
                    "option `retention` is a number and a unit (s, m, h, d, w) such as `30d`, not `{text}`"
                ))
            })
        });
        Ok(Self { path: PathBuf::from(&*location), retention: retention.transpose()? })
    }
}

/// A whole number and its unit; never nothing, which would delete everything at once.
fn duration(text: &str) -> Option<Duration> {
    let unit = text.chars().last()?;
    let (_, seconds) = UNITS.into_iter().find(|(known, _)| *known == unit)?;
    let count: u64 = text.strip_suffix(unit)?.parse().ok()?;
    count.checked_mul(seconds).filter(|seconds| *seconds > 0).map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use nephoscope_telemetry::ErrorKind;

    use super::*;

    fn read(text: &str) -> Result<Options, Error> {
        Options::read(&ConnectionString::parse(text).unwrap())
    }

    #[test]
    fn path_and_retention_are_read() {
        let options = read("embedded:///var/a%20b?retention=30d&filter_error_trace=true").unwrap();
        let month = Duration::from_secs(30 * 86_400);
        assert_eq!(options, Options { path: "/var/a b".into(), retention: Some(month) });
        assert_eq!(read("embedded://rel/dir").unwrap(), Options { path: "rel/dir".into(), retention: None });
    }

    #[test]
    fn what_cannot_be_meant_is_refused_with_the_cure() {
        for (text, cure) in [
            ("embedded://", "a path is needed"),
            ("embedded:///a?retention=30", "such as `30d`"),
            ("embedded:///a?retention=0d", "such as `30d`"),
            ("embedded:///a?retention=-1d", "such as `30d`"),
            ("embedded:///a?retention=1y", "such as `30d`"),
            ("embedded:///a?retention=99999999999999999w", "such as `30d`"),
            ("embedded:///a?retention=", "such as `30d`"),
            ("embedded:///a?retentoin=30d", "known: retention, filter_error_trace"),
            ("embedded:///a?filter_error_trace=maybe", "either true or false"),
        ] {
            let error = read(text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config, "{text}");
            assert!(error.to_string().contains(cure), "{error}");
        }
    }
}
