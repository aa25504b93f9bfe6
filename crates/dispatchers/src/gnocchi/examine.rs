//! What a dispatcher would do, without doing it.

use nephoscope_gnocchi::{ArchivePolicy, Gnocchi};
use nephoscope_gnocchi_client::Remote;
use nephoscope_resource_types::{Definitions, Mistake};
use nephoscope_telemetry::{ConnectionString, Result};

use super::expected::{self, Expected};
use super::filter::{Filter, LeftOut};
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
    /// The archive policies that Gnocchi has to have already.
    expected: Vec<Expected>,
    filter: Filter,
}

impl Examined {
    /// Fails where Gnocchi does not have the archive policies that metrics have and of which nothing says how they would be
    /// made.
    pub async fn check_policies(&self, gnocchi: &dyn Gnocchi) -> Result<()> {
        expected::check(gnocchi, &self.expected, &self.definitions).await
    }

    /// Whether there are any that Gnocchi has to have.
    pub fn expects_policies(&self) -> bool {
        !self.expected.is_empty()
    }

    /// As [`check_policies`](Self::check_policies), of a Gnocchi that has these.
    pub fn check_policies_among(&self, there: &[ArchivePolicy]) -> Result<()> {
        expected::check_among(there, &self.expected, &self.definitions)
    }

    /// Why samples of Gnocchi's own project cannot be told from others, where they should be. The Keystone of this Gnocchi
    /// is asked.
    pub async fn unfiltered(&self, gnocchi: &Remote) -> Result<Option<String>> {
        match self.filter.find(gnocchi.keystone()).await? {
            LeftOut::Unknown(why) => Ok(Some(why)),
            _ => Ok(None),
        }
    }
}

/// Reads what a dispatcher needs, the definition file included. Nothing is asked of Gnocchi.
pub fn examine(to: &ConnectionString) -> Result<Examined> {
    let settings = Settings::read(to)?;
    let (definitions, mistakes) = settings.read_definitions(to)?;
    let gnocchi = (to.scheme() != "embedded").then(|| connection(to)).transpose()?;
    let expected = settings.expected(&definitions);
    Ok(Examined { gnocchi, definitions, mistakes, expected, filter: settings.filter })
}

/// The Gnocchi alone, without what is for the dispatcher.
pub(super) fn connection(to: &ConnectionString) -> Result<ConnectionString> {
    let connection = to.expose(to.scheme(), |option| !OPTIONS.contains(&option));
    ConnectionString::parse(&connection).map_err(|error| to.wrong(error))
}
