//! Spans of OpenTelemetry on their way in, whatever they came by.

use axum::http::StatusCode;
use nephoscope_otlp::points;
use nephoscope_otlp::proto::{ExportTracePartialSuccess, ExportTraceServiceResponse, ResourceSpans};
use nephoscope_telemetry::{BadPoints, ErrorKind};

use crate::App;
use crate::failure::Failure;

/// Stores spans that `read` gives. `Ok` means that they are stored, except those that the answer counts as refused.
pub(crate) async fn store(
    app: &App,
    read: impl FnOnce() -> Result<Vec<ResourceSpans>, Failure> + Send + 'static,
) -> Result<ExportTraceServiceResponse, Failure> {
    let converting = tokio::task::spawn_blocking(move || read().map(|spans| (count(&spans), points(&spans))));
    let (spans, (points, bad)) = converting.await.expect("reading spans does not panic")?;
    app.traces.ingest(&points).await.map_err(|error| match error.kind() {
        // To send the same again would not help.
        ErrorKind::Invalid => Failure::new(StatusCode::BAD_REQUEST, error.to_string()),
        _ => error.into(),
    })?;
    app.metrics.count_points(points.len(), 0);
    app.metrics.count_spans(spans - bad.count(), bad.count());
    Ok(ExportTraceServiceResponse { partial_success: refused(&bad) })
}

fn count(spans: &[ResourceSpans]) -> u64 {
    spans.iter().flat_map(|resource| &resource.scope_spans).map(|scope| scope.spans.len() as u64).sum()
}

fn refused(bad: &BadPoints) -> Option<ExportTracePartialSuccess> {
    let first = bad.first().first()?;
    Some(ExportTracePartialSuccess {
        rejected_spans: i64::try_from(bad.count()).unwrap_or(i64::MAX),
        error_message: format!("the first of them: {first}"),
    })
}
