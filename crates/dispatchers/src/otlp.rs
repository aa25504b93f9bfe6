//! `otlp+metrics://` and its kin: samples become metrics of OpenTelemetry, for a collector, a vendor, or whatever else
//! takes its protocol.
//!
//! ```text
//! otlp+metrics://collector                             posts to http://collector:4318/v1/metrics
//! otlp+metrics+https://user:password@collector/prefix  posts to https://collector:4318/prefix/v1/metrics
//! otlp+metrics+grpc://collector?compression=gzip       OTLP/gRPC, port 4317; `+grpcs` with TLS
//! ```
//!
//! The options are those of [`nephoscope_otlp_client`]; what becomes of a sample is told at
//! [`metrics`](mod@nephoscope_otlp::metrics). A sample without a volume is passed over, and so are events.
//!
//! Of a request that is accepted in part a receiver does not say which part. The specification of OTLP ("Partial Success")
//! forbids to send it again, and halves of it would be just that: deltas that were accepted would count twice. So all samples
//! of the request are refused with what the receiver says, and none is lost.

use std::sync::Arc;

use nephoscope_otlp::Measured;
use nephoscope_otlp::proto::ExportMetricsServiceRequest;
use nephoscope_otlp_client::{Client, Metrics, OPTIONS};
use nephoscope_telemetry::{
    BoxFuture, ConnectionString, Dispatcher, Event, Refused, Result, Sample, in_halves,
};

/// So many points go into one request: with the resource that each may have a fraction of what gRPC receivers take by
/// default (4 MiB).
const POINTS: usize = 2_000;

#[derive(Debug)]
struct Otlp {
    client: Client,
}

/// What is at the address is met when there is something to send.
pub(crate) fn connect(to: &ConnectionString) -> Result<Arc<dyn Dispatcher>> {
    to.expect_options(&[&OPTIONS[..], &nephoscope_http::OPTIONS[..]].concat())?;
    Ok(Arc::new(Otlp { client: Client::new(to)? }))
}

/// A sample that is sent, and which one it is.
type Sent<'a> = (usize, Measured<'a>);

impl Otlp {
    async fn send(&self, samples: &[Sample]) -> Result<Vec<Refused>> {
        let (mut sent, mut refused) = (Vec::new(), Vec::new());
        for (at, sample) in samples.iter().enumerate() {
            match Measured::of(sample) {
                Ok(measured) => sent.extend(measured.map(|measured| (at, measured))),
                Err(reason) => refused.push(Refused { at, reason: reason.to_string() }),
            }
        }
        for sent in sent.chunks(POINTS) {
            let export = |part| -> BoxFuture<'_, _> { Box::pin(self.export(&sent[part])) };
            let told = in_halves(0..sent.len(), export).await?;
            refused.extend(told.into_iter().map(|told| Refused { at: sent[told.at].0, ..told }));
        }
        refused.sort_by_key(|refused| refused.at);
        Ok(refused)
    }

    async fn export(&self, sent: &[Sent<'_>]) -> Result<Vec<Refused>> {
        let resource_metrics = nephoscope_otlp::metrics(sent.iter().map(|(_, measured)| measured));
        let request = ExportMetricsServiceRequest { resource_metrics };
        let answer = self.client.export::<Metrics>("send metrics", request).await?;
        let partial = answer.partial_success.unwrap_or_default();
        let (rejected, message) = (partial.rejected_data_points, partial.error_message);
        if rejected <= 0 {
            if !message.is_empty() {
                tracing::warn!(message, "the receiver of OTLP has something to say");
            }
            return Ok(Vec::new());
        }
        let reason =
            format!("the receiver rejects {rejected} of {} data points for good: {message}", sent.len());
        Ok((0..sent.len()).map(|at| Refused { at, reason: reason.clone() }).collect())
    }
}

impl Dispatcher for Otlp {
    fn samples<'a>(&'a self, samples: &'a [Sample]) -> BoxFuture<'a, Result<Vec<Refused>>> {
        Box::pin(self.send(samples))
    }

    /// Metrics have no use for them.
    fn events<'a>(&'a self, _: &'a [Event]) -> BoxFuture<'a, Result<Vec<Refused>>> {
        Box::pin(async { Ok(Vec::new()) })
    }
}

#[cfg(test)]
mod tests;
