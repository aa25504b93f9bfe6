//! Sources of the message bus.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use nephoscope_collector::{Settings, Source};
use nephoscope_server::{SourceCounts, Traces};
use nephoscope_telemetry::{ConnectionString, Error, TracePoint};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::serve::end_of;

/// What is taken in, and stored as traces.
#[derive(Debug, Default)]
pub struct Sources(Vec<Source>);

/// Fails when no source can have this URL.
pub fn check(url: &ConnectionString) -> Result<(), Error> {
    Settings::read(url).map(drop)
}

impl Sources {
    /// With these URLs. Nothing is connected yet.
    pub fn new<'a>(urls: impl Iterator<Item = &'a ConnectionString>) -> Result<Self, Error> {
        urls.map(|url| Settings::read(url).map(Source::new)).collect::<Result<_, _>>().map(Self)
    }

    /// Their counts, for the metrics.
    pub fn counts(&self) -> Vec<SourceCounts> {
        self.0.iter().map(counts).collect()
    }

    /// Takes in until the other end of the channel is dropped.
    pub async fn run(self, traces: Arc<Traces>, stopped: watch::Receiver<()>) {
        let mut running = JoinSet::new();
        for source in self.0 {
            tracing::info!("taking trace points from {}", source.name());
            let traces = traces.clone();
            let store = async move |points: &[TracePoint]| traces.ingest(points).await;
            running.spawn(source.run(store, end_of(stopped.clone())));
        }
        running.join_all().await;
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
            ("outage", read(&meter.outages)),
        ]
    };
    SourceCounts { source: source.name().to_owned(), counts: Box::new(counts) }
}
