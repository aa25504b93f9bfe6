//! What a connection string says about the store.

use std::path::PathBuf;
use std::time::Duration;

use nephoscope_telemetry::{ConnectionString, Error};

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
        Ok(Self { path: PathBuf::from(&*location), retention: to.period("retention")? })
    }
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
