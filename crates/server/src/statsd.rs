//! The door for statsd: datagrams of lines, whose values are measures of one resource's metrics, as with `gnocchi-statsd`.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use indexmap::IndexMap;
use indexmap::map::Entry;
use nephoscope_gnocchi::{
    Error, Gnocchi, Measure, NamedMetric, NewResource, ResourceMeasures, StatsdKind, StatsdSample, Timestamp,
};
use tokio::net::UdpSocket;
use tokio::time::MissedTickBehavior;

use crate::gnocchi::now;
use crate::metrics::SourceCounts;

/// The largest datagram there is.
const MAX_DATAGRAM: usize = 65_535;
/// How many metrics are held until they are stored: each is a name and a number, and who sends more makes names up.
const MAX_METRICS: usize = 100_000;
/// The type of the resource.
const RESOURCE_TYPE: &str = "generic";

/// What becomes of what is sent.
#[derive(Clone, Debug)]
pub struct StatsdSettings {
    /// The resource that the metrics are of.
    pub resource_id: String,
    /// How metrics are kept that are made; as the rules say, where nothing is said.
    pub archive_policy_name: Option<String>,
    /// How often what came is stored.
    pub flush_delay: Duration,
}

/// The door for statsd.
pub struct Statsd {
    gnocchi: Arc<dyn Gnocchi>,
    settings: StatsdSettings,
    counts: Arc<Counts>,
    /// What came since it was last stored.
    held: IndexMap<String, (StatsdKind, Measure)>,
}

/// What happened so far.
#[derive(Debug, Default)]
struct Counts {
    taken: AtomicU64,
    bad: AtomicU64,
    stored: AtomicU64,
    dropped: AtomicU64,
}

impl Statsd {
    /// Over this Gnocchi, whose user is the creator of what is made.
    pub fn new(gnocchi: Arc<dyn Gnocchi>, settings: StatsdSettings) -> Self {
        Self { gnocchi, settings, counts: Arc::default(), held: IndexMap::new() }
    }

    /// Its counts, for the metrics: lines that were taken and that were bad, measures that were stored and that were not.
    pub fn counts(&self, name: String) -> SourceCounts {
        let counts = self.counts.clone();
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let counts = move || {
            vec![
                ("taken", read(&counts.taken)),
                ("bad", read(&counts.bad)),
                ("stored", read(&counts.stored)),
                ("dropped", read(&counts.dropped)),
            ]
        };
        SourceCounts { source: name, counts: Box::new(counts) }
    }

    /// Makes the resource, if it is not there.
    pub async fn make_resource(&self) -> Result<(), Error> {
        let resource = NewResource { id: self.settings.resource_id.clone(), ..NewResource::default() };
        match self.gnocchi.create_resource(RESOURCE_TYPE, resource).await {
            Ok(_) | Err(Error::ResourceAlreadyExists(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Takes what comes until `shutdown` ends, and stores what it holds then.
    pub async fn run(mut self, socket: UdpSocket, shutdown: impl Future<Output = ()>) {
        let mut shutdown = pin!(shutdown);
        let mut ticks = tokio::time::interval(self.settings.flush_delay);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // The first comes at once.
        ticks.tick().await;
        let mut datagram = vec![0; MAX_DATAGRAM];
        loop {
            tokio::select! {
                received = socket.recv(&mut datagram) => self.take(received.map(|length| &datagram[..length])),
                _ = ticks.tick() => self.flush().await,
                () = &mut shutdown => break,
            }
        }
        self.flush().await;
    }

    fn take(&mut self, received: io::Result<&[u8]>) {
        match received.map(std::str::from_utf8) {
            Ok(Ok(text)) => {
                for line in text.split('\n').filter(|line| !line.is_empty()) {
                    self.take_line(line);
                }
            }
            Ok(Err(error)) => self.refuse(&error),
            // Such as a message that nobody listens where we never sent anything.
            Err(error) => tracing::warn!(%error, "cannot receive from statsd's clients"),
        }
    }

    fn take_line(&mut self, line: &str) {
        let sample = match StatsdSample::read(line) {
            Ok(sample) => sample,
            Err(error) => return self.refuse(&error),
        };
        // No path could name a metric with a slash.
        let name = sample.metric.replace('/', "_");
        let room = self.held.len() < MAX_METRICS;
        let measure = Measure { timestamp: to_micros(now()), value: sample.value };
        match self.held.entry(name) {
            Entry::Vacant(_) if !room => {
                self.counts.dropped.fetch_add(1, Ordering::Relaxed);
                return;
            }
            Entry::Vacant(place) => {
                place.insert((sample.kind, measure));
            }
            Entry::Occupied(mut place) => {
                let earlier = if sample.kind == StatsdKind::Sum { place.get().1.value } else { 0.0 };
                place.insert((sample.kind, Measure { value: earlier + measure.value, ..measure }));
            }
        }
        self.counts.taken.fetch_add(1, Ordering::Relaxed);
    }

    fn refuse(&self, error: &dyn fmt::Display) {
        self.counts.bad.fetch_add(1, Ordering::Relaxed);
        tracing::debug!(%error, "a line for statsd is bad");
    }

    /// Stores what is held. While the store is away it is held on, and what comes is added; what the store refuses is told
    /// and let go, each metric for itself.
    async fn flush(&mut self) {
        if self.held.is_empty() {
            return;
        }
        let all = self.held.iter().map(|(name, (_, measure))| (name.clone(), *measure)).collect();
        match self.store(all).await {
            Ok(()) => self.count_stored(self.held.len()),
            Err(error @ Error::Unavailable { .. }) => {
                return tracing::warn!(%error, "what statsd's clients sent is held until the store is back");
            }
            Err(_) => {
                for (name, (_, measure)) in &self.held {
                    match self.store(vec![(name.clone(), *measure)]).await {
                        Ok(()) => self.count_stored(1),
                        Err(error) => {
                            self.counts.dropped.fetch_add(1, Ordering::Relaxed);
                            tracing::error!(%error, metric = name, "cannot store what statsd's clients sent");
                        }
                    }
                }
            }
        }
        self.held.clear();
    }

    fn count_stored(&self, measures: usize) {
        self.counts.stored.fetch_add(measures as u64, Ordering::Relaxed);
    }

    async fn store(&self, measures: Vec<(String, Measure)>) -> Result<(), Error> {
        let kept = || NamedMetric::New {
            archive_policy_name: self.settings.archive_policy_name.clone(),
            unit: None,
        };
        let metrics = measures.into_iter().map(|(name, measure)| (name, (kept(), vec![measure]))).collect();
        let resource_id = self.settings.resource_id.clone();
        self.gnocchi.add_resource_measures(vec![ResourceMeasures { resource_id, metrics }], true).await
    }
}

impl fmt::Debug for Statsd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Statsd").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// Times are told to the microsecond.
fn to_micros(time: Timestamp) -> Timestamp {
    Timestamp::from_nanos(time.as_nanos() - time.as_nanos().rem_euclid(1000))
}

#[cfg(test)]
mod tests {
    use nephoscope_gnocchi::{
        AggregationMethod, ArchivePolicy, Creator, Definition, Function, Range, Timespan,
    };
    use nephoscope_store::{Options, Store};
    use tokio::sync::oneshot;

    use super::*;

    const RESOURCE: &str = "07f26121-5777-48ba-8a0b-d70468133dd9";

    struct Running {
        store: Store,
        statsd: Statsd,
        _directory: tempfile::TempDir,
    }

    async fn running(archive_policy_name: Option<&str>) -> Running {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path(), Options::default()).unwrap();
        let creator = Creator { user_id: "statsd".into(), project_id: None };
        let gnocchi = Arc::new(store.as_user(creator));
        let method = |function| AggregationMethod { rate: false, function };
        let policy = ArchivePolicy {
            name: "low".into(),
            back_window: 0,
            definition: vec![Definition { granularity: Timespan::from_seconds(3600).unwrap(), points: None }],
            aggregation_methods: vec![method(Function::Last)],
        };
        gnocchi.create_archive_policy(policy).await.unwrap();
        let settings = StatsdSettings {
            resource_id: RESOURCE.into(),
            archive_policy_name: archive_policy_name.map(Into::into),
            flush_delay: Duration::from_secs(3600),
        };
        let statsd = Statsd::new(gnocchi, settings);
        statsd.make_resource().await.unwrap();
        statsd.make_resource().await.unwrap();
        Running { store, statsd, _directory: directory }
    }

    async fn stored(store: &Store) -> Vec<(String, f64)> {
        let gnocchi = store.as_user(Creator::default());
        let resource = gnocchi.resource(RESOURCE_TYPE, RESOURCE).await.unwrap();
        assert_eq!(resource.creator.as_deref(), Some("statsd"));
        let mut all = Vec::new();
        for (name, id) in resource.metrics {
            let aggregation = AggregationMethod { rate: false, function: Function::Last };
            let range = Range { start: None, stop: None, aggregation, granularity: None, resample: None };
            let points = gnocchi.measures(id, &range).await.unwrap();
            all.push((name, points.last().unwrap().value));
        }
        all
    }

    fn counted(counts: &SourceCounts) -> Vec<u64> {
        (counts.counts)().into_iter().map(|(_, count)| count).collect()
    }

    #[tokio::test]
    async fn what_is_sent_is_stored_at_the_end() {
        let Running { store, statsd, _directory } = running(Some("low")).await;
        let counts = statsd.counts("statsd://".into());
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let running = tokio::spawn(statsd.run(socket, async move { drop(stopped.await) }));
        let client = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        for datagram in [
            &b"requests:1|c\nrequests:2|c|@0.5\n\ntemperature:20|g\ntemperature:21.5|g"[..],
            b"latency:3|ms\nlatency:4|ms|@1\nwhat is this\nusers:5|s",
            b"\xff\xfe",
            b"a/b:1|g",
        ] {
            client.send_to(datagram, address).await.unwrap();
        }
        // Datagrams on the loopback come in the order in which they were sent.
        while counted(&counts)[..2] != [6, 4] {
            tokio::task::yield_now().await;
        }
        drop(stop);
        running.await.unwrap();
        let value = |name: &str, value| (name.to_owned(), value);
        assert_eq!(
            stored(&store).await,
            [
                value("a_b|g", 1.0),
                value("latency|ms", 3.0),
                value("requests|c", 5.0),
                value("temperature|g", 21.5)
            ]
        );
        assert_eq!(counted(&counts), [6, 4, 4, 0]);
    }

    #[tokio::test]
    async fn a_metric_that_is_refused_costs_itself() {
        let Running { store, mut statsd, _directory } = running(None).await;
        let rule = nephoscope_gnocchi::ArchivePolicyRule {
            name: "some".into(),
            metric_pattern: "known*".into(),
            archive_policy_name: "low".into(),
        };
        store.as_user(Creator::default()).create_archive_policy_rule(rule).await.unwrap();
        let counts = statsd.counts("statsd://".into());
        statsd.take(Ok(b"known:1|c\nunknown:2|c"));
        statsd.flush().await;
        assert_eq!(stored(&store).await, [("known|c".to_owned(), 1.0)]);
        assert_eq!(counted(&counts), [2, 0, 1, 1]);
        // A counter begins at nothing again.
        statsd.take(Ok(b"known:2|c"));
        statsd.flush().await;
        assert_eq!(stored(&store).await, [("known|c".to_owned(), 2.0)]);
    }

    #[tokio::test]
    async fn names_that_are_made_up_do_not_fill_the_memory() {
        let mut statsd = running(None).await.statsd;
        let counts = statsd.counts("statsd://".into());
        for number in 0..MAX_METRICS + 5 {
            statsd.take_line(&format!("{number}:1|c"));
        }
        statsd.take_line("0:1|c");
        assert_eq!(statsd.held.len(), MAX_METRICS);
        assert_eq!(counted(&counts), [MAX_METRICS as u64 + 1, 0, 0, 5]);
    }
}
