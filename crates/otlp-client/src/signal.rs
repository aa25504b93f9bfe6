//! The kinds of telemetry.

use nephoscope_otlp::proto::{
    ExportMetricsServiceRequest, ExportMetricsServiceResponse, ExportTraceServiceRequest,
    ExportTraceServiceResponse,
};
use prost::Message;

/// One kind of telemetry of OTLP.
pub trait Signal {
    /// What is sent.
    type Request: Message + 'static;
    /// What is answered.
    type Response: Message + Default + 'static;
    /// Where OTLP/HTTP takes it.
    const PATH: &'static str;
    /// The method of OTLP/gRPC that takes it.
    const METHOD: &'static str;
}

/// Traces.
#[derive(Debug)]
pub enum Traces {}

/// Metrics.
#[derive(Debug)]
pub enum Metrics {}

impl Signal for Traces {
    type Request = ExportTraceServiceRequest;
    type Response = ExportTraceServiceResponse;
    const PATH: &'static str = "/v1/traces";
    const METHOD: &'static str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
}

impl Signal for Metrics {
    type Request = ExportMetricsServiceRequest;
    type Response = ExportMetricsServiceResponse;
    const PATH: &'static str = "/v1/metrics";
    const METHOD: &'static str = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";
}
