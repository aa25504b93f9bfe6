//! Traces sent to anything that takes OpenTelemetry's protocol: a collector, Jaeger, Nephoscope, a vendor.
//!
//! | scheme | protocol | port |
//! |---|---|---|
//! | `otlp`, `otlp+https` | OTLP/HTTP with Protocol Buffers, without and with TLS | 4318 |
//! | `otlp+grpc`, `otlp+grpcs` | OTLP/gRPC, without and with TLS | 4317 |
//!
//! ```text
//! otlp://collector:4318                          posts to http://collector:4318/v1/traces
//! otlp+https://user:password@collector/prefix    posts to https://collector:4318/prefix/v1/traces
//! otlp+grpc://collector?compression=gzip
//! otlp+https://vendor:443?headers=x-api-key=secret,x-tenant=cloud%252C1
//! otlp://collector?query=jaeger://jaeger:16686
//! ```
//!
//! | option | meaning |
//! |---|---|
//! | `headers` | as `OTEL_EXPORTER_OTLP_HEADERS`: `name=value,name=value`, each value percent-encoded (and all of it once more as an option) |
//! | `compression` | `gzip`; `none` is the default |
//! | `query` | the connection string of a backend that holds what was sent, to read it back; percent-encoded where it has an `&` or a `%` |
//! | `timeout`, `connect_timeout`, `cacert`, `cert`, `key` | as of every HTTP backend |
//! | `insecure` | takes any certificate; not with gRPC |
//! | `filter_error_trace` | taken and ignored: an error is the status of its span |
//!
//! # What is sent
//!
//! A span says when an operation began and ended, so it can be sent only when its stop is there. A start that comes
//! before its stop is held in memory, at most ten minutes and at most so many; then, and when the driver is
//! closed, it is sent as a span that has not ended. A process that is killed loses the starts of what was running in
//! it, which is why nothing here is called durable. Reads of the same driver see what it holds.
//!
//! # What is read
//!
//! OTLP only writes. With `query` the points are read, and traces listed, from where that says, as its own driver does;
//! without it that is unsupported. Deleting is left to that place too.

mod config;
mod driver;
mod held;
mod sender;

use std::sync::Arc;

use nephoscope_telemetry::{Connecting, ConnectionString, Driver};

pub(crate) use self::driver::Otlp;
#[cfg(feature = "jaeger")]
pub(crate) use self::sender::Sender;

/// Connects to the receiver, and to the place to read back from where one is named.
pub(crate) fn connect(to: &ConnectionString) -> Connecting<'_> {
    Box::pin(async move {
        let sender = config::sender(to)?;
        let read_back = config::read_back(to).await?;
        sender.probe().await?;
        Ok(Arc::new(Otlp::new(sender, read_back)) as Arc<dyn Driver>)
    })
}

#[cfg(test)]
mod tests;
