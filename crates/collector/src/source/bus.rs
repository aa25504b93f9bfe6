//! The message bus: samples, events and trace points in notifications of oslo.messaging.

use std::collections::{BTreeSet, HashSet};
use std::ops::ControlFlow;
use std::pin::{Pin, pin};
use std::time::Duration;

use futures_util::FutureExt;
use nephoscope_messaging::{BadMessage, Batch, Consumer, Notification};
use nephoscope_telemetry::json::{InvalidJson, Scanner};
use nephoscope_telemetry::{Error, ErrorKind, Result, TracePoint};

use super::bus_settings::BusSettings;
use crate::backoff::Backoff;
use crate::meter::Meter;
use crate::{Intake, Load, Verifier};

/// How long a batch is waited for behind its first message: traces that are looked at while they are made are complete
/// all but at once, and a busy queue still gives large batches.
const PATIENCE: Duration = Duration::from_millis(100);

/// What Ceilometer's polling agents send.
const POLLING: &str = "telemetry.polling";
/// What its `notifier://` publisher sends; with `per_meter_topic` the name of the meter is behind a point.
const METERING: &str = "metering";
/// What that publisher sends of events.
const EVENT: &str = "event";
/// What OSProfiler sends has the service behind it.
const PROFILER: &str = "profiler.";
/// The kind under which it is told that there are others.
const OTHER: &str = "of a service";

/// Takes notifications off the bus.
#[derive(Debug)]
pub(super) struct Bus {
    name: String,
    consumer: Consumer,
}

/// What becomes of what is taken off the bus.
struct TakingIn<'a, T> {
    name: &'a str,
    meter: &'a Meter,
    intake: &'a Intake,
    traces: T,
    /// The kinds of messages that were told not to be taken in.
    told: HashSet<&'static str>,
}

/// What the messages of a batch hold.
#[derive(Debug, Default)]
struct Contents {
    load: Load,
    points: Vec<TracePoint>,
    /// The message that each point came in.
    places: Vec<usize>,
    /// How many messages are of no concern here.
    others: usize,
    /// The type of one of these.
    other: Option<String>,
    bad: Vec<(usize, BadMessage)>,
}

impl Bus {
    pub(super) fn new(name: &str, settings: BusSettings) -> Self {
        Self { name: name.to_owned(), consumer: settings.consumer() }
    }

    /// Takes in until `stop` ends, the batches in hand included. While one is spooled and stored, the next is gathered.
    ///
    /// When all of a batch is spooled and stored, its messages are acknowledged. When `traces` finds something
    /// [`ErrorKind::Invalid`], it gets each point alone, and the messages of those that it refuses are rejected, as are
    /// messages that are no notifications. After every other error the messages are kept unacknowledged, and the same is
    /// tried again. A bus that is away is tried until it is there.
    pub(super) async fn run(
        self,
        meter: &Meter,
        intake: &Intake,
        traces: impl AsyncFn(&[TracePoint]) -> Result<()>,
        stop: impl Future<Output = ()>,
    ) {
        let Self { name, mut consumer } = self;
        let mut taking_in = TakingIn { name: &name, meter, intake, traces, told: HashSet::new() };
        let mut stop = pin!(stop.shared());
        let (mut bus, mut in_hand) = (Backoff::default(), None);
        loop {
            let mut stopped = stop.clone();
            let next = async {
                tokio::select! {
                    biased;
                    () = &mut stopped => None,
                    next = consumer.next(PATIENCE) => Some(next),
                }
            };
            let (flow, next) = match in_hand.take() {
                Some(batch) => tokio::join!(taking_in.take_in(batch, stop.as_mut()), next),
                None => (ControlFlow::Continue(()), next.await),
            };
            if flow.is_break() {
                break;
            }
            match next {
                None => break,
                Some(Ok(batch)) => {
                    if bus.reset() {
                        tracing::info!("{name} delivers again");
                    }
                    in_hand = Some(batch);
                }
                Some(Err(error)) => {
                    if bus.is_fresh() {
                        tracing::warn!("{name}: {error}; trying again until it is there");
                    }
                    Meter::count(&meter.outages, 1);
                    consumer.close().await;
                    if bus.wait(stop.as_mut()).await.is_break() {
                        break;
                    }
                }
            }
        }
        consumer.close().await;
    }
}

impl<T: AsyncFn(&[TracePoint]) -> Result<()>> TakingIn<'_, T> {
    /// Spools and stores a batch, and settles it.
    async fn take_in(
        &mut self,
        mut batch: Batch,
        mut stop: Pin<&mut impl Future<Output = ()>>,
    ) -> ControlFlow<()> {
        let messages = batch.take_messages();
        let taken = messages.len();
        Meter::count(&self.meter.taken, taken);
        let contents = Contents::of(messages, self.intake.verifier());
        let (mut bad, packed) = (contents.bad, contents.load.pack());
        if !packed.is_empty() {
            let mut tries = Tries::new(self.name);
            while let Err(error) = self.intake.take(self.name, &packed).await {
                tries.failed(&error, stop.as_mut()).await?;
            }
            tries.succeeded();
        }
        let refused = store_until_done(self.name, &contents.points, &self.traces, stop).await?;
        bad.extend(refused.into_iter().map(|(place, why)| (contents.places[place], why)));
        let refused: BTreeSet<_> = bad.iter().map(|(place, _)| *place).collect();
        bad.iter().for_each(|(_, bad)| self.tell(bad));
        if let Some(other) = &contents.other {
            self.tell_other(other);
        }
        if let Err(error) = batch.settle(&refused).await {
            tracing::debug!("{}: {error}", self.name);
        }
        Meter::count(&self.meter.stored, taken - refused.len() - contents.others);
        Meter::count(&self.meter.ignored, contents.others);
        Meter::count(&self.meter.refused, refused.len());
        ControlFlow::Continue(())
    }

    /// Logs the first notification of which nothing is made, for only the operator knows whether somebody else has to.
    fn tell_other(&mut self, event_type: &str) {
        if self.told.insert(OTHER) {
            tracing::warn!(
                "{}: nothing is made of a notification `{event_type}`, nor of others of services, which are counted as ignored and \
                 acknowledged; if samples and events of them are wanted, keep Ceilometer's notification agent, let it publish to \
                 notifier://, and take topics=metering,event here",
                self.name
            );
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

impl Contents {
    fn of(messages: Vec<Result<Notification, BadMessage>>, verifier: Option<&Verifier>) -> Self {
        let bytes: usize = messages.iter().flatten().map(Notification::size).sum();
        // Where fields are comes to each sample.
        let mut contents = Self { load: Load::with_room(bytes + bytes / 8), ..Self::default() };
        for (place, message) in messages.into_iter().enumerate() {
            if let Err(bad) = message.and_then(|notification| contents.add(place, &notification, verifier)) {
                contents.bad.push((place, bad));
            }
        }
        contents
    }

    fn add(
        &mut self,
        place: usize,
        notification: &Notification,
        verifier: Option<&Verifier>,
    ) -> Result<(), BadMessage> {
        let before = self.load.mark();
        let (mut point, mut other) = (None, None);
        let read = notification.read(|event_type, payload| {
            self.load.go_back(before);
            (point, other) = (None, None);
            match event_type {
                POLLING => polled(&mut self.load, payload, verifier)?,
                EVENT => self.load.events(payload.value()?, verifier),
                metering if metering.split('.').next() == Some(METERING) => match payload.peek() {
                    Some(b'[') => self.load.samples_at(payload, verifier)?,
                    _ => self.load.sample(payload.value()?, verifier),
                },
                profiler if profiler.starts_with(PROFILER) => point = Some(payload.value()?),
                of_service => {
                    payload.value()?;
                    other = Some(of_service.to_owned());
                }
            }
            Ok(())
        });
        if let Err(bad) = read {
            self.load.go_back(before);
            return Err(bad);
        }
        self.others += usize::from(other.is_some());
        self.other = other.or(self.other.take());
        point.map_or(Ok(()), |point| self.add_point(place, point))
    }

    fn add_point(&mut self, place: usize, payload: &str) -> Result<(), BadMessage> {
        let point = TracePoint::from_json(payload)
            .map_err(|bad| BadMessage::new("trace point", format!("its payload is no trace point: {bad}")))?;
        self.points.push(point);
        self.places.push(place);
        Ok(())
    }
}

/// Takes the samples of a polling notification's payload, which is passed.
fn polled(
    load: &mut Load,
    payload: &mut Scanner<'_>,
    verifier: Option<&Verifier>,
) -> Result<(), InvalidJson> {
    let is_object = payload.peek() == Some(b'{');
    let (rest, start, before) = (payload.rest(), payload.position(), load.mark());
    let mut found = false;
    if is_object {
        payload.expect(b'{', "expected an object")?;
        let mut more = !payload.eat(b'}');
        while more {
            let is_samples = payload.key()? == "samples";
            if is_samples {
                // Of a key given twice the last counts, as in Python.
                load.go_back(before);
                found = payload.peek() == Some(b'[');
            }
            if is_samples && found {
                load.samples_at(payload, verifier)?;
            } else {
                payload.value()?;
            }
            more = payload.eat(b',');
            if !more {
                payload.expect(b'}', "expected a comma or the end of the object")?;
            }
        }
    } else {
        payload.value()?;
    }
    if !found {
        load.refuse(&rest[..payload.position() - start], "there are no samples in this notification");
    }
    Ok(())
}

/// Attempts at one thing.
struct Tries<'a> {
    name: &'a str,
    backoff: Backoff,
}

impl<'a> Tries<'a> {
    fn new(name: &'a str) -> Self {
        Self { name, backoff: Backoff::default() }
    }

    /// Waits for the next, unless `stop` ends.
    async fn failed(&mut self, error: &Error, stop: Pin<&mut impl Future<Output = ()>>) -> ControlFlow<()> {
        if self.backoff.is_fresh() {
            tracing::warn!("what {} delivers waits in its queue: {error}", self.name);
        }
        self.backoff.wait(stop).await
    }

    fn succeeded(&mut self) {
        if self.backoff.reset() {
            tracing::info!("what {} delivers is stored again", self.name);
        }
    }
}

/// Stores points, however long it takes, and returns those that cannot be stored, and why.
async fn store_until_done(
    name: &str,
    points: &[TracePoint],
    store: &impl AsyncFn(&[TracePoint]) -> Result<()>,
    mut stop: Pin<&mut impl Future<Output = ()>>,
) -> ControlFlow<(), Vec<(usize, BadMessage)>> {
    let mut tries = Tries::new(name);
    loop {
        match store_together(points, store).await {
            Ok(refused) => {
                tries.succeeded();
                return ControlFlow::Continue(refused);
            }
            Err(error) => tries.failed(&error, stop.as_mut()).await?,
        }
    }
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
mod tests;
