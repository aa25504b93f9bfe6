//! `nephoscope serve`

use std::path::{Path, PathBuf};

use rustix::process::Signal;

use super::daemon::{Daemon, one_daemon};
use super::spawn::free_port;
use super::{private_directory, write};

/// A daemon with a store of its own.
pub struct NephoscopeServer {
    daemon: Daemon,
    port: u16,
    grpc_port: u16,
    /// Goes after the process.
    _directory: tempfile::TempDir,
}

impl NephoscopeServer {
    /// Starts this program, with what else the configuration file has to say.
    pub fn start(program: &Path, configuration: &str) -> Self {
        let directory = private_directory();
        let (port, grpc_port) = (free_port(), free_port());
        let at = |name: &str| -> PathBuf { directory.path().join(name) };
        write(&at("nephoscope.toml"), configuration);
        let text =
            |path: PathBuf| path.to_str().expect("temporary directories have names of text").to_owned();
        let arguments = vec![
            "serve".into(),
            "--listen".into(),
            format!("127.0.0.1:{port}"),
            "--otlp-grpc-listen".into(),
            format!("127.0.0.1:{grpc_port}"),
            "--data-dir".into(),
            text(at("data")),
            "--config".into(),
            text(at("nephoscope.toml")),
        ];
        let daemon = Daemon::start(program, arguments, None, at("log"), "listening on http://");
        Self { daemon, port, grpc_port, _directory: directory }
    }

    /// Ends it as a service manager does, and waits for that.
    pub fn terminate(&mut self) {
        self.daemon.end(Signal::TERM);
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its port for OTLP over gRPC on 127.0.0.1.
    pub fn grpc_port(&self) -> u16 {
        self.grpc_port
    }
}

one_daemon!(NephoscopeServer, daemon);
