//! From the spool to one dispatcher, batch by batch.

mod batch;

use std::ops::ControlFlow;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nephoscope_spool::{Place, Reader};
use nephoscope_telemetry::{Dispatcher, Error, ErrorKind, Result};
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::Instant;

use crate::backoff::Backoff;
use crate::dead_letters::{DeadLetters, Letter};
use crate::run::Run;
use batch::Batch;

/// How much is taken out of the spool at a time: about a thousand samples, so that the cost of a request hardly shows
/// any more, and what has to be sent again after an outage is little.
const CHUNK_BYTES: usize = 1 << 20;
/// How long the end waits until what is spooled is sent on. The rest is sent after the next start.
const DRAIN: Duration = Duration::from_secs(10);

/// Sends what is in the spool to one dispatcher.
#[derive(Debug)]
pub struct Delivery {
    reader: Reader,
    dispatcher: Arc<dyn Dispatcher>,
    dead_letters: DeadLetters,
    counts: Arc<DeliveryCounts>,
    /// What comes behind the batch that is being sent.
    ahead: Option<Ahead>,
    /// The failure that was logged last, and how often it came since.
    told: Option<(String, u64)>,
}

/// A batch that is taken out of the spool on a thread of its own.
#[derive(Debug)]
struct Ahead {
    from: Place,
    batch: JoinHandle<Result<Batch>>,
}

/// What a delivery has done. Goes on changing.
#[derive(Debug, Default)]
pub struct DeliveryCounts {
    /// Samples that the dispatcher took.
    pub samples: AtomicU64,
    /// Events that the dispatcher took.
    pub events: AtomicU64,
    /// Samples and events that it refused for good.
    pub refused: AtomicU64,
    /// Attempts that failed and are made again.
    pub failures: AtomicU64,
    /// Stretches of the spool that are damaged, and lost.
    pub damaged: AtomicU64,
    /// When what is being sent was spooled, in microseconds since 1970; 0 while there is nothing.
    pub sending_from: AtomicU64,
}

impl DeliveryCounts {
    /// How old the oldest is that is not sent yet, in seconds.
    pub fn lag(&self) -> f64 {
        match self.sending_from.load(Ordering::Relaxed) {
            0 => 0.0,
            from => {
                let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                now.saturating_sub(Duration::from_micros(from)).as_secs_f64()
            }
        }
    }
}

impl Delivery {
    /// From this reader, whose name is the connection string of the dispatcher without secrets.
    pub fn new(reader: Reader, dispatcher: Arc<dyn Dispatcher>, dead_letters: DeadLetters) -> Self {
        Self { reader, dispatcher, dead_letters, counts: Arc::default(), ahead: None, told: None }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.reader.name()
    }

    /// Its counts, which go on changing.
    pub fn counts(&self) -> Arc<DeliveryCounts> {
        self.counts.clone()
    }

    /// Sends until `stop` ends, and then for a while what is left. What could not be sent stays in the spool.
    pub async fn run(mut self, stop: impl Future<Output = ()>) {
        let mut stop = pin!(stop);
        let mut backoff = Backoff::default();
        loop {
            let batch = tokio::select! {
                biased;
                () = &mut stop => break,
                batch = self.next() => batch,
            };
            if self.pass_on(batch, &mut backoff, stop.as_mut()).await.is_break() {
                break;
            }
        }
        self.drain().await;
        if let Err(error) = self.dispatcher.close().await {
            tracing::warn!("{}: {error}", self.name());
        }
    }

    /// Sends what is left, as far as it goes without waiting for anyone.
    async fn drain(&mut self) {
        let end = Instant::now() + DRAIN;
        let mut backoff = Backoff::default();
        let mut late = pin!(tokio::time::sleep_until(end));
        while self.reader.has_more() && Instant::now() < end {
            let batch = self.next().await;
            if self.pass_on(batch, &mut backoff, late.as_mut()).await.is_break() {
                break;
            }
        }
    }

    /// Waits for what comes next. May be given up: the next call gives the same.
    async fn next(&mut self) -> Result<Batch> {
        let place = self.reader.place();
        match self.ahead.take().filter(|ahead| ahead.from == place) {
            Some(ahead) => ahead.batch.await.map_err(|error| {
                Error::new(ErrorKind::Other, "read ahead in the spool", "reading panicked").with_source(error)
            })?,
            None => Ok(Batch::of(self.reader.next(CHUNK_BYTES).await?)),
        }
    }

    /// Begins to take out what comes behind a batch, if that is as much as is sent at a time.
    fn read_ahead(&mut self, from: Place) {
        self.ahead = self
            .reader
            .ahead(from, CHUNK_BYTES)
            .map(|read| Ahead { from, batch: spawn_blocking(|| read().map(Batch::of)) });
    }

    /// Sends a batch, however long it takes, and is done with it.
    async fn pass_on(
        &mut self,
        batch: Result<Batch>,
        backoff: &mut Backoff,
        mut stop: Pin<&mut impl Future<Output = ()>>,
    ) -> ControlFlow<()> {
        let batch = match batch {
            Ok(batch) => batch,
            Err(error) => {
                self.tell(&error);
                return backoff.wait(stop).await;
            }
        };
        if batch.damaged > 0 {
            self.counts.damaged.fetch_add(batch.damaged, Ordering::Relaxed);
            tracing::error!("the spool is damaged in {} places, and what was there is lost", batch.damaged);
        }
        self.counts.sending_from.store(batch.appended_at, Ordering::Relaxed);
        self.read_ahead(batch.end);
        for run in batch.runs {
            while let Err(error) = self.send(&run).await {
                self.counts.failures.fetch_add(1, Ordering::Relaxed);
                self.tell(&error);
                backoff.wait(stop.as_mut()).await?;
            }
            if backoff.reset() {
                self.tell_recovery();
            }
        }
        while let Err(error) = self.reader.advance(batch.end) {
            self.tell(&error);
            backoff.wait(stop.as_mut()).await?;
        }
        self.counts.sending_from.store(0, Ordering::Relaxed);
        ControlFlow::Continue(())
    }

    /// One attempt at all of a run. What is refused is kept, and then the run is done with.
    async fn send(&self, run: &Run) -> Result<()> {
        let refused = run.send_to(&*self.dispatcher).await?;
        if !refused.is_empty() {
            let texts: Vec<_> = refused.iter().map(|refused| run.text(refused.at)).collect();
            let letters = refused.iter().zip(&texts);
            let letters: Vec<_> = letters
                .map(|(refused, text)| Letter { text, by: self.name(), reason: &refused.reason })
                .collect();
            self.dead_letters.keep(&letters).await?;
            let first = &refused[0].reason;
            tracing::warn!(
                "{} refused {} of {}, now in {}; the first because {first}",
                self.name(),
                refused.len(),
                run.len(),
                self.dead_letters.path().display()
            );
        }
        let count = |count: &AtomicU64, more: usize| count.fetch_add(more as u64, Ordering::Relaxed);
        count(&self.counts.refused, refused.len());
        let taken = match run {
            Run::Samples(_) => &self.counts.samples,
            Run::Events(_) => &self.counts.events,
        };
        count(taken, run.len() - refused.len());
        Ok(())
    }

    /// Logs a failure once, however often it comes in a row.
    fn tell(&mut self, error: &Error) {
        let text = error.to_string();
        match &mut self.told {
            Some((told, times)) if *told == text => *times += 1,
            _ => {
                tracing::warn!("{}: {text}; what is to be sent there waits in the spool", self.name());
                self.told = Some((text, 1));
            }
        }
    }

    fn tell_recovery(&mut self) {
        if let Some((_, times)) = self.told.take() {
            tracing::info!(
                "{} takes what is sent again, after {times} attempts of the last kind failed",
                self.name()
            );
        }
    }
}

#[cfg(test)]
mod tests;
