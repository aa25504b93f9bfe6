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

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};
    use std::future::{pending, ready};

    use nephoscope_telemetry::{ConnectionString, Error, json};

    use super::*;

    fn point(name: &str) -> TracePoint {
        let mut text = String::from("{\"name\": ");
        json::write_string(&mut text, name);
        text.push_str(
            ", \"base_id\": \"b\", \"trace_id\": \"t\", \"parent_id\": \"b\", \"timestamp\": \"2026-01-31T12:00:00.000001\", \"info\": {}}",
        );
        TracePoint::from_json(&text).unwrap()
    }

    fn source() -> Source {
        let url = ConnectionString::parse("rabbit://h").unwrap();
        Source::new(Settings::read(&url).unwrap())
    }

    fn failing(kind: ErrorKind) -> Result<()> {
        Err(Error::new(kind, "test", "told to fail"))
    }

    #[tokio::test]
    async fn only_what_is_invalid_is_refused() {
        let points = ["a-start", "bad-start", "c-start", "bad-start"].map(point);
        let stored = RefCell::new(Vec::new());
        let store = async |points: &[TracePoint]| {
            if points.iter().any(|point| point.name.starts_with("bad")) {
                return failing(ErrorKind::Invalid);
            }
            stored.borrow_mut().extend(points.iter().map(|point| point.name.to_string()));
            Ok(())
        };
        let refused = store_together(&points, &store).await.unwrap();
        assert_eq!(refused.iter().map(|(place, _)| *place).collect::<Vec<_>>(), [1, 3]);
        assert_eq!(*stored.borrow(), ["a-start", "c-start"]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_cannot_be_stored_now_is_tried_until_it_can() {
        let tries = Cell::new(0);
        let store = async |points: &[TracePoint]| {
            assert_eq!(points.len(), 1);
            tries.set(tries.get() + 1);
            match tries.get() {
                1 => failing(ErrorKind::Unavailable),
                2 => failing(ErrorKind::Config),
                _ => Ok(()),
            }
        };
        let outcome = source().store(&[point("a-start")], &store, pin!(pending())).await;
        assert!(matches!(outcome, ControlFlow::Continue(refused) if refused.is_empty()));
        assert_eq!(tries.get(), 3);
    }

    #[tokio::test]
    async fn the_end_does_not_wait_for_a_store_that_is_away() {
        let store = async |_: &[TracePoint]| failing(ErrorKind::Unavailable);
        assert!(source().store(&[point("a-start")], &store, pin!(ready(()))).await.is_break());
    }
}
