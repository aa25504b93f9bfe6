//! Conditional requests: only if a resource is, or is not, as the client knows it (RFC 9110, 13).

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use httpdate::{fmt_http_date, parse_http_date};
use nephoscope_gnocchi::Resource;
use sha1_smol::Sha1;
use std::time::{Duration, SystemTime};

use super::fault::Fault;

/// What a revision of a resource is known by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Validators {
    etag: String,
    modified: SystemTime,
}

impl Validators {
    pub(super) fn of(resource: &Resource) -> Self {
        let mut digest = Sha1::new();
        digest.update(resource.id.to_string().as_bytes());
        digest.update(resource.revision_start.to_string().as_bytes());
        let seconds = u64::try_from(resource.revision_start.seconds()).unwrap_or_default();
        let modified = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        Self { etag: digest.digest().to_string(), modified }
    }

    /// As headers of an answer.
    pub(super) fn headers(&self) -> [(HeaderName, HeaderValue); 2] {
        let value = |text| HeaderValue::try_from(text).expect("it is ASCII");
        [
            (header::ETAG, value(format!("\"{}\"", self.etag))),
            (header::LAST_MODIFIED, value(fmt_http_date(self.modified))),
        ]
    }

    /// Refuses a request whose conditions do not hold: with 304 one that only reads what the client has already, with 412
    /// any other. Entity tags come before dates.
    pub(super) fn check(&self, method: &Method, headers: &HeaderMap) -> Result<(), Fault> {
        let failed = || Err(Fault::bare(StatusCode::PRECONDITION_FAILED));
        let reads = method == Method::GET || method == Method::HEAD;
        match self.named(headers, header::IF_MATCH) {
            Some(false) => return failed(),
            Some(true) => {}
            None => {
                let since = date(headers, header::IF_UNMODIFIED_SINCE);
                if since.is_some_and(|since| since < self.modified) {
                    return failed();
                }
            }
        }
        let unchanged = match self.named(headers, header::IF_NONE_MATCH) {
            Some(named) => named,
            None => {
                reads && date(headers, header::IF_MODIFIED_SINCE).is_some_and(|since| since >= self.modified)
            }
        };
        match unchanged {
            false => Ok(()),
            true if reads => Err(Fault::bare(StatusCode::NOT_MODIFIED)),
            true => failed(),
        }
    }

    /// Whether a list of entity tags names this one; nothing, where there is no list. A star stands for any, alone.
    fn named(&self, headers: &HeaderMap, name: HeaderName) -> Option<bool> {
        let lists = headers.get_all(name).iter().filter_map(|list| list.to_str().ok());
        let tags: Vec<_> =
            lists.flat_map(|list| list.split(',')).map(str::trim).filter(|tag| !tag.is_empty()).collect();
        if tags.is_empty() {
            return None;
        }
        let is_this = |tag: &&str| tag.strip_prefix("W/").unwrap_or(tag).trim_matches('"') == self.etag;
        Some(tags == ["*"] || tags.iter().any(is_this))
    }
}

fn date(headers: &HeaderMap, name: HeaderName) -> Option<SystemTime> {
    parse_http_date(headers.get(name)?.to_str().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(method: &Method, conditions: &[(HeaderName, &'static str)]) -> u16 {
        let modified = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        let validators = Validators { etag: "abc".into(), modified };
        let mut headers = HeaderMap::new();
        for (name, value) in conditions {
            headers.append(name, HeaderValue::from_static(value));
        }
        validators.check(method, &headers).map_or_else(|fault| fault.status().as_u16(), |()| 200)
    }

    #[test]
    fn conditions_hold_or_do_not() {
        use header::{IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_UNMODIFIED_SINCE};
        let (then, before) = ("Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:36 GMT");
        for (conditions, get, patch) in [
            (vec![], 200, 200),
            (vec![(IF_MATCH, "\"abc\"")], 200, 200),
            (vec![(IF_MATCH, "abc")], 200, 200),
            (vec![(IF_MATCH, "\"x\", W/\"abc\"")], 200, 200),
            (vec![(IF_MATCH, "*")], 200, 200),
            (vec![(IF_MATCH, "\"x\"")], 412, 412),
            (vec![(IF_NONE_MATCH, "\"abc\"")], 304, 412),
            (vec![(IF_NONE_MATCH, "*")], 304, 412),
            (vec![(IF_NONE_MATCH, "\"x\"")], 200, 200),
            (vec![(IF_MODIFIED_SINCE, then)], 304, 200),
            (vec![(IF_MODIFIED_SINCE, before)], 200, 200),
            (vec![(IF_UNMODIFIED_SINCE, then)], 200, 200),
            (vec![(IF_UNMODIFIED_SINCE, before)], 412, 412),
            (vec![(IF_UNMODIFIED_SINCE, "soon")], 200, 200),
            (vec![(IF_NONE_MATCH, "\"x\""), (IF_MODIFIED_SINCE, then)], 200, 200),
            (vec![(IF_MATCH, "\"abc\""), (IF_UNMODIFIED_SINCE, before)], 200, 200),
        ] {
            let found = (check(&Method::GET, &conditions), check(&Method::PATCH, &conditions));
            assert_eq!(found, (get, patch), "{conditions:?}");
        }
    }
}
