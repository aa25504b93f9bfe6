//! From a socket to a dispatcher.

#![expect(clippy::unwrap_used, reason = "these are tests")]

mod tcp;
mod udp;

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use nephoscope_collector::{DeadLetters, Delivery, Intake, Settings, Source};
use nephoscope_spool::Spool;
use nephoscope_telemetry::{
    BoxFuture, ConnectionString, Dispatcher, Event, Refused, Result, Sample, TracePoint,
};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Far more than any of these tests takes.
const TIME_LIMIT: Duration = Duration::from_secs(30);

/// Keeps what it gets.
#[derive(Debug, Default)]
struct Kept(Mutex<Vec<Sample>>);

impl Dispatcher for Kept {
    fn samples<'a>(&'a self, samples: &'a [Sample]) -> BoxFuture<'a, Result<Vec<Refused>>> {
        self.0.lock().unwrap().extend(samples.iter().cloned());
        Box::pin(async { Ok(Vec::new()) })
    }

    fn events<'a>(&'a self, _: &'a [Event]) -> BoxFuture<'a, Result<Vec<Refused>>> {
        Box::pin(async { Ok(Vec::new()) })
    }
}

/// A source, the way through the spool, and a dispatcher.
struct Rig {
    directory: tempfile::TempDir,
    address: std::net::SocketAddr,
    kept: Arc<Kept>,
    stop: watch::Sender<()>,
    running: JoinHandle<()>,
}

impl Rig {
    async fn start(url: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (spool, mut readers) =
            Spool::open(&directory.path().join("spool"), 1 << 30, &["kept://"]).unwrap();
        let dead = DeadLetters::new(&dead(directory.path()));
        let kept = Arc::new(Kept::default());
        let delivery = Delivery::new(readers.remove(0), kept.clone(), dead.clone());
        let intake = Intake::new(spool, None, dead);
        let settings = Settings::read(&ConnectionString::parse(url).unwrap()).unwrap();
        let source = Source::open(settings).await.unwrap();
        let address = source.addresses()[0];
        let (stop, stopped) = watch::channel(());
        let ended =
            |mut stopped: watch::Receiver<()>| async move { while stopped.changed().await.is_ok() {} };
        let running = tokio::spawn(async move {
            let taking_in = source.run(intake, async |_: &[TracePoint]| Ok(()), ended(stopped.clone()));
            tokio::join!(taking_in, delivery.run(ended(stopped)));
        });
        Self { directory, address, kept, stop, running }
    }

    fn count(&self) -> usize {
        self.kept.0.lock().unwrap().len()
    }

    fn dead(&self) -> String {
        std::fs::read_to_string(dead(self.directory.path())).unwrap_or_default()
    }

    /// Waits until this is so.
    async fn until(&self, what: impl Fn(&Self) -> bool) {
        let began = Instant::now();
        while !what(self) {
            assert!(began.elapsed() < TIME_LIMIT, "{} samples, dead: {}", self.count(), self.dead());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Ends it. What had come is delivered.
    async fn end(self) -> Vec<Sample> {
        drop(self.stop);
        self.running.await.unwrap();
        std::mem::take(&mut self.kept.0.lock().unwrap())
    }
}

fn dead(directory: &Path) -> std::path::PathBuf {
    directory.join("dead.jsonl")
}

fn golden(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}
