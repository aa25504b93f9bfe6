//! SQL databases as backends: connection strings, three dialects, and failures that say what the caller can do.
//!
//! [`Config`] is what a connection string says, [`Database`] a pool of connections to PostgreSQL, MySQL or MariaDB, or a
//! file of SQLite, and a [`Statement`] what is run there. A [`Place`] makes an
//! [`Error`](nephoscope_telemetry::Error) of what the client says, which names the database and holds no secret.
//!
//! | option | of | meaning |
//! |---|---|---|
//! | `sslmode`, `sslrootcert`, `sslcert`, `sslkey` | PostgreSQL | TLS, as libpq means it |
//! | `application_name`, `options` | PostgreSQL | as libpq means it |
//! | `ssl_mode`, `ssl_ca`, `ssl_cert`, `ssl_key` | MySQL | TLS; `ssl_ca` alone means `ssl_mode=VERIFY_CA` |
//! | `unix_socket` | MySQL | the socket to connect to |
//! | `charset`, `use_unicode` | MySQL | taken and ignored: it is always `utf8mb4` |
//! | `connect_timeout` | both | seconds to wait for the server, 5 by default |
//!
//! PostgreSQL's `PGHOST`, `PGPORT`, `PGUSER`, `PGPASSWORD` and the like stand in for what the string leaves out.

mod batch;
mod config;
mod database;
mod error;
mod statement;

pub use batch::{Length, Transactions, chunks};
pub use config::{Config, Target};
pub use database::{Database, FromAnyRow};
pub use error::{Place, is_unknown, misses_table, refuses_value, told};
pub use statement::{Dialect, Statement, Value};
