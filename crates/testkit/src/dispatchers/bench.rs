//! What a case works with.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use nephoscope_telemetry::{ConnectionString, Dispatcher, Event, Refused, Result, Sample};

use super::{Arrived, Place, Subject};
use crate::failures::chain;
use crate::server::Server;

/// How long what was sent may be on its way when the place passes it on before it can be read.
const ARRIVAL_LIMIT: Duration = Duration::from_secs(30);
/// How often the place is looked at meanwhile.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A place, and what knows it.
pub(super) struct Bench {
    pub(super) subject: Arc<dyn Subject>,
    pub(super) place: Box<dyn Place>,
}

impl Bench {
    pub(super) fn new(subject: Arc<dyn Subject>, place: Box<dyn Place>) -> Self {
        Self { subject, place }
    }

    /// A dispatcher of this connection string.
    pub(super) async fn try_connect(&self, url: &str) -> Result<Arc<dyn Dispatcher>> {
        let to = ConnectionString::parse(url).unwrap_or_else(|error| panic!("{url}: {error}"));
        self.place.connect(&to).await
    }

    /// A dispatcher to the place.
    pub(super) async fn connect(&self) -> Arc<dyn Dispatcher> {
        let connected = self.try_connect(&self.place.url()).await;
        connected.unwrap_or_else(|error| panic!("cannot connect: {}", chain(&error)))
    }

    /// What arrived of what is wanted, once it is as much as this. More is seen as far as it came by then.
    pub(super) async fn arrived(&self, is_wanted: fn(&Arrived) -> bool, count: usize) -> Vec<Arrived> {
        let look = async || {
            let arrived = self.place.samples().await;
            arrived.into_iter().filter(is_wanted).collect::<Vec<_>>()
        };
        in_time(count, look).await
    }

    /// The events that arrived, once there are as many as this.
    pub(super) async fn arrived_events(&self, count: usize) -> Vec<Event> {
        in_time(count, async || self.place.events().await).await
    }

    /// All of these arrived, and nothing else: for every meter and resource in this order.
    pub(super) async fn expect(&self, samples: &[Sample]) {
        let mut sent: Vec<_> = samples.iter().filter_map(Arrived::of).collect();
        let mut arrived = self.arrived(|_| true, sent.len()).await;
        let by_series = |one: &Arrived| (one.resource_id.clone(), one.meter.clone());
        // Stable: the order within a series stays.
        sent.sort_by_cached_key(by_series);
        arrived.sort_by_cached_key(by_series);
        if arrived != sent {
            let differ = arrived.iter().zip(&sent).find(|(arrived, sent)| arrived != sent);
            panic!("{} arrived of {}; the first that differs: {differ:?}", arrived.len(), sent.len());
        }
    }

    pub(super) fn server(&mut self) -> &mut dyn Server {
        self.place.server().expect("the place has a server or an excuse")
    }
}

/// Looks until there is so much.
async fn in_time<T: std::fmt::Debug>(count: usize, look: impl AsyncFn() -> Vec<T>) -> Vec<T> {
    let deadline = Instant::now() + ARRIVAL_LIMIT;
    loop {
        let found = look().await;
        if found.len() >= count {
            return found;
        }
        assert!(Instant::now() < deadline, "instead of {count} there are {}: {found:?}", found.len());
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// A failed case shows what its server had to say.
impl Drop for Bench {
    fn drop(&mut self) {
        if let Some(server) = self.place.server().filter(|_| std::thread::panicking()) {
            // A message that cannot be shown must not become a second panic.
            let _shown = writeln!(io::stderr(), "the server's log:\n{}", server.log());
        }
    }
}

/// Sends samples, and takes no error. What was refused.
pub(super) async fn send(dispatcher: &dyn Dispatcher, samples: &[Sample]) -> Vec<Refused> {
    let sent = dispatcher.samples(samples).await;
    sent.unwrap_or_else(|error| panic!("cannot send: {}", chain(&error)))
}

/// Sends samples, all of which have to be taken.
pub(super) async fn deliver(dispatcher: &dyn Dispatcher, samples: &[Sample]) {
    let refused = send(dispatcher, samples).await;
    assert!(refused.is_empty(), "{} are refused, the first {:?}", refused.len(), refused[0]);
}
