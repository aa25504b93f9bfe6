//! Jaeger 2.

use std::path::Path;

use tempfile::TempDir;

use super::daemon::{Daemon, one_daemon};
use super::spawn::free_port;
use super::{Missing, installed, private_directory, write};

/// A private Jaeger on 127.0.0.1: receivers of OTLP, its query API, and a store between them.
#[derive(Debug)]
pub struct JaegerServer {
    daemon: Daemon,
    query: u16,
    http: u16,
    grpc: u16,
    _directory: TempDir,
}

impl JaegerServer {
    /// Starts one that keeps traces in memory.
    pub fn start() -> Result<Self, Missing> {
        Self::start_with(|_| "memory: {max_traces: 20000}".into())
    }

    /// Starts one that keeps traces on disk, in Badger.
    pub fn start_durable() -> Result<Self, Missing> {
        Self::start_with(|directory| {
            let directory = directory.display();
            format!(
                "badger: {{directories: {{keys: '{directory}/keys', values: '{directory}/values'}}, \
                 ephemeral: false, consistency: true, ttl: {{spans: 876000h}}}}"
            )
        })
    }

    fn start_with(store: impl FnOnce(&Path) -> String) -> Result<Self, Missing> {
        let program = installed("jaeger", "bin/jaeger")?;
        let directory = private_directory();
        let (query, http, grpc) = (free_port(), free_port(), free_port());
        let file = directory.path().join("jaeger.yaml");
        write(&file, &configuration(&store(directory.path()), [query, free_port(), http, grpc]));
        let arguments = vec!["--config".into(), file.display().to_string()];
        let log = directory.path().join("jaeger.log");
        let daemon = Daemon::start(&program, arguments, None, log, "Everything is ready");
        Ok(Self { daemon, query, http, grpc, _directory: directory })
    }

    /// The connection string.
    pub fn url(&self) -> String {
        format!("jaeger://127.0.0.1:{}?otlp_port={}", self.query, self.http)
    }

    /// The port of the query API.
    pub fn query_port(&self) -> u16 {
        self.query
    }

    /// The port of the OTLP/HTTP receiver.
    pub fn http_port(&self) -> u16 {
        self.http
    }

    /// The port of the OTLP/gRPC receiver.
    pub fn grpc_port(&self) -> u16 {
        self.grpc
    }
}

/// As Jaeger's own for one machine, without the processor that collects batches: what was answered is there.
fn configuration(store: &str, [query, query_grpc, http, grpc]: [u16; 4]) -> String {
    format!(
        "\
service:
  extensions: [jaeger_storage, jaeger_query]
  pipelines:
    traces: {{receivers: [otlp], exporters: [jaeger_storage_exporter]}}
  telemetry:
    metrics: {{level: none}}
extensions:
  jaeger_storage: {{backends: {{store: {{{store}}}}}}}
  jaeger_query:
    storage: {{traces: store}}
    http: {{endpoint: '127.0.0.1:{query}'}}
    grpc: {{endpoint: '127.0.0.1:{query_grpc}'}}
receivers:
  otlp:
    protocols:
      http: {{endpoint: '127.0.0.1:{http}'}}
      grpc: {{endpoint: '127.0.0.1:{grpc}'}}
exporters:
  jaeger_storage_exporter: {{trace_storage: store}}
"
    )
}

one_daemon!(JaegerServer, daemon);
