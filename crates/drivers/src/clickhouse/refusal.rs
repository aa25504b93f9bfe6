//! What ClickHouse's exceptions mean.
//!
//! Source of the codes: `src/Common/ErrorCodes.cpp` of ClickHouse. The text of an exception begins with its code in
//! every version, wherever it is met.

use nephoscope_http::StatusCode;
use nephoscope_telemetry::ErrorKind;

/// What stands behind the code, today and until 20.x.
const FOLLOWERS: [&str; 2] = [". DB::Exception", ", e.displayText() = DB::Exception"];

/// The kind and the cure of a refusal with this text; nothing when it is no exception of ClickHouse.
pub(super) fn meaning(_: StatusCode, text: &str) -> Option<(ErrorKind, &'static str)> {
    code(text).map(of_code)
}

/// The code of an exception that is somewhere in the text.
pub(super) fn code(text: &str) -> Option<u32> {
    text.match_indices("Code: ").find_map(|(at, marker)| {
        let rest = &text[at + marker.len()..];
        let (code, behind) = rest.split_at(rest.find(|character: char| !character.is_ascii_digit())?);
        FOLLOWERS.iter().any(|follower| behind.starts_with(follower)).then(|| code.parse().ok()).flatten()
    })
}

fn of_code(code: u32) -> (ErrorKind, &'static str) {
    use ErrorKind::{Config, Other, Unavailable};
    match code {
        // UNKNOWN_USER, WRONG_PASSWORD, REQUIRED_PASSWORD, IP_ADDRESS_NOT_ALLOWED, AUTHENTICATION_FAILED
        192..=195 | 516 => (Config, "; mend the login in the connection string"),
        // UNKNOWN_DATABASE
        81 => (Config, "; create the database, or name one that is there"),
        // UNKNOWN_TABLE
        60 => (Config, "; it is gone since we connected: connect again to have it made"),
        // READONLY, DATABASE_ACCESS_DENIED, ACCESS_DENIED
        164 | 291 | 497 => (Config, "; grant it to the user, or connect as another"),
        // UNKNOWN_SETTING, SETTING_CONSTRAINT_VIOLATION
        115 | 452 => (Config, "; the profile of the user has to allow it"),
        // TIMEOUT_EXCEEDED, QUOTA_EXCEEDED, TOO_MANY_SIMULTANEOUS_QUERIES, SOCKET_TIMEOUT, NETWORK_ERROR,
        // NO_ZOOKEEPER, ABORTED, MEMORY_LIMIT_EXCEEDED, TABLE_IS_READ_ONLY, NOT_ENOUGH_SPACE, TOO_MANY_PARTS,
        // ALL_CONNECTION_TRIES_FAILED, TOO_FEW_LIVE_REPLICAS, UNKNOWN_STATUS_OF_INSERT, QUERY_WAS_CANCELLED,
        // SERVER_OVERLOADED, KEEPER_EXCEPTION
        159 | 201 | 202 | 209 | 210 | 225 | 236 | 241 | 242 | 243 | 252 | 279 | 285 | 319 | 394 | 745
        | 999 => (Unavailable, ""),
        _ => (Other, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_is_found_in_every_form_and_place() {
        for (text, found) in [
            ("Code: 516. DB::Exception: nobody: Authentication failed", Some(516)),
            ("Code: 193, e.displayText() = DB::Exception: Wrong password", Some(193)),
            ("\u{1}\u{0}\r\n__exception__\r\nabc\r\nCode: 241. DB::Exception: Memory", Some(241)),
            ("Code: 7 bananas. Code: 81. DB::Exception: x", Some(81)),
            ("Code: . DB::Exception: x", None),
            ("Code: 516", None),
            ("Code: 99999999999999. DB::Exception", None),
            ("<html>502</html>", None),
        ] {
            assert_eq!(code(text), found, "{text}");
        }
    }

    #[test]
    fn a_code_says_what_to_do() {
        for (code, kind) in [
            (516, ErrorKind::Config),
            (81, ErrorKind::Config),
            (164, ErrorKind::Config),
            (241, ErrorKind::Unavailable),
            (252, ErrorKind::Unavailable),
            (62, ErrorKind::Other),
        ] {
            assert_eq!(of_code(code).0, kind, "{code}");
        }
    }
}
