//! The last OSProfiler with a driver for Ceilometer, 1.15, and python-ceilometerclient, which it reads with.
//!
//! `cargo xtask servers` makes their environment below `target/peers`.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::server::{Missing, run};

/// The two of them in a Python of their own.
#[derive(Clone, Debug)]
pub struct CeilometerClient {
    python: PathBuf,
}

impl CeilometerClient {
    /// The one that is installed.
    pub fn find() -> Result<Self, Missing> {
        let peers = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/peers");
        let python = peers.join("ceilometerclient/bin/python");
        if python.is_file() { Ok(Self { python }) } else { Err(Missing::Server { name: "ceilometerclient" }) }
    }

    /// What OSProfiler's driver reports of traces from the API at this URL, as a list in JSON.
    pub fn reports(&self, url: &str, ids: &[&str]) -> String {
        self.peer(&[&["reports", url], ids].concat())
    }

    /// What the client finds about the events of a trace, as JSON: the events `listed`; of those whose name is not
    /// before `wsgi-stop` the first (`stops`); `got`, the first by its id; the `traits` of its type; and what is said
    /// of an id that is not there (`missing`).
    pub fn events(&self, url: &str, base_id: &str) -> String {
        self.peer(&["events", url, base_id])
    }

    fn peer(&self, arguments: &[&str]) -> String {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/ceilometer_peer.py");
        let mut command = Command::new(&self.python);
        command.arg(script).args(arguments).env("PYTHONDONTWRITEBYTECODE", "1");
        run(command)
    }
}
