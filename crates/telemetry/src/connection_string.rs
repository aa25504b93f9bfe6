//! The connection string: the one way to name a place that telemetry comes from or goes to.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use percent_encoding::percent_decode_str;

use crate::{Error, ErrorKind};

mod period;

/// `<backend_type>://[user[:password]@][address[:port]][,address[:port]…][/database][?option=value[&…]]`
///
/// - The scheme is taken in any case. A text without `://` is a scheme alone, as OSProfiler's bare `messaging`.
/// - User, password, database and options are percent-decoded; a literal `/`, `?`, `#`, `@` or `%` in a password has
///   to be written `%2F`, `%3F`, `%23`, `%40`, `%25`. Of several `@` the last one ends the password.
/// - An IPv6 address stands in brackets: `[::1]:6379`.
///
/// `Display` and `Debug` never show user, password, or the value of an option that sounds like a secret; of an option
/// that is a connection string or URL itself, they show what that would show.
#[derive(Clone, PartialEq, Eq)]
pub struct ConnectionString {
    scheme: String,
    user: Option<String>,
    password: Option<String>,
    hosts: Vec<Host>,
    /// As written, without the slash before it.
    path: Option<String>,
    options: Vec<(String, String)>,
    /// Everything between `://` and `?`, as written.
    place: String,
    /// Everything behind `?`, as written.
    query: Option<String>,
}

/// One address of a [`ConnectionString`], with its port where it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// Name or address; an IPv6 address without its brackets.
    pub name: String,
    /// The port, unless the backend's own is meant.
    pub port: Option<u16>,
}

/// A text that is no connection string. The message never repeats what could be a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidConnectionString(String);

/// Option names that hold one of these are not shown.
const SECRET_WORDS: [&str; 9] =
    ["password", "passwd", "secret", "token", "key", "credential", "headers", "transport_url", "username"];
const HIDDEN: &str = "***";

impl ConnectionString {
    /// Reads a connection string.
    pub fn parse(text: &str) -> Result<Self, InvalidConnectionString> {
        let text = text.trim();
        let (scheme, rest) = text.split_once("://").unwrap_or((text, ""));
        check_scheme(scheme)?;
        if rest.contains('#') {
            return invalid("a `#` has to be written `%23`");
        }
        let (place, query) = match rest.split_once('?') {
            Some((place, query)) => (place, Some(query)),
            None => (rest, None),
        };
        if query.unwrap_or_default().split('&').chain([place]).any(|part| part.ends_with(char::is_whitespace))
        {
            return invalid("a blank at the end of a place or an option has to be written `%20`");
        }
        let (authority, path) = match place.split_once('/') {
            Some((authority, path)) => (authority, Some(path)),
            None => (place, None),
        };
        let (login, addresses) = match authority.rsplit_once('@') {
            Some((login, addresses)) => (Some(login), addresses),
            None => (None, authority),
        };
        let (user, password) = match login.map(|login| login.split_once(':').unwrap_or((login, ""))) {
            Some((user, password)) => (non_empty(user, "user")?, non_empty(password, "password")?),
            None => (None, None),
        };
        Ok(Self {
            scheme: scheme.to_ascii_lowercase(),
            user,
            password,
            hosts: addresses
                .split(',')
                .filter(|address| !address.is_empty())
                .map(Host::parse)
                .collect::<Result<_, _>>()?,
            path: path.map(Into::into),
            options: query.map(parse_options).transpose()?.unwrap_or_default(),
            place: place.into(),
            query: query.map(Into::into),
        })
    }

    /// The backend type, in lower case, such as `redis` or `mysql+pymysql`.
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// The user, decoded; nothing when empty.
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// The password, decoded; nothing when empty. Not to be shown.
    pub fn password(&self) -> Option<&str> {
        self.password.as_deref()
    }

    /// The addresses, in order.
    pub fn hosts(&self) -> &[Host] {
        &self.hosts
    }

    /// What follows the first slash behind the addresses, decoded; nothing when empty.
    pub fn database(&self) -> Option<Cow<'_, str>> {
        self.path
            .as_deref()
            .filter(|path| !path.is_empty())
            .map(|path| percent_decode_str(path).decode_utf8_lossy())
    }

    /// For a backend that is a file or a directory: everything between `://` and `?`, decoded.
    pub fn location(&self) -> Cow<'_, str> {
        percent_decode_str(&self.place).decode_utf8_lossy()
    }

    /// The value of an option, decoded; of one given twice the last.
    pub fn option(&self, name: &str) -> Option<&str> {
        self.options.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// All options in order, decoded.
    pub fn options(&self) -> &[(String, String)] {
        &self.options
    }

    /// An option that is on or off, off when absent: `true`, `1`, `yes`, `on`, and the opposites, in any case.
    pub fn flag(&self, name: &str) -> Result<bool, Error> {
        let Some(value) = self.option(name) else { return Ok(false) };
        match value.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Ok(true),
            "false" | "0" | "no" | "off" => Ok(false),
            _ => Err(self.wrong(format!("option `{name}` is either true or false"))),
        }
    }

    /// Refuses options that nobody reads: a misspelled one would be ignored in silence.
    pub fn expect_options(&self, known: &[&str]) -> Result<(), Error> {
        match self.options.iter().find(|(key, _)| !known.contains(&key.as_str())) {
            None => Ok(()),
            Some((key, _)) => {
                let known = if known.is_empty() { "none".into() } else { known.join(", ") };
                Err(self.wrong(format!("option `{key}` is not known; known: {known}")))
            }
        }
    }

    /// The error of a driver that cannot take this connection string, which it shows without its secrets.
    pub fn wrong(&self, problem: impl fmt::Display) -> Error {
        Error::new(ErrorKind::Config, "use the connection string", format!("{self}: {problem}"))
    }

    /// The whole text with another scheme and only the options that `keep` takes, secrets included, for a client
    /// library that reads such a text itself. Not to be shown.
    pub fn expose(&self, scheme: &str, keep: impl Fn(&str) -> bool) -> String {
        let mut text = format!("{scheme}://{}", self.place);
        let mut separator = '?';
        for option in self.query.iter().flat_map(|query| query.split('&')) {
            let name = option.split('=').next().unwrap_or_default();
            if !option.is_empty() && keep(&decode(name)) {
                text.push(separator);
                text.push_str(option);
                separator = '&';
            }
        }
        text
    }

    /// The same with this port at every address, for a backend that listens on several.
    #[must_use]
    pub fn with_port(&self, port: u16) -> Self {
        let local = [Host { name: "127.0.0.1".into(), port: None }];
        let hosts = if self.hosts.is_empty() { &local[..] } else { &self.hosts };
        let hosts: Vec<_> = hosts.iter().map(|host| Host { port: Some(port), ..host.clone() }).collect();
        let authority = self.place.split('/').next().unwrap_or_default();
        let login = authority.rfind('@').map_or("", |at| &authority[..=at]);
        let addresses = hosts.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        let path = &self.place[authority.len()..];
        Self { place: format!("{login}{addresses}{path}"), hosts, ..self.clone() }
    }

    /// The same with one more option, given as it is to be read.
    #[must_use]
    pub fn with_option(&self, name: &str, value: &str) -> Self {
        let encode = |text| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC);
        let query = self.query.iter().map(|query| format!("{query}&"));
        let query = query.collect::<String>() + &format!("{name}={}", encode(value));
        let options = self.options.iter().cloned().chain([(name.into(), value.into())]).collect();
        Self { query: Some(query), options, ..self.clone() }
    }

    /// The same with another place behind `://`, given as it is to be read.
    #[must_use]
    pub fn with_location(&self, location: &str) -> Self {
        let place = percent_encoding::utf8_percent_encode(location, PLACE).to_string();
        let path = place.split_once('/').map(|(_, path)| path.to_owned());
        Self { place, path, hosts: Vec::new(), user: None, password: None, ..self.clone() }
    }
}

/// What has to be encoded in a place so that it is read as it was.
const PLACE: &percent_encoding::AsciiSet =
    &percent_encoding::CONTROLS.add(b' ').add(b'%').add(b'?').add(b'#').add(b'@');

impl Host {
    fn parse(text: &str) -> Result<Self, InvalidConnectionString> {
        let (name, port) = match text.strip_prefix('[') {
            Some(rest) => match rest.split_once(']') {
                Some((address, "")) => (address, None),
                Some((address, port)) if port.starts_with(':') => (address, Some(&port[1..])),
                _ => return invalid("an IPv6 address is written `[::1]` or `[::1]:port`"),
            },
            None => match text.split_once(':') {
                Some((_, port)) if port.contains(':') => {
                    return invalid("an IPv6 address has to stand in brackets");
                }
                Some((name, port)) => (name, Some(port)),
                None => (text, None),
            },
        };
        let port = match port {
            None | Some("") => None,
            Some(port) => match port.parse() {
                Ok(port) => Some(port),
                Err(_) => return invalid("a port is a number from 0 to 65535"),
            },
        };
        Ok(Self { name: decode(name).into_owned(), port })
    }

    /// The port, or this one where none was given.
    pub fn port_or(&self, default: u16) -> u16 {
        self.port.unwrap_or(default)
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.name.contains(':') {
            write!(f, "[{}]", self.name)?;
        } else {
            f.write_str(&self.name)?;
        }
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

fn invalid<T>(problem: &str) -> Result<T, InvalidConnectionString> {
    Err(InvalidConnectionString(format!("not a connection string: {problem}")))
}

fn check_scheme(scheme: &str) -> Result<(), InvalidConnectionString> {
    let letters = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    match scheme.as_bytes() {
        [] => invalid("it is empty, or begins with `://`"),
        [first, ..] if first.is_ascii_alphabetic() && scheme.bytes().all(letters) => Ok(()),
        _ => invalid(
            "it has to begin with the backend type, as in `redis://127.0.0.1:6379`; letters, digits, `+`, `-` and `.` may stand there",
        ),
    }
}

fn decode(text: &str) -> Cow<'_, str> {
    percent_decode_str(text).decode_utf8_lossy()
}

fn non_empty(text: &str, what: &str) -> Result<Option<String>, InvalidConnectionString> {
    match percent_decode_str(text).decode_utf8() {
        Ok(text) => Ok((!text.is_empty()).then(|| text.into_owned())),
        Err(_) => invalid(&format!("the {what} is not UTF-8 when decoded")),
    }
}

fn parse_options(query: &str) -> Result<Vec<(String, String)>, InvalidConnectionString> {
    query
        .split('&')
        .filter(|option| !option.is_empty())
        .map(|option| {
            let (name, value) = option.split_once('=').unwrap_or((option, ""));
            match percent_decode_str(value).decode_utf8() {
                Ok(value) => Ok((decode(name).into_owned(), value.into_owned())),
                Err(_) => invalid("the value of an option is not UTF-8 when decoded"),
            }
        })
        .collect()
}

fn is_secret(option: &str) -> bool {
    let option = option.to_ascii_lowercase();
    SECRET_WORDS.iter().any(|word| option.contains(word))
}

/// Shows an option; one that names a place of its own without the secrets of that.
fn write_option(f: &mut fmt::Formatter<'_>, name: &str, option: &str) -> fmt::Result {
    let value = decode(option.get(name.len() + 1..).unwrap_or_default());
    if !value.contains("://") {
        return f.write_str(option);
    }
    match ConnectionString::parse(&value) {
        Ok(place) => write!(f, "{name}={place}"),
        Err(_) => write!(f, "{name}={HIDDEN}"),
    }
}

impl fmt::Display for ConnectionString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://", self.scheme)?;
        let authority = self.place.split('/').next().unwrap_or_default();
        if authority.contains('@') {
            write!(f, "{HIDDEN}@")?;
        }
        f.write_str(&self.place[authority.rfind('@').map_or(0, |at| at + 1)..])?;
        let written =
            self.query.iter().flat_map(|query| query.split('&')).filter(|option| !option.is_empty());
        for (at, option) in written.enumerate() {
            let name = option.split('=').next().unwrap_or_default();
            f.write_str(if at == 0 { "?" } else { "&" })?;
            if is_secret(&decode(name)) {
                write!(f, "{name}={HIDDEN}")?;
            } else {
                write_option(f, name, option)?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for ConnectionString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ConnectionString({self})")
    }
}

impl FromStr for ConnectionString {
    type Err = InvalidConnectionString;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests;
