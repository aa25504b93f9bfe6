//! Where the brokers are: oslo.messaging's transport URL.

use std::fmt;

use lapin::tcp::OwnedTLSConfig;
use nephoscope_telemetry::{ConnectionString, Error, Result};

use crate::tls;
use crate::topology::Queues;

/// The port of RabbitMQ, with TLS too: oslo.messaging knows no other default.
const PORT: u16 = 5672;
/// RabbitMQ's own user and password, which it takes from its own machine only.
const GUEST: &str = "guest";
/// Where a transport URL without an address points to.
const LOCALHOST: &str = "localhost";
/// The virtual host that every RabbitMQ has.
const DEFAULT_VIRTUAL_HOST: &str = "/";

/// Brokers of one cluster, the virtual host, and how queues are declared.
///
/// ```text
/// rabbit://[user:password@]host[:5672][,[user:password@]host…][/virtual_host][?option=value…]
/// ```
///
/// Each host has its own user and password, `guest` unless given. The virtual host is what follows the first slash,
/// decoded; nothing, as in `rabbit://host/`, is the virtual host `/`. Option `transport_url` holds such a URL as a whole;
/// the options of the connection string around it come before its own.
#[derive(Clone)]
pub struct Transport {
    pub(crate) brokers: Vec<Broker>,
    pub(crate) virtual_host: String,
    pub(crate) tls: Option<OwnedTLSConfig>,
    pub(crate) queues: Queues,
}

/// One broker and who we are to it. Holds a password, so it has no `Debug`.
#[derive(Clone)]
pub(crate) struct Broker {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) user: String,
    pub(crate) password: String,
}

impl Transport {
    /// The options that [`read`](Self::read) understands, by the names that oslo.messaging gives them in
    /// `[oslo_messaging_rabbit]`.
    pub const OPTIONS: [&str; 12] = [
        "transport_url",
        "ssl",
        "ssl_ca_file",
        "ssl_cert_file",
        "ssl_key_file",
        "amqp_durable_queues",
        "amqp_auto_delete",
        "rabbit_ha_queues",
        "rabbit_quorum_queue",
        "rabbit_quorum_delivery_limit",
        "rabbit_quorum_max_memory_length",
        "rabbit_quorum_max_memory_bytes",
    ];

    /// Reads the transport out of a connection string, whose scheme and other options are not looked at.
    pub fn read(to: &ConnectionString) -> Result<Self> {
        let url = to.option("transport_url").map(|url| inner(to, url)).transpose()?;
        let options = Options { outer: to, inner: url.as_ref() };
        let place = url.as_ref().unwrap_or(to);
        Ok(Self {
            brokers: brokers(place)?,
            virtual_host: place.database().map_or_else(|| DEFAULT_VIRTUAL_HOST.into(), Into::into),
            tls: tls::read(&options)?,
            queues: Queues::read(&options)?,
        })
    }
}

/// The options of a connection string and of the transport URL in it, if there is one.
pub(crate) struct Options<'a> {
    outer: &'a ConnectionString,
    inner: Option<&'a ConnectionString>,
}

impl Options<'_> {
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.outer.option(name).or_else(|| self.inner?.option(name))
    }

    pub(crate) fn flag(&self, name: &str) -> Result<bool> {
        match self.inner {
            Some(inner) if self.outer.option(name).is_none() => inner.flag(name),
            _ => self.outer.flag(name),
        }
    }

    pub(crate) fn wrong(&self, problem: impl fmt::Display) -> Error {
        self.outer.wrong(problem)
    }
}

fn inner(to: &ConnectionString, url: &str) -> Result<ConnectionString> {
    let url = ConnectionString::parse(url).map_err(|error| to.wrong(format!("`transport_url`: {error}")))?;
    if !to.hosts().is_empty() {
        return Err(to.wrong("with the option `transport_url` it has no address of its own"));
    }
    if !matches!(url.scheme(), "rabbit" | "amqp") {
        return Err(to.wrong(format!("`transport_url` is of rabbit://, not {}://", url.scheme())));
    }
    url.expect_options(&Transport::OPTIONS[1..])?;
    Ok(url)
}

fn brokers(to: &ConnectionString) -> Result<Vec<Broker>> {
    let text = to.expose("rabbit", |_| false);
    let authority = text.trim_start_matches("rabbit://").split('/').next().unwrap_or_default();
    let mut brokers = Vec::new();
    for part in authority.split(',').filter(|part| !part.is_empty()) {
        let one = ConnectionString::parse(&format!("rabbit://{part}")).map_err(|error| to.wrong(error))?;
        let (host, port) = match one.hosts() {
            [host] => (host.name.clone(), host.port_or(PORT)),
            _ => return Err(to.wrong("a user and a password need a host behind them")),
        };
        brokers.push(Broker {
            host,
            port,
            user: one.user().unwrap_or(GUEST).into(),
            password: one.password().unwrap_or(GUEST).into(),
        });
    }
    if brokers.is_empty() {
        let guest = || GUEST.to_owned();
        brokers.push(Broker { host: LOCALHOST.into(), port: PORT, user: guest(), password: guest() });
    }
    Ok(brokers)
}

impl fmt::Display for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let brokers: Vec<_> = self.brokers.iter().map(ToString::to_string).collect();
        f.debug_struct("Transport")
            .field("brokers", &brokers)
            .field("virtual_host", &self.virtual_host)
            .field("tls", &self.tls.is_some())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use nephoscope_telemetry::ErrorKind;

    use super::*;

    fn read(text: &str) -> Result<Transport> {
        Transport::read(&ConnectionString::parse(text).unwrap())
    }

    fn logins(text: &str) -> Vec<String> {
        let login = |broker: &Broker| format!("{}:{}@{broker}", broker.user, broker.password);
        read(text).unwrap().brokers.iter().map(login).collect()
    }

    #[test]
    fn each_host_has_its_own_login() {
        assert_eq!(
            logins("rabbit://nova:p%40s%2Cs@one:5673,nova2:@two,[::1]:7,u:p%2Fw@three/v"),
            ["nova:p@s,s@one:5673", "nova2:guest@two:5672", "guest:guest@::1:7", "u:p/w@three:5672"]
        );
        assert_eq!(logins("rabbit://"), ["guest:guest@localhost:5672"]);
        assert_eq!(logins("messaging:///vhost"), ["guest:guest@localhost:5672"]);
    }

    #[test]
    fn the_virtual_host_is_as_oslo_messaging_reads_it() {
        for (url, virtual_host) in [
            ("rabbit://h", "/"),
            ("rabbit://h/", "/"),
            ("rabbit://h//", "/"),
            ("rabbit://h/%2F", "/"),
            ("rabbit://h/nova", "nova"),
            ("rabbit://h/a/b%20c?ssl=false", "a/b c"),
        ] {
            assert_eq!(read(url).unwrap().virtual_host, virtual_host, "{url}");
        }
    }

    #[test]
    fn a_transport_url_stands_for_the_address() {
        let url =
            "messaging://?transport_url=rabbit%3A%2F%2Fu%3Ap%2540w%40h%3A7%2Fv%3Famqp_durable_queues%3Dtrue";
        assert_eq!(logins(url), ["u:p@w@h:7"]);
        let transport = read(url).unwrap();
        assert_eq!((transport.virtual_host.as_str(), transport.queues.durable), ("v", true));
        assert!(!read(&format!("{url}&amqp_durable_queues=false")).unwrap().queues.durable);
    }

    #[test]
    fn what_cannot_be_meant_is_refused_without_a_secret() {
        for url in [
            "messaging://?transport_url=kafka%3A%2F%2Fu%3As3cret%40h",
            "messaging://h?transport_url=rabbit%3A%2F%2Fu%3As3cret%40h",
            "messaging://?transport_url=rabbit%3A%2F%2Fu%3As3cret%40h%3Ano",
            "messaging://?transport_url=rabbit%3A%2F%2Fu%3As3cret%40h%3Fsssl%3D1",
            "rabbit://u:s3cret@one,v:s3cret@",
            "rabbit://u:s3cret@one?rabbit_quorum_queue=true&rabbit_ha_queues=true",
            "rabbit://u:s3cret@one?ssl=maybe",
        ] {
            let error = read(url).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config, "{url}");
            assert!(!format!("{error} {error:?}").contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn what_is_shown_holds_no_login() {
        let shown = format!("{:?}", read("rabbit://nova:s3cret@one,nova:s3cret@two/v").unwrap());
        assert!(
            shown.contains("one:5672") && !shown.contains("s3cret") && !shown.contains("nova"),
            "{shown}"
        );
    }
}
