//! Gnocchi, the real one: its API and metricd, with PostgreSQL and Redis.

use std::path::Path;

use super::daemon::{Daemon, one_daemon};
use super::spawn::free_port;
use super::{Missing, PostgresServer, RedisServer, private_directory};
use crate::gnocchi::python;

/// How a [`GnocchiServer`] is set up.
#[derive(Clone, Debug, Default)]
pub struct GnocchiOptions {
    /// Has the archive policies that `gnocchi-upgrade` makes, and the rule `default`.
    pub archive_policies: bool,
    /// Processes of the API, and workers of metricd beside it; nothing means one.
    pub processes: Option<u8>,
    /// Settings such as `api.max_limit=7`: section, name and value of `gnocchi.conf`.
    pub settings: Vec<&'static str>,
}

impl GnocchiOptions {
    /// As Gnocchi's functional suite wants its server.
    pub fn functional() -> Self {
        let settings = vec![
            "api.max_limit=7",
            "api.enable_proxy_headers_parsing=true",
            "cors.allowed_origin=http://foobar.com",
        ];
        Self { settings, ..Self::default() }
    }
}

/// A private Gnocchi on 127.0.0.1 with nothing in it. It believes who says, by HTTP's basic scheme, that they are `admin`.
pub struct GnocchiServer {
    daemon: Daemon,
    port: u16,
    /// These and their data go after the process.
    _postgres: PostgresServer,
    _redis: RedisServer,
    _directory: tempfile::TempDir,
}

impl GnocchiServer {
    /// Starts one like this.
    pub fn start(options: &GnocchiOptions) -> Result<Self, Missing> {
        let python = python("gnocchi")?;
        let (postgres, redis) = (PostgresServer::start()?, RedisServer::start()?);
        let (directory, port) = (private_directory(), free_port());
        let text = |path: &Path| path.to_str().expect("directories have names of text").to_owned();
        let mut arguments = vec![
            text(&Path::new(env!("CARGO_MANIFEST_DIR")).join("python/gnocchi_server.py")),
            text(directory.path()),
            port.to_string(),
            postgres.url(),
            redis.url(),
            options.processes.unwrap_or(1).to_string(),
            format!("archive_policies={}", options.archive_policies),
        ];
        arguments.extend(options.settings.iter().map(ToString::to_string));
        let log = directory.path().join("log");
        let daemon = Daemon::start(&python, arguments, None, log, "\nlistening\n");
        Ok(Self { daemon, port, _postgres: postgres, _redis: redis, _directory: directory })
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where its API is.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

one_daemon!(GnocchiServer, daemon);
