//! A database for each case, and SQL run on it.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, OnceLock};

use nephoscope_dispatchers::Around;
use nephoscope_sql::{Config, Database, FromAnyRow};
use nephoscope_telemetry::{ConnectionString, Dispatcher};
use nephoscope_testkit::server::{MariadbServer, Missing, PostgresServer};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// A kind of database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Sqlite,
    Postgres,
    Mysql,
}

impl Kind {
    pub(super) const ALL: [Self; 3] = [Self::Sqlite, Self::Postgres, Self::Mysql];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgresql",
            Self::Mysql => "mysql",
        }
    }
}

/// One server of each kind, started when it is needed.
#[derive(Default)]
pub(super) struct Servers {
    postgres: OnceLock<Result<PostgresServer, Missing>>,
    mariadb: OnceLock<Result<MariadbServer, Missing>>,
    places: AtomicU16,
}

/// A database of its own.
pub(super) struct Place {
    pub(super) kind: Kind,
    pub(super) url: String,
    pub(super) runtime: Runtime,
    /// Connected to when it is asked the first time.
    database: OnceLock<Database>,
    directory: TempDir,
}

impl Servers {
    pub(super) fn place(&self, kind: Kind) -> Result<Place, Missing> {
        let name = format!("telemetry_{}", self.places.fetch_add(1, Ordering::Relaxed));
        let directory = tempfile::tempdir().expect("a temporary directory can be made");
        let url = match kind {
            Kind::Sqlite => format!("sqlite:///{}", directory.path().join("x.db").display()),
            Kind::Postgres => {
                let server = self.postgres.get_or_init(PostgresServer::start);
                let server = server.as_ref().map_err(|missing| *missing)?;
                server.create_database(&name);
                server.database_url(&name)
            }
            Kind::Mysql => {
                let server = self.mariadb.get_or_init(MariadbServer::start);
                let server = server.as_ref().map_err(|missing| *missing)?;
                server.create_database(&name);
                server.database_url(&name)
            }
        };
        Ok(Place::new(kind, url, directory))
    }
}

impl Place {
    pub(super) fn new(kind: Kind, url: String, directory: TempDir) -> Self {
        let runtime = Runtime::new().expect("a runtime can be made");
        Self { kind, url, runtime, database: OnceLock::new(), directory }
    }

    /// A dispatcher to it.
    pub(super) fn dispatcher(&self) -> Arc<dyn Dispatcher> {
        self.dispatcher_to(&self.url).unwrap()
    }

    pub(super) fn dispatcher_to(&self, url: &str) -> nephoscope_telemetry::Result<Arc<dyn Dispatcher>> {
        let to = ConnectionString::parse(url).unwrap();
        let around = Around { directory: self.directory.path().to_owned(), embedded: None };
        self.runtime.block_on(nephoscope_dispatchers::connect(&to, &around))
    }

    fn database(&self) -> &Database {
        self.database.get_or_init(|| {
            let config = Config::read(&ConnectionString::parse(&self.url).unwrap(), &[]).unwrap();
            self.runtime.block_on(Database::open(config)).unwrap()
        })
    }

    /// Runs a statement.
    pub(super) fn run(&self, sql: &str) {
        self.execute([sql.to_owned()]);
    }

    /// Runs statements in one transaction.
    pub(super) fn execute(&self, statements: impl IntoIterator<Item = String>) {
        let database = self.database();
        let statements = statements.into_iter().map(|sql| database.statement(&sql));
        self.runtime.block_on(database.execute(statements)).unwrap();
    }

    /// The rows of a query.
    pub(super) fn ask<T: FromAnyRow>(&self, query: &str) -> Vec<T> {
        let database = self.database();
        self.runtime.block_on(database.fetch(database.statement(query))).unwrap()
    }

    /// The only number of a query.
    pub(super) fn count(&self, query: &str) -> i64 {
        self.ask::<(i64,)>(query)[0].0
    }

    /// A file of it that is not there.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// A JSON column as text.
    pub(super) fn text(&self, column: &str) -> String {
        match self.kind {
            Kind::Mysql => format!("CAST({column} AS CHAR)"),
            Kind::Sqlite | Kind::Postgres => format!("CAST({column} AS TEXT)"),
        }
    }

    /// A column of times as text, spelled as a timestamp displays.
    pub(super) fn time(&self, column: &str) -> String {
        match self.kind {
            Kind::Sqlite => format!("replace({column}, ' ', 'T')"),
            Kind::Postgres => format!("to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US')"),
            Kind::Mysql => format!("CAST(DATE_FORMAT({column}, '%Y-%m-%dT%H:%i:%s.%f') AS CHAR)"),
        }
    }
}
