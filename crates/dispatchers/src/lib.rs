//! The dispatchers: each is a folder that knows where it sends samples and events to, and nothing else.
//!
//! [`connect`] is the only place that knows them all.

#[cfg(feature = "file")]
mod file;
#[cfg(feature = "gnocchi")]
mod gnocchi;

use std::path::PathBuf;
use std::sync::Arc;

use nephoscope_gnocchi::Gnocchi;
use nephoscope_telemetry::{ConnectionString, Dispatcher, Error, ErrorKind, Result};

/// Every scheme, the cargo feature of its dispatcher, and whether this build has it.
const SCHEMES: [(&str, &str, bool); 4] = [
    ("embedded", "gnocchi", cfg!(feature = "gnocchi")),
    ("file", "file", cfg!(feature = "file")),
    ("gnocchi", "gnocchi", cfg!(feature = "gnocchi")),
    ("gnocchi+https", "gnocchi", cfg!(feature = "gnocchi")),
];

/// What dispatchers find around them.
#[derive(Clone, Debug)]
pub struct Around {
    /// Where they may keep what they have to remember. The directory is there.
    pub directory: PathBuf,
    /// The Gnocchi of this process.
    pub embedded: Arc<dyn Gnocchi>,
}

/// Every scheme, in order.
pub fn schemes() -> impl Iterator<Item = &'static str> {
    SCHEMES.into_iter().map(|(scheme, ..)| scheme)
}

/// Fails when no dispatcher of this build can have this connection string.
pub fn check(to: &ConnectionString) -> Result<()> {
    const OPERATION: &str = "choose a dispatcher";
    let wrong = |problem| Err(Error::new(ErrorKind::Config, OPERATION, problem));
    match SCHEMES.iter().find(|(scheme, ..)| *scheme == to.scheme()) {
        Some((scheme, feature, false)) => {
            wrong(format!("{scheme} is left out of this build; it needs the cargo feature `{feature}`"))
        }
        Some(_) => Ok(()),
        None => {
            let known = SCHEMES.map(|(scheme, ..)| scheme).join(", ");
            wrong(format!("no dispatcher has the scheme `{}`; known: {known}", to.scheme()))
        }
    }
}

/// The dispatcher that the connection string names.
pub async fn connect(to: &ConnectionString, around: &Around) -> Result<Arc<dyn Dispatcher>> {
    check(to)?;
    match to.scheme() {
        #[cfg(feature = "file")]
        "file" => file::connect(to),
        #[cfg(feature = "gnocchi")]
        "embedded" => gnocchi::embedded(to, around),
        #[cfg(feature = "gnocchi")]
        "gnocchi" | "gnocchi+https" => gnocchi::remote(to, around),
        other => unreachable!("{other} was checked"),
    }
}
