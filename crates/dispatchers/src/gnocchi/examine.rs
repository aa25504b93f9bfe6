//! What a dispatcher would do, without doing it.

use nephoscope_resource_types::{Definitions, Mistake};
use nephoscope_telemetry::{ConnectionString, Result};

use super::settings::{OPTIONS, Settings};

/// What a connection string of `embedded://` or `gnocchi://` asks for.
#[derive(Clone, Debug)]
pub struct Examined {
    /// The Gnocchi elsewhere; nothing for that of the daemon.
    pub gnocchi: Option<ConnectionString>,
    /// The resource types and archive policies that samples need.
    pub definitions: Definitions,
    /// What is wrong in the definition file, and left out.
    pub mistakes: Vec<Mistake>,
}

/// Reads what a dispatcher needs, the definition file included. Nothing is asked of Gnocchi.
pub fn examine(to: &ConnectionString) -> Result<Examined> {
    let (definitions, mistakes) = Settings::read(to)?.read_definitions(to)?;
    let gnocchi = (to.scheme() != "embedded").then(|| connection(to)).transpose()?;
    Ok(Examined { gnocchi, definitions, mistakes })
}

/// The Gnocchi alone, without what is for the dispatcher.
pub(super) fn connection(to: &ConnectionString) -> Result<ConnectionString> {
    let connection = to.expose(to.scheme(), |option| !OPTIONS.contains(&option));
    ConnectionString::parse(&connection).map_err(|error| to.wrong(error))
}
