//! The Keystone that tells who asks: the keys of `[keystone]`.

use std::fmt;
use std::time::Duration;

use nephoscope_keystone::{Bearers, DEFAULT_CACHE_TIME};
use nephoscope_server::Tokens;
use nephoscope_telemetry::{ConnectionString, Error, Result};

use super::file::{Reader, Value};
use super::{Setting, take, unset};
use crate::time;

const SCHEME: &str = "keystone";
const KEYS: [&str; 3] = ["cache_time", "public_url", "url"];

/// The Keystone that tells who asks.
#[derive(Clone, Debug)]
pub struct Keystone {
    /// Where it is, and as whom it is asked: `keystone://user:password@?auth_url=…&project=…`.
    pub url: Setting<Option<ConnectionString>>,
    /// Where clients find it, who have no token; where we find it, when nothing is said.
    pub public_url: Setting<Option<String>>,
    /// How long what it says of a token is believed.
    pub cache_time: Setting<Option<Duration>>,
}

impl Default for Keystone {
    fn default() -> Self {
        Self { url: unset(None), public_url: unset(None), cache_time: unset(None) }
    }
}

impl Keystone {
    /// Takes a key of `[keystone]`.
    pub(super) fn take(&mut self, reader: &mut Reader<'_>, key: &str, value: &Value<'_>) {
        match key {
            "url" => {
                let url = reader.connection_string(value, key).map(|url| reader.set(value, Some(url)));
                take(&mut self.url, url);
            }
            "public_url" => take(&mut self.public_url, reader.string(value, key).map(Setting::map_some)),
            "cache_time" => take(&mut self.cache_time, reader.duration(value, key)),
            _ => reader.unknown("keystone", key, &KEYS, value),
        }
    }

    /// Tells what is wrong; without a URL that is for whoever needs it.
    pub(super) fn check(&self, mistakes: &mut Vec<String>) {
        if let Some(Err(error)) = self.tokens() {
            mistakes.push(format!("{}: {}", self.url.origin, error.message()));
        }
    }

    /// For the server; nothing without a URL. Nothing is asked of Keystone yet.
    pub(crate) fn tokens(&self) -> Option<Result<Tokens, Error>> {
        self.url.value.as_ref().map(|url| self.tokens_at(url))
    }

    fn tokens_at(&self, url: &ConnectionString) -> Result<Tokens> {
        if url.scheme() != SCHEME {
            return Err(url.wrong(format!("the scheme of a Keystone is `{SCHEME}`")));
        }
        let known: Vec<_> =
            nephoscope_keystone::OPTIONS.into_iter().chain(nephoscope_http::OPTIONS).collect();
        url.expect_options(&known)?;
        let url = &nephoscope_keystone::with_cloud(url)?;
        let keystone = nephoscope_keystone::Keystone::of(url)?;
        let keystone = keystone.ok_or_else(|| url.wrong("option `auth_url` says where Keystone is"))?;
        let cache_time = self.cache_time.value.unwrap_or(DEFAULT_CACHE_TIME);
        let public_url = self.public_url.value.as_deref().or(url.option("auth_url")).unwrap_or_default();
        let tokens = Tokens::new(Bearers::new(keystone, cache_time), public_url);
        tokens.ok_or_else(|| {
            url.wrong("`public_url` is an address, such as https://keystone.example.com:5000/v3")
        })
    }
}

impl fmt::Display for Keystone {
    /// The keys of `[keystone]`, a line each.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quoted = |text: &str| toml::Value::from(text).to_string();
        if let Some(url) = &self.url.value {
            writeln!(f, "url = {}  # {}", quoted(&url.to_string()), self.url.origin)?;
        }
        if let Some(url) = &self.public_url.value {
            writeln!(f, "public_url = {}  # {}", quoted(url), self.public_url.origin)?;
        }
        let time = self.cache_time.value.unwrap_or(DEFAULT_CACHE_TIME);
        writeln!(f, "cache_time = \"{}\"  # {}", time::show_duration(time), self.cache_time.origin)
    }
}
