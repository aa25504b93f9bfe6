//! How Gnocchi's API is served: the keys of `[http]` besides `listen`.

use std::fmt;
use std::fs;

use nephoscope_server::{Auth, DEFAULT_MAX_LIMIT, GnocchiSettings, Policy};

use super::file::{Reader, Value};
use super::{Keystone, Setting, take, unset};

/// The keys of `[http]` that are read here.
pub(super) const HTTP_KEYS: [&str; 6] =
    ["auth", "cors_allowed_origins", "max_limit", "policy_file", "proxy_headers", "remote_user_header"];

/// Names of the ways in which it is found out who asks.
const AUTHS: [&str; 4] = ["none", "basic", "remoteuser", "keystone"];

/// How Gnocchi's API is served.
#[derive(Clone, Debug)]
pub struct Api {
    /// How it is found out who asks.
    pub auth: Setting<String>,
    /// The header in which a proxy says who asks, where `auth` is `remoteuser`.
    pub remote_user_header: Setting<Option<String>>,
    /// How many items a list has at most.
    pub max_limit: Setting<usize>,
    /// Whether a proxy is believed that says where clients see this server.
    pub proxy_headers: Setting<bool>,
    /// The sites whose pages may ask.
    pub cors_allowed_origins: Setting<Vec<String>>,
    /// The file of rules that are other than those of Gnocchi's default policy.
    pub policy_file: Setting<Option<String>>,
    /// Who may do what, by that file.
    pub policy: Policy,
}

impl Default for Api {
    fn default() -> Self {
        Self {
            auth: unset("none".into()),
            remote_user_header: unset(None),
            max_limit: unset(DEFAULT_MAX_LIMIT),
            proxy_headers: unset(false),
            cors_allowed_origins: unset(Vec::new()),
            policy_file: unset(None),
            policy: Policy::default(),
        }
    }
}

impl Api {
    /// Takes a key of `[http]`, if it is one of the [`HTTP_KEYS`].
    pub(super) fn take_http(&mut self, reader: &mut Reader<'_>, key: &str, value: &Value<'_>) -> bool {
        match key {
            "auth" => take(&mut self.auth, reader.string(value, "auth")),
            "remote_user_header" => {
                let name = reader.string(value, "remote_user_header");
                take(&mut self.remote_user_header, name.map(Setting::map_some));
            }
            "max_limit" => take(&mut self.max_limit, reader.count(value, "max_limit")),
            "proxy_headers" => take(&mut self.proxy_headers, reader.bool(value, "proxy_headers")),
            "cors_allowed_origins" => {
                take(&mut self.cors_allowed_origins, reader.strings(value, "cors_allowed_origins"));
            }
            "policy_file" => self.take_policy_file(reader, value),
            _ => return false,
        }
        true
    }

    fn take_policy_file(&mut self, reader: &mut Reader<'_>, value: &Value<'_>) {
        let Some(path) = reader.string(value, "policy_file") else { return };
        let read = fs::read_to_string(&path.value).map_err(|error| vec![error.to_string()]);
        match read.and_then(|text| Policy::with_overrides(&text)) {
            Ok(policy) => self.policy = policy,
            Err(mistakes) => {
                for mistake in mistakes {
                    reader.mistake(value.span().start, &format!("{}: {mistake}", path.value));
                }
            }
        }
        take(&mut self.policy_file, Some(path.map_some()));
    }

    pub(super) fn check(&self, keystone: &Keystone, mistakes: &mut Vec<String>) {
        let auth = &self.auth;
        let header = self.remote_user_header.value.as_deref();
        let mistake = match (auth.value.as_str(), header) {
            ("remoteuser", None) => {
                "`remoteuser` needs `remote_user_header`: the header in which the proxy says who asks, \
                 and which it takes away from what clients send"
            }
            ("remoteuser", Some(name)) if Auth::remote_user(name).is_none() => {
                "`remote_user_header` is the name of a header, such as X-Remote-User"
            }
            ("keystone", _) if keystone.url.value.is_none() => {
                "`keystone` needs [keystone] `url`: which Keystone tells whose tokens are, and who asks it, such as \
                 keystone://user:password@?auth_url=https://keystone.example.com:5000/v3&project=service"
            }
            (name, _) if AUTHS.contains(&name) => return,
            _ => "`auth` is one of none, basic, remoteuser, keystone",
        };
        mistakes.push(format!("{}: {mistake}", auth.origin));
    }

    /// For the server.
    pub(crate) fn settings(&self, keystone: &Keystone) -> GnocchiSettings {
        let auth = match (self.auth.value.as_str(), &self.remote_user_header.value) {
            ("basic", _) => Auth::Basic,
            ("keystone", _) => {
                let tokens = keystone.tokens().expect("it was checked").expect("it was checked");
                Auth::Keystone(tokens)
            }
            ("remoteuser", Some(name)) => Auth::remote_user(name).expect("it was checked"),
            _ => Auth::None,
        };
        GnocchiSettings {
            auth,
            max_limit: self.max_limit.value,
            proxy_headers: self.proxy_headers.value,
            cors_allowed_origins: self.cors_allowed_origins.value.clone(),
            policy: self.policy.clone(),
        }
    }

    /// The keys of `[http]`, a line each.
    pub(super) fn show_http(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quoted = |text: &str| toml::Value::from(text).to_string();
        let origins: Vec<_> = self.cors_allowed_origins.value.iter().map(|origin| quoted(origin)).collect();
        writeln!(f, "auth = {}  # {}", quoted(&self.auth.value), self.auth.origin)?;
        if let Some(name) = &self.remote_user_header.value {
            writeln!(f, "remote_user_header = {}  # {}", quoted(name), self.remote_user_header.origin)?;
        }
        if let Some(path) = &self.policy_file.value {
            writeln!(f, "policy_file = {}  # {}", quoted(path), self.policy_file.origin)?;
        }
        writeln!(f, "max_limit = {}  # {}", self.max_limit.value, self.max_limit.origin)?;
        writeln!(f, "proxy_headers = {}  # {}", self.proxy_headers.value, self.proxy_headers.origin)?;
        let origin = &self.cors_allowed_origins.origin;
        writeln!(f, "cors_allowed_origins = [{}]  # {origin}", origins.join(", "))
    }
}
