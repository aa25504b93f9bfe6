//! ClickHouse: its current engine behind an interface of ours, and an old server of its own.

use std::path::Path;

use tempfile::TempDir;

use super::daemon::{Daemon, one_daemon};
use super::post::post;
use super::spawn::free_port;
use super::{Missing, PASSWORD, PASSWORD_ENCODED, USER, find, private_directory, write};

/// The current engine of ClickHouse as chDB carries it, behind our imitation of its HTTP interface
/// (`crates/testkit/python/clickhouse.py`): no registry has the current server. [`USER`] and a user `reader`, who may
/// only read, have [`PASSWORD`].
#[derive(Debug)]
pub struct ClickhouseEngine {
    daemon: Daemon,
    port: u16,
    _directory: TempDir,
}

impl ClickhouseEngine {
    /// Starts one.
    pub fn start() -> Result<Self, Missing> {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let python = here.join("../../target/peers/clickhouse/bin/python");
        if !python.is_file() {
            return Err(Missing::Server { name: "ClickHouse's engine" });
        }
        let directory = private_directory();
        let port = free_port();
        let arguments = [
            here.join("python/clickhouse.py").display().to_string(),
            port.to_string(),
            directory.path().join("data").display().to_string(),
            USER.into(),
            PASSWORD.into(),
        ];
        let log = directory.path().join("clickhouse.log");
        let daemon = Daemon::start(&python, arguments.into(), None, log, "ready");
        Ok(Self { daemon, port, _directory: directory })
    }

    /// The connection string of the database `default`.
    pub fn url(&self) -> String {
        self.database_url("default")
    }

    /// The connection string of another database.
    pub fn database_url(&self, database: &str) -> String {
        url(self.port, database)
    }

    /// Makes one more database.
    pub fn create_database(&self, name: &str) {
        self.sql("default", &format!("CREATE DATABASE {name}"));
    }

    /// Runs a statement in a database and returns the answer: a row a line, tabs between columns.
    pub fn sql(&self, database: &str, statement: &str) -> String {
        let login = [("X-ClickHouse-User", USER), ("X-ClickHouse-Key", PASSWORD)];
        post(self.port, &format!("/?database={database}"), &login, statement).trim_end().to_owned()
    }
}

fn url(port: u16, database: &str) -> String {
    format!("clickhouse://{USER}:{PASSWORD_ENCODED}@127.0.0.1:{port}/{database}")
}

one_daemon!(ClickhouseEngine, daemon);

/// Debian's ClickHouse 18.16, too old for our tables, whose HTTP interface is its own. [`USER`] has [`PASSWORD`].
#[derive(Debug)]
pub struct OldClickhouseServer {
    _daemon: Daemon,
    port: u16,
    _directory: TempDir,
}

impl OldClickhouseServer {
    /// Starts one.
    pub fn start() -> Result<Self, Missing> {
        let program = find("clickhouse-server", "clickhouse-server")?;
        let directory = private_directory();
        let path = |name: &str| directory.path().join(name).display().to_string();
        let port = free_port();
        write(&directory.path().join("config.xml"), &configuration(port, &path));
        write(&directory.path().join("users.xml"), &users());
        let arguments = vec![format!("--config-file={}", path("config.xml"))];
        let daemon = Daemon::start(&program, arguments, None, path("log").into(), "Ready for connections");
        Ok(Self { _daemon: daemon, port, _directory: directory })
    }

    /// The connection string of a database.
    pub fn database_url(&self, database: &str) -> String {
        url(self.port, database)
    }
}

fn configuration(port: u16, path: &dyn Fn(&str) -> String) -> String {
    format!(
        "<yandex><logger><level>information</level><console>1</console></logger>\
         <http_port>{port}</http_port><listen_host>127.0.0.1</listen_host>\
         <path>{}/</path><tmp_path>{}/</tmp_path><format_schema_path>{}/</format_schema_path>\
         <users_config>users.xml</users_config><default_profile>default</default_profile>\
         <default_database>default</default_database><mark_cache_size>5000000</mark_cache_size></yandex>",
        path("data"),
        path("temporary"),
        path("schemas"),
    )
}

fn users() -> String {
    format!(
        "<yandex><profiles><default/></profiles><quotas><default/></quotas><users><{USER}>\
         <password>{PASSWORD}</password><networks><ip>127.0.0.1</ip></networks>\
         <profile>default</profile><quota>default</quota></{USER}></users></yandex>"
    )
}
