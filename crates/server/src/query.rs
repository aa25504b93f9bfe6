//! Query parameters.

use std::borrow::Cow;

use nephoscope_telemetry::Timestamp;
use percent_encoding::percent_decode_str;

use crate::failure::Failure;

/// One parameter of a query, decoded as forms are: `+` is a space.
#[derive(Debug)]
pub(crate) struct Parameter<'a> {
    pub(crate) name: Cow<'a, str>,
    pub(crate) value: String,
}

/// The parameters of a query, in order.
pub(crate) fn parameters(query: Option<&str>) -> impl Iterator<Item = Parameter<'_>> {
    let written = query.unwrap_or_default().split('&').filter(|parameter| !parameter.is_empty());
    written.map(|parameter| {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let value = value.replace('+', " ");
        Parameter {
            name: percent_decode_str(name).decode_utf8_lossy(),
            value: percent_decode_str(&value).decode_utf8_lossy().into_owned(),
        }
    })
}

impl Parameter<'_> {
    /// The failure of a value that is something else than expected.
    pub(crate) fn wrong(&self, expected: &str) -> Failure {
        Failure::bad_request(format!("parameter `{}`: expected {expected}", self.name))
    }

    /// The failure of a parameter that nobody reads.
    pub(crate) fn unknown(&self, known: &str) -> Failure {
        Failure::bad_request(format!("parameter `{}` is not known; known: {known}", self.name))
    }

    /// The value as a time.
    pub(crate) fn time(&self) -> Result<Timestamp, Failure> {
        Timestamp::parse(&self.value).map_err(|error| self.wrong(&error.to_string().replace("not a", "a")))
    }
}
