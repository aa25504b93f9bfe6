//! From the connection string to what a connection needs.

use std::fmt;
use std::time::Duration;

use nephoscope_telemetry::{ConnectionString, Host, Result};
use redis::ConnectionAddr;

use super::sentinel::Sentinels;
use super::tls;

const SERVER_PORT: u16 = 6379;
const SENTINEL_PORT: u16 = 26379;
/// Where the server is when nothing is said, as for redis-py.
const DEFAULT_HOST: &str = "localhost";
/// What OSProfiler's `sentinel_service_name` is by default.
const DEFAULT_SERVICE: &str = "mymaster";
/// A server that is there answers in milliseconds; an address that swallows packets must not hold anyone up.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Long enough for the largest thing sent at once over a slow line, and below the time limit of storing a batch.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(20);

/// Options that mean something here.
const HONOURED: [&str; 12] = [
    "db",
    "socket_connect_timeout",
    "socket_timeout",
    "client_name",
    "filter_error_trace",
    "ssl_ca_certs",
    "ssl_certfile",
    "ssl_keyfile",
    "ssl_cert_reqs",
    "ssl_check_hostname",
    "sentinel_service_name",
    "sentinel_password",
];

/// Options that redis-py takes and that people carry in their strings. They tune its pool of blocking connections and
/// how it hands out texts. Here one connection serves all operations and is replaced when it breaks, retries are the
/// caller's, and no answer differs between the versions of the protocol.
const IGNORED: [&str; 9] = [
    "socket_keepalive",
    "retry_on_timeout",
    "retry_on_error",
    "max_connections",
    "health_check_interval",
    "protocol",
    "decode_responses",
    "encoding",
    "encoding_errors",
];

/// What a connection needs.
pub(super) struct Settings {
    pub(super) server: Server,
    pub(super) login: Login,
}

/// What a server is told and how long it may take. Holds secrets, so it is not shown.
#[derive(Clone, Default)]
pub(super) struct Login {
    pub(super) user: Option<String>,
    pub(super) password: Option<String>,
    pub(super) db: u32,
    pub(super) client_name: Option<String>,
    pub(super) connect_timeout: Duration,
    pub(super) response_timeout: Duration,
}

/// Who has the keys.
pub(super) enum Server {
    /// One server has all.
    One(Address),
    /// A cluster that these nodes belong to.
    Cluster(Vec<ConnectionAddr>),
}

/// How a server is found.
pub(super) enum Address {
    /// By its address.
    At(ConnectionAddr),
    /// By asking these sentinels for the master of a service.
    Sentinels(Sentinels),
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(address) => address.fmt(f),
            Self::Sentinels(sentinels) => sentinels.fmt(f),
        }
    }
}

impl Settings {
    pub(super) fn read(to: &ConnectionString) -> Result<Self> {
        to.expect_options(&[HONOURED.as_slice(), &IGNORED].concat())?;
        let login = Login {
            user: to.user().map(Into::into),
            password: to.password().map(Into::into),
            db: db(to)?,
            client_name: to.option("client_name").map(Into::into),
            connect_timeout: seconds(to, "socket_connect_timeout", CONNECT_TIMEOUT)?,
            response_timeout: seconds(to, "socket_timeout", RESPONSE_TIMEOUT)?,
        };
        let server = match to.scheme() {
            "redissentinel" | "valkeysentinel" => Server::One(sentinels(to)?),
            scheme if scheme.ends_with("-cluster") => Server::Cluster(cluster(to, &login)?),
            _ => Server::One(Address::At(server(to)?)),
        };
        Ok(Self { server, login })
    }
}

fn server(to: &ConnectionString) -> Result<ConnectionAddr> {
    let (name, port) = match to.hosts() {
        [] => (DEFAULT_HOST.to_owned(), SERVER_PORT),
        [host] => (host.name.clone(), host.port_or(SERVER_PORT)),
        _ => {
            let problem = "one server has one address; several go with redis-cluster:// and redissentinel://";
            return Err(to.wrong(problem));
        }
    };
    address(to, name, port)
}

/// With TLS where the scheme asks for it.
fn address(to: &ConnectionString, name: String, port: u16) -> Result<ConnectionAddr> {
    match to.scheme() {
        "rediss" | "valkeys" | "rediss-cluster" | "valkeys-cluster" => tls::address(to, name, port),
        _ => Ok(ConnectionAddr::Tcp(name, port)),
    }
}

fn cluster(to: &ConnectionString, login: &Login) -> Result<Vec<ConnectionAddr>> {
    if to.hosts().is_empty() {
        return Err(to.wrong(format!("it names no node; write {}://host:{SERVER_PORT}", to.scheme())));
    }
    if login.db != 0 {
        return Err(to.wrong("a cluster has no database but 0"));
    }
    to.hosts().iter().map(|host| address(to, host.name.clone(), host.port_or(SERVER_PORT))).collect()
}

fn sentinels(to: &ConnectionString) -> Result<Address> {
    if to.hosts().is_empty() {
        return Err(to.wrong("it names no sentinel; write redissentinel://host:26379"));
    }
    let address = |host: &Host| ConnectionAddr::Tcp(host.name.clone(), host.port_or(SENTINEL_PORT));
    Ok(Address::Sentinels(Sentinels {
        addresses: to.hosts().iter().map(address).collect(),
        service: to.option("sentinel_service_name").unwrap_or(DEFAULT_SERVICE).into(),
        password: to.option("sentinel_password").map(Into::into),
    }))
}

/// The option before the path, as in redis-py.
fn db(to: &ConnectionString) -> Result<u32> {
    let path = to.database();
    match to.option("db").or(path.as_deref()) {
        None => Ok(0),
        Some(db) => db.parse().map_err(|_| to.wrong(format!("the database is a number, not `{db}`"))),
    }
}

fn seconds(to: &ConnectionString, option: &str, default: Duration) -> Result<Duration> {
    let Some(value) = to.option(option) else { return Ok(default) };
    let parsed = value.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    parsed
        .filter(|duration| !duration.is_zero())
        .ok_or_else(|| to.wrong(format!("option `{option}` is a number of seconds above 0, not `{value}`")))
}

#[cfg(test)]
mod tests {
    use nephoscope_telemetry::ErrorKind;

    use super::*;

    fn settings(text: &str) -> Result<Settings> {
        Settings::read(&ConnectionString::parse(text).unwrap())
    }

    fn address(text: &str) -> String {
        match settings(text).unwrap().server {
            Server::One(Address::At(address)) => address.to_string(),
            _ => panic!("{text} names a server"),
        }
    }

    fn refusal(text: &str) -> String {
        let Err(error) = settings(text) else { panic!("{text} is refused") };
        assert_eq!(error.kind(), ErrorKind::Config, "{text}");
        error.to_string()
    }

    #[test]
    fn the_defaults_are_those_of_redis() {
        assert_eq!(address("redis://"), "localhost:6379");
        assert_eq!(address("redis://cache"), "cache:6379");
        assert_eq!(address("rediss://cache:6380"), "cache:6380");
        assert_eq!(address("redis://[::1]:7000"), "::1:7000");
        let login = settings("redis://cache").unwrap().login;
        assert_eq!((login.db, login.user, login.password), (0, None, None));
        assert_eq!(login.connect_timeout, CONNECT_TIMEOUT);
        assert_eq!(login.response_timeout, RESPONSE_TIMEOUT);
    }

    #[test]
    fn login_database_and_timeouts_are_read() {
        let read = settings(
            "redis://nova:p%40ss@cache/3?socket_timeout=0.25&socket_connect_timeout=2&client_name=n",
        )
        .unwrap()
        .login;
        assert_eq!(read.user.as_deref(), Some("nova"));
        assert_eq!(read.password.as_deref(), Some("p@ss"));
        assert_eq!(read.db, 3);
        assert_eq!(read.response_timeout, Duration::from_millis(250));
        assert_eq!(read.connect_timeout, Duration::from_secs(2));
        assert_eq!(read.client_name.as_deref(), Some("n"));
        assert_eq!(settings("redis://cache/3?db=4").unwrap().login.db, 4);
    }

    #[test]
    fn options_of_redis_py_that_change_nothing_here_are_taken() {
        for option in IGNORED {
            assert!(settings(&format!("redis://cache?{option}=1")).is_ok(), "{option}");
        }
    }

    #[test]
    fn a_cluster_is_named_by_some_of_its_nodes() {
        let nodes = |text: &str| match settings(text).unwrap().server {
            Server::Cluster(nodes) => nodes.iter().map(ToString::to_string).collect::<Vec<_>>(),
            Server::One(_) => panic!("{text} names a cluster"),
        };
        assert_eq!(nodes("redis-cluster://one,two:7001"), ["one:6379", "two:7001"]);
        assert_eq!(nodes("valkey-cluster://one/0"), ["one:6379"]);
        assert!(refusal("redis-cluster://").contains("redis-cluster://host:6379"));
        assert!(refusal("redis-cluster://one/3").contains("no database but 0"));
    }

    #[test]
    fn valkey_is_spelled_as_its_clients_spell_it() {
        assert_eq!(address("valkey://cache:1"), "cache:1");
        assert_eq!(address("valkeys://cache:1"), "cache:1");
        assert!(refusal("valkey://cache?ssl_cert_reqs=maybe&db=x").contains("`x`"));
        assert!(refusal("valkeys://cache?ssl_cert_reqs=maybe").contains("`ssl_cert_reqs`"));
        assert!(matches!(
            settings("valkeysentinel://one").unwrap().server,
            Server::One(Address::Sentinels(_))
        ));
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        assert!(refusal("redis://cache/traces").contains("`traces`"));
        assert!(refusal("redis://cache?db=-1").contains("`-1`"));
        assert!(refusal("redis://one,two").contains("redissentinel"));
        assert!(refusal("redissentinel:///0").contains("no sentinel"));
        assert!(refusal("redis://cache?socket_timout=1").contains("`socket_timout`"));
        for value in ["0", "-1", "soon", "", "nan", "inf", "1e300"] {
            assert!(
                refusal(&format!("redis://cache?socket_timeout={value}")).contains("socket_timeout"),
                "{value}"
            );
        }
    }

    #[test]
    fn several_sentinels_have_a_service_and_a_password_of_their_own() {
        let read = settings(
            "redissentinel://:master@one,two:7000/2?sentinel_service_name=traces&sentinel_password=watch",
        )
        .unwrap();
        assert_eq!((read.login.password.as_deref(), read.login.db), (Some("master"), 2));
        let Server::One(Address::Sentinels(Sentinels { addresses, service, password })) = read.server else {
            panic!("sentinels")
        };
        let addresses: Vec<_> = addresses.iter().map(ToString::to_string).collect();
        assert_eq!(addresses, ["one:26379", "two:7000"]);
        assert_eq!((service.as_str(), password.as_deref()), ("traces", Some("watch")));
    }

    #[test]
    fn the_service_is_called_as_osprofiler_calls_it() {
        let Server::One(Address::Sentinels(sentinels)) = settings("redissentinel://one").unwrap().server
        else {
            panic!("sentinels")
        };
        assert_eq!((sentinels.service.as_str(), sentinels.password), ("mymaster", None));
    }
}
