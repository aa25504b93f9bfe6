//! What a failure of the database means for the caller.

use std::fmt;

use nephoscope_telemetry::{ConnectionString, Error, ErrorKind};
use sqlx::error::DatabaseError;
use sqlx::mysql::MySqlDatabaseError;
use sqlx::postgres::PgDatabaseError;
use sqlx::sqlite::SqliteError;

use ErrorKind::{Config, Corrupt, Invalid, Other, Unavailable};

const LOGIN: &str = "the server refuses this user, password or address; mend the connection string";
const NO_DATABASE: &str = "the server has no such database; create it, or name another one";
const NOT_ALLOWED: &str = "the user may not do this; grant it the rights on the database and its tables";
const OTHER_TABLE: &str = "name another database";
const NO_TLS: &str = "no TLS as asked for; mend the TLS options or the certificates";
const AWAY: &str = "the server is away or shutting down";
const BUSY: &str = "the server is too busy, or others hold what is needed";
const FULL: &str = "the disk of the database is full";
const READ_ONLY: &str = "the server is read-only at the moment";
const REFUSED: &str = "the database refuses a value";
const DAMAGED: &str = "the database is damaged";
const UNKNOWN: &str = "the database failed";

/// A database, as failures speak of it.
#[derive(Clone, Debug)]
pub struct Place {
    /// The connection string without its secrets.
    shown: String,
    /// What it means that a table is not as it should be: "the table `data` is not the one of OSProfiler".
    other_table: &'static str,
}

impl Place {
    /// That of this connection string. `other_table` is what it means that a table there is not as it should be.
    pub fn new(to: &ConnectionString, other_table: &'static str) -> Self {
        Self { shown: to.to_string(), other_table }
    }

    /// A failure of the database in an operation.
    ///
    /// The source is text: the client's own errors repeat themselves in their sources.
    pub fn failure(&self, operation: &'static str, error: &sqlx::Error) -> Error {
        let (kind, meaning) = meaning(error);
        // About these the server speaks of the user by name, which is nobody's to see.
        let names_user = [LOGIN, NOT_ALLOWED, BUSY].contains(&meaning);
        let source = if names_user { code(error) } else { told(error) };
        let message = match meaning {
            OTHER_TABLE => format!("{self}: {}; {meaning}", self.other_table),
            _ => format!("{self}: {meaning}"),
        };
        Error::new(kind, operation, message).with_source(source)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

/// The code that the database gives, without its words.
fn code(error: &sqlx::Error) -> String {
    let Some(error) = error.as_database_error() else { return error.to_string() };
    match error.try_downcast_ref::<MySqlDatabaseError>() {
        Some(error) => format!("error {}", error.number()),
        None => format!("code {}", error.code().unwrap_or_default()),
    }
}

/// What the database says, with its code.
pub fn told(error: &sqlx::Error) -> String {
    let Some(database) = error.as_database_error() else { return error.to_string() };
    match database.try_downcast_ref::<PgDatabaseError>() {
        Some(error) => format!("{} (SQLSTATE {})", error.message(), error.code()),
        None => database.to_string(),
    }
}

/// Whether it is about a value in the statement, so that others could be stored.
pub fn refuses_value(error: &sqlx::Error) -> bool {
    meaning(error).0 == Invalid
}

/// Whether the database says by no code that we know what it is about: a value, or itself. A trigger of its operator can
/// fail with any code.
pub fn is_unknown(error: &sqlx::Error) -> bool {
    meaning(error).1 == UNKNOWN
}

/// Whether there is no table of this name.
pub fn misses_table(error: &sqlx::Error) -> bool {
    let Some(error) = error.as_database_error() else { return false };
    if let Some(error) = error.try_downcast_ref::<MySqlDatabaseError>() {
        return error.number() == 1146;
    }
    match error.try_downcast_ref::<SqliteError>() {
        Some(error) => error.message().starts_with("no such table"),
        None => error.code().is_some_and(|code| code == "42P01"),
    }
}

fn meaning(error: &sqlx::Error) -> (ErrorKind, &'static str) {
    match error {
        sqlx::Error::Database(error) => {
            if let Some(error) = error.try_downcast_ref::<PgDatabaseError>() {
                of_postgres(error.code())
            } else if let Some(error) = error.try_downcast_ref::<MySqlDatabaseError>() {
                of_mysql(error.number(), error.code().unwrap_or_default())
            } else {
                of_sqlite(error.code().and_then(|code| code.parse().ok()), error.message())
            }
        }
        // What rustls does not accept, a certificate above all, comes as bad input.
        sqlx::Error::Io(error) if error.kind() == std::io::ErrorKind::InvalidData => (Config, NO_TLS),
        sqlx::Error::Io(_) => (Unavailable, AWAY),
        sqlx::Error::PoolTimedOut => (Unavailable, "the server did not answer in time"),
        sqlx::Error::Tls(_) => (Config, NO_TLS),
        sqlx::Error::Configuration(_) => (Config, "the client does not take these options"),
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) | sqlx::Error::ColumnNotFound(_) => {
            (Corrupt, OTHER_TABLE)
        }
        // A connection that the server closes before its first word is an answer of 0 to this client.
        sqlx::Error::Protocol(told) if told.contains("SSLRequest: 0x00") => (Unavailable, AWAY),
        sqlx::Error::Protocol(_) => {
            (Other, "the answer is not of this protocol; look at the server and its port")
        }
        // A value that the client cannot even send.
        sqlx::Error::Encode(_) => (Invalid, REFUSED),
        sqlx::Error::PoolClosed => (Other, "the driver is closed"),
        _ => (Other, "the client of the database failed"),
    }
}

/// By SQLSTATE: PostgreSQL's documentation, appendix A.
fn of_postgres(code: &str) -> (ErrorKind, &'static str) {
    match code {
        "42501" => (Config, NOT_ALLOWED),
        "3F000" => (Config, OTHER_TABLE),
        "53100" => (Unavailable, FULL),
        "25006" => (Unavailable, READ_ONLY),
        // The lock of a table, and the time of a statement.
        "55006" | "55P03" | "57014" => (Unavailable, BUSY),
        "2200H" => (Other, "the ids of the table are used up; make its column `id` a bigint"),
        "54000" | "54001" => (Invalid, REFUSED),
        _ => match class(code) {
            "58" => (Unavailable, AWAY),
            // What a function of PL/pgSQL raises, as a trigger that checks rows.
            "P0" => (Invalid, REFUSED),
            "XX" => (Corrupt, DAMAGED),
            _ => of_class(code),
        },
    }
}

/// By the class of a SQLSTATE, which standard SQL gives a meaning.
fn of_class(code: &str) -> (ErrorKind, &'static str) {
    match class(code) {
        "08" | "57" => (Unavailable, AWAY),
        // A transaction that lost against another one, and what a server has too little of.
        "40" | "53" => (Unavailable, BUSY),
        // Data, integrity, and a view that may not hold it.
        "22" | "23" | "44" => (Invalid, REFUSED),
        "28" => (Config, LOGIN),
        "3D" => (Config, NO_DATABASE),
        "42" => (Config, OTHER_TABLE),
        _ => (Other, UNKNOWN),
    }
}

fn class(code: &str) -> &str {
    code.get(..2).unwrap_or_default()
}

/// By number: the error references of MySQL and MariaDB, which agree on these. Most of what fails there has the class of
/// errors in general, so that the number tells more than the SQLSTATE.
fn of_mysql(number: u16, code: &str) -> (ErrorKind, &'static str) {
    match number {
        1045 | 1130 | 1251 | 1698 | 1862 | 3118 | 3159 | 4151 => (Config, LOGIN),
        1046 | 1049 => (Config, NO_DATABASE),
        1044 | 1142 | 1143 | 1227 | 1370 => (Config, NOT_ALLOWED),
        1054 | 1146 | 1347 => (Config, OTHER_TABLE),
        1053 | 1077 | 1079 | 1158..=1161 | 1184 | 1317 | 1927 | 2006 | 2013 => (Unavailable, AWAY),
        1037 | 1038 | 1040 | 1041 | 1203 | 1205 | 1206 | 1213 | 1226 | 1412 | 1615 | 1969 | 3024 => {
            (Unavailable, BUSY)
        }
        1021 | 1114 => (Unavailable, FULL),
        1290 | 1792 | 1836 => (Unavailable, READ_ONLY),
        1118 | 1153 | 1264 | 1292 | 1366 | 1406 | 1526 | 3140 | 3157 | 3819 | 4025 => (Invalid, REFUSED),
        1034 | 1035 | 1194 | 1195 | 1712 => (Corrupt, DAMAGED),
        // What `SIGNAL` raises, as in a trigger that checks rows.
        _ if class(code) == "45" => (Invalid, REFUSED),
        _ => of_class(code),
    }
}

/// By result code: <https://www.sqlite.org/rescode.html>; the low byte is the primary one.
fn of_sqlite(code: Option<u32>, message: &str) -> (ErrorKind, &'static str) {
    match code.unwrap_or_default() & 0xff {
        1 if message.starts_with("no such") || message.contains("has no column") => (Config, OTHER_TABLE),
        3 | 8 | 23 => (Config, "the file may not be written; mend its rights and those of its directory"),
        14 => (Config, "the file cannot be opened; its directory has to be there, and both be writable"),
        26 => (Config, "the file is no SQLite database, or its beginning is damaged"),
        4..=7 | 9 | 15 | 17 => (Unavailable, "another process holds the file"),
        10 => (Unavailable, "the disk of the file fails"),
        13 => (Unavailable, FULL),
        // Too big, against a constraint or refused by a trigger, and of another type.
        18..=20 => (Invalid, REFUSED),
        11 => (Corrupt, DAMAGED),
        _ => (Other, UNKNOWN),
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;
    use tokio::net::TcpListener;

    use super::*;

    #[test]
    fn codes_tell_what_the_caller_can_do() {
        for (code, kind) in [
            ("28P01", Config),
            ("3D000", Config),
            ("42703", Config),
            ("42501", Config),
            ("57P01", Unavailable),
            ("57P03", Unavailable),
            ("53300", Unavailable),
            ("53100", Unavailable),
            ("40P01", Unavailable),
            ("40001", Unavailable),
            ("25006", Unavailable),
            ("08006", Unavailable),
            ("22001", Invalid),
            ("22021", Invalid),
            ("54001", Invalid),
            ("23514", Invalid),
            ("44000", Invalid),
            ("P0001", Invalid),
            ("42601", Config),
            ("28000", Config),
            ("55006", Unavailable),
            ("0A000", Other),
            ("2200H", Other),
            ("XX001", Corrupt),
            ("", Other),
        ] {
            assert_eq!(of_postgres(code).0, kind, "{code}");
        }
        for (number, code, kind) in [
            (1045, "28000", Config),
            (1049, "42000", Config),
            (1142, "42000", Config),
            (1054, "42S22", Config),
            (1040, "08004", Unavailable),
            (1213, "40001", Unavailable),
            (1205, "HY000", Unavailable),
            (1053, "08S01", Unavailable),
            (1290, "HY000", Unavailable),
            (1114, "HY000", Unavailable),
            (1366, "HY000", Invalid),
            (1153, "08S01", Invalid),
            (3157, "22032", Invalid),
            (1194, "HY000", Corrupt),
            (1, "HY000", Other),
            (1062, "23000", Invalid),
            (1452, "23000", Invalid),
            (1690, "22003", Invalid),
            (1644, "45000", Invalid),
            (1644, "40001", Unavailable),
            (1064, "42000", Config),
            (1644, "ZZ001", Other),
        ] {
            assert_eq!(of_mysql(number, code).0, kind, "{number} {code}");
        }
        // 14 is SQLITE_CANTOPEN, 5 + 2 * 256 SQLITE_BUSY_SNAPSHOT, 10 + 3 * 256 SQLITE_IOERR_WRITE,
        // 19 + 7 * 256 SQLITE_CONSTRAINT_TRIGGER.
        for (code, kind) in [
            (14, Config),
            (8, Config),
            (26, Config),
            (5, Unavailable),
            (517, Unavailable),
            (13, Unavailable),
            (778, Unavailable),
            (11, Corrupt),
            (18, Invalid),
            (1811, Invalid),
            (20, Invalid),
            (9, Unavailable),
            (1, Other),
        ] {
            assert_eq!(of_sqlite(Some(code), "").0, kind, "{code}");
        }
    }

    #[tokio::test]
    async fn a_server_that_closes_the_connection_at_once_is_away() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let closing = tokio::spawn(async move {
            let (mut connection, _) = listener.accept().await.unwrap();
            // What was sent is read, so that it is closed in order and not reset.
            connection.read_exact(&mut [0; 8]).await.unwrap();
        });
        let options = sqlx::postgres::PgConnectOptions::new_without_pgpass().host("127.0.0.1").port(port);
        let error = sqlx::ConnectOptions::connect(&options).await.unwrap_err();
        closing.await.unwrap();
        assert_eq!(meaning(&error).0, Unavailable, "{error}");
    }
}
