//! OpenTelemetry's SDK for Python with its exporters, run in the environment of the real OSProfiler, which needs it for
//! its `otlp` driver.

use std::path::Path;
use std::process::Command;

use crate::osprofiler::Osprofiler;
use crate::server::{Missing, run};

/// A program that is traced by the SDK.
#[derive(Clone, Debug)]
pub struct TracedProgram(Osprofiler);

impl TracedProgram {
    /// The one that is installed.
    pub fn find() -> Result<Self, Missing> {
        Osprofiler::find().map(Self)
    }

    /// Exports a trace of three spans, one of them failed, over `http` or `grpc` to this endpoint; returns its trace id
    /// as 32 hexadecimal digits.
    pub fn export(&self, protocol: &str, endpoint: &str) -> String {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/spans.py");
        let mut command = Command::new(self.0.python());
        command.arg(script).args([protocol, endpoint]).env("PYTHONDONTWRITEBYTECODE", "1");
        run(command).trim().to_owned()
    }
}
