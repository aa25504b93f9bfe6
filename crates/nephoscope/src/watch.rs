//! Whether the daemon's work goes on, for who watches over it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use nephoscope_collector::Intake;
use nephoscope_gnocchi::Gnocchi;
use nephoscope_server::DispatcherCounts;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::systemd::Notifier;

/// The parts of the daemon that run by themselves.
#[derive(Debug, Default)]
pub struct Parts {
    /// Names, and what each part holds as long as it runs. Locked for a moment, so an ordinary lock.
    begun: Mutex<Vec<(String, Weak<()>)>>,
}

/// What a part holds as long as it runs.
#[derive(Debug)]
pub struct Running(#[expect(dead_code, reason = "it is there to be dropped")] Arc<()>);

impl Parts {
    /// A part begins.
    pub fn begin(&self, name: &str) -> Running {
        let running = Arc::new(());
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        begun.push((name.to_owned(), Arc::downgrade(&running)));
        Running(running)
    }

    /// The name of a part that has ended.
    fn ended(&self) -> Option<String> {
        let begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        let mut ended = begun.iter().filter(|(_, running)| running.strong_count() == 0);
        ended.next().map(|(name, _)| name.clone())
    }
}

/// What is looked at.
pub(crate) struct Watch {
    pub(crate) notifier: Arc<Notifier>,
    pub(crate) parts: Arc<Parts>,
    /// The store, which has to answer.
    pub(crate) gnocchi: Arc<dyn Gnocchi>,
    pub(crate) intake: Intake,
    pub(crate) dispatchers: Vec<DispatcherCounts>,
}

impl Watch {
    /// Tells the service manager again and again that work goes on, as long as it does.
    pub(crate) async fn run(self) {
        if !self.notifier.is_heard() {
            return std::future::pending().await;
        }
        let pause = self.notifier.pause();
        let mut ticks = interval(pause);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            match self.standstill(pause).await {
                None => self.notifier.works(&self.status()),
                Some(reason) => {
                    tracing::error!("{reason}; the service manager is not told that the daemon works");
                    self.notifier.stands_still(&reason);
                }
            }
        }
    }

    /// Why work does not go on, if it does not. A backend that is away is no reason: what is for it waits on disk.
    async fn standstill(&self, limit: Duration) -> Option<String> {
        if let Some(part) = self.parts.ended() {
            return Some(format!("{part} has ended by itself"));
        }
        match timeout(limit, self.gnocchi.archive_policies()).await {
            Ok(Ok(_)) => None,
            Ok(Err(error)) => Some(format!("the store of metrics fails: {error}")),
            Err(_) => Some("the store of metrics does not answer".into()),
        }
    }

    /// How it stands, in a line.
    pub(crate) fn status(&self) -> String {
        let counts = self.intake.counts();
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let (samples, events) = (read(&counts.samples), read(&counts.events));
        let mut status = format!("{samples} samples and {events} events taken in");
        for dispatcher in &self.dispatchers {
            let lag = dispatcher.counts.lag();
            if lag >= 1.0 {
                status.push_str(&format!("; {} behind by {lag:.0} s", dispatcher.dispatcher));
            }
        }
        status
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixDatagram;

    use nephoscope_collector::{DeadLetters, DeliveryCounts};
    use nephoscope_gnocchi::Creator;
    use nephoscope_spool::Spool;
    use nephoscope_store::{Options, Store};

    use super::*;

    struct Rig {
        watch: Watch,
        manager: UnixDatagram,
        _directory: tempfile::TempDir,
    }

    impl Rig {
        fn new() -> Self {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("notify");
            let manager = UnixDatagram::bind(&path).unwrap();
            let store = Store::open(&directory.path().join("store"), Options::default()).unwrap();
            let (spool, _) = Spool::open(&directory.path().join("spool"), 1 << 30, &["one"]).unwrap();
            let intake = Intake::new(spool, None, DeadLetters::new(&directory.path().join("dead")));
            let counts = Arc::new(DeliveryCounts::default());
            let watch = Watch {
                notifier: Arc::new(Notifier::at(path.as_os_str(), Duration::from_millis(50))),
                parts: Arc::default(),
                gnocchi: Arc::new(store.as_user(Creator::default())),
                intake,
                dispatchers: vec![DispatcherCounts { dispatcher: "gnocchi://h".into(), counts }],
            };
            Self { watch, manager, _directory: directory }
        }
    }

    /// Far more than there is between two signs.
    const TIME_LIMIT: Duration = Duration::from_secs(60);

    /// The next thing that is told.
    async fn told(manager: UnixDatagram) -> (UnixDatagram, String) {
        let heard = move || {
            let mut buffer = [0; 256];
            let length = manager.recv(&mut buffer).unwrap();
            (manager, String::from_utf8_lossy(&buffer[..length]).into_owned())
        };
        tokio::task::spawn_blocking(heard).await.unwrap()
    }

    #[tokio::test]
    async fn signs_come_as_long_as_every_part_is_there() {
        let Rig { watch, mut manager, _directory } = Rig::new();
        let running = [watch.parts.begin("udp://h"), watch.parts.begin("tcp://h")];
        let watching = tokio::spawn(watch.run());
        let mut next = String::new();
        for _ in 0..3 {
            (manager, next) = told(manager).await;
            assert_eq!(next, "WATCHDOG=1\nSTATUS=0 samples and 0 events taken in");
        }
        let [first, second] = running;
        drop(second);
        // Signs may be under way.
        let other = async {
            while next.starts_with("WATCHDOG=1") {
                (manager, next) = told(manager).await;
            }
            next
        };
        let other = timeout(TIME_LIMIT, other).await.expect("signs end");
        assert_eq!(other, "STATUS=tcp://h has ended by itself");
        drop(first);
        watching.abort();
    }

    #[tokio::test]
    async fn a_dispatcher_that_waits_is_told_and_no_standstill() {
        let Rig { watch, .. } = Rig::new();
        watch.dispatchers[0].counts.sending_from.store(1, Ordering::Relaxed);
        assert_eq!(watch.standstill(Duration::from_secs(60)).await, None);
        assert!(watch.status().contains("taken in; gnocchi://h behind by "), "{}", watch.status());
    }
}
