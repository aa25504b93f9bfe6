//! What the connection string says.

use nephoscope_http::{Http, OPTIONS, path};
use nephoscope_telemetry::{ConnectionString, Result};

/// The options of Ceilometer's publisher that no other HTTP backend has.
const OF_CEILOMETER: [&str; 6] =
    ["batch", "clientcert", "clientkey", "max_retries", "raw_only", "verify_ssl"];
/// Those of them that are about TLS.
const OF_TLS: [&str; 3] = ["clientcert", "clientkey", "verify_ssl"];

/// How samples and events are posted.
#[derive(Debug)]
pub(super) struct Settings {
    /// The path of the address, encoded.
    pub(super) samples: String,
    /// The same for events.
    pub(super) events: String,
    /// What stays in the address: names and values, decoded.
    pub(super) query: Query,
    /// Whether a request has an array of items, and not a single one.
    pub(super) batch: bool,
    /// Whether of events only the payloads of their notifications are sent.
    pub(super) raw_only: bool,
}

/// Options that stay in the address. Their values may be secret.
#[derive(Default)]
pub(super) struct Query(Vec<(String, String)>);

impl<'a> IntoIterator for &'a Query {
    type Item = &'a (String, String);
    type IntoIter = std::slice::Iter<'a, (String, String)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl std::fmt::Debug for Query {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

pub(super) fn read(to: &ConnectionString) -> Result<(Http, Settings)> {
    if to.hosts().is_empty() {
        return Err(to.wrong("it names no host, as http://127.0.0.1:8041 does"));
    }
    let (samples, events) = paths(to);
    let is_ours = |name: &str| OPTIONS.contains(&name) || OF_CEILOMETER.contains(&name);
    let query: Vec<_> = to.options().iter().filter(|(name, _)| !is_ours(name)).cloned().collect();
    let encrypted = to.scheme() == "https";
    let port = if encrypted { 443 } else { 80 };
    let mut http = Http::new("the receiver", &with_usual_names(to, encrypted)?, encrypted, port, "")?;
    if let Some(user) = to.user() {
        http = http.with_basic_auth(user, to.password().unwrap_or_default());
    }
    // What stays in the address may be a token.
    http = query.iter().fold(http, |http, (_, value)| http.with_secret(value));
    let batch = to.option("batch").is_none_or(|text| truth(text) == Some(true));
    let raw_only = to.option("raw_only").is_some_and(|text| truth(text) == Some(true));
    Ok((http, Settings { samples, events, query: Query(query), batch, raw_only }))
}

/// Where samples and where events are posted to. Both to the path that is given, but for that of samples of a
/// Nephoscope, which has another for events beside it and is meant when none is given.
fn paths(to: &ConnectionString) -> (String, String) {
    const SAMPLES: &str = "/samples";
    let path = to.database().map_or_else(|| SAMPLES.into(), |text| path(&text));
    let events = path.strip_suffix(SAMPLES).map(|prefix| format!("{prefix}/events"));
    (path.clone(), events.unwrap_or(path))
}

/// The same with the options about TLS under the names that they have for every HTTP backend.
fn with_usual_names(to: &ConnectionString, encrypted: bool) -> Result<ConnectionString> {
    let given = |name: &&str| to.option(name).is_some();
    if !encrypted && let Some(name) = OF_TLS.iter().find(|name| given(name)) {
        return Err(to.wrong(format!("option `{name}` is for TLS, and http:// has none")));
    }
    let mut usual = to.clone();
    for (name, option) in [("clientcert", "cert"), ("clientkey", "key")] {
        if let Some(value) = to.option(name) {
            usual = usual.with_option(option, value);
        }
    }
    Ok(match to.option("verify_ssl").map(|text| (truth(text), text)) {
        None | Some((Some(true), _)) => usual,
        Some((Some(false), _)) => usual.with_option("insecure", "true"),
        Some((None, authorities)) => usual.with_option("cacert", authorities),
    })
}

/// What Ceilometer takes for a yes or a no.
fn truth(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "1" | "t" | "true" | "on" | "y" | "yes" => Some(true),
        "0" | "f" | "false" | "off" | "n" | "no" => Some(false),
        _ => None,
    }
}
