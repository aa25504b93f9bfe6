//! Where samples and events are sent.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use nephoscope_collector::Run;
use nephoscope_dispatchers::Around;
use nephoscope_store::Store;
use nephoscope_telemetry::{Dispatcher, ErrorKind, Refused, Registry, Result};
use tempfile::TempDir;

use crate::cli::{ConfigArgs, TargetArgs};
use crate::config::Config;
use crate::{metrics, samples, store};

/// The pauses before it is tried again while the place is unavailable, as with the drivers of traces.
const PAUSES: [Duration; 2] = [Duration::from_millis(100), Duration::from_millis(400)];

/// A dispatcher of a command, and what it stands on.
pub(super) struct Target {
    /// Its connection string, without secrets.
    pub(super) name: String,
    dispatcher: Arc<dyn Dispatcher>,
    store: Option<Store>,
    /// Where it remembers what it was told. Not that of the daemon, which may be writing there.
    _memory: Option<TempDir>,
}

impl Target {
    pub(super) async fn open(args: &TargetArgs, registry: &Registry) -> anyhow::Result<Self> {
        let to = &args.to.0;
        let (around, store, memory) = if to.scheme() == "embedded" {
            let config = Config::read(&ConfigArgs::from(&args.daemon), registry)?;
            let through = format!("--to http://{}", config.listen.value);
            let opened = metrics::open_configured(&config).await;
            let store = opened.map_err(|error| metrics::through_the_daemon(error, &through))?;
            (samples::around(&config.data_dir.value, &store)?, Some(store), None)
        } else {
            let memory = tempfile::tempdir().context("cannot make a directory for what is remembered")?;
            (Around { directory: memory.path().to_owned(), embedded: None }, None, Some(memory))
        };
        let dispatcher = nephoscope_dispatchers::connect(to, &around).await?;
        Ok(Self { name: to.to_string(), dispatcher, store, _memory: memory })
    }

    /// Sends a run, and again while the place is unavailable. Those that it will never take are told.
    pub(super) async fn send(&self, run: &Run) -> Result<Vec<Refused>> {
        for pause in PAUSES {
            match run.send_to(&*self.dispatcher).await {
                Err(error) if error.kind() == ErrorKind::Unavailable => tokio::time::sleep(pause).await,
                sent => return sent,
            }
        }
        run.send_to(&*self.dispatcher).await
    }

    pub(super) async fn close(self) -> anyhow::Result<()> {
        self.dispatcher.close().await?;
        drop(self.dispatcher);
        match self.store {
            Some(store) => store::close(store).await,
            None => Ok(()),
        }
    }
}
