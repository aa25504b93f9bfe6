//! The dispatchers: each is a folder that knows where it sends samples and events to, and nothing else.
//!
//! [`connect`] is the only place that knows them all. The daemon sends through them what it took in; a program that measures
//! something itself can do so directly, with no daemon in between:
//!
//! ```
//! use nephoscope_dispatchers::{Around, connect};
//! use nephoscope_telemetry::{ConnectionString, Json, Sample};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let directory = tempfile::tempdir()?;
//! let file = directory.path().join("samples.jsonl");
//! // Or gnocchi://admin@gnocchi.example.org/, or any other that `schemes` has.
//! let to = ConnectionString::parse(&format!("file://{}", file.display()))?;
//! let around = Around { directory: directory.path().to_owned(), embedded: None };
//! let dispatcher = connect(&to, &around).await?;
//!
//! let volume = Json::parse("21.5")?;
//! let mut sample = Sample::new("hardware.temperature", volume, "rack-7", "2026-01-31T12:00:00");
//! sample.unit = "C".into();
//! let refused = dispatcher.samples(&[sample]).await?;
//! assert!(refused.is_empty(), "it will never take {refused:?}");
//! dispatcher.close().await?;
//! # let written = std::fs::read_to_string(file)?;
//! # assert_eq!(Sample::from_json(&written)?.value(), Some(21.5));
//! # Ok(())
//! # }
//! ```
//!
//! What fails as [`Unavailable`](ErrorKind::Unavailable) can be sent again as it is: see [`Dispatcher`].

#[cfg(feature = "file")]
mod file;
#[cfg(feature = "gnocchi")]
mod gnocchi;
#[cfg(feature = "http")]
mod http;
#[cfg(feature = "otlp")]
mod otlp;
#[cfg(feature = "prometheus")]
mod prometheus;
#[cfg(feature = "sql")]
mod sql;

use std::path::PathBuf;
use std::sync::Arc;

use nephoscope_gnocchi::Gnocchi;
use nephoscope_telemetry::{ConnectionString, Dispatcher, Error, ErrorKind, Result};

#[cfg(feature = "gnocchi")]
pub use gnocchi::{Examined, examine};

/// Every scheme, the cargo feature of its dispatcher, and whether this build has it.
const SCHEMES: [(&str, &str, bool); 25] = [
    ("embedded", "gnocchi", cfg!(feature = "gnocchi")),
    ("file", "file", cfg!(feature = "file")),
    ("gnocchi", "gnocchi", cfg!(feature = "gnocchi")),
    ("gnocchi+https", "gnocchi", cfg!(feature = "gnocchi")),
    ("http", "http", cfg!(feature = "http")),
    ("https", "http", cfg!(feature = "http")),
    ("otlp+metrics", "otlp", cfg!(feature = "otlp")),
    ("otlp+metrics+grpc", "otlp", cfg!(feature = "otlp")),
    ("otlp+metrics+grpcs", "otlp", cfg!(feature = "otlp")),
    ("otlp+metrics+https", "otlp", cfg!(feature = "otlp")),
    ("prometheus+remote-write", "prometheus", cfg!(feature = "prometheus")),
    ("prometheus+remote-write+https", "prometheus", cfg!(feature = "prometheus")),
    ("mariadb", "sql", cfg!(feature = "sql")),
    ("mariadb+pymysql", "sql", cfg!(feature = "sql")),
    ("mysql", "sql", cfg!(feature = "sql")),
    ("mysql+mysqlconnector", "sql", cfg!(feature = "sql")),
    ("mysql+mysqldb", "sql", cfg!(feature = "sql")),
    ("mysql+pymysql", "sql", cfg!(feature = "sql")),
    ("postgres", "sql", cfg!(feature = "sql")),
    ("postgresql", "sql", cfg!(feature = "sql")),
    ("postgresql+asyncpg", "sql", cfg!(feature = "sql")),
    ("postgresql+psycopg", "sql", cfg!(feature = "sql")),
    ("postgresql+psycopg2", "sql", cfg!(feature = "sql")),
    ("sqlite", "sql", cfg!(feature = "sql")),
    ("sqlite+pysqlite", "sql", cfg!(feature = "sql")),
];

/// What dispatchers find around them.
#[derive(Clone, Debug)]
pub struct Around {
    /// Where they may keep what they have to remember. The directory is there.
    pub directory: PathBuf,
    /// The Gnocchi of this process, where it has one; `embedded://` sends there.
    pub embedded: Option<Arc<dyn Gnocchi>>,
}

/// Every scheme, in order.
pub fn schemes() -> impl Iterator<Item = &'static str> {
    SCHEMES.into_iter().map(|(scheme, ..)| scheme)
}

/// Fails when no dispatcher of this build can have this connection string.
pub fn check(to: &ConnectionString) -> Result<()> {
    feature(to).map(drop)
}

/// The cargo feature of the dispatcher that this build has for a connection string.
fn feature(to: &ConnectionString) -> Result<&'static str> {
    const OPERATION: &str = "choose a dispatcher";
    let wrong = |problem| Err(Error::new(ErrorKind::Config, OPERATION, problem));
    match SCHEMES.iter().find(|(scheme, ..)| *scheme == to.scheme()) {
        Some((scheme, feature, false)) => {
            wrong(format!("{scheme} is left out of this build; it needs the cargo feature `{feature}`"))
        }
        Some((_, feature, true)) => Ok(feature),
        None => {
            let known = SCHEMES.map(|(scheme, ..)| scheme).join(", ");
            wrong(format!("no dispatcher has the scheme `{}`; known: {known}", to.scheme()))
        }
    }
}

/// The dispatcher that the connection string names.
pub async fn connect(
    to: &ConnectionString,
    #[cfg_attr(not(feature = "gnocchi"), expect(unused_variables, reason = "only Gnocchi's looks around"))]
    around: &Around,
) -> Result<Arc<dyn Dispatcher>> {
    match feature(to)? {
        #[cfg(feature = "file")]
        "file" => file::connect(to),
        #[cfg(feature = "gnocchi")]
        "gnocchi" if to.scheme() == "embedded" => gnocchi::embedded(to, around),
        #[cfg(feature = "gnocchi")]
        "gnocchi" => gnocchi::remote(to, around),
        #[cfg(feature = "http")]
        "http" => http::connect(to),
        #[cfg(feature = "otlp")]
        "otlp" => otlp::connect(to),
        #[cfg(feature = "prometheus")]
        "prometheus" => prometheus::connect(to),
        #[cfg(feature = "sql")]
        "sql" => sql::connect(to),
        other => unreachable!("{other} is none of the features"),
    }
}
