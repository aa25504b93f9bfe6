//! From the bus to the store, batch by batch.

use std::collections::{BTreeSet, HashSet};
use std::ops::ControlFlow;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use nephoscope_messaging::{BadMessage, Batch, Consumer, Notification};
use nephoscope_telemetry::{ErrorKind, Result, TracePoint};

use crate::backoff::Backoff;
use crate::meter::Meter;
use crate::settings::Settings;

/// How long a batch is waited for behind its first message: traces that are looked at while they are made are complete
/// all but at once, and a busy queue still gives large batches.
const PATIENCE: Duration = Duration::from_millis(100);

/// Takes trace points off the bus and has them stored.
#[derive(Debug)]
pub struct Source {
    name: String,
    consumer: Consumer,
    meter: Arc<Meter>,
    /// The kinds of bad messages that were told.
    told: HashSet<&'static str>,
}

impl Source {
    /// With these settings. Nothing is connected yet.
    pub fn new(settings: Settings) -> Self {
        let name = settings.name.clone();
        Self { name, consumer: settings.consumer(), meter: Arc::default(), told: HashSet::new() }
    }

    /// Its connection string without secrets.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its counts, which go on changing.
    pub fn meter(&self) -> Arc<Meter> {
        self.meter.clone()
    }

    /// Hands batches of points to `store` until `stop` ends, the batch in hand included.
    ///
    /// When `store` is well, the messages are acknowledged. When it finds something [`ErrorKind::Invalid`], it gets each
    /// point alone, and the messages of those that it refuses are rejected, as are messages without a trace point. After
    /// every other error the messages are kept unacknowledged, and it gets the same points again. A bus that is away is
    /// tried until it is there.
    pub async fn run(
        mut self,
        store: impl AsyncFn(&[TracePoint]) -> Result<()>,
        stop: impl Future<Output = ()>,
    ) {
        let mut stop = pin!(stop);
        let mut bus = Backoff::default();
        loop {
            let next = tokio::select! {
                biased;
                () = &mut stop => break,
                next = self.consumer.next(PATIENCE) => next,
            };
            let flow = match next {
                Ok(batch) => {
                    if bus.reset() {
                        tracing::info!("{} delivers again", self.name);
                    }
                    self.take_in(batch, &store, stop.as_mut()).await
                }
                Err(error) => {
                    if bus.is_fresh() {
                        tracing::warn!("{}: {error}; trying again until it is there", self.name);
                    }
                    Meter::count(&self.meter.outages, 1);
                    bus.wait(stop.as_mut()).await
                }
            };
            if flow.is_break() {
                break;
            }
        }
        self.consumer.close().await;
    }

    /// Stores a batch and settles it.
    async fn take_in(
        &mut self,
        mut batch: Batch,
        store: &impl AsyncFn(&[TracePoint]) -> Result<()>,
        stop: Pin<&mut impl Future<Output = ()>>,
    ) -> ControlFlow<()> {
        let taken = batch.messages.len();
        Meter::count(&self.meter.taken, taken);
        let (mut points, mut places, mut refused) = (Vec::new(), Vec::new(), BTreeSet::new());
        for (place, message) in batch.messages.drain(..).enumerate() {
            match message.and_then(|notification| trace_point(&notification)) {
                Ok(point) => {
                    points.push(point);
                    places.push(place);
                }
                Err(bad) => {
                    self.tell(&bad);
                    refused.insert(place);
                }
            }
        }
        for (place, bad) in self.store(&points, store, stop).await? {
            self.tell(&bad);
            refused.insert(places[place]);
        }
        if let Err(error) = batch.settle(&refused).await {
            tracing::debug!("{}: {error}", self.name);
        }
        Meter::count(&self.meter.stored, taken - refused.len());
        Meter::count(&self.meter.refused, refused.len());
        ControlFlow::Continue(())
    }

    /// Stores points, however long it takes, and returns those that cannot be stored, and why.
    async fn store(
        &self,
        points: &[TracePoint],
        store: &impl AsyncFn(&[TracePoint]) -> Result<()>,
        mut stop: Pin<&mut impl Future<Output = ()>>,
    ) -> ControlFlow<(), Vec<(usize, BadMessage)>> {
        let mut backoff = Backoff::default();
        loop {
            match store_together(points, store).await {
                Ok(refused) => {
                    if backoff.reset() {
                        tracing::info!("what {} delivers is stored again", self.name);
                    }
                    return ControlFlow::Continue(refused);
                }
                Err(error) => {
                    if backoff.is_fresh() {
                        tracing::warn!("what {} delivers waits in its queue: {error}", self.name);
                    }
                    backoff.wait(stop.as_mut()).await?;
                }
            }
        }
    }

    /// Logs the first message of each kind, as one bad sender could fill the log.
    fn tell(&mut self, bad: &BadMessage) {
        if self.told.insert(bad.kind()) {
            tracing::warn!(
                "{}: refusing a message: {bad}; others like it ({}) are only counted",
                self.name,
                bad.kind()
            );
        } else {
            tracing::debug!("{}: refusing a message: {bad}", self.name);
        }
    }
}

fn trace_point(notification: &Notification) -> Result<TracePoint, BadMessage> {
    TracePoint::from_json(&notification.payload)
        .map_err(|bad| BadMessage::new("trace point", format!("its payload is no trace point: {bad}")))
}

/// All at once or, when some of them cannot be stored, each alone.
async fn store_together(
    points: &[TracePoint],
    store: &impl AsyncFn(&[TracePoint]) -> Result<()>,
) -> Result<Vec<(usize, BadMessage)>> {
    if points.is_empty() {
        return Ok(Vec::new());
    }
    match store(points).await {
        Err(error) if error.kind() == ErrorKind::Invalid => {}
        stored => return stored.map(|()| Vec::new()),
    }
    let mut refused = Vec::new();
    for (place, point) in points.iter().enumerate() {
        match store(std::slice::from_ref(point)).await {
            Err(error) if error.kind() == ErrorKind::Invalid => {
                refused.push((place, BadMessage::new("refused by the backend", error.to_string())));
            }
            stored => stored?,
        }
    }
    Ok(refused)
}
