//! What a failure of the broker means for the caller.

use std::io;
use std::time::Duration;

use lapin::ErrorKind as Kind;
use lapin::protocol::AMQPErrorKind;
use nephoscope_telemetry::{Error, ErrorKind, Result};

/// How long the broker may take to answer one request: as long as a busy one takes to sync its disk, with room to
/// spare.
const ANSWER_TIME_LIMIT: Duration = Duration::from_secs(20);

pub(crate) const ACCESS_REFUSED: u16 = 403;
pub(crate) const NOT_FOUND: u16 = 404;
pub(crate) const PRECONDITION_FAILED: u16 = 406;
const CONTENT_TOO_LARGE: u16 = 311;
const RESOURCE_LOCKED: u16 = 405;
const NOT_ALLOWED: u16 = 530;

/// What a request comes to, in time.
pub(crate) async fn answer<T>(
    operation: &'static str,
    request: impl Future<Output = lapin::Result<T>>,
) -> Result<T> {
    match tokio::time::timeout(ANSWER_TIME_LIMIT, request).await {
        Ok(answered) => answered.map_err(|error| failure(operation, &error)),
        Err(_) => {
            let message = format!("the broker did not answer within {} s", ANSWER_TIME_LIMIT.as_secs());
            Err(Error::new(ErrorKind::Unavailable, operation, message))
        }
    }
}

/// The reply code of AMQP, when the broker gave one.
pub(crate) fn code(error: &lapin::Error) -> Option<u16> {
    match error.kind() {
        Kind::ProtocolError(error) => Some(match error.kind() {
            AMQPErrorKind::Soft(soft) => soft.get_id(),
            AMQPErrorKind::Hard(hard) => hard.get_id(),
        }),
        _ => None,
    }
}

/// The error of an operation that the broker, or the connection with it, let fail.
pub(crate) fn failure(operation: &'static str, error: &lapin::Error) -> Error {
    let (kind, message) = match (code(error), error.kind()) {
        (Some(code), _) => {
            let (kind, cure) = refusal(code, &error.to_string());
            (kind, format!("the broker refuses: {error}{cure}"))
        }
        (None, Kind::IOError(source)) if is_tls(source) => {
            (ErrorKind::Config, format!("no TLS connection with the broker: {source}"))
        }
        (None, Kind::SerialisationError(_)) => (ErrorKind::Invalid, format!("AMQP cannot say it: {error}")),
        (None, _) => (ErrorKind::Unavailable, format!("no connection with the broker: {error}")),
    };
    Error::new(kind, operation, message)
}

/// What a reply code calls for, and words that say so.
fn refusal(code: u16, text: &str) -> (ErrorKind, &'static str) {
    use ErrorKind::{Config, Conflict, Invalid, NotFound, Unavailable};
    match code {
        ACCESS_REFUSED if text.contains("Login") || text.contains("login") || text.contains("auth") => {
            (Config, "; mend user and password")
        }
        ACCESS_REFUSED => (Config, "; grant it to the user, or connect as another"),
        // A virtual host that is there, but down, is said in the same words as one that is not.
        NOT_ALLOWED if text.contains("down") => (Unavailable, ""),
        NOT_ALLOWED => (Config, "; mend the virtual host, or grant it to the user"),
        NOT_FOUND => (NotFound, ""),
        CONTENT_TOO_LARGE => (Invalid, ""),
        PRECONDITION_FAILED if text.contains("message size") => (Invalid, ""),
        PRECONDITION_FAILED | RESOURCE_LOCKED => (Conflict, ""),
        _ => (Unavailable, ""),
    }
}

/// Whether the handshake of TLS failed: rustls reports what it cannot accept as invalid data.
fn is_tls(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::InvalidData
}
