//! Failures in the form of Ceilometer's API.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use nephoscope_telemetry::Error;
use serde_json::json;

use crate::failure::Failure;

/// `{"error_message": {"debuginfo": null, "faultcode": …, "faultstring": …}}`, as WSME writes it.
#[derive(Debug)]
pub(crate) struct Fault(Failure);

impl Fault {
    pub(super) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self(Failure::new(status, message))
    }

    pub(super) fn client(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// Something that Ceilometer could do and that would have to read all traces.
    pub(super) fn unsupported(reason: &str) -> Self {
        let cure = "ask for the events of one trace: q.field=base_id&q.op=eq&q.value=ID";
        Self::new(StatusCode::NOT_IMPLEMENTED, format!("{reason}; {cure}"))
    }
}

impl From<Failure> for Fault {
    fn from(failure: Failure) -> Self {
        Self(failure)
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let code = if self.0.status().is_client_error() { "Client" } else { "Server" };
        let fault = json!({ "debuginfo": null, "faultcode": code, "faultstring": self.0.message() });
        self.0.answer(axum::Json(json!({ "error_message": fault })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Fault {
        pub(in crate::routes::events) fn told(&self) -> (u16, &str) {
            (self.0.status().as_u16(), self.0.message())
        }
    }
}
