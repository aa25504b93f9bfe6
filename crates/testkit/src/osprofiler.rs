//! The real OSProfiler, run in a Python of its own.
//!
//! `cargo xtask servers` makes its environment below `target/peers`. Another one can be used instead:
//! `NEPHOSCOPE_TEST_PYTHON` is the interpreter, `NEPHOSCOPE_TEST_SQLALCHEMY14` the directory with SQLAlchemy 1.4,
//! without which its SQL driver stores nothing.

use std::path::{Path, PathBuf};
use std::process::Command;

use nephoscope_telemetry::TracePoint;

use crate::server::{Missing, run};

/// OSProfiler 4.4 with its MongoDB, OTLP, Redis and SQL drivers.
#[derive(Clone, Debug)]
pub struct Osprofiler {
    python: PathBuf,
    sqlalchemy14: PathBuf,
}

impl Osprofiler {
    /// The one that is installed.
    pub fn find() -> Result<Self, Missing> {
        let peers = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/peers");
        let path =
            |variable, default| std::env::var_os(variable).map_or_else(|| peers.join(default), PathBuf::from);
        let found = Self {
            python: path("NEPHOSCOPE_TEST_PYTHON", "osprofiler/bin/python"),
            sqlalchemy14: path("NEPHOSCOPE_TEST_SQLALCHEMY14", "sqlalchemy14"),
        };
        if found.python.is_file() && found.sqlalchemy14.is_dir() {
            Ok(found)
        } else {
            Err(Missing::Osprofiler)
        }
    }

    /// Makes a trace with the real profiler and the driver of this connection string, with error records or not, and
    /// returns its id.
    pub fn trace(&self, url: &str, errors: bool) -> String {
        let option: &[&str] = if errors { &["--errors"] } else { &[] };
        let id = self.peer(&[&["trace", url], option].concat());
        id.trim_matches('"').to_owned()
    }

    /// Makes a trace as [`trace`](Self::trace) does, and returns its id and what the driver was given.
    pub fn trace_and_tell(&self, url: &str) -> (String, Vec<TracePoint>) {
        let file = tempfile::NamedTempFile::new().expect("a temporary file can be made");
        let path = file.path().to_str().expect("temporary files have names of text");
        let id = self.peer(&["trace", url, "--also", path]);
        let lines = std::fs::read_to_string(path).expect("it was written");
        let points = lines.lines().map(|line| TracePoint::from_json(line).expect("it is a notification"));
        (id.trim_matches('"').to_owned(), points.collect())
    }

    /// What its driver reports of a trace, as JSON.
    pub fn report(&self, url: &str, base_id: &str) -> String {
        self.peer(&["report", url, base_id])
    }

    /// What its driver lists, as JSON.
    pub fn list(&self, url: &str) -> String {
        self.peer(&["list", url])
    }

    /// What its driver lists as traces with errors, as JSON.
    pub fn list_errors(&self, url: &str) -> String {
        self.peer(&["errors", url])
    }

    /// Stores one notification in Redis as OSProfiler before 2.8 did: under a key of its own. No release of today does.
    pub fn store_in_old_form(&self, url: &str, point: &TracePoint) {
        self.peer(&["old", url, &point.to_json()]);
    }

    /// Its interpreter.
    pub(crate) fn python(&self) -> &Path {
        &self.python
    }

    fn peer(&self, arguments: &[&str]) -> String {
        let mut command = Command::new(&self.python);
        command
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("python/peer.py"))
            .args(arguments)
            .env("PYTHONPATH", &self.sqlalchemy14)
            .env("PYTHONDONTWRITEBYTECODE", "1");
        run(command)
    }
}
