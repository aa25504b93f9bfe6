//! A store that is open.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use nephoscope_disk::{Directory, Layout, is_store};
use nephoscope_gnocchi::{Creator, Error, Result};
use tokio::task::spawn_blocking;

use crate::failure::cannot_open;
use crate::index::{Counts, Index};
use crate::series::{self, Series};
use crate::session::Session;
use crate::upkeep::{self, Upkeep};

const LAYOUT: Layout = Layout { product: "metric store", version: "1", earlier: &[], engine: "index" };
/// The directory of what was measured.
const SERIES: &str = "series";

/// How a store behaves.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Options {
    /// Resources that ended so long ago are deleted with their metrics; none, where nothing is given.
    pub purge_ended_resources: Option<Duration>,
    /// Revisions of resources that ended so long ago are taken away; none, where nothing is given.
    pub purge_revisions: Option<Duration>,
}

/// What a store holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Archive policies.
    pub archive_policies: usize,
    /// Resource types, `generic` among them.
    pub resource_types: usize,
    /// Resources.
    pub resources: usize,
    /// About how many revisions of resources have ended.
    pub revisions: usize,
    /// Metrics.
    pub metrics: usize,
    /// Metrics that are deleted and not expunged yet.
    pub deleted_metrics: usize,
    /// What all of them take on disk.
    pub index_bytes: u64,
    /// What was measured.
    pub series: series::Stats,
}

/// The embedded Gnocchi in one directory. It is cheap to clone, and closed when the last clone and session is gone.
#[derive(Clone)]
pub struct Store(Arc<Opened>);

struct Opened {
    /// Ended first: it uses the rest.
    _upkeep: Upkeep,
    inner: Arc<Inner>,
}

/// What all clones of a store share.
pub(crate) struct Inner {
    path: PathBuf,
    pub(crate) options: Options,
    pub(crate) index: Index,
    /// Taken only to end it.
    series: Option<Series>,
    /// Let go last: until then the others use it.
    _directory: Directory,
}

impl Store {
    /// Opens the store in a directory, or makes an empty one there. Blocks; not for threads that run futures.
    pub fn open(path: &Path, options: Options) -> Result<Self> {
        let directory = Directory::take(path, &LAYOUT).map_err(cannot_open)?;
        directory.make_engine(cannot_open, Index::create)?;
        let index = Index::open(&directory.engine())?;
        let series = Series::open(&directory.join(SERIES), &series::Options::default(), |metric| {
            index.policy_of(metric)
        })?;
        let inner = Arc::new(Inner {
            path: path.to_owned(),
            options,
            index,
            series: Some(series),
            _directory: directory,
        });
        Ok(Self(Arc::new(Opened { _upkeep: Upkeep::start(inner.clone())?, inner })))
    }

    /// Whether there is a store in a directory. One that is not there is not.
    pub fn is_in(path: &Path) -> bool {
        is_store(path).unwrap_or_default()
    }

    /// The store as one user sees it.
    pub fn as_user(&self, creator: Creator) -> Session {
        Session::new(self.clone(), creator)
    }

    /// What it holds.
    pub async fn stats(&self) -> Result<Stats> {
        let Counts {
            archive_policies,
            resource_types,
            resources,
            revisions,
            metrics,
            deleted_metrics,
            disk_bytes,
        } = self.blocking(|store| store.index.counts()).await?;
        let series = self.series().stats();
        Ok(Stats {
            archive_policies,
            resource_types,
            resources,
            revisions,
            metrics,
            deleted_metrics,
            index_bytes: disk_bytes,
            series,
        })
    }

    /// Reads everything that is on disk. What is wrong with it, or was when it was opened, a sentence each.
    pub async fn check(&self) -> Result<Vec<String>> {
        self.blocking(|store| {
            let mut problems = store.index.check()?;
            let series::Check { blocks, damaged, .. } = store.series().check()?;
            if damaged > 0 {
                problems.push(format!("{damaged} of {blocks} blocks of aggregates are damaged, and lost"));
            }
            let series::Stats { damaged_frames, missing_files, .. } = store.series().stats();
            if missing_files > 0 {
                problems
                    .push(format!("{missing_files} gap(s) in the files of series: what was there is lost"));
            }
            if damaged_frames > 0 {
                problems.push(format!("{damaged_frames} batch(es) of the journal are damaged, and lost"));
            }
            Ok(problems)
        })
        .await
    }

    /// Takes away what the upkeep would take away by and by, and rewrites files of which much is no longer used: this
    /// gives space back.
    pub async fn compact(&self) -> Result<()> {
        self.blocking(|store| {
            upkeep::round(store, || true)?;
            store.index.compact()
        })
        .await?;
        self.series().compact().await
    }

    /// Copies the store, while all goes on, into a directory that is missing or empty, and in which a store can be opened
    /// then. Everything is in it that was acknowledged before; what is acknowledged meanwhile may be in it or not. A
    /// directory in which this was cut short is none that can be opened.
    pub async fn backup(&self, to: &Path) -> Result<()> {
        let path = to.to_owned();
        let take = move |_: &Inner| Directory::take_empty(&path, &LAYOUT).map_err(cannot_open);
        let directory = self.blocking(take).await?;
        // The series first: so the index knows every metric of which something is copied.
        self.series().backup(&directory.join(SERIES)).await?;
        self.blocking(move |store| {
            directory.make_engine(cannot_open, |unfinished| store.index.backup(unfinished))?;
            directory.complete().map_err(cannot_open)
        })
        .await
    }

    pub(crate) fn series(&self) -> &Series {
        self.0.inner.series()
    }

    /// Does work that blocks, on a thread for that.
    pub(crate) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let opened = self.0.clone();
        let done = spawn_blocking(move || work(&opened.inner)).await;
        done.map_err(|error| Error::Internal {
            message: "work of the store was cut short".into(),
            source: Some(Box::new(error)),
        })?
    }
}

impl Inner {
    pub(crate) fn series(&self) -> &Series {
        self.series.as_ref().expect("it is taken when nobody has the store any more")
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(Err(error)) = self.series.take().map(Series::close) {
            tracing::error!("the store of metrics was not closed in order: {error}");
        }
        if let Err(error) = self.index.close() {
            tracing::warn!(
                "the journal of the index is not emptied, and read again at the next start: {error}"
            );
        }
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Store").field(&self.0.inner.path).finish()
    }
}
