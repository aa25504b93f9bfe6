//! The connection string as the options of a client.

use std::fs::File;
use std::time::Duration;

use nephoscope_telemetry::{ConnectionString, Host, Result};
use sqlx::mysql::{MySqlConnectOptions, MySqlSslMode};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};

/// How long to wait for a connection, unless `connect_timeout` says otherwise: longer than any healthy server takes,
/// short enough for a caller who retries.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// What a connection to a SQLite file keeps in memory, in KiB (as a negative number): with the 2 MiB of its own the
/// pages of the eight indexes are written and read over and over.
const CACHE: &str = "-32768";
/// How long the log of a SQLite file gets before it is written into the file, in pages of 4 KiB: with ten times its
/// default a page that many batches change is written once for all of them.
const LOG_PAGES: &str = "10000";
/// How long SQLite waits for another process that is writing to the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

const POSTGRES_OPTIONS: [&str; 7] =
    ["sslmode", "sslrootcert", "sslcert", "sslkey", "application_name", "options", "connect_timeout"];
const MYSQL_OPTIONS: [&str; 8] =
    ["ssl_mode", "ssl_ca", "ssl_cert", "ssl_key", "unix_socket", "charset", "use_unicode", "connect_timeout"];

/// Where to connect. Holds the password, so it cannot be printed.
#[derive(Clone)]
pub struct Config {
    /// The kind of server, and its client's options.
    pub target: Target,
    /// How long to wait for a connection.
    pub connect_timeout: Duration,
}

/// A kind of server. Holds the password, as [`Config`] does.
#[derive(Clone)]
pub enum Target {
    /// PostgreSQL.
    Postgres(PgConnectOptions),
    /// MySQL or MariaDB.
    MySql(MySqlConnectOptions),
    /// A file of SQLite, made when it is missing.
    SqliteFile(SqliteConnectOptions),
    /// SQLite in the memory of this process, gone with its connection.
    SqliteMemory(SqliteConnectOptions),
}

impl Config {
    /// Reads a connection string; the part of the scheme before `+` names the kind of server. Options are those of that
    /// kind, and `others`, which the caller reads.
    pub fn read(to: &ConnectionString, others: &[&str]) -> Result<Self> {
        let known = |options: &[&str]| to.expect_options(&[options, others].concat());
        let target = match to.scheme().split('+').next() {
            Some("sqlite") => {
                known(&[])?;
                sqlite(to)?
            }
            Some("mysql" | "mariadb") => {
                known(&MYSQL_OPTIONS)?;
                Target::MySql(mysql(to)?)
            }
            _ => {
                known(&POSTGRES_OPTIONS)?;
                Target::Postgres(postgres(to)?)
            }
        };
        Ok(Self { target, connect_timeout: connect_timeout(to)? })
    }
}

fn postgres(to: &ConnectionString) -> Result<PgConnectOptions> {
    let mut options = PgConnectOptions::new_without_pgpass();
    if let Some(host) = one_host(to)? {
        let port = host.port_or(options.get_port());
        options = options.host(&host.name).port(port);
    }
    if let Some(user) = to.user() {
        options = options.username(user);
    }
    if let Some(password) = to.password() {
        options = options.password(password);
    }
    if let Some(database) = to.database() {
        options = options.database(&database);
    }
    if let Some(mode) = to.option("sslmode") {
        let known = "disable, allow, prefer, require, verify-ca, verify-full";
        let mode: PgSslMode = mode.parse().map_err(|_| unknown_value(to, "sslmode", known))?;
        options = options.ssl_mode(mode);
    }
    if let Some(file) = readable_file(to, "sslrootcert")? {
        options = options.ssl_root_cert(file);
    }
    if let Some(file) = readable_file(to, "sslcert")? {
        options = options.ssl_client_cert(file);
    }
    if let Some(file) = readable_file(to, "sslkey")? {
        options = options.ssl_client_key(file);
    }
    if let Some(name) = to.option("application_name") {
        options = options.application_name(name);
    }
    let settings = server_settings(to)?;
    Ok(if settings.is_empty() { options } else { options.options(settings) })
}

/// The `options` of libpq, as far as they are settings: `-c name=value`, `-cname=value` or `--name=value`.
fn server_settings(to: &ConnectionString) -> Result<Vec<(&str, &str)>> {
    let words = to.option("options").unwrap_or_default().split_ascii_whitespace();
    words
        .filter(|word| *word != "-c")
        .map(|word| {
            let setting = word.strip_prefix("--").or_else(|| word.strip_prefix("-c")).unwrap_or(word);
            setting.split_once('=').filter(|(name, _)| !name.starts_with('-')).ok_or_else(|| {
                to.wrong(
                    "option `options` holds settings such as `-c search_path=telemetry` and nothing else",
                )
            })
        })
        .collect()
}

fn mysql(to: &ConnectionString) -> Result<MySqlConnectOptions> {
    let database =
        to.database().ok_or_else(|| to.wrong("it names no database, as in mysql://host/database"))?;
    let mut options = MySqlConnectOptions::new().charset("utf8mb4").database(&database);
    if let Some(host) = one_host(to)? {
        let port = host.port_or(options.get_port());
        options = options.host(&host.name).port(port);
    }
    if let Some(user) = to.user() {
        options = options.username(user);
    }
    if let Some(password) = to.password() {
        options = options.password(password);
    }
    if let Some(socket) = to.option("unix_socket") {
        options = options.socket(socket);
    }
    if let Some(file) = readable_file(to, "ssl_ca")? {
        options = options.ssl_ca(file).ssl_mode(MySqlSslMode::VerifyCa);
    }
    if let Some(file) = readable_file(to, "ssl_cert")? {
        options = options.ssl_client_cert(file);
    }
    if let Some(file) = readable_file(to, "ssl_key")? {
        options = options.ssl_client_key(file);
    }
    if let Some(mode) = to.option("ssl_mode") {
        let known = "DISABLED, PREFERRED, REQUIRED, VERIFY_CA, VERIFY_IDENTITY";
        let mode: MySqlSslMode = mode.parse().map_err(|_| unknown_value(to, "ssl_mode", known))?;
        options = options.ssl_mode(mode);
    }
    Ok(options)
}

fn sqlite(to: &ConnectionString) -> Result<Target> {
    if !to.hosts().is_empty() {
        return Err(to.wrong("a file is written sqlite:///relative/path or sqlite:////absolute/path"));
    }
    let options = SqliteConnectOptions::new();
    Ok(match to.database().as_deref() {
        None | Some(":memory:") => Target::SqliteMemory(options),
        Some(file) => Target::SqliteFile(
            options
                .filename(file)
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                .busy_timeout(BUSY_TIMEOUT)
                .pragma("cache_size", CACHE)
                .pragma("wal_autocheckpoint", LOG_PAGES),
        ),
    })
}

fn one_host(to: &ConnectionString) -> Result<Option<&Host>> {
    match to.hosts() {
        [] => Ok(None),
        [host] => Ok(Some(host)),
        _ => Err(to.wrong("only one address is possible here")),
    }
}

fn connect_timeout(to: &ConnectionString) -> Result<Duration> {
    let Some(text) = to.option("connect_timeout") else { return Ok(CONNECT_TIMEOUT) };
    match text.parse::<u16>() {
        Ok(seconds @ 1..) => Ok(Duration::from_secs(seconds.into())),
        _ => Err(to.wrong("option `connect_timeout` is a whole number of seconds, at least 1")),
    }
}

/// The file that an option names. Opened once here: the client would say that it is missing, but not which it is.
fn readable_file<'a>(to: &'a ConnectionString, option: &str) -> Result<Option<&'a str>> {
    let Some(file) = to.option(option) else { return Ok(None) };
    match File::open(file) {
        Ok(_) => Ok(Some(file)),
        Err(error) => Err(to.wrong(format!("option `{option}` names a file that cannot be read: {error}"))),
    }
}

fn unknown_value(to: &ConnectionString, option: &str, known: &str) -> nephoscope_telemetry::Error {
    to.wrong(format!("option `{option}` is one of {known}"))
}

#[cfg(test)]
mod tests {
    use nephoscope_telemetry::ErrorKind;

    use super::*;

    fn read(text: &str) -> Result<Target> {
        Config::read(&ConnectionString::parse(text).unwrap(), &["ours"]).map(|config| config.target)
    }

    fn read_postgres(text: &str) -> PgConnectOptions {
        match read(text) {
            Ok(Target::Postgres(options)) => options,
            _ => panic!("{text} is not for PostgreSQL"),
        }
    }

    fn read_mysql(text: &str) -> MySqlConnectOptions {
        match read(text) {
            Ok(Target::MySql(options)) => options,
            _ => panic!("{text} is not for MySQL"),
        }
    }

    #[test]
    fn every_part_reaches_postgresql() {
        let options = read_postgres(
            "postgresql+psycopg2://us%40er:p%2Fw@[::1]:6543/tra%20ces?sslmode=require&application_name=a&options=-c%20search_path%3Dx%20--work_mem%3D1MB",
        );
        assert_eq!((options.get_host(), options.get_port()), ("::1", 6543));
        assert_eq!((options.get_username(), options.get_database()), ("us@er", Some("tra ces")));
        assert!(format!("{options:?}").contains("p/w"));
        assert!(matches!(options.get_ssl_mode(), PgSslMode::Require));
        assert_eq!(options.get_application_name(), Some("a"));
        assert_eq!(options.get_options(), Some("-c search_path=x -c work_mem=1MB"));
    }

    #[test]
    fn every_part_reaches_mysql() {
        let options = read_mysql(
            "mysql+pymysql://us%40er:p%2Fw@db:3307/traces?charset=utf8&ssl_mode=REQUIRED&unix_socket=/s",
        );
        assert_eq!((options.get_host(), options.get_port()), ("db", 3307));
        assert_eq!((options.get_username(), options.get_database()), ("us@er", Some("traces")));
        assert!(format!("{options:?}").contains("p/w"));
        assert!(matches!(options.get_ssl_mode(), MySqlSslMode::Required));
        assert_eq!(options.get_charset(), "utf8mb4");
        assert_eq!(options.get_socket().and_then(|path| path.to_str()), Some("/s"));
    }

    #[test]
    fn a_certificate_authority_alone_is_not_ignored_on_mysql() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let options = read_mysql(&format!("mysql://h/d?ssl_ca={}", file.path().display()));
        assert!(matches!(options.get_ssl_mode(), MySqlSslMode::VerifyCa));
    }

    #[test]
    fn the_slashes_of_sqlite_mean_what_they_mean_to_sqlalchemy() {
        for (text, path) in
            [("sqlite:////abs/a%20b.db", "/abs/a b.db"), ("sqlite+pysqlite:///rel/x.db", "rel/x.db")]
        {
            match read(text) {
                Ok(Target::SqliteFile(options)) => assert_eq!(options.get_filename().to_str(), Some(path)),
                _ => panic!("{text} is no file"),
            }
        }
        for text in ["sqlite://", "sqlite:///", "sqlite:///:memory:"] {
            assert!(matches!(read(text), Ok(Target::SqliteMemory(_))), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_without_the_password() {
        for (text, told) in [
            ("sqlite://x.db", "sqlite:///relative"),
            ("sqlite:///x.db?timeout=1", "`timeout`"),
            ("mysql://u:s3cret@h", "database"),
            ("mysql://u:s3cret@h/d?ssl_mode=maybe", "VERIFY_CA"),
            ("mysql://u:s3cret@h/d?ssl_ca=/not/there", "ssl_ca"),
            ("postgresql://u:s3cret@h,i/d", "one address"),
            ("postgresql://u:s3cret@h/d?sslmode=maybe", "verify-full"),
            ("postgresql://u:s3cret@h/d?sslrootcert=/not/there", "sslrootcert"),
            ("postgresql://u:s3cret@h/d?connect_timeout=0", "connect_timeout"),
            ("postgresql://u:s3cret@h/d?options=-E", "search_path"),
            ("sqlite:///x.db?ours=1&connect_timeout=1", "`connect_timeout`"),
            ("postgresql://u:s3cret@h/d?tpyo=1", "`tpyo`"),
        ] {
            let Err(error) = read(text) else { panic!("{text} is taken") };
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(error.to_string().contains(told), "{error}");
            assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
        }
    }
}
