//! Long lists, which the API gives in parts.

use std::collections::HashSet;

use nephoscope_gnocchi::{Error, Page, Result, Timestamp};
use percent_encoding::percent_decode_str;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::api::{Api, Ask};
use crate::read::{WireMetric, WireResource};
use crate::{read, write};

/// How many items are asked for at a time: as many as a Gnocchi gives that nobody has told otherwise.
const PART: usize = 1000;
/// How many items a list has at most: several times those of the largest clouds. An endless list ends here.
const MAX_LISTED: usize = 10_000_000;

/// What is listed in parts.
pub(crate) trait Listed: DeserializeOwned {
    /// What names it as a marker.
    fn marker(&self) -> String;
    /// What it is one of, and which one of that it is.
    fn key(&self) -> (Uuid, Timestamp);
}

/// All items of a page, in as many requests as it takes, each once.
///
/// Gnocchi 4.7.1 gives the items of a part of a history in any order and takes the last of them for the marker, so that
/// the next part has most of them again.
pub(crate) async fn all<T: Listed>(api: &Api, ask: Ask, page: &Page) -> Result<Vec<T>> {
    let mut items: Vec<T> = Vec::new();
    let mut part = page.clone();
    let mut seen = HashSet::new();
    // The markers before the one in use, of the same part: the last is tried first when that one is gone.
    let mut others: Vec<String> = Vec::new();
    loop {
        items.truncate(page.limit.unwrap_or(MAX_LISTED));
        let missing = page.limit.unwrap_or(MAX_LISTED).saturating_sub(items.len());
        if missing == 0 {
            return Ok(items);
        }
        let limit = missing.min(PART);
        let ask = ask.clone().query("limit", limit.to_string()).queries(write::page(&part));
        let answer = match api.ask(ask).await {
            // Somebody deleted what the marker names. What is behind it is behind the one before it, too.
            Err(Error::InvalidPagination(_)) if !items.is_empty() => {
                part.marker = Some(others.pop().ok_or_else(changed)?);
                continue;
            }
            answer => answer?,
        };
        let some: Vec<T> = read::json(&answer)?;
        let next = answer.header("link").and_then(next_marker).filter(|_| !some.is_empty());
        others = some.iter().rev().skip(1).map(Listed::marker).collect();
        others.reverse();
        let count = items.len();
        items.extend(some.into_iter().filter(|item| seen.insert(item.key())));
        let Some(next) = next else { return Ok(items) };
        if items.len() == count {
            return Err(read::strange(&answer, &"the list goes round in a circle"));
        }
        if items.len() >= MAX_LISTED {
            return Err(Error::Internal {
                message: format!("Gnocchi lists more than {MAX_LISTED} items; ask for fewer"),
                source: None,
            });
        }
        part.marker = Some(next);
    }
}

/// All of a part are gone.
fn changed() -> Error {
    let message = "the list changed while it was read: a whole part of it was deleted".into();
    Error::Unavailable { message, source: None }
}

impl Listed for WireMetric {
    fn marker(&self) -> String {
        self.id.to_string()
    }

    fn key(&self) -> (Uuid, Timestamp) {
        (self.id, Timestamp::EPOCH)
    }
}

impl Listed for WireResource {
    /// Of a list of revisions no marker: their numbers are not told.
    fn marker(&self) -> String {
        self.id.to_string()
    }

    fn key(&self) -> (Uuid, Timestamp) {
        (self.id, self.revision_start)
    }
}

/// The marker in the link to the next part (RFC 8288). The rest of the link is not used: a proxy may have made it wrong.
fn next_marker(header: &str) -> Option<String> {
    let mut rest = header;
    while let Some((_, behind)) = rest.split_once('<') {
        let (target, parameters) = behind.split_once('>')?;
        let end = parameters.find('<').unwrap_or(parameters.len());
        let (own, others) = parameters.split_at(end);
        if own.split([';', ',']).any(|parameter| is_next(parameter.trim())) {
            return marker(target);
        }
        rest = others;
    }
    None
}

fn is_next(parameter: &str) -> bool {
    parameter.split_once('=').is_some_and(|(name, value)| {
        name.trim().eq_ignore_ascii_case("rel") && value.trim().trim_matches('"') == "next"
    })
}

fn marker(target: &str) -> Option<String> {
    let (_, query) = target.split_once('?')?;
    let marker = query.split('&').find_map(|argument| argument.strip_prefix("marker="))?;
    let marker = percent_decode_str(marker).decode_utf8().ok()?;
    (!marker.is_empty()).then(|| marker.into_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_marker_is_found_in_the_link_to_the_next_part() {
        for (header, marker) in [
            ("<http://h/v1/metric?limit=1&marker=a%40-1&sort=id%3Aasc>; rel=\"next\"", Some("a@-1")),
            ("<x?marker=a>; rel=\"prev\", <y?marker=b>; title=t;REL = next", Some("b")),
            ("<x?marker=>; rel=next", None),
            ("<x?limit=1>; rel=next", None),
            ("<x>; rel=next", None),
            ("<x?marker=a>; rel=\"last\"", None),
            ("x?marker=a; rel=next", None),
            ("<x?marker=a", None),
            ("", None),
        ] {
            assert_eq!(next_marker(header).as_deref(), marker, "{header}");
        }
    }

    proptest! {
        #[test]
        fn any_header_is_taken(header in "[<>;,?&=a-c \"]*(marker=)?.*") {
            drop(next_marker(&header));
        }

        #[test]
        fn any_marker_is_found(marker in ".+") {
            let header = format!("<http://h/?a=b&marker={}>; rel=\"next\"", nephoscope_http::segment(&marker));
            prop_assert_eq!(next_marker(&header), Some(marker));
        }
    }
}
