//! What an InfluxDB means by what it refuses.

use nephoscope_http::StatusCode;
use nephoscope_telemetry::ErrorKind;

/// Texts of the server's errors, in lower case, with what the caller can do.
const TOLD: [(&str, ErrorKind, &str); 8] = [
    ("database not found", ErrorKind::Config, "; create it with CREATE DATABASE, or name another"),
    ("retention policy not found", ErrorKind::Config, "; create it, or name another"),
    ("organization name", ErrorKind::Config, "; mend option `org`"),
    ("error authorizing query", ErrorKind::Config, "; grant it to the user, or connect as another"),
    ("authorization failed", ErrorKind::Config, "; mend the login in the connection string"),
    ("timeout", ErrorKind::Unavailable, ""),
    ("engine is closed", ErrorKind::Unavailable, ""),
    ("shutdown", ErrorKind::Unavailable, ""),
];

/// For the errors that come with a status.
pub(super) fn meaning(status: StatusCode, text: &str) -> Option<(ErrorKind, &'static str)> {
    if status == StatusCode::NOT_FOUND && text.contains("bucket") && text.contains("not found") {
        return Some((ErrorKind::Config, "; create the bucket, or name another"));
    }
    of(text)
}

/// As [`meaning`], of 3.x, which makes databases and tables with their first row: without one they are not found.
pub(super) fn meaning_of_three(status: StatusCode, text: &str) -> Option<(ErrorKind, &'static str)> {
    let text = text.to_ascii_lowercase();
    if text.contains("not found") && (text.contains("table") || text.contains("database")) {
        return Some((ErrorKind::NotFound, ""));
    }
    (status == StatusCode::NOT_FOUND).then_some((ErrorKind::Config, "; is it InfluxDB 3?"))
}

/// For those that stand in an answer.
pub(super) fn of(text: &str) -> Option<(ErrorKind, &'static str)> {
    let text = text.to_ascii_lowercase();
    TOLD.iter().find(|(told, _, _)| text.contains(told)).map(|&(_, kind, cure)| (kind, cure))
}
