//! Where this server is, as its clients see it, and links into it.

use std::fmt::Write;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use std::sync::Arc;

use super::Door;
use super::fault::Fault;

/// What Python's `quote` escapes in a path, and its `quote_plus` in a query, where `/` is escaped too.
const QUOTED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'_').remove(b'.').remove(b'-').remove(b'~').remove(b'/');
const QUOTED_IN_QUERY: &AsciiSet = &QUOTED.add(b'/');
/// What WebOb escapes in the path of a request.
const QUOTED_IN_PATH: &AsciiSet = &QUOTED
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=')
    .remove(b':')
    .remove(b'@');

/// Where this server is, as the client of a request sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Links {
    scheme: String,
    host: String,
    prefix: String,
    path: String,
}

impl FromRequestParts<Arc<Door>> for Links {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, door: &Arc<Door>) -> Result<Self, Fault> {
        let own_host = parts.uri.authority().map(ToString::to_string);
        let own_host = own_host.or_else(|| text(&parts.headers, "host")).unwrap_or_default();
        let mut links = Self {
            scheme: "http".into(),
            host: own_host,
            prefix: String::new(),
            path: parts.uri.path().to_owned(),
        };
        if door.settings.proxy_headers {
            links.believe(&parts.headers);
        }
        // It becomes part of a header.
        if HeaderValue::from_str(&links.base()).is_err() {
            return Err(Fault::bare(StatusCode::BAD_REQUEST));
        }
        Ok(links)
    }
}

impl Links {
    /// Takes over what a proxy says: the first entry of `Forwarded` (RFC 7239), or the headers from before it.
    fn believe(&mut self, headers: &HeaderMap) {
        let (proto, host) = match text(headers, "forwarded") {
            Some(forwarded) => {
                let first = forwarded.split(',').next().unwrap_or_default();
                let pair = |wanted: &str| {
                    let pairs = first.split(';').filter_map(|pair| pair.split_once('='));
                    let mut found = pairs.filter(|(name, _)| name.trim().eq_ignore_ascii_case(wanted));
                    found.next_back().map(|(_, value)| value.trim().to_owned())
                };
                (pair("proto"), pair("host"))
            }
            None => (text(headers, "x-forwarded-proto"), text(headers, "x-forwarded-host")),
        };
        let given = |value: Option<String>| value.filter(|value| !value.is_empty());
        if let Some(proto) = given(proto) {
            self.scheme = proto;
        }
        if let Some(host) = given(host) {
            self.host = host;
        }
        if let Some(prefix) = given(text(headers, "x-forwarded-prefix")) {
            self.prefix = prefix;
        }
    }

    /// The address of the server itself, without a slash at the end.
    pub(super) fn base(&self) -> String {
        format!("{}://{}{}", self.scheme, self.host, self.prefix)
    }

    /// The address of the API.
    pub(super) fn api(&self) -> String {
        format!("{}/v1", self.base())
    }

    /// The header that tells where something of the API is that was made: `path` begins with a slash.
    pub(super) fn location(&self, path: &str) -> HeaderValue {
        let quoted = utf8_percent_encode(path, QUOTED);
        HeaderValue::try_from(format!("{}{quoted}", self.api()))
            .expect("the base is checked, the rest quoted")
    }

    /// The header that tells where the next part of a list is, with these arguments in alphabetical order.
    pub(super) fn next(&self, mut arguments: Vec<(String, String)>) -> (header::HeaderName, HeaderValue) {
        // Stable: several of a name stay in their order.
        arguments.sort_by(|(one, _), (other, _)| one.cmp(other));
        let path = percent_decode_str(&self.path).decode_utf8_lossy();
        let path = utf8_percent_encode(&path, QUOTED_IN_PATH);
        let mut link = format!("<{}{path}?", self.base());
        for (number, (name, value)) in arguments.iter().enumerate() {
            let separator = if number == 0 { "" } else { "&" };
            let (name, value) = (quote_plus(name), quote_plus(value));
            write!(link, "{separator}{name}={value}").expect("a String takes all");
        }
        link.push_str(">; rel=\"next\"");
        (header::LINK, HeaderValue::try_from(link).expect("the base is checked, the rest quoted"))
    }
}

fn quote_plus(text: &str) -> String {
    utf8_percent_encode(text, QUOTED_IN_QUERY).to_string().replace("%20", "+")
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links(headers: &[(&'static str, &'static str)]) -> Links {
        let (scheme, host) = ("http".into(), "here:8041".into());
        let mut links = Links { scheme, host, prefix: String::new(), path: "/v1/resource/a%20b".into() };
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_static(value));
        }
        links.believe(&map);
        links
    }

    #[test]
    fn a_proxy_is_believed() {
        for (headers, base) in [
            (vec![], "http://here:8041"),
            (vec![("forwarded", "for=192.0.2.60;proto=https;Host=a, for=x;host=b")], "https://a"),
            (vec![("forwarded", "for=x"), ("x-forwarded-host", "b")], "http://here:8041"),
            (vec![("x-forwarded-host", "b"), ("x-forwarded-proto", "https")], "https://b"),
            (vec![("forwarded", "host=a"), ("x-forwarded-prefix", "/gnocchi")], "http://a/gnocchi"),
        ] {
            assert_eq!(links(&headers).base(), base, "{headers:?}");
        }
    }

    #[test]
    fn links_are_quoted_and_their_arguments_sorted() {
        let links = links(&[]);
        assert_eq!(
            links.location("/archive_policy/a b:é"),
            "http://here:8041/v1/archive_policy/a%20b%3A%C3%A9"
        );
        let pairs = [("sort", "id:asc"), ("limit", "1"), ("sort", "a b"), ("marker", "x@-1/")];
        let arguments = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let (_, link) = links.next(arguments);
        let query = "limit=1&marker=x%40-1%2F&sort=id%3Aasc&sort=a+b";
        assert_eq!(link, format!("<http://here:8041/v1/resource/a%20b?{query}>; rel=\"next\""));
    }
}
