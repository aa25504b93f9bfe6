//! What a failure of the server means for the caller.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::sync::Arc;

use nephoscope_telemetry::{Error, ErrorKind};
use redis::RedisError;

/// What the server was asked in vain.
pub(super) const WRONG_TYPE: &str = "WRONGTYPE";
/// The server is a replica, most likely since a fail-over.
pub(super) const READ_ONLY: &str = "READONLY";
/// The user of this connection may not do that.
pub(super) const NO_PERMISSION: &str = "NOPERM";

/// The error of an operation on the server that is shown as `place`.
pub(super) fn failure(operation: &'static str, place: &dyn fmt::Display, error: &RedisError) -> Error {
    match error.code() {
        Some(code) => {
            let detail = detail(error);
            let (kind, cure) = answer(code, detail);
            Error::new(kind, operation, format!("Redis at {place} answers `{code} {detail}`{cure}"))
        }
        None => broken(operation, place, error),
    }
}

/// The error of a server that did not answer in time.
pub(super) fn too_slow(operation: &'static str, place: &dyn fmt::Display) -> Error {
    Error::new(ErrorKind::Unavailable, operation, format!("Redis at {place} does not answer"))
}

/// Whether the connection is of no use any more.
pub(super) fn ends_connection(error: &RedisError) -> bool {
    match error.code() {
        Some(code) => code == READ_ONLY,
        None => true,
    }
}

/// What the server says about it. It repeats the arguments of a command that it does not know, which may be those of
/// a login: they are cut off.
fn detail(error: &RedisError) -> &str {
    let detail = error.detail().unwrap_or_default();
    detail.split(", with args").next().unwrap_or_default()
}

/// What an error code of the server calls for, and words that say so.
fn answer(code: &str, detail: &str) -> (ErrorKind, &'static str) {
    use ErrorKind::{Config, Invalid, Other, Unavailable};
    match code {
        "NOAUTH" => {
            (Config, "; give the password as redis://:password@host, a sentinel's as sentinel_password=…")
        }
        "WRONGPASS" => (Config, "; mend user and password in the connection string"),
        NO_PERMISSION => (Config, "; grant it to the user, or connect as another"),
        "DENIED" => (Config, "; give the server a password, or open it to this address"),
        "OOM" => (Unavailable, "; purge traces or raise its maxmemory"),
        "MISCONF" => (Unavailable, "; it cannot save to its disk"),
        "LOADING" | READ_ONLY | "CLUSTERDOWN" | "MASTERDOWN" | "TRYAGAIN" | "BUSY" | "NOREPLICAS" => {
            (Unavailable, "")
        }
        "MOVED" | "ASK" | "CROSSSLOT" => (Config, "; it belongs to a cluster: name it with redis-cluster://"),
        WRONG_TYPE => (Invalid, ""),
        "ERR" if detail.contains("max number of clients") => (Unavailable, ""),
        "ERR" if detail.contains("DB index") => (Config, "; choose another database"),
        "ERR" if mentions_login(detail) => (Config, "; mend user and password in the connection string"),
        "ERR" if detail.contains("unknown command") && detail.contains("SENTINEL") => {
            (Config, "; it is no sentinel: name the server itself with redis://")
        }
        "ERR" if detail.contains("cluster support disabled") => {
            (Config, "; it is no cluster: name it with redis://")
        }
        "ERR" if detail.contains("Client names") => (Config, "; mend the option `client_name`"),
        _ => (Other, ""),
    }
}

/// Before Redis 6 a wrong login is a plain `ERR`, and so is a password where none is asked for.
fn mentions_login(detail: &str) -> bool {
    ["invalid password", "AUTH", "'auth' command"].iter().any(|words| detail.contains(words))
}

/// The error without an answer of the server.
fn broken(operation: &'static str, place: &dyn fmt::Display, error: &RedisError) -> Error {
    let (kind, what) = match error.kind() {
        redis::ErrorKind::Io if is_tls(error) => (ErrorKind::Config, "no TLS connection with"),
        redis::ErrorKind::Io => (ErrorKind::Unavailable, "no connection with"),
        redis::ErrorKind::Parse | redis::ErrorKind::UnexpectedReturnType => {
            (ErrorKind::Config, "no answer that Redis gives comes from")
        }
        redis::ErrorKind::InvalidClientConfig => (ErrorKind::Config, "no connection is possible with"),
        _ => (ErrorKind::Other, "no understanding with"),
    };
    // As a text: an error of the client says the same again when it is asked for its source.
    Error::new(kind, operation, format!("{what} Redis at {place}")).with_source(error.to_string())
}

/// Whether the handshake of TLS failed: rustls reports what it cannot accept as invalid data.
fn is_tls(error: &RedisError) -> bool {
    let shared = error.source().and_then(|source| source.downcast_ref::<Arc<dyn StdError + Send + Sync>>());
    let source = shared.and_then(|shared| shared.downcast_ref::<io::Error>());
    source.is_some_and(|source| source.kind() == io::ErrorKind::InvalidData)
}

#[cfg(test)]
mod tests {
    use redis::Value;

    use super::*;

    /// The error that this answer of a server becomes.
    fn answered(line: &str) -> RedisError {
        let value = redis::parse_redis_value(format!("-{line}\r\n").as_bytes()).unwrap();
        let Value::ServerError(error) = value else { panic!("an error of the server") };
        error.into()
    }

    fn kind(line: &str) -> ErrorKind {
        failure("test", &"here", &answered(line)).kind()
    }

    #[test]
    fn answers_of_real_servers_have_the_kind_that_tells_what_to_do() {
        for (line, expected) in [
            ("NOAUTH Authentication required.", ErrorKind::Config),
            ("WRONGPASS invalid username-password pair or user is disabled.", ErrorKind::Config),
            ("ERR invalid password", ErrorKind::Config),
            (
                "ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?",
                ErrorKind::Config,
            ),
            ("ERR Client sent AUTH, but no password is set", ErrorKind::Config),
            ("ERR wrong number of arguments for 'auth' command", ErrorKind::Config),
            ("ERR DB index is out of range", ErrorKind::Config),
            ("ERR invalid DB index", ErrorKind::Config),
            (
                "NOPERM this user has no permissions to run the 'lpush' command or its subcommand",
                ErrorKind::Config,
            ),
            ("LOADING Redis is loading the dataset in memory", ErrorKind::Unavailable),
            ("READONLY You can't write against a read only replica.", ErrorKind::Unavailable),
            (
                "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
                ErrorKind::Unavailable,
            ),
            ("CLUSTERDOWN The cluster is down", ErrorKind::Unavailable),
            ("OOM command not allowed when used memory > 'maxmemory'.", ErrorKind::Unavailable),
            (
                "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.",
                ErrorKind::Unavailable,
            ),
            ("ERR max number of clients reached", ErrorKind::Unavailable),
            ("MOVED 3999 127.0.0.1:6381", ErrorKind::Config),
            ("ERR This instance has cluster support disabled", ErrorKind::Config),
            ("WRONGTYPE Operation against a key holding the wrong kind of value", ErrorKind::Invalid),
            ("ERR unknown command `SENTINEL`, with args beginning with: ", ErrorKind::Config),
            ("ERR unknown command `LPUSH`, with args beginning with: ", ErrorKind::Other),
        ] {
            assert_eq!(kind(line), expected, "{line}");
        }
    }

    #[test]
    fn a_lost_connection_is_unavailable_and_tells_why() {
        let refused = RedisError::from(io::Error::from(io::ErrorKind::ConnectionRefused));
        let error = failure("list traces", &"127.0.0.1:1", &refused);
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert_eq!(error.to_string(), "cannot list traces: no connection with Redis at 127.0.0.1:1");
        let source = error.source().expect("it says why");
        assert_eq!((source.to_string().as_str(), source.source().is_none()), ("connection refused", true));
        assert!(ends_connection(&refused));
    }

    #[test]
    fn a_failed_handshake_is_a_matter_of_the_connection_string() {
        let handshake = RedisError::from(io::Error::new(io::ErrorKind::InvalidData, "UnknownIssuer"));
        assert_eq!(failure("connect", &"here", &handshake).kind(), ErrorKind::Config);
    }

    #[test]
    fn only_a_replica_ends_a_connection_that_answers() {
        assert!(ends_connection(&answered("READONLY You can't write against a read only replica.")));
        assert!(!ends_connection(&answered("OOM command not allowed when used memory > 'maxmemory'.")));
    }

    #[test]
    fn a_password_that_the_server_repeats_is_not_shown() {
        let line = "ERR unknown command `AUTH`, with args beginning with: `nova`, `hunter2`, ";
        let error = failure("connect", &"here", &answered(line));
        assert!(error.to_string().contains("unknown command `AUTH`"), "{error}");
        assert!(!format!("{error:?}").contains("hunter2"));
    }
}
