//! Private real servers, for tests that should not trust a double.
//!
//! Each `start` gives a running server of its own, with its data in a temporary directory and a port on loopback, and
//! ends it when it is dropped. A server does not survive the test that started it, not even one that is killed.
//!
//! Only programs that are installed are run. One that is not gives [`Missing`]: such a test should show as ignored,
//! with the reason, unless [`required`] says that here it is a failure.

mod certificate;
mod clickhouse;
mod daemon;
mod elasticsearch;
mod ferretdb;
mod gnocchi;
mod influxdb;
mod jaeger;
mod keystone;
mod mariadb;
mod mongod;
mod nephoscope;
mod otelcol;
mod post;
mod postgres;
mod prometheus;
mod rabbitmq;
mod redis;
mod redis_cluster;
mod sentinel;
mod spawn;
mod victoriametrics;

use std::fmt;
use std::path::{Path, PathBuf};

pub use clickhouse::{ClickhouseEngine, OldClickhouseServer};
pub(crate) use daemon::run;
pub use elasticsearch::{ElasticsearchServer, SearchServer, java21};
pub use ferretdb::FerretdbServer;
pub use gnocchi::{GnocchiOptions, GnocchiServer};
pub use influxdb::InfluxdbServer;
pub use jaeger::JaegerServer;
pub use keystone::KeystoneServer;
pub use mariadb::MariadbServer;
pub use mongod::Mongod;
pub use nephoscope::NephoscopeServer;
pub use otelcol::OtelCollector;
pub use postgres::PostgresServer;
pub use prometheus::PrometheusServer;
pub use rabbitmq::{RabbitmqOptions, RabbitmqServer};
pub use redis::{RedisOptions, RedisServer};
pub use redis_cluster::RedisCluster;
pub use sentinel::SentinelGroup;
pub use victoriametrics::VictoriametricsServer;

/// The user of the servers that know users.
pub const USER: &str = "nephele";
/// The password of the servers that ask for one. It has to be encoded in a connection string: [`PASSWORD_ENCODED`].
pub const PASSWORD: &str = "cumulus/of@rain:100%";
/// [`PASSWORD`] as a connection string has it.
pub const PASSWORD_ENCODED: &str = "cumulus%2Fof%40rain%3A100%25";

/// A server that can be taken away and brought back, whatever it is.
pub trait Server: Send {
    /// Ends it at once, as a crash would. Its port is closed when this returns.
    fn kill(&mut self);

    /// Starts it again, with the same port and the same data, and waits until it answers.
    fn restart(&mut self);

    /// What it wrote to its log, for the message of a failed test.
    fn log(&self) -> String;
}

/// Something that a test needs and that is not installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// A program of a Debian package.
    Program {
        /// Its name.
        program: &'static str,
        /// The package that brings it.
        package: &'static str,
    },
    /// A server that `cargo xtask servers` fetches or builds.
    Server {
        /// Its name.
        name: &'static str,
    },
    /// The Python environment of the real OSProfiler.
    Osprofiler,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Program { program, package } => {
                write!(f, "{program} is not installed; Debian has it in the package {package}")
            }
            Self::Server { name } => write!(f, "{name} is not installed; `cargo xtask servers` installs it"),
            Self::Osprofiler => f.write_str("OSProfiler is not installed; `cargo xtask servers` installs it"),
        }
    }
}

impl std::error::Error for Missing {}

/// Whether a missing program is a failure, as it is where everything was installed on purpose:
/// `NEPHOSCOPE_TEST_REQUIRE_SERVERS=1`.
pub fn required() -> bool {
    std::env::var_os("NEPHOSCOPE_TEST_REQUIRE_SERVERS").is_some_and(|value| value == "1")
}

/// The path of a program: on `PATH`, or where Debian keeps programs that ordinary users do not run.
fn find(program: &'static str, package: &'static str) -> Result<PathBuf, Missing> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from))
        .map(|directory| directory.join(program))
        .find(|candidate| candidate.is_file())
        .ok_or(Missing::Program { program, package })
}

/// The path of a program or directory that `cargo xtask servers` made, such as `bin/jaeger`, of the server `name`.
fn installed(name: &'static str, path: &str) -> Result<PathBuf, Missing> {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = variable("XDG_CACHE_HOME").or_else(|| variable("HOME").map(|home| home.join(".cache")));
    let found = cache.unwrap_or_else(std::env::temp_dir).join("nephoscope-test").join(path);
    if found.exists() { Ok(found) } else { Err(Missing::Server { name }) }
}

/// A file of a package in one of the Python environments that `cargo xtask servers` makes.
fn python_file(environment: &str, path: &str) -> Option<PathBuf> {
    let peers = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/peers");
    let versions = std::fs::read_dir(peers.join(environment).join("lib")).ok()?.flatten();
    versions.map(|version| version.path().join("site-packages").join(path)).find(|file| file.exists())
}

/// A directory that only its owner may look into, gone with the value.
fn private_directory() -> tempfile::TempDir {
    tempfile::Builder::new().prefix("nephoscope-test-").tempdir().expect("a temporary directory can be made")
}

fn write(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap_or_else(|error| panic!("cannot write {}: {error}", path.display()));
}
