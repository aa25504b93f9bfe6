//! The way of samples and events through the daemon: in, spooled, and on to every dispatcher.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use nephoscope_collector::{DeadLetters, Delivery, Intake, Verifier};
use nephoscope_dispatchers::Around;
use nephoscope_gnocchi::Creator;
use nephoscope_server::DispatcherCounts;
use nephoscope_spool::Spool;
use nephoscope_store::Store;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::config;
use crate::serve::end_of;
use crate::watch::Parts;

/// Below the data directory.
const SPOOL: &str = "spool";
const DISPATCHERS: &str = "dispatchers";
pub(crate) const DEAD_LETTERS: &str = "dead-letters.jsonl";

/// Who makes the resources of samples: who asks over HTTP without saying who they are finds them by the same ids.
fn creator() -> Creator {
    Creator { user_id: "admin".into(), project_id: None }
}

/// What the dispatchers of a data directory find around them.
pub(crate) fn around(data_dir: &Path, store: &Store) -> anyhow::Result<Around> {
    let directory = data_dir.join(DISPATCHERS);
    std::fs::create_dir_all(&directory).with_context(|| format!("cannot make {}", directory.display()))?;
    Ok(Around { directory, embedded: Some(Arc::new(store.as_user(creator()))) })
}

/// Where samples and events are taken in, and what sends them on.
#[derive(Debug)]
pub struct Samples {
    /// Where they are taken in.
    pub intake: Intake,
    deliveries: Vec<Delivery>,
}

impl Samples {
    /// With these settings, below this directory.
    pub async fn open(settings: &config::Samples, data_dir: &Path, store: &Store) -> anyhow::Result<Self> {
        let around = around(data_dir, store)?;
        let mut dispatchers = Vec::new();
        for to in &settings.dispatchers.value {
            dispatchers.push((to.to_string(), nephoscope_dispatchers::connect(to, &around).await?));
        }
        let names: Vec<_> = dispatchers.iter().map(|(name, _)| name.as_str()).collect();
        let (spool, readers) = Spool::open(&data_dir.join(SPOOL), settings.max_size.value, &names)?;
        let dead_letters = DeadLetters::new(&data_dir.join(DEAD_LETTERS));
        let deliveries = readers
            .into_iter()
            .zip(dispatchers)
            .map(|(reader, (_, dispatcher))| Delivery::new(reader, dispatcher, dead_letters.clone()))
            .collect();
        let verifier = Verifier::new(&settings.telemetry_secret.value.0);
        Ok(Self { intake: Intake::new(spool, verifier, dead_letters), deliveries })
    }

    /// What every dispatcher was sent, for the metrics.
    pub fn counts(&self) -> Vec<DispatcherCounts> {
        let count = |delivery: &Delivery| DispatcherCounts {
            dispatcher: delivery.name().to_owned(),
            counts: delivery.counts(),
        };
        self.deliveries.iter().map(count).collect()
    }

    /// Sends on until the other end of the channel is dropped, and then for a while what is left.
    pub async fn run(self, stopped: watch::Receiver<()>, parts: &Parts) {
        let mut running = JoinSet::new();
        for delivery in self.deliveries {
            tracing::info!("sending samples and events to {}", delivery.name());
            let part = parts.begin(delivery.name());
            let delivering = delivery.run(end_of(stopped.clone()));
            running.spawn(async move {
                delivering.await;
                drop(part);
            });
        }
        running.join_all().await;
    }
}
