//! A store that is open.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nephoscope_gnocchi::{Creator, Error, Result};
use tokio::task::spawn_blocking;

use crate::directory::Directory;
use crate::index::Index;
use crate::session::Session;
use crate::standin::Series;

/// How a store behaves.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Options {}

/// The embedded Gnocchi in one directory. It is cheap to clone, and closed when the last clone and session is gone.
#[derive(Clone)]
pub struct Store(pub(crate) Arc<Inner>);

/// What all clones of a store share.
pub(crate) struct Inner {
    path: PathBuf,
    pub(crate) index: Index,
    pub(crate) series: Series,
    /// Let go last: until then the others use it.
    _directory: Directory,
}

impl Store {
    /// Opens the store in a directory, or makes an empty one there. Blocks; not for threads that run futures.
    pub fn open(path: &Path, _options: Options) -> Result<Self> {
        let directory = Directory::take(path)?;
        let index = Index::open(&directory.index(Index::create)?)?;
        let series = Series::default();
        Ok(Self(Arc::new(Inner { path: path.to_owned(), index, series, _directory: directory })))
    }

    /// The store as one user sees it.
    pub fn as_user(&self, creator: Creator) -> Session {
        Session::new(self.clone(), creator)
    }

    /// Does work that blocks, on a thread for that.
    pub(crate) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let inner = self.0.clone();
        let done = spawn_blocking(move || work(&inner)).await;
        done.map_err(|error| Error::Internal {
            message: "work of the store was cut short".into(),
            source: Some(Box::new(error)),
        })?
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Store").field(&self.0.path).finish()
    }
}
