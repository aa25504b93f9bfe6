//! Sending spans, in requests that a receiver takes.

#[cfg(feature = "jaeger")]
use nephoscope_http::Http;
use nephoscope_otlp::proto::{ExportTraceServiceRequest, ExportTraceServiceResponse, ResourceSpans};
use nephoscope_otlp_client::{Client, Traces};
use nephoscope_telemetry::{Error, ErrorKind, Result, TracePoint};

/// What errors say could not be done.
pub(super) const STORE: &str = "store trace points";
/// What errors say could not be done when nothing was sent yet.
pub(super) const CONNECT: &str = "connect";
/// So much text goes into one request: a third of what gRPC receivers take by default (4 MiB), because a span holds
/// much of its points twice. OTLP/HTTP receivers take more.
const REQUEST_BYTES: usize = 1 << 20;
/// What a point takes beside its `info`.
const POINT_BYTES: usize = 256;

/// A receiver of OTLP.
#[derive(Debug)]
pub(crate) struct Sender(Client);

impl Sender {
    pub(super) fn new(client: Client) -> Self {
        Self(client)
    }

    /// The receiver of OTLP/HTTP at the addresses of this client.
    #[cfg(feature = "jaeger")]
    pub(crate) fn over(http: Http) -> Self {
        Self(Client::over(http))
    }

    /// Sends no spans, which a receiver takes, to see that there is one.
    pub(crate) async fn probe(&self) -> Result<()> {
        self.request(CONNECT, Vec::new()).await.map(drop)
    }

    /// Sends the spans of these points, in which a stop follows its start.
    ///
    /// What the receiver rejects for good does not keep the rest from being sent.
    pub(super) async fn send(&self, points: &[TracePoint]) -> Result<()> {
        let mut rejected = Ok(());
        for part in parts(points) {
            match self.send_part(part).await {
                Err(error) if error.kind() == ErrorKind::Invalid => rejected = rejected.and(Err(error)),
                sent => sent?,
            }
        }
        rejected
    }

    async fn send_part(&self, points: &[TracePoint]) -> Result<()> {
        let spans = nephoscope_otlp::spans(points);
        let count: usize =
            spans.iter().flat_map(|resource| &resource.scope_spans).map(|scope| scope.spans.len()).sum();
        let answer = self.request(STORE, spans).await?.partial_success.unwrap_or_default();
        let (rejected, message) = (answer.rejected_spans, answer.error_message);
        if rejected > 0 {
            let message = format!("the receiver rejects {rejected} of {count} spans for good: {message}");
            return Err(Error::new(ErrorKind::Invalid, STORE, message));
        }
        if !message.is_empty() {
            tracing::warn!(message, "the receiver of OTLP has something to say");
        }
        Ok(())
    }

    async fn request(
        &self,
        operation: &'static str,
        resource_spans: Vec<ResourceSpans>,
    ) -> Result<ExportTraceServiceResponse> {
        self.0.export::<Traces>(operation, ExportTraceServiceRequest { resource_spans }).await
    }
}

/// Cuts points into requests, never between a start and its stop. A large operation has one to itself, so that a
/// receiver that refuses it refuses nothing else.
fn parts(points: &[TracePoint]) -> Vec<&[TracePoint]> {
    let mut parts = Vec::new();
    let (mut from, mut to, mut bytes) = (0, 0, 0);
    for operation in points.chunk_by(|one, next| next.is_stop() && next.trace_id == one.trace_id) {
        let more: usize = operation.iter().map(|point| point.info.as_str().len() + POINT_BYTES).sum();
        if bytes + more > REQUEST_BYTES && to > from {
            parts.push(&points[from..to]);
            (from, bytes) = (to, 0);
        }
        to += operation.len();
        bytes += more;
    }
    if to > from {
        parts.push(&points[from..to]);
    }
    parts
}

#[cfg(test)]
mod tests {
    use nephoscope_telemetry::{Json, Timestamp};

    use super::*;

    fn operation(number: u8, bytes: usize) -> [TracePoint; 2] {
        ["wsgi-start", "wsgi-stop"].map(|name| {
            let id = nephoscope_telemetry::Id::from_uuid([number; 16]);
            let mut point =
                TracePoint::new(name, id.clone(), id.clone(), id, Timestamp::from_micros(i64::from(number)));
            point.info = Json::parse(&format!("{{\"x\": \"{}\"}}", "x".repeat(bytes))).unwrap();
            point
        })
    }

    fn lengths(points: &[TracePoint]) -> Vec<usize> {
        parts(points).into_iter().map(<[_]>::len).collect()
    }

    #[test]
    fn requests_are_bounded_and_hold_whole_operations() {
        let small: Vec<_> = (0..200).flat_map(|number| operation(number, 10)).collect();
        assert_eq!(lengths(&small), [400]);
        let large = [operation(1, 10), operation(2, 2 << 20), operation(3, 10), operation(4, 10)].concat();
        assert_eq!(lengths(&large), [2, 2, 4]);
        let halves: Vec<_> = (0..100).flat_map(|number| operation(number, 30_000)).collect();
        let lengths = lengths(&halves);
        assert!(lengths.len() > 5 && lengths.iter().all(|length| length % 2 == 0), "{lengths:?}");
        assert_eq!(lengths.iter().sum::<usize>(), 200);
        assert!(parts(&[]).is_empty());
    }
}
