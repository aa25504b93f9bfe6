//! What the connection string says.

use nephoscope_http::header::AUTHORIZATION;
use nephoscope_http::{Http, OPTIONS, StatusCode};
use nephoscope_telemetry::{ConnectionString, ErrorKind, Result};

/// OSProfiler's name of its index.
const INDEX: &str = "osprofiler-notifications";
/// OSProfiler's name of the type of its documents; only Elasticsearch before 8 has types.
const TYPE: &str = "notification";
/// What OSProfiler puts behind the name of its index for its records of errors.
const ERRORS: &str = "-error";
/// What to do about it.
pub(super) const OUT_OF_DISK: &str = "; free disk space, then it takes points again by itself";
const PORT: u16 = 9200;
/// The longest name that an index can have, in bytes.
const LONGEST_NAME: usize = 255;

/// Where the traces are, and what to keep.
#[derive(Debug)]
pub(super) struct Config {
    pub(super) http: Http,
    pub(super) index: String,
    pub(super) error_index: String,
    pub(super) doc_type: String,
    /// Whether to keep OSProfiler's records of errors.
    pub(super) records: bool,
}

impl Config {
    /// Reads a connection string. What stands before `+` or at the end of the scheme names the product.
    pub(super) fn read(to: &ConnectionString) -> Result<Self> {
        let own = ["api_key", "es_doc_type", "filter_error_trace", "index"];
        to.expect_options(&[&own[..], &OPTIONS].concat())?;
        let name = |option, default: &str| to.option(option).unwrap_or(default).to_owned();
        let (index, doc_type) = (name("index", INDEX), name("es_doc_type", TYPE));
        let error_index = format!("{index}{ERRORS}");
        if let Some(problem) = index_problem(&error_index) {
            return Err(to.wrong(format!("option `index` is no name of an index: {problem}")));
        }
        if doc_type.is_empty() || doc_type.starts_with('_') && doc_type != "_doc" {
            return Err(to.wrong("option `es_doc_type` is a name that does not begin with `_`"));
        }
        let (product, encrypted) = match to.scheme().split_once('+') {
            Some((product, _)) => (product, true),
            None => (to.scheme(), false),
        };
        let product = if product == "opensearch" { "OpenSearch" } else { "Elasticsearch" };
        let path = to.database().map_or_else(String::new, |path| format!("/{path}"));
        let http = Http::new(product, to, encrypted, PORT, &path)?;
        let http = login(http, to)?.with_meaning(meaning);
        Ok(Self { http, index, error_index, doc_type, records: to.flag("filter_error_trace")? })
    }
}

fn login(http: Http, to: &ConnectionString) -> Result<Http> {
    match (to.user(), to.option("api_key")) {
        (None, None) => Ok(http),
        (Some(user), None) => Ok(http.with_basic_auth(user, to.password().unwrap_or_default())),
        (Some(_), Some(_)) => Err(to.wrong("a user and option `api_key` exclude each other")),
        (None, Some(key)) => {
            let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=-_".contains(&byte);
            if key.is_empty() || !key.bytes().all(is_base64) {
                return Err(to.wrong("option `api_key` is the encoded form of a key, in base64"));
            }
            Ok(http.with_secret(key).with_header(AUTHORIZATION, &format!("ApiKey {key}")))
        }
    }
}

/// What the server means by refusing a whole request.
fn meaning(_: StatusCode, text: &str) -> Option<(ErrorKind, &'static str)> {
    is_out_of_disk(text).then_some((ErrorKind::Unavailable, OUT_OF_DISK))
}

/// Whether the server has stopped writing by itself because its disk is nearly full: 403 until Elasticsearch 7.7, then
/// 429, and the number of this block in the text.
pub(super) fn is_out_of_disk(text: &str) -> bool {
    text.contains("FORBIDDEN/12/") || text.contains("TOO_MANY_REQUESTS/12/")
}

/// What is wrong with the name of an index, by the rules of both products; in a path it would name something else.
fn index_problem(name: &str) -> Option<&'static str> {
    let forbidden = |character: char| "\\/*?\"<>| ,#:".contains(character) || character.is_control();
    if name.len() > LONGEST_NAME {
        Some("it is longer than 249 bytes")
    } else if name.to_lowercase() != name {
        Some("it has to be in lower case")
    } else if name.contains(forbidden) {
        Some("one of its characters cannot stand there")
    } else if name.starts_with(['-', '_', '+', '.']) {
        Some("it cannot begin so")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use nephoscope_telemetry::ErrorKind;

    use super::*;

    fn read(text: &str) -> Result<Config> {
        Config::read(&ConnectionString::parse(text).unwrap())
    }

    #[test]
    fn the_index_is_that_of_osprofiler_unless_named() {
        let plain = read("elasticsearch://").unwrap();
        assert_eq!(
            (plain.index.as_str(), plain.error_index.as_str()),
            (INDEX, "osprofiler-notifications-error")
        );
        assert!(!plain.records);
        let named = read("opensearch+https://h/prefix?index=traces&filter_error_trace=1").unwrap();
        assert_eq!((named.index.as_str(), named.error_index.as_str()), ("traces", "traces-error"));
        assert!(named.records);
        assert!(format!("{named:?}").contains("https://h:9200/prefix"), "{named:?}");
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for (text, named) in [
            ("elasticsearch://h?index=Upper", "lower case"),
            ("elasticsearch://h?index=a,b", "characters"),
            ("elasticsearch://h?index=*", "characters"),
            ("elasticsearch://h?index=_all", "begin"),
            ("elasticsearch://h?es_scroll_size=10", "es_scroll_size"),
            ("elasticsearch://h?es_doc_type=_x", "es_doc_type"),
            ("elasticsearch://h?cacert=x", "cacert"),
            ("elasticsearch://h?api_key=a%0Ab", "base64"),
            ("elasticsearch://u:p@h?api_key=ab", "exclude"),
        ] {
            let error = read(text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config, "{text}");
            assert!(error.to_string().contains(named), "{error}");
        }
        let long = format!("elasticsearch://h?index={}", "x".repeat(250));
        assert!(read(&long).is_err());
    }

    #[test]
    fn no_secret_is_shown() {
        for text in ["elasticsearch://nephele:cirrus@h", "opensearch://h?api_key=Y2lycnVz"] {
            let shown = format!("{:?}", read(text).unwrap());
            assert!(!shown.contains("cirrus") && !shown.contains("Y2lycnVz"), "{shown}");
        }
    }
}
