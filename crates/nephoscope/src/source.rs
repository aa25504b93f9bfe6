//! The sources of the daemon.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use nephoscope_collector::{Intake, Settings, Source};
use nephoscope_server::{SourceCounts, Traces};
use nephoscope_telemetry::{ConnectionString, Error, TracePoint};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::serve::end_of;
use crate::watch::Parts;

/// How long the end waits until what is in hand is spooled. A full spool can make it take for ever.
const END: Duration = Duration::from_secs(10);

/// What takes telemetry in.
#[derive(Debug, Default)]
pub struct Sources(Vec<Source>);

/// Fails when no source can have this URL.
pub fn check(url: &ConnectionString) -> Result<(), Error> {
    Settings::read(url).map(drop)
}

impl Sources {
    /// With these URLs.
    pub async fn open<'a>(urls: impl Iterator<Item = &'a ConnectionString>) -> Result<Self, Error> {
        let mut sources = Vec::new();
        for url in urls {
            sources.push(Source::open(Settings::read(url)?).await?);
        }
        Ok(Self(sources))
    }

    /// Their counts, for the metrics.
    pub fn counts(&self) -> Vec<SourceCounts> {
        self.0.iter().map(counts).collect()
    }

    /// Takes in until the other end of the channel is dropped.
    pub async fn run(
        self,
        intake: &Intake,
        traces: &Arc<Traces>,
        stopped: watch::Receiver<()>,
        parts: &Parts,
    ) {
        let mut running = JoinSet::new();
        for source in self.0 {
            let addresses: Vec<_> = source.addresses().iter().map(ToString::to_string).collect();
            let at =
                if addresses.is_empty() { String::new() } else { format!(", at {}", addresses.join(", ")) };
            tracing::info!("taking telemetry from {}{at}", source.name());
            let traces = traces.clone();
            let store = async move |points: &[TracePoint]| traces.ingest(points).await;
            let part = parts.begin(source.name());
            let taking = source.run(intake.clone(), store, end_of(stopped.clone()));
            running.spawn(async move {
                taking.await;
                drop(part);
            });
        }
        let late = async {
            end_of(stopped).await;
            tokio::time::sleep(END).await;
        };
        tokio::select! {
            () = async { while running.join_next().await.is_some() {} } => {}
            () = late => tracing::warn!("what the sources have in hand could not be spooled in time"),
        }
    }
}

fn counts(source: &Source) -> SourceCounts {
    let meter = source.meter();
    let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
    let counts = move || {
        vec![
            ("taken", read(&meter.taken)),
            ("stored", read(&meter.stored)),
            ("refused", read(&meter.refused)),
            ("ignored", read(&meter.ignored)),
            ("outage", read(&meter.outages)),
        ]
    };
    SourceCounts { source: source.name().to_owned(), counts: Box::new(counts) }
}
