//! `nephoscope store …`

mod report;

use std::path::PathBuf;

use anyhow::Context;
use nephoscope_store::Store;
use nephoscope_telemetry::{ConnectionString, Registry};

use crate::cli::{BackupArgs, DaemonArgs, StoreArgs, StoreCommand};
use crate::config::Config;
use crate::exit::Failure;
use crate::{door, metrics};

/// Runs one of the store commands.
pub async fn run(command: StoreCommand, registry: &Registry) -> anyhow::Result<()> {
    match command {
        StoreCommand::Check(args) => check(&args, registry).await,
        StoreCommand::Compact(args) => compact(&args, registry).await,
        StoreCommand::Stats(args) => stats(&args, registry).await,
        StoreCommand::Backup(args) => backup(&args, registry).await,
    }
}

async fn check(args: &StoreArgs, registry: &Registry) -> anyhow::Result<()> {
    let store = place(args, registry)?.open().await?;
    let problems = store.check().await?;
    close(store).await?;
    report::problems(args.format, &problems)?;
    match problems.len() {
        0 => Ok(()),
        count => Err(Failure::Partly(format!("{count} problem(s)")).into()),
    }
}

async fn compact(args: &StoreArgs, registry: &Registry) -> anyhow::Result<()> {
    let store = place(args, registry)?.open().await?;
    let before = store.stats().await?;
    store.compact().await?;
    let after = store.stats().await?;
    close(store).await?;
    let bytes =
        |stats: &nephoscope_store::Stats| stats.index_bytes.saturating_add(stats.series.segment_bytes);
    report::compacted(args.format, bytes(&before), bytes(&after))
}

async fn stats(args: &StoreArgs, registry: &Registry) -> anyhow::Result<()> {
    let store = place(args, registry)?.open().await?;
    let stats = store.stats().await?;
    close(store).await?;
    report::stats(args.format, &stats)
}

async fn backup(args: &BackupArgs, registry: &Registry) -> anyhow::Result<()> {
    let place = place(&args.store, registry)?;
    place.check_is_there()?;
    if door::ask_for_backup(&place.path, &args.to).await?.is_none() {
        let store = place.open().await?;
        store.backup(&args.to).await?;
        close(store).await?;
    }
    report::backed_up(args.store.format, &args.to)
}

fn place(args: &StoreArgs, registry: &Registry) -> Result<Place, Failure> {
    Place::of(&args.daemon, args.connection_string.as_ref().map(|place| &place.0), registry)
}

/// Where a store is, and how it is kept.
pub(crate) struct Place {
    path: PathBuf,
    options: nephoscope_store::Options,
    /// Where the daemon listens that may have it open.
    pub(crate) listen: String,
}

impl Place {
    pub(crate) fn of(
        daemon: &DaemonArgs,
        connection_string: Option<&ConnectionString>,
        registry: &Registry,
    ) -> Result<Self, Failure> {
        let config = Config::read(&daemon.into(), registry)?;
        let path = match connection_string {
            Some(place) if place.scheme() != "embedded" => {
                return Err(Failure::BadConfiguration(format!(
                    "{place} is not on this machine: only embedded:// is checked, compacted, counted and backed up here"
                )));
            }
            Some(place) if !place.location().is_empty() => place.location().into_owned().into(),
            _ => metrics::place(&config.data_dir.value),
        };
        Ok(Self { path, options: config.store.options(), listen: config.listen.value })
    }

    fn check_is_there(&self) -> Result<(), Failure> {
        match Store::is_in(&self.path) {
            true => Ok(()),
            false => {
                Err(Failure::NotFound(format!("there is no store of metrics in {}", self.path.display())))
            }
        }
    }

    pub(crate) async fn open(&self) -> anyhow::Result<Store> {
        self.check_is_there()?;
        metrics::open_at(self.path.clone(), self.options.clone()).await
    }
}

/// Waits until the store is closed.
pub(crate) async fn close(store: Store) -> anyhow::Result<()> {
    tokio::task::spawn_blocking(move || drop(store)).await.context("closing the store was cut short")
}
