//! A pool of connections to one of the three kinds of server, and how statements are run on it.

use std::time::Duration;

use futures_util::stream::{BoxStream, TryStreamExt};
use sqlx::mysql::{MySqlConnectOptions, MySqlPool, MySqlPoolOptions, MySqlRow};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions, PgRow};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions, SqliteRow};
use sqlx::{Arguments, AssertSqlSafe, ConnectOptions, Connection, Encode, FromRow, Pool, Type};

use crate::config::{Config, Target};
use crate::statement::{Dialect, Statement, Value};

/// Connections to one server. A writer and a few readers are at work at a time; more would only take up what the
/// server has for others (PostgreSQL allows 100 in all by default).
const MAX_CONNECTIONS: u32 = 8;

/// What a statement takes besides its values: its text, and a length and a type for each value.
const STATEMENT_BYTES: usize = 64 << 10;

/// Connections to one database.
#[derive(Debug)]
pub enum Database {
    /// PostgreSQL.
    Postgres(PgPool),
    /// MySQL or MariaDB.
    MySql(MySqlPool),
    /// SQLite.
    Sqlite(SqlitePool),
}

/// What can be read from a row of each of the three.
pub trait FromAnyRow:
    for<'r> FromRow<'r, PgRow>
    + for<'r> FromRow<'r, MySqlRow>
    + for<'r> FromRow<'r, SqliteRow>
    + Send
    + Unpin
    + 'static
{
}

impl<T> FromAnyRow for T where
    T: for<'r> FromRow<'r, PgRow>
        + for<'r> FromRow<'r, MySqlRow>
        + for<'r> FromRow<'r, SqliteRow>
        + Send
        + Unpin
        + 'static
{
}

/// The same code for the pool of each kind.
macro_rules! with_pool {
    ($database:expr, $pool:ident => $code:expr) => {
        match $database {
            Database::Postgres($pool) => $code,
            Database::MySql($pool) => $code,
            Database::Sqlite($pool) => $code,
        }
    };
}

impl Database {
    /// Connects, and fails at once when that is not possible: a pool alone would try until its time is up, and
    /// then not say why.
    pub async fn open(config: Config) -> sqlx::Result<Self> {
        let wait = config.connect_timeout;
        Ok(match config.target {
            Target::Postgres(options) => {
                let options = PgConnectOptions::disable_statement_logging(options);
                within(wait, options.connect()).await?.close().await?;
                let pool = PgPoolOptions::new().max_connections(MAX_CONNECTIONS).acquire_timeout(wait);
                Self::Postgres(pool.connect_lazy_with(options))
            }
            Target::MySql(options) => {
                let options = MySqlConnectOptions::disable_statement_logging(options);
                within(wait, options.connect()).await?.close().await?;
                let pool = MySqlPoolOptions::new().max_connections(MAX_CONNECTIONS).acquire_timeout(wait);
                Self::MySql(pool.connect_lazy_with(options))
            }
            Target::SqliteFile(options) => {
                let options = SqliteConnectOptions::disable_statement_logging(options);
                let pool = SqlitePoolOptions::new().max_connections(MAX_CONNECTIONS).acquire_timeout(wait);
                Self::Sqlite(pool.connect_with(options).await?)
            }
            Target::SqliteMemory(options) => {
                let options = SqliteConnectOptions::disable_statement_logging(options);
                // What is stored lives in the connection: there is one, and it is never given up.
                let pool = SqlitePoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None);
                Self::Sqlite(pool.connect_with(options).await?)
            }
        })
    }

    /// What SQL it speaks.
    pub fn dialect(&self) -> Dialect {
        match self {
            Self::Postgres(_) => Dialect::Postgres,
            Self::MySql(_) => Dialect::MySql,
            Self::Sqlite(_) => Dialect::Sqlite,
        }
    }

    /// How long the values of one statement may be in sum: `max_allowed_packet` of MySQL, without bound elsewhere.
    pub async fn packet(&self) -> sqlx::Result<usize> {
        if self.dialect() != Dialect::MySql {
            return Ok(usize::MAX);
        }
        let query = self.statement("SELECT CAST(@@max_allowed_packet AS SIGNED)");
        let rows: Vec<(i64,)> = self.fetch(query).await?;
        let bytes = rows.first().and_then(|(bytes,)| usize::try_from(*bytes).ok()).unwrap_or(usize::MAX);
        Ok(bytes.saturating_sub(STATEMENT_BYTES))
    }

    /// A statement in the dialect of this database; see [`Statement::new`].
    pub fn statement(&self, sql: &str) -> Statement {
        Statement::new(self.dialect(), sql)
    }

    /// The rows of a query, as they arrive.
    pub fn stream<T: FromAnyRow>(&self, query: Statement) -> BoxStream<'_, sqlx::Result<T>> {
        with_pool!(self, pool => match arguments(pool, query.values) {
            Ok(arguments) => sqlx::query_as_with(AssertSqlSafe(query.sql), arguments)
                .persistent(query.reused)
                .fetch(pool),
            Err(error) => Box::pin(futures_util::stream::iter([Err(error)])),
        })
    }

    /// All rows of a query.
    pub async fn fetch<T: FromAnyRow>(&self, query: Statement) -> sqlx::Result<Vec<T>> {
        self.stream(query).try_collect().await
    }

    /// Runs statements in one transaction. They are made as they are run.
    pub async fn execute(&self, statements: impl IntoIterator<Item = Statement>) -> sqlx::Result<()> {
        self.transact(statements, true).await
    }

    /// Runs statements in one transaction, and undoes what they did.
    pub async fn rehearse(&self, statements: impl IntoIterator<Item = Statement>) -> sqlx::Result<()> {
        self.transact(statements, false).await
    }

    async fn transact(
        &self,
        statements: impl IntoIterator<Item = Statement>,
        for_good: bool,
    ) -> sqlx::Result<()> {
        with_pool!(self, pool => {
            let mut transaction = pool.begin().await?;
            for statement in statements {
                let arguments = arguments(pool, statement.values)?;
                sqlx::query_with(AssertSqlSafe(statement.sql), arguments)
                    .persistent(statement.reused)
                    .execute(&mut *transaction)
                    .await?;
            }
            if for_good { transaction.commit().await } else { transaction.rollback().await }
        })
    }

    /// Waits for the statements in hand and closes the connections.
    pub async fn close(&self) {
        with_pool!(self, pool => pool.close().await);
    }
}

async fn within<T>(wait: Duration, connecting: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
    tokio::time::timeout(wait, connecting).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))
}

/// The values as the client of this pool takes them.
fn arguments<DB: sqlx::Database>(_: &Pool<DB>, values: Vec<Value>) -> sqlx::Result<DB::Arguments>
where
    Option<String>: for<'q> Encode<'q, DB> + Type<DB>,
    Option<i64>: for<'q> Encode<'q, DB> + Type<DB>,
    Option<f64>: for<'q> Encode<'q, DB> + Type<DB>,
{
    let mut arguments = DB::Arguments::default();
    for value in values {
        match value {
            Value::Text(text) => arguments.add(text),
            Value::Number(number) => arguments.add(number),
            Value::Float(number) => arguments.add(number),
        }
        .map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}
