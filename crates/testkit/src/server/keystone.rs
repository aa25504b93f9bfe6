//! Keystone, the real one, on SQLite.

use std::path::Path;

use super::daemon::{Daemon, one_daemon};
use super::spawn::free_port;
use super::{Missing, PASSWORD, PASSWORD_ENCODED, Server, USER, private_directory};

/// A Keystone with the user [`USER`], whose domain is `clouds` and whose project `weather`.
pub struct KeystoneServer {
    daemon: Daemon,
    port: u16,
    /// Goes after the process.
    _directory: tempfile::TempDir,
}

impl KeystoneServer {
    /// Starts one whose catalog has a service of type `event` at this URL in the region `north`, at `/internal` below it
    /// as its internal endpoint, and at `/south` in the region `south`.
    pub fn start(endpoint: &str) -> Result<Self, Missing> {
        let testkit = Path::new(env!("CARGO_MANIFEST_DIR"));
        let python = testkit.join("../../target/peers/keystone/bin/python");
        if !python.is_file() {
            return Err(Missing::Server { name: "keystone" });
        }
        let (directory, port) = (private_directory(), free_port());
        let text = |path: &Path| path.to_str().expect("directories have names of text").to_owned();
        let script = text(&testkit.join("python/keystone_server.py"));
        let data = text(directory.path());
        let arguments = vec![script, data, port.to_string(), USER.into(), PASSWORD.into(), endpoint.into()];
        let log = directory.path().join("log");
        let daemon = Daemon::start(&python, arguments, None, log, "\nlistening\n");
        Ok(Self { daemon, port, _directory: directory })
    }

    /// Where its API is.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/v3", self.port)
    }

    /// The user with the password as a connection string has them, with the `@` behind them.
    pub fn login() -> String {
        format!("{USER}:{PASSWORD_ENCODED}@")
    }

    /// The administrator in the same form; the project is `admin`.
    pub fn administrator() -> String {
        "admin:admin@".into()
    }

    /// Id and secret of an application credential of the user.
    pub fn application_credential(&self) -> (String, String) {
        let log = self.log();
        let line = log.lines().find_map(|line| line.strip_prefix("application credential "));
        let (id, secret) = line.and_then(|line| line.split_once(' ')).expect("it says so when it starts");
        (id.into(), secret.into())
    }
}

one_daemon!(KeystoneServer, daemon);
