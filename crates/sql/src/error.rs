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
                of_mysql(error.number())
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
        sqlx::Error::PoolClosed => (Other, "the driver is closed"),
        _ => (Other, UNKNOWN),
    }
}

/// By SQLSTATE: PostgreSQL's documentation, appendix A.
fn of_postgres(code: &str) -> (ErrorKind, &'static str) {
    match code {
        "3D000" => (Config, NO_DATABASE),
        "42501" => (Config, NOT_ALLOWED),
        "3F000" | "42P01" | "42703" | "42804" | "42809" | "42883" => (Config, OTHER_TABLE),
        "53100" => (Unavailable, FULL),
        "25006" => (Unavailable, READ_ONLY),
        "55P03" | "57014" => (Unavailable, BUSY),
        "2200H" => (Other, "the ids of the table are used up; make its column `id` a bigint"),
        "54000" | "54001" => (Invalid, REFUSED),
        _ => match code.get(..2) {
            Some("28") => (Config, LOGIN),
            Some("08" | "57" | "58") => (Unavailable, AWAY),
            Some("40" | "53") => (Unavailable, BUSY),
            Some("22" | "23") => (Invalid, REFUSED),
            Some("XX") => (Corrupt, DAMAGED),
            _ => (Other, UNKNOWN),
        },
    }
}

/// By number: the error references of MySQL and MariaDB, which agree on these.
fn of_mysql(number: u16) -> (ErrorKind, &'static str) {
    match number {
        1045 | 1130 | 1251 | 1698 | 1862 | 3118 | 3159 | 4151 => (Config, LOGIN),
        1046 | 1049 => (Config, NO_DATABASE),
        1044 | 1142 | 1143 | 1227 | 1370 => (Config, NOT_ALLOWED),
        1054 | 1146 | 1347 => (Config, OTHER_TABLE),
        1053 | 1077 | 1079 | 1158..=1161 | 1184 | 1317 | 1927 | 2006 | 2013 => (Unavailable, AWAY),
        1037 | 1038 | 1040 | 1041 | 1203 | 1205 | 1206 | 1213 | 1226 | 1969 | 3024 => (Unavailable, BUSY),
        1021 | 1114 => (Unavailable, FULL),
        1290 | 1792 | 1836 => (Unavailable, READ_ONLY),
        1153 | 1264 | 1292 | 1366 | 1406 | 3140 | 3157 | 3819 | 4025 => (Invalid, REFUSED),
        1034 | 1035 | 1194 | 1195 | 1712 => (Corrupt, DAMAGED),
        _ => (Other, UNKNOWN),
    }
}

/// By result code: <https://www.sqlite.org/rescode.html>; the low byte is the primary one.
fn of_sqlite(code: Option<u32>, message: &str) -> (ErrorKind, &'static str) {
    match code.unwrap_or_default() & 0xff {
        1 if message.starts_with("no such") || message.contains("has no column") => (Config, OTHER_TABLE),
        3 | 8 | 23 => (Config, "the file may not be written; mend its rights and those of its directory"),
        14 => (Config, "the file cannot be opened; its directory has to be there, and both be writable"),
        26 => (Config, "the file is no SQLite database, or its beginning is damaged"),
        5 | 6 | 7 | 15 | 17 => (Unavailable, "another process holds the file"),
        10 => (Unavailable, "the disk of the file fails"),
        13 => (Unavailable, FULL),
        18 | 19 => (Invalid, REFUSED),
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
            ("2200H", Other),
            ("XX001", Corrupt),
            ("", Other),
        ] {
            assert_eq!(of_postgres(code).0, kind, "{code}");
        }
        for (number, kind) in [
            (1045, Config),
            (1049, Config),
            (1142, Config),
            (1054, Config),
            (1040, Unavailable),
            (1213, Unavailable),
            (1205, Unavailable),
            (1053, Unavailable),
            (1290, Unavailable),
            (1114, Unavailable),
            (1366, Invalid),
            (1153, Invalid),
            (3157, Invalid),
            (1194, Corrupt),
            (1, Other),
        ] {
            assert_eq!(of_mysql(number).0, kind, "{number}");
        }
        // 14 is SQLITE_CANTOPEN, 5 + 2 * 256 SQLITE_BUSY_SNAPSHOT, 10 + 3 * 256 SQLITE_IOERR_WRITE.
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
