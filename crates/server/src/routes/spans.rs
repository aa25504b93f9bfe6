//! `POST /v1/traces`: OTLP over HTTP.
//!
//! Source of the form: the OTLP specification, "OTLP/HTTP".

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use nephoscope_otlp::proto::{ExportTraceServiceRequest, ExportTraceServiceResponse, ResourceSpans};
use prost::Message;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::{App, body, otlp};

/// How a body is written, and its answer too.
#[derive(Clone, Copy, Debug)]
enum Format {
    Protobuf,
    Json,
}

/// Why a request failed, as clients of OTLP want to read it: `google.rpc.Status`.
#[derive(Clone, PartialEq, Message)]
struct Status {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
}

/// Stores the spans of an export request, in Protocol Buffers or JSON, packed with gzip or not.
///
/// 200 when they are stored, with a count of those that are refused for good; 400, 413 or 415 when the request is, and
/// sending it again would not help; 429 or 503 when it should be sent again later.
pub(crate) async fn store_spans(State(app): State<Arc<App>>, request: Request) -> Response {
    let Some(format) = Format::of(request.headers()) else {
        let told = "send application/x-protobuf or application/json";
        return Format::Json.refuse(&Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, told));
    };
    match store(&app, format, request).await {
        Ok(answer) => format.answer(&answer),
        Err(failure) => format.refuse(&failure),
    }
}

async fn store(app: &App, format: Format, request: Request) -> Result<ExportTraceServiceResponse, Failure> {
    let packed = is_packed(request.headers())?;
    let _permit = app.bodies.enter_soon().await?;
    let body = body::read(request).await?;
    otlp::store(app, move || {
        let body = if packed { body::gunzip(&body)? } else { body };
        format.read(body)
    })
    .await
}

fn is_packed(headers: &HeaderMap) -> Result<bool, Failure> {
    match headers.get(header::CONTENT_ENCODING).map(HeaderValue::as_bytes) {
        None | Some(b"" | b"identity") => Ok(false),
        Some(b"gzip") => Ok(true),
        Some(_) => {
            Err(Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "send the body as gzip, or not packed"))
        }
    }
}

impl Format {
    fn of(headers: &HeaderMap) -> Option<Self> {
        let media_type = headers.get(header::CONTENT_TYPE)?.to_str().ok()?.split(';').next()?.trim();
        match media_type.to_ascii_lowercase().as_str() {
            "application/x-protobuf" | "application/protobuf" => Some(Self::Protobuf),
            "application/json" => Some(Self::Json),
            _ => None,
        }
    }

    fn read(self, body: Bytes) -> Result<Vec<ResourceSpans>, Failure> {
        match self {
            Self::Protobuf => ExportTraceServiceRequest::decode(body)
                .map(|request| request.resource_spans)
                .map_err(|error| Failure::bad_request(format!("the body is no export request: {error}"))),
            Self::Json => std::str::from_utf8(&body)
                .map_err(|error| Failure::bad_request(format!("the body is not UTF-8: {error}")))
                .and_then(|text| {
                    nephoscope_otlp::json::read(text).map_err(|error| {
                        Failure::bad_request(format!("the body is no export request: {error}"))
                    })
                }),
        }
    }

    fn answer(self, answer: &ExportTraceServiceResponse) -> Response {
        let json = || match &answer.partial_success {
            // 64 bits are a string in the JSON of Protocol Buffers.
            Some(partial) => json!({ "partialSuccess": {
                "rejectedSpans": partial.rejected_spans.to_string(), "errorMessage": partial.error_message,
            } }),
            None => json!({}),
        };
        self.body(answer, json).into_response()
    }

    fn refuse(self, failure: &Failure) -> Response {
        let status = Status { code: code(failure.status()) as i32, message: failure.message().to_owned() };
        let json = || json!({ "code": status.code, "message": status.message });
        failure.answer(self.body(&status, json))
    }

    fn body(self, message: &impl Message, json: impl FnOnce() -> Value) -> impl IntoResponse {
        match self {
            Self::Protobuf => ([(header::CONTENT_TYPE, "application/x-protobuf")], message.encode_to_vec()),
            Self::Json => ([(header::CONTENT_TYPE, "application/json")], json().to_string().into_bytes()),
        }
    }
}

/// The code of gRPC that says what a status of HTTP says.
pub(crate) fn code(status: StatusCode) -> tonic::Code {
    match status {
        StatusCode::BAD_REQUEST | StatusCode::UNSUPPORTED_MEDIA_TYPE | StatusCode::UNPROCESSABLE_ENTITY => {
            tonic::Code::InvalidArgument
        }
        StatusCode::PAYLOAD_TOO_LARGE => tonic::Code::ResourceExhausted,
        StatusCode::REQUEST_TIMEOUT => tonic::Code::DeadlineExceeded,
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => tonic::Code::Unavailable,
        StatusCode::NOT_IMPLEMENTED => tonic::Code::Unimplemented,
        _ => tonic::Code::Internal,
    }
}
