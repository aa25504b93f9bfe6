//! VictoriaMetrics

use rustix::process::Signal;
use tempfile::TempDir;

use super::daemon::Daemon;
use super::spawn::free_port;
use super::{Missing, PASSWORD, PASSWORD_ENCODED, Server, USER, installed, private_directory};

/// A private VictoriaMetrics on 127.0.0.1 that asks for a password, keeps everything, and shows what is sent twice once, as its
/// documentation wants it where that happens.
#[derive(Debug)]
pub struct VictoriametricsServer {
    daemon: Daemon,
    port: u16,
    _directory: TempDir,
}

impl VictoriametricsServer {
    /// Starts one.
    pub fn start() -> Result<Self, Missing> {
        let program = installed("victoriametrics", "bin/victoriametrics")?;
        let directory = private_directory();
        let port = free_port();
        let arguments = vec![
            format!("-storageDataPath={}", directory.path().join("data").display()),
            format!("-httpListenAddr=127.0.0.1:{port}"),
            format!("-httpAuth.username={USER}"),
            format!("-httpAuth.password={PASSWORD}"),
            "-retentionPeriod=100y".into(),
            "-dedup.minScrapeInterval=1ms".into(),
        ];
        let log = directory.path().join("victoriametrics.log");
        let daemon = Daemon::start(&program, arguments, None, log, "started server at");
        Ok(Self { daemon, port, _directory: directory })
    }

    /// The connection string of a scheme.
    pub fn url(&self, scheme: &str) -> String {
        format!("{scheme}://{USER}:{PASSWORD_ENCODED}@127.0.0.1:{}", self.port)
    }
}

impl Server for VictoriametricsServer {
    /// Asks it to end, and waits: what it acknowledged is on its disk only some seconds later.
    fn kill(&mut self) {
        self.daemon.end(Signal::TERM);
    }

    fn restart(&mut self) {
        self.daemon.restart();
    }

    fn log(&self) -> String {
        self.daemon.log()
    }
}
