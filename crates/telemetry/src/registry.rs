//! Which driver belongs to which scheme.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::{BoxFuture, ConnectionString, Driver, Error, ErrorKind, Result};

/// A driver on its way to its backend.
pub type Connecting<'a> = BoxFuture<'a, Result<Arc<dyn Driver>>>;

/// What a scheme stands for.
#[derive(Clone, Copy, Debug)]
pub enum Entry {
    /// A driver of this build.
    Built(for<'a> fn(&'a ConnectionString) -> Connecting<'a>),
    /// A driver that was left out at compile time.
    LeftOut {
        /// The cargo feature that brings it in.
        feature: &'static str,
    },
}

/// The drivers by scheme. Made once by the binary and passed down.
#[derive(Clone, Debug, Default)]
pub struct Registry {
    schemes: BTreeMap<&'static str, Entry>,
}

impl Registry {
    /// Gives a scheme its driver.
    ///
    /// # Panics
    /// When the scheme has one already: two drivers that claim one scheme are a mistake in the code.
    pub fn register(&mut self, scheme: &'static str, entry: Entry) {
        let earlier = self.schemes.insert(scheme, entry);
        assert!(earlier.is_none(), "two drivers claim the scheme {scheme}");
    }

    /// All schemes, those left out included, in order.
    pub fn schemes(&self) -> impl Iterator<Item = (&'static str, Entry)> + '_ {
        self.schemes.iter().map(|(scheme, entry)| (*scheme, *entry))
    }

    /// The driver that the connection string names, connected.
    pub async fn connect(&self, to: &ConnectionString) -> Result<Arc<dyn Driver>> {
        const OPERATION: &str = "choose a driver";
        match self.schemes.get(to.scheme()) {
            Some(Entry::Built(connect)) => connect(to).await,
            Some(Entry::LeftOut { feature }) => Err(Error::new(
                ErrorKind::Config,
                OPERATION,
                format!(
                    "{} is left out of this build; build it with the cargo feature `{feature}`",
                    to.scheme()
                ),
            )),
            None => {
                let known: Vec<_> = self.schemes.keys().copied().collect();
                Err(Error::new(
                    ErrorKind::Config,
                    OPERATION,
                    format!("no driver has the scheme `{}`; known: {}", to.scheme(), known.join(", ")),
                ))
            }
        }
    }
}
