//! Answers that are a success.

use std::io::{self, Write};

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::Formatter;

use super::content::JSON;

/// 200, and this.
pub(super) fn json(value: &impl Serialize) -> Response {
    with_status(StatusCode::OK, value)
}

/// With this status, and this.
pub(super) fn with_status(status: StatusCode, value: &impl Serialize) -> Response {
    (status, [(header::CONTENT_TYPE, JSON)], written_as_python(value)).into_response()
}

/// 201: it is made, and is there.
pub(super) fn created(location: HeaderValue, value: &impl Serialize) -> Response {
    ([(header::LOCATION, location)], with_status(StatusCode::CREATED, value)).into_response()
}

/// As JSON with the blanks that Python puts into it: some of Gnocchi's clients look for `"name": "low"` as text.
pub(super) fn written_as_python(value: &impl Serialize) -> Vec<u8> {
    let mut written = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut written, Blanks);
    value.serialize(&mut serializer).expect("wire forms are JSON: their keys are text");
    written
}

/// The same, to go into a larger text.
pub(super) fn text(value: &impl Serialize) -> String {
    String::from_utf8(written_as_python(value)).expect("JSON is UTF-8")
}

struct Blanks;

impl Formatter for Blanks {
    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { out.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { out.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        out.write_all(b": ")
    }
}

/// 204: it is done, and there is nothing to tell.
pub(super) fn done() -> Response {
    StatusCode::NO_CONTENT.into_response()
}

/// 202: it is stored. The empty body is said to be JSON, as Gnocchi says it.
pub(super) fn accepted() -> Response {
    (StatusCode::ACCEPTED, [(header::CONTENT_TYPE, JSON)]).into_response()
}

/// 200, and this, which is JSON already.
pub(super) fn written(json: String) -> Response {
    ([(header::CONTENT_TYPE, JSON)], json).into_response()
}
