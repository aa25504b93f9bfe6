//! A server that speaks as MongoDB does.

use std::path::PathBuf;

use tempfile::TempDir;

use super::certificate::{self, Certificate};
use super::daemon::{Daemon, one_daemon};
use super::spawn::free_port;
use super::{Missing, PASSWORD, PASSWORD_ENCODED, USER, installed, private_directory};

/// A private FerretDB 1 on 127.0.0.1 that keeps its data in SQLite, asks [`USER`] for [`PASSWORD`], and calls itself
/// the primary of a replica set.
#[derive(Debug)]
pub struct FerretdbServer {
    daemon: Daemon,
    port: u16,
    certificate: Option<Certificate>,
    /// Last, so that it outlives the process.
    _directory: TempDir,
}

/// What it calls its replica set.
const REPLICA_SET: &str = "rs0";

impl FerretdbServer {
    /// Starts one.
    pub fn start() -> Result<Self, Missing> {
        Self::start_with(false)
    }

    /// Starts one that speaks TLS only.
    pub fn start_with_tls() -> Result<Self, Missing> {
        Self::start_with(true)
    }

    fn start_with(tls: bool) -> Result<Self, Missing> {
        let program = installed("FerretDB", "bin/ferretdb")?;
        let directory = private_directory();
        let certificate = if tls { Some(certificate::make(directory.path())?) } else { None };
        let port = free_port();
        let address = format!("127.0.0.1:{port}");
        let mut arguments = vec![
            format!("-data={}/", directory.path().display()),
            format!("-replica-set={REPLICA_SET}"),
            format!("-user={USER}"),
            format!("-password={PASSWORD}"),
        ];
        match &certificate {
            None => arguments.push(format!("-listen={address}")),
            Some(made) => arguments.extend([
                format!("-listen-tls={address}"),
                format!("-tls-cert-file={}", made.certificate.display()),
                format!("-tls-key-file={}", made.key.display()),
            ]),
        }
        let log = directory.path().join("ferretdb.log");
        let daemon = Daemon::start(&program, arguments, None, log, "msg=ready");
        Ok(Self { daemon, port, certificate, _directory: directory })
    }

    /// The connection string, as MongoDB's own clients take it.
    pub fn url(&self) -> String {
        let place = format!("mongodb://{USER}:{PASSWORD_ENCODED}@127.0.0.1:{}/", self.port);
        match self.ca_file() {
            Some(file) => format!("{place}?tls=true&tlsCAFile={}", file.display()),
            None => format!("{place}?replicaSet={REPLICA_SET}"),
        }
    }

    /// The connection string, with a database in place of OSProfiler's.
    pub fn database_url(&self, database: &str) -> String {
        format!("{}&database={database}", self.url())
    }

    /// The file with the authority of its certificate, when it speaks TLS.
    pub fn ca_file(&self) -> Option<PathBuf> {
        self.certificate.as_ref().map(|made| made.certificate.clone())
    }
}

one_daemon!(FerretdbServer, daemon);
