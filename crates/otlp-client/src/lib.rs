//! Sending to a receiver of OpenTelemetry's protocol, over HTTP or gRPC.
//!
//! | end of the scheme | protocol | port |
//! |---|---|---|
//! | none, `+https` | OTLP/HTTP with Protocol Buffers, without and with TLS | 4318 |
//! | `+grpc`, `+grpcs` | OTLP/gRPC, without and with TLS | 4317 |
//!
//! | option | meaning |
//! |---|---|
//! | `headers` | as `OTEL_EXPORTER_OTLP_HEADERS`: `name=value,name=value`, each value percent-encoded (and all of it once more as an option) |
//! | `compression` | `gzip`; `none` is the default |
//! | `timeout`, `connect_timeout`, `cacert`, `cert`, `key` | as of every HTTP backend |
//! | `insecure` | takes any certificate; not with gRPC |
//!
//! Nothing is tried again here. What a receiver rejects for good is an error of the kind `Invalid`, or stands in its answer.

mod grpc;
mod http;
mod signal;

use nephoscope_http::Http;
use nephoscope_telemetry::{ConnectionString, Result};

use grpc::GrpcClient;
use http::HttpClient;
pub use signal::{Metrics, Signal, Traces};

/// The options beside those of every HTTP backend.
pub const OPTIONS: [&str; 2] = ["compression", "headers"];

/// A receiver of OTLP. Nothing is asked of it before there is something to send.
#[derive(Debug)]
pub struct Client(Protocol);

#[derive(Debug)]
enum Protocol {
    Http(HttpClient),
    Grpc(GrpcClient),
}

impl Client {
    /// The receiver that a connection string names.
    pub fn new(to: &ConnectionString) -> Result<Self> {
        let scheme = to.scheme();
        Ok(Self(if scheme.ends_with("+grpc") || scheme.ends_with("+grpcs") {
            Protocol::Grpc(GrpcClient::new(to, scheme.ends_with('s'))?)
        } else {
            Protocol::Http(HttpClient::new(to, scheme.ends_with("+https"))?)
        }))
    }

    /// The receiver of OTLP/HTTP at the addresses of this client.
    pub fn over(http: Http) -> Self {
        Self(Protocol::Http(HttpClient::over(http)))
    }

    /// Sends a request. What was accepted of it, the answer tells.
    pub async fn export<S: Signal>(
        &self,
        operation: &'static str,
        request: S::Request,
    ) -> Result<S::Response> {
        match &self.0 {
            Protocol::Http(client) => client.export::<S>(operation, &request).await,
            Protocol::Grpc(client) => client.export::<S>(operation, request).await,
        }
    }
}

/// Whether `compression` asks for gzip.
fn gzip(to: &ConnectionString) -> Result<bool> {
    match to.option("compression") {
        None | Some("none") => Ok(false),
        Some("gzip") => Ok(true),
        Some(_) => Err(to.wrong("option `compression` is gzip or none")),
    }
}
