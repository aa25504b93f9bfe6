//! `nephoscope store …`

mod report;

use std::path::PathBuf;

use anyhow::Context;
use nephoscope_store::Store;
use nephoscope_telemetry::Registry;

use crate::cli::{BackupArgs, ConfigArgs, StoreArgs, StoreCommand};
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
    let store = Place::of(args, registry)?.open().await?;
    let problems = store.check().await?;
    close(store).await?;
    report::problems(args.format, &problems)?;
    match problems.len() {
        0 => Ok(()),
        count => Err(Failure::Partly(format!("{count} problem(s)")).into()),
    }
}

async fn compact(args: &StoreArgs, registry: &Registry) -> anyhow::Result<()> {
    let store = Place::of(args, registry)?.open().await?;
    let before = store.stats().await?;
    store.compact().await?;
    let after = store.stats().await?;
    close(store).await?;
    let bytes =
        |stats: &nephoscope_store::Stats| stats.index_bytes.saturating_add(stats.series.segment_bytes);
    report::compacted(args.format, bytes(&before), bytes(&after))
}

async fn stats(args: &StoreArgs, registry: &Registry) -> anyhow::Result<()> {
    let store = Place::of(args, registry)?.open().await?;
    let stats = store.stats().await?;
    close(store).await?;
    report::stats(args.format, &stats)
}

async fn backup(args: &BackupArgs, registry: &Registry) -> anyhow::Result<()> {
    let place = Place::of(&args.store, registry)?;
    place.check_is_there()?;
    if door::ask_for_backup(&place.path, &args.to).await?.is_none() {
        let store = place.open().await?;
        store.backup(&args.to).await?;
        close(store).await?;
    }
    report::backed_up(args.store.format, &args.to)
}

/// Where a store is, and how it is kept.
struct Place {
    path: PathBuf,
    options: nephoscope_store::Options,
}

impl Place {
    fn of(args: &StoreArgs, registry: &Registry) -> Result<Self, Failure> {
        let settings = ConfigArgs {
            config: args.config.clone(),
            data_dir: args.data_dir.clone(),
            ..ConfigArgs::default()
        };
        let config = Config::read(&settings, registry)?;
        let path = match &args.connection_string {
            Some(place) if place.0.scheme() != "embedded" => {
                return Err(Failure::BadConfiguration(format!(
                    "{} is not on this machine: only embedded:// is checked, compacted, counted and backed up here",
                    place.0
                )));
            }
            Some(place) if !place.0.location().is_empty() => place.0.location().into_owned().into(),
            _ => metrics::place(&config.data_dir.value),
        };
        Ok(Self { path, options: config.store.options() })
    }

    fn check_is_there(&self) -> Result<(), Failure> {
        match Store::is_in(&self.path) {
            true => Ok(()),
            false => {
                Err(Failure::NotFound(format!("there is no store of metrics in {}", self.path.display())))
            }
        }
    }

    async fn open(&self) -> anyhow::Result<Store> {
        self.check_is_there()?;
        metrics::open_at(self.path.clone(), self.options.clone()).await
    }
}

/// Waits until the store is closed.
async fn close(store: Store) -> anyhow::Result<()> {
    tokio::task::spawn_blocking(move || drop(store)).await.context("closing the store was cut short")
}
