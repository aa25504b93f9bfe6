//! Running the binary.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The binary, with nothing of the environment that could change what it does.
pub(crate) fn nephoscope() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nephoscope"));
    for variable in [
        "OSPROFILER_CONNECTION_STRING",
        "NEPHOSCOPE_CONFIG",
        "NEPHOSCOPE_DATA_DIR",
        "NEPHOSCOPE_LISTEN",
        "NEPHOSCOPE_LOG",
        "NEPHOSCOPE_OTLP_GRPC_LISTEN",
    ] {
        command.env_remove(variable);
    }
    command.stdin(Stdio::null());
    command
}

/// What a run came to.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Run {
    fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Its standard output, of a run that has to end well.
    #[track_caller]
    pub(crate) fn ok(self) -> String {
        assert_eq!(self.code, Some(0), "{}", self.err);
        self.out
    }
}

pub(crate) fn run(arguments: &[&str]) -> Run {
    Run::of(nephoscope().args(arguments).output().unwrap())
}

/// Runs with this on its standard input.
pub(crate) fn run_with_input(arguments: &[&str], input: &[u8]) -> Run {
    let mut child = nephoscope()
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    Run::of(output)
}

/// A golden file of the real OSProfiler.
pub(crate) fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../telemetry/tests/golden").join(name)
}

/// A golden file as a command line wants it.
pub(crate) fn golden_path(name: &str) -> String {
    golden(name).to_str().unwrap().to_owned()
}

/// A store of its own for a test.
pub(crate) struct Store {
    directory: tempfile::TempDir,
}

impl Store {
    pub(crate) fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The connection string of an embedded store with this name.
    pub(crate) fn embedded(&self, name: &str) -> String {
        format!("embedded://{}", self.path(name).display())
    }

    /// An embedded store that holds these golden traces.
    pub(crate) fn with_golden(names: &[&str]) -> (Self, String) {
        let store = Self::new();
        let to = store.embedded("traces");
        for name in names {
            let file = golden_path(&format!("{name}.redis_list.jsonl"));
            run(&["trace", "import", &file, "--connection-string", &to]).ok();
        }
        (store, to)
    }
}
