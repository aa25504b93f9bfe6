//! One backend and its addresses.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use nephoscope_telemetry::{ConnectionString, ErrorKind, Result};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, StatusCode, redirect};

use crate::{Request, tls};

/// The options of a connection string that every HTTP backend takes: seconds to reach the server and to wait for its
/// next byte; certificates in PEM files, by the names of OpenStack's clients.
pub const OPTIONS: [&str; 6] = ["cacert", "cert", "connect_timeout", "insecure", "key", "timeout"];

/// How long a server may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a server may be silent: less than a batch may take in all, so that the error says who was silent.
const TIMEOUT: Duration = Duration::from_secs(20);
/// Connections are dropped before most servers and load balancers drop them, so that few requests meet a closed one.
const IDLE_TIMEOUT: Duration = Duration::from_secs(15);

/// What a backend means by a refusal of this status and text, when it says more than the status: the kind of the error
/// and its cure, as it ends the message, or nothing.
pub type Meaning = fn(StatusCode, &str) -> Option<(ErrorKind, &'static str)>;

/// An HTTP backend.
///
/// With several addresses it stays with one that answers and goes on to the next when it cannot be reached.
pub struct Http {
    pub(crate) client: reqwest::Client,
    /// What it is called in errors.
    pub(crate) backend: &'static str,
    pub(crate) timeout: Duration,
    pub(crate) headers: HeaderMap,
    bases: Vec<Base>,
    current: AtomicUsize,
    /// What must not be repeated from an answer.
    secrets: Vec<String>,
    pub(crate) meaning: Meaning,
}

/// One address.
#[derive(Debug)]
pub(crate) struct Base {
    /// Scheme, address and path, without a slash at the end.
    pub(crate) url: String,
    /// Address and port, for errors.
    pub(crate) place: String,
}

impl Http {
    /// The backend that a connection string names: `backend` is what people call it, `path` what all its URLs begin
    /// with, empty or with a slash before it. Nothing is asked of it yet.
    pub fn new(
        backend: &'static str,
        to: &ConnectionString,
        encrypted: bool,
        default_port: u16,
        path: &str,
    ) -> Result<Self> {
        let scheme = if encrypted { "https" } else { "http" };
        let base = |host: String, port: u16| Base {
            url: format!("{scheme}://{host}:{port}{}", path.trim_end_matches('/')),
            place: format!("{host}:{port}"),
        };
        let mut bases: Vec<Base> = Vec::new();
        for host in to.hosts() {
            let name = if host.name.contains(':') { format!("[{}]", host.name) } else { host.name.clone() };
            bases.push(base(name, host.port_or(default_port)));
        }
        if bases.is_empty() {
            bases.push(base("127.0.0.1".into(), default_port));
        }
        if let Some(base) = bases.iter().find(|base| reqwest::Url::parse(&base.url).is_err()) {
            return Err(to.wrong(format!("{} is no address", base.place)));
        }
        if !encrypted {
            tls::refuse_options(to)?;
        }
        Self::at_bases(backend, to, encrypted, bases)
    }

    /// The backend at this URL, which a connection string names in an option or a catalog of services tells. The options
    /// of the connection string are for it as well, those for TLS where there is any.
    pub fn at(backend: &'static str, to: &ConnectionString, url: &str) -> Result<Self> {
        let parsed = reqwest::Url::parse(url).ok().filter(|url| {
            matches!(url.scheme(), "http" | "https") && url.username().is_empty() && url.query().is_none()
        });
        let address = parsed.as_ref().and_then(|url| Some((url.host_str()?, url.port_or_known_default()?)));
        let (Some(url), Some((host, port))) = (&parsed, address) else {
            return Err(to.wrong(format!("the address of {backend} has to be like https://host:port/path")));
        };
        let place = format!("{host}:{port}");
        let base = format!("{}://{place}{}", url.scheme(), url.path().trim_end_matches('/'));
        Self::at_bases(backend, to, url.scheme() == "https", vec![Base { url: base, place }])
    }

    fn at_bases(
        backend: &'static str,
        to: &ConnectionString,
        encrypted: bool,
        bases: Vec<Base>,
    ) -> Result<Self> {
        let timeout = timeout(to)?;
        let builder = reqwest::Client::builder()
            .user_agent(concat!("nephoscope/", env!("CARGO_PKG_VERSION")))
            .no_proxy()
            .redirect(redirect::Policy::none())
            .connect_timeout(connect_timeout(to)?)
            .read_timeout(timeout)
            .pool_idle_timeout(IDLE_TIMEOUT);
        let client = tls::configure(builder, to, encrypted)?.build().map_err(|error| {
            to.wrong(format!("no HTTP client is possible: {}", crate::failure::cause(&error)))
        })?;
        let secrets = to.password().map(Into::into).into_iter().collect();
        Ok(Self {
            client,
            backend,
            timeout,
            headers: HeaderMap::new(),
            bases,
            current: AtomicUsize::new(0),
            secrets,
            meaning: |_, _| None,
        })
    }

    /// The same with this login in every request.
    #[must_use]
    pub fn with_basic_auth(self, user: &str, password: &str) -> Self {
        // Servers like to repeat who it was that they refuse.
        let masking = self.with_secret(user).with_secret(password);
        masking.with_header(AUTHORIZATION, &basic_auth(user, password))
    }

    /// The same with this header in every request; its value is a secret.
    ///
    /// # Panics
    /// When the value cannot be a header's: control characters are to be refused before.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: &str) -> Self {
        let mut header = HeaderValue::from_str(value).expect("no control characters");
        header.set_sensitive(true);
        self.headers.insert(name, header);
        self.with_secret(value)
    }

    /// The same, understanding the refusals of this backend.
    #[must_use]
    pub fn with_meaning(mut self, meaning: Meaning) -> Self {
        self.meaning = meaning;
        self
    }

    /// The same, never repeating this from an answer.
    #[must_use]
    pub fn with_secret(mut self, secret: &str) -> Self {
        if !secret.is_empty() {
            self.secrets.push(secret.into());
        }
        self
    }

    /// A request of this method for a path, which is encoded and begins with a slash. The operation is what an error
    /// says could not be done.
    pub fn request(&self, operation: &'static str, method: Method, path: &str) -> Request<'_> {
        Request::new(self, operation, method, path)
    }

    /// See [`request`](Self::request).
    pub fn get(&self, operation: &'static str, path: &str) -> Request<'_> {
        self.request(operation, Method::GET, path)
    }

    /// See [`request`](Self::request).
    pub fn post(&self, operation: &'static str, path: &str) -> Request<'_> {
        self.request(operation, Method::POST, path)
    }

    /// See [`request`](Self::request).
    pub fn put(&self, operation: &'static str, path: &str) -> Request<'_> {
        self.request(operation, Method::PUT, path)
    }

    /// See [`request`](Self::request).
    pub fn delete(&self, operation: &'static str, path: &str) -> Request<'_> {
        self.request(operation, Method::DELETE, path)
    }

    /// The address to ask now, with its number.
    pub(crate) fn base(&self) -> (usize, &Base) {
        let number = self.current.load(Ordering::Relaxed);
        (number, &self.bases[number])
    }

    /// Goes on to the next address, unless somebody did already.
    pub(crate) fn leave(&self, number: usize) {
        let next = (number + 1) % self.bases.len();
        // An error says that another request left it first.
        let _left = self.current.compare_exchange(number, next, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// A text of the server without our secrets.
    pub(crate) fn mask(&self, text: &str) -> String {
        self.secrets.iter().fold(text.into(), |text: String, secret| text.replace(secret.as_str(), "***"))
    }
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http")
            .field("backend", &self.backend)
            .field("bases", &self.bases)
            .finish_non_exhaustive()
    }
}

/// How long the server may be silent: the option `timeout`.
pub fn timeout(to: &ConnectionString) -> Result<Duration> {
    Ok(seconds(to, "timeout")?.unwrap_or(TIMEOUT))
}

/// How long the server may take to accept a connection: the option `connect_timeout`.
pub fn connect_timeout(to: &ConnectionString) -> Result<Duration> {
    Ok(seconds(to, "connect_timeout")?.unwrap_or(CONNECT_TIMEOUT))
}

/// The value of the header `Authorization` for a user with a password.
pub fn basic_auth(user: &str, password: &str) -> String {
    format!("Basic {}", base64(format!("{user}:{password}").as_bytes()))
}

/// An option that is a time in seconds, fractions allowed.
fn seconds(to: &ConnectionString, option: &str) -> Result<Option<Duration>> {
    let Some(text) = to.option(option) else { return Ok(None) };
    let time = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    match time {
        Some(time) if !time.is_zero() => Ok(Some(time)),
        _ => Err(to.wrong(format!("option `{option}` is a number of seconds, such as 20"))),
    }
}

/// The base64 of a login, with padding.
fn base64(bytes: &[u8]) -> String {
    base64::Engine::encode(&base64::engine::general_purpose::STANDARD, bytes)
}
