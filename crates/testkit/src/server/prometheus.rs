//! Prometheus

use tempfile::TempDir;

use super::daemon::{Daemon, one_daemon};
use super::spawn::free_port;
use super::{Missing, PASSWORD_ENCODED, USER, find, private_directory, write};

/// A private Prometheus on 127.0.0.1 that takes remote write and asks for a password.
#[derive(Debug)]
pub struct PrometheusServer {
    daemon: Daemon,
    port: u16,
    _directory: TempDir,
}

/// [`PASSWORD`](super::PASSWORD) by bcrypt, at the least cost that it has.
const HASH: &str = "$2b$04$abcdefghijklmnopqrstuu1fS44wtNt39.j2fTQ89szFXk4NkQejS";

impl PrometheusServer {
    /// Starts one that takes what comes up to a day late.
    pub fn start() -> Result<Self, Missing> {
        Self::start_with("1d")
    }

    /// Starts one that takes nothing late, as they do by default.
    pub fn start_strict() -> Result<Self, Missing> {
        Self::start_with("0s")
    }

    fn start_with(window: &str) -> Result<Self, Missing> {
        let program = find("prometheus", "prometheus")?;
        let directory = private_directory();
        let port = free_port();
        let at = |name: &str| directory.path().join(name);
        let storage = format!("storage: {{tsdb: {{out_of_order_time_window: {window}}}}}\n");
        write(&at("prometheus.yml"), &storage);
        write(&at("web.yml"), &format!("basic_auth_users: {{{USER}: '{HASH}'}}\n"));
        let arguments = vec![
            format!("--config.file={}", at("prometheus.yml").display()),
            format!("--web.config.file={}", at("web.yml").display()),
            format!("--web.listen-address=127.0.0.1:{port}"),
            "--web.enable-remote-write-receiver".into(),
            format!("--storage.tsdb.path={}", at("data").display()),
            "--storage.tsdb.retention.time=100y".into(),
        ];
        let ready = "Server is ready to receive web requests";
        let daemon = Daemon::start(&program, arguments, None, at("prometheus.log"), ready);
        Ok(Self { daemon, port, _directory: directory })
    }

    /// The connection string of a scheme.
    pub fn url(&self, scheme: &str) -> String {
        format!("{scheme}://{USER}:{PASSWORD_ENCODED}@127.0.0.1:{}", self.port)
    }
}

one_daemon!(PrometheusServer, daemon);
