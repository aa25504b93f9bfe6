//! A build without sources.

use std::sync::Arc;

use nephoscope_server::{SourceCounts, Traces};
use nephoscope_telemetry::{ConnectionString, Error};
use tokio::sync::watch;

/// None at all.
#[derive(Debug, Default)]
pub struct Sources;

/// Fails: none can be had.
pub fn check(url: &ConnectionString) -> Result<(), Error> {
    Err(url.wrong("sources are left out of this build; they need the cargo feature `messaging`"))
}

impl Sources {
    /// With these URLs, of which there are none.
    pub fn new<'a>(urls: impl Iterator<Item = &'a ConnectionString>) -> Result<Self, Error> {
        urls.map(check).collect::<Result<(), _>>().map(|()| Self)
    }

    /// None.
    pub fn counts(&self) -> Vec<SourceCounts> {
        Vec::new()
    }

    /// Takes nothing in.
    pub async fn run(self, _: Arc<Traces>, _: watch::Receiver<()>) {}
}
