//! The OpenTelemetry Collector.

use std::path::PathBuf;

use tempfile::TempDir;

use super::certificate::{self, Certificate};
use super::daemon::{Daemon, one_daemon};
use super::spawn::free_port;
use super::{Missing, installed, private_directory, write};

/// A private OpenTelemetry Collector on 127.0.0.1, which sends every request that it takes on as OTLP/JSON, at once and
/// without trying again, and answers when that was answered.
#[derive(Debug)]
pub struct OtelCollector {
    daemon: Daemon,
    http: u16,
    grpc: u16,
    certificate: Option<Certificate>,
    _directory: TempDir,
}

impl OtelCollector {
    /// Starts one that sends to this port of 127.0.0.1.
    pub fn start(to: u16) -> Result<Self, Missing> {
        Self::start_with(to, false)
    }

    /// Starts one whose receivers speak TLS.
    pub fn start_with_tls(to: u16) -> Result<Self, Missing> {
        Self::start_with(to, true)
    }

    /// Starts one that takes requests and drops them.
    pub fn start_dropping() -> Result<Self, Missing> {
        Self::start_exporting("nop: {}", "nop", false)
    }

    fn start_with(to: u16, tls: bool) -> Result<Self, Missing> {
        let exporter = format!(
            "otlphttp: {{endpoint: 'http://127.0.0.1:{to}', encoding: json, compression: none, \
             sending_queue: {{enabled: false}}, retry_on_failure: {{enabled: false}}}}"
        );
        Self::start_exporting(&exporter, "otlphttp", tls)
    }

    fn start_exporting(exporter: &str, name: &str, tls: bool) -> Result<Self, Missing> {
        let program = installed("otelcol", "bin/otelcol")?;
        let directory = private_directory();
        let certificate = if tls { Some(certificate::make(directory.path())?) } else { None };
        let (http, grpc) = (free_port(), free_port());
        let file = directory.path().join("otelcol.yaml");
        write(&file, &configuration([http, grpc], exporter, name, certificate.as_ref()));
        let arguments = vec!["--config".into(), format!("file:{}", file.display())];
        let log = directory.path().join("otelcol.log");
        let daemon = Daemon::start(&program, arguments, None, log, "Everything is ready");
        Ok(Self { daemon, http, grpc, certificate, _directory: directory })
    }

    /// The port of its OTLP/HTTP receiver.
    pub fn http_port(&self) -> u16 {
        self.http
    }

    /// The port of its OTLP/gRPC receiver.
    pub fn grpc_port(&self) -> u16 {
        self.grpc
    }

    /// The file with the authority of its certificate, when it speaks TLS.
    pub fn ca_file(&self) -> Option<PathBuf> {
        self.certificate.as_ref().map(|made| made.certificate.clone())
    }
}

fn configuration(
    [http, grpc]: [u16; 2],
    exporter: &str,
    name: &str,
    certificate: Option<&Certificate>,
) -> String {
    let tls = certificate.map_or_else(String::new, |made| {
        let (certificate, key) = (made.certificate.display(), made.key.display());
        format!(", tls: {{cert_file: '{certificate}', key_file: '{key}'}}")
    });
    format!(
        "\
receivers:
  otlp:
    protocols:
      http: {{endpoint: '127.0.0.1:{http}'{tls}}}
      grpc: {{endpoint: '127.0.0.1:{grpc}'{tls}}}
exporters: {{{exporter}}}
service:
  pipelines:
    traces: {{receivers: [otlp], exporters: [{name}]}}
    metrics: {{receivers: [otlp], exporters: [{name}]}}
  telemetry:
    metrics: {{level: none}}
"
    )
}

one_daemon!(OtelCollector, daemon);
