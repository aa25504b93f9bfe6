//! What a failure of MongoDB means for the caller.

use mongodb::error::{Error as MongoError, ErrorKind as MongoKind, WriteFailure};
use nephoscope_telemetry::{ConnectionString, Error, ErrorKind};

use ErrorKind::{Config, Corrupt, Invalid, Other, Unavailable, Unsupported};

const LOGIN: &str = "the server refuses the login; mend user, password, authSource or authMechanism";
const NO_TLS: &str = "no TLS as asked for; mend the tls options or the certificates";
const TOO_OLD: &str = "the server is of a version that the client does not know; MongoDB 4.2 is the oldest";
const NO_SERVER: &str = "no server was found that takes the operation within serverSelectionTimeoutMS; it is away, or being elected";
const BROKEN: &str = "the connection with the server broke";
const STRANGE: &str = "what answers is not MongoDB, or broken";
const NO_DNS: &str = "the servers of this name cannot be looked up";

/// The codes of a server that calls for trying again: it is not, or no longer, the primary, is starting or stopping,
/// too slow, too busy, or out of disk.
/// Source: MongoDB's specification of server discovery, and `error_codes.yml` of the server.
const PASSING: [i32; 25] = [
    6, 7, 24, 43, 46, 50, 64, 89, 91, 112, 133, 134, 150, 175, 189, 237, 262, 9001, 10058, 10107, 11600,
    11602, 13435, 13436, 14031,
];
/// The codes of what the connection string or the rights of its user have to answer for.
const MISTAKES: [(i32, &str); 8] = [
    (11, LOGIN),
    (13, "the user may not do this; grant it readWrite on the database, or connect as one who may"),
    (18, LOGIN),
    (20, "the server does not take retryable writes or this write concern; try retryWrites=false"),
    (73, "the name of the database or collection is not possible; mend the options database and collection"),
    (79, "the replica set has no such write concern; mend the option w"),
    (100, "the replica set has fewer members than the option w asks for"),
    (166, "the collection is a view; name another one"),
];
/// The codes of a command that the server does not have.
const MISSING: [i32; 3] = [59, 115, 238];

/// How much of what a server says an error repeats: it may cite the command with all its documents.
const SHOWN_CHARACTERS: usize = 200;

/// What a failure means: its kind, what happened, and the server's or the client's words for it, if these tell more
/// and no secret.
pub(super) struct Told {
    pub(super) kind: ErrorKind,
    pub(super) what: String,
    pub(super) why: Option<String>,
}

impl Told {
    fn new(kind: ErrorKind, what: &str, why: Option<&str>) -> Self {
        Self { kind, what: what.to_owned(), why: why.map(shortened) }
    }

    /// The error of an operation at a place that shows no secret.
    pub(super) fn at(self, place: &str, operation: &'static str) -> Error {
        let failure = Error::new(self.kind, operation, format!("{place}: {}", self.what));
        match self.why {
            Some(why) => failure.with_source(why),
            None => failure,
        }
    }
}

/// The error of an operation at a place that shows no secret.
pub(super) fn of(place: &str, operation: &'static str, error: &MongoError) -> Error {
    told(error).at(place, operation)
}

/// The error of a connection string that the client does not take.
pub(super) fn of_options(to: &ConnectionString, error: &MongoError) -> Error {
    match &*error.kind {
        MongoKind::InvalidArgument { message, .. } => to.wrong(message),
        MongoKind::DnsResolve { message, .. } if !message.contains("no record") => {
            of(&to.to_string(), "look up the servers", error)
        }
        _ => to.wrong(told(error).what),
    }
}

/// What one error code of the server means.
fn of_code(code: i32) -> (ErrorKind, &'static str) {
    if PASSING.contains(&code) {
        return (Unavailable, "the server cannot do it now");
    }
    if MISSING.contains(&code) {
        return (Unsupported, "the server does not know how to");
    }
    MISTAKES
        .iter()
        .find(|(mistake, _)| *mistake == code)
        .map_or((Other, "the server failed"), |(_, words)| (Config, *words))
}

/// What a failure means.
pub(super) fn told(error: &MongoError) -> Told {
    match &*error.kind {
        MongoKind::Authentication { .. } => Told::new(Config, LOGIN, None),
        MongoKind::InvalidTlsConfig { message, .. } => Told::new(Config, NO_TLS, Some(message)),
        MongoKind::IncompatibleServer { message, .. } => Told::new(Unsupported, TOO_OLD, Some(message)),
        MongoKind::ServerSelection { message, .. } => not_selected(message),
        MongoKind::Io(cause) => Told::new(Unavailable, BROKEN, Some(&cause.to_string())),
        MongoKind::ConnectionPoolCleared { message, .. } => Told::new(Unavailable, BROKEN, Some(message)),
        MongoKind::DnsResolve { message, .. } => Told::new(Unavailable, NO_DNS, Some(message)),
        MongoKind::InvalidResponse { message, .. } => Told::new(Corrupt, STRANGE, Some(message)),
        MongoKind::Command(failed) => answered(failed.code, &failed.code_name, &failed.message),
        MongoKind::InsertMany(failed) => match &failed.write_concern_error {
            Some(failed) => answered(failed.code, &failed.code_name, &failed.message),
            None => Told::new(Invalid, "the server refuses documents", None),
        },
        MongoKind::Write(WriteFailure::WriteConcernError(failed)) => {
            answered(failed.code, &failed.code_name, &failed.message)
        }
        MongoKind::Write(WriteFailure::WriteError(failed)) => {
            answered(failed.code, failed.code_name.as_deref().unwrap_or_default(), &failed.message)
        }
        other => Told::new(Other, "the client of MongoDB failed", Some(&other.to_string())),
    }
}

/// The client says why only in the text that describes all servers.
fn not_selected(message: &str) -> Told {
    let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
    let (kind, what) = if says(&["certificate", "InvalidTlsConfig", "received fatal alert"]) {
        (Config, NO_TLS)
    } else if says(&["wire version", "minimum supported"]) {
        (Unsupported, TOO_OLD)
    } else {
        (Unavailable, NO_SERVER)
    };
    Told { kind, what: what.into(), why: Some(message.to_owned()) }
}

/// What a server means that answers with an error.
pub(super) fn answered(code: i32, name: &str, message: &str) -> Told {
    let (kind, what) = of_code(code);
    let code = if name.is_empty() { code.to_string() } else { format!("{name} ({code})") };
    // Of a refused login or right, the server's words name the user.
    let why = (kind != Config).then_some(message);
    Told::new(kind, &format!("{what}; it answers {code}"), why)
}

fn shortened(text: &str) -> String {
    let mut shown: String = text.chars().take(SHOWN_CHARACTERS).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;
    use std::io;

    use super::*;

    #[test]
    fn a_code_tells_what_to_do() {
        for (code, kind) in [
            (10_107, Unavailable),
            (11_602, Unavailable),
            (64, Unavailable),
            (13, Config),
            (18, Config),
            (73, Config),
            (238, Unsupported),
            (2, Other),
        ] {
            assert_eq!(of_code(code).0, kind, "{code}");
        }
    }

    #[test]
    fn a_user_that_the_server_names_is_not_shown() {
        let Told { kind, what, why } =
            answered(13, "Unauthorized", "not authorized for nephele on osprofiler");
        assert_eq!((kind, why), (Config, None));
        assert!(what.contains("Unauthorized (13)") && what.contains("grant"), "{what}");
    }

    #[test]
    fn a_lost_connection_is_unavailable_and_tells_why() {
        let lost = MongoError::from(io::Error::from(io::ErrorKind::ConnectionReset));
        let error = of("mongodb://h", "list traces", &lost);
        assert_eq!(error.kind(), Unavailable);
        assert_eq!(error.source().expect("it says why").to_string(), "connection reset");
    }

    #[test]
    fn what_servers_say_is_cut_off() {
        assert_eq!(shortened(&"é".repeat(300)).chars().count(), SHOWN_CHARACTERS + 1);
        assert_eq!(shortened("short"), "short");
    }

    #[test]
    fn a_server_that_cannot_be_selected_tells_why() {
        let refused = not_selected("… Error: Kind: I/O error: Connection refused (os error 111)");
        assert_eq!(refused.kind, Unavailable);
        let doubted = not_selected("… Error: Kind: I/O error: invalid peer certificate: UnknownIssuer");
        assert_eq!(doubted.kind, Config);
    }
}
