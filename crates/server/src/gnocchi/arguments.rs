//! The arguments of a query.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;

use super::fault::Fault;
use crate::query::parameters;

/// The arguments of a query, decoded, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Arguments(Vec<(String, String)>);

impl<S: Sync> FromRequestParts<S> for Arguments {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::read(parts.uri.query()))
    }
}

impl Arguments {
    pub(super) fn read(query: Option<&str>) -> Self {
        Self(parameters(query).map(|parameter| (parameter.name.into_owned(), parameter.value)).collect())
    }

    /// All values of an argument that may be given more than once.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The value of an argument that may be given once.
    pub(super) fn one<'a>(&'a self, name: &str) -> Result<Option<&'a str>, Fault> {
        let mut values = self.0.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str());
        match (values.next(), values.next()) {
            (value, None) => Ok(value),
            _ => Err(Fault::argument(name, "Must be given once")),
        }
    }

    /// As [`one`](Self::one); empty is as good as not given.
    pub(super) fn one_filled<'a>(&'a self, name: &str) -> Result<Option<&'a str>, Fault> {
        Ok(self.one(name)?.filter(|value| !value.is_empty()))
    }

    /// An argument that is true or false, in any of the ways that OpenStack writes that.
    pub(super) fn bool(&self, name: &str, default: bool) -> Result<bool, Fault> {
        let Some(value) = self.one(name)? else { return Ok(default) };
        match value.trim().to_lowercase().as_str() {
            "1" | "t" | "true" | "on" | "y" | "yes" => Ok(true),
            "0" | "f" | "false" | "off" | "n" | "no" => Ok(false),
            _ => Err(Fault::new(
                StatusCode::BAD_REQUEST,
                format!(
                    "Unable to parse `{name}': Unrecognized value '{value}', acceptable values are: '0', '1', \
                     'f', 'false', 'n', 'no', 'off', 'on', 't', 'true', 'y', 'yes'"
                ),
            )),
        }
    }

    /// All of them, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_true_is_so_in_any_spelling_and_nothing_else_is() {
        let read = |query| Arguments::read(Some(query)).bool("details", false);
        for query in ["details=1", "details=True", "details=+yes", "details=ON"] {
            assert_eq!(read(query), Ok(true), "{query}");
        }
        for query in ["", "other=1", "details=0", "details=False", "details=n"] {
            assert_eq!(read(query), Ok(false), "{query}");
        }
        for query in ["details=", "details=awesome", "details=1&details=1"] {
            assert_eq!(read(query).unwrap_err().status(), StatusCode::BAD_REQUEST, "{query}");
        }
    }
}
