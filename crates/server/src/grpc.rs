//! OTLP over gRPC: the trace service.
//!
//! Which codes make a client send the same again is told by the OTLP specification, "OTLP/gRPC": `UNAVAILABLE` does,
//! `INVALID_ARGUMENT`, `RESOURCE_EXHAUSTED` and `INTERNAL` do not.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use nephoscope_otlp::proto::trace_service_server::{TraceService, TraceServiceServer};
use nephoscope_otlp::proto::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use tonic::codec::CompressionEncoding;
use tonic::service::Routes;
use tonic::{Code, Status};

use crate::body::MAX_BODY_BYTES;
use crate::failure::Failure;
use crate::routes::code;
use crate::{App, body, otlp};

/// The service over these traces.
pub(crate) fn router(app: Arc<App>) -> Router {
    let service = TraceServiceServer::new(Export(app.clone()))
        .accept_compressed(CompressionEncoding::Gzip)
        .max_decoding_message_size(MAX_BODY_BYTES);
    Routes::new(service).into_axum_router().layer(from_fn_with_state(app, receive))
}

struct Export(Arc<App>);

#[tonic::async_trait]
impl TraceService for Export {
    async fn export(
        &self,
        request: tonic::Request<ExportTraceServiceRequest>,
    ) -> Result<tonic::Response<ExportTraceServiceResponse>, Status> {
        let spans = request.into_inner().resource_spans;
        let stored = otlp::store(&self.0, move || Ok(spans)).await;
        stored.map(tonic::Response::new).map_err(|failure| refusal(&failure))
    }
}

/// Holds every call to the bounds that requests of HTTP have, and counts it by its status.
async fn receive(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let response = match call(&app, request, next).await {
        Ok(response) => response,
        Err(failure) => refusal(&failure).into_http(),
    };
    // A call that went well tells so behind its body.
    let status = status(response.headers()).unwrap_or(Code::Ok);
    app.metrics.count_call(method(&path), &(status as i32).to_string());
    response
}

async fn call(app: &App, request: Request, next: Next) -> Result<Response, Failure> {
    let _permit = app.bodies.enter_soon().await?;
    let (parts, incoming) = request.into_parts();
    let whole = body::read(Request::new(incoming)).await?;
    let mut response = next.run(Request::from_parts(parts, Body::from(whole))).await;
    // What is too large once unpacked is not to be sent again, which OTLP's clients do after OUT_OF_RANGE.
    if status(response.headers()) == Some(Code::OutOfRange) {
        let exhausted = Code::ResourceExhausted as i32;
        response.headers_mut().insert(Status::GRPC_STATUS, exhausted.into());
    }
    Ok(response)
}

fn status(headers: &HeaderMap) -> Option<Code> {
    headers.get(Status::GRPC_STATUS).map(|status| Code::from_bytes(status.as_bytes()))
}

/// The method that is called, among those that are there, so that nobody can make up labels of metrics.
fn method(path: &str) -> &str {
    match path {
        "/opentelemetry.proto.collector.trace.v1.TraceService/Export" => path,
        _ => "none",
    }
}

fn refusal(failure: &Failure) -> Status {
    Status::new(code(failure.status()), failure.message())
}
