//! A MongoDB that somebody else runs.

use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

/// The servers that `NEPHOSCOPE_TEST_MONGODB` names by a connection string. Its user has to be allowed to make
/// databases; theirs are called `nephoscope_test_…` and are left behind.
#[derive(Debug)]
pub struct Mongod {
    url: String,
}

impl Mongod {
    /// The one that is named, if one is.
    pub fn named() -> Option<Self> {
        let url = std::env::var("NEPHOSCOPE_TEST_MONGODB").ok().filter(|url| !url.is_empty())?;
        Some(Self { url })
    }

    /// The connection string, with a database that nobody used before.
    pub fn fresh_url(&self) -> String {
        static USED: AtomicU32 = AtomicU32::new(0);
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let number = USED.fetch_add(1, Ordering::Relaxed);
        let database = format!("nephoscope_test_{}_{}_{number}", now.as_secs(), process::id());
        with_option(&self.url, &format!("database={database}"))
    }

    /// The connection string, with a user that nobody knows and this password.
    pub fn stranger_url(&self, password: &str) -> String {
        let (scheme, rest) = self.url.split_once("://").unwrap_or(("mongodb", &self.url));
        let place = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
        format!("{scheme}://nobody:{password}@{place}")
    }
}

fn with_option(url: &str, option: &str) -> String {
    let place = url.split_once("://").map_or(url, |(_, place)| place);
    let separator = match (place.contains('?'), place.contains('/')) {
        (true, _) => "&",
        (false, true) => "?",
        (false, false) => "/?",
    };
    format!("{url}{separator}{option}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_comes_where_options_are() {
        for (url, expected) in [
            ("mongodb://h", "mongodb://h/?a=1"),
            ("mongodb://h/", "mongodb://h/?a=1"),
            ("mongodb://u:p@h/admin?w=1", "mongodb://u:p@h/admin?w=1&a=1"),
        ] {
            assert_eq!(with_option(url, "a=1"), expected);
        }
        let server = Mongod { url: "mongodb://u:p@h/admin?w=1".into() };
        assert_eq!(server.stranger_url("x"), "mongodb://nobody:x@h/admin?w=1");
        assert_ne!(server.fresh_url(), server.fresh_url());
    }
}
