use std::collections::VecDeque;
use std::future::{pending, ready};
use std::sync::Mutex;

use nephoscope_spool::Spool;
use nephoscope_telemetry::{BoxFuture, Event, Refused, Sample};
use tokio::sync::oneshot;

use super::*;
use crate::Load;

/// Does what it was told, and remembers what it got.
#[derive(Debug, Default)]
struct Double {
    answers: Mutex<VecDeque<Answer>>,
    got: Mutex<Vec<Vec<String>>>,
}

#[derive(Debug)]
enum Answer {
    Fail(ErrorKind),
    Refuse(Vec<usize>),
    Hang,
}

impl Double {
    fn new(answers: impl IntoIterator<Item = Answer>) -> Arc<Self> {
        Arc::new(Self { answers: Mutex::new(answers.into_iter().collect()), got: Mutex::default() })
    }

    fn got(&self) -> Vec<Vec<String>> {
        self.got.lock().unwrap().clone()
    }

    fn answer(&self, names: Vec<String>) -> BoxFuture<'_, Result<Vec<Refused>>> {
        let poison = names.iter().any(|name| name == "poison");
        self.got.lock().unwrap().push(names);
        let answer = self.answers.lock().unwrap().pop_front();
        Box::pin(async move {
            match answer {
                None if poison => Err(Error::new(ErrorKind::Invalid, "test", "something in it")),
                None => Ok(Vec::new()),
                Some(Answer::Fail(kind)) => Err(Error::new(kind, "test", "told to fail")),
                Some(Answer::Refuse(at)) => {
                    Ok(at.into_iter().map(|at| Refused { at, reason: "told to refuse".into() }).collect())
                }
                Some(Answer::Hang) => pending().await,
            }
        })
    }
}

impl Dispatcher for Double {
    fn samples<'a>(&'a self, samples: &'a [Sample]) -> BoxFuture<'a, Result<Vec<Refused>>> {
        self.answer(samples.iter().map(|sample| sample.name.to_string()).collect())
    }

    fn events<'a>(&'a self, events: &'a [Event]) -> BoxFuture<'a, Result<Vec<Refused>>> {
        self.answer(events.iter().map(|event| event.event_type.to_string()).collect())
    }
}

fn sample(name: &str) -> String {
    format!(
        r#"{{"counter_name": "{name}", "counter_volume": 1, "resource_id": "vm", "timestamp": "2026-01-02T03:04:05"}}"#
    )
}

fn event(name: &str) -> String {
    format!(
        r#"{{"message_id": "m", "event_type": "{name}", "generated": "2026-01-02T03:04:05", "traits": []}}"#
    )
}

/// A spool with one reader, from which is delivered to the double.
struct Rig {
    directory: tempfile::TempDir,
    spool: Spool,
    double: Arc<Double>,
    counts: Arc<DeliveryCounts>,
    delivery: Option<Delivery>,
}

fn rig(answers: impl IntoIterator<Item = Answer>) -> Rig {
    let directory = tempfile::tempdir().unwrap();
    let (spool, mut readers) = Spool::open(&directory.path().join("spool"), 1 << 30, &["test://"]).unwrap();
    let double = Double::new(answers);
    let dead = DeadLetters::new(&directory.path().join("dead.jsonl"));
    let delivery = Delivery::new(readers.remove(0), double.clone(), dead);
    Rig { directory, spool, double, counts: delivery.counts(), delivery: Some(delivery) }
}

async fn append(spool: &Spool, names: &[&str]) {
    let mut load = Load::default();
    names.iter().for_each(|name| load.sample(&sample(name), None));
    spool.append(&load.pack().records).await.unwrap();
}

impl Rig {
    fn dead(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("dead.jsonl")).unwrap_or_default()
    }

    /// Delivers until everything is sent.
    async fn deliver(&mut self) {
        let (stop, stopped) = oneshot::channel::<()>();
        let running = tokio::spawn(self.delivery.take().unwrap().run(async { drop(stopped.await) }));
        while self.spool.stats().behind.iter().any(|(_, bytes)| *bytes > 0) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        drop(stop);
        running.await.unwrap();
    }

    fn count(&self, which: fn(&DeliveryCounts) -> &AtomicU64) -> u64 {
        which(&self.counts).load(Ordering::Relaxed)
    }
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn samples_of_many_appends_are_sent_together_and_in_order() {
    let mut rig = rig([]);
    append(&rig.spool, &["a", "b"]).await;
    append(&rig.spool, &["c"]).await;
    let mut load = Load::default();
    load.event(&event("e"), None);
    rig.spool.append(&load.pack().records).await.unwrap();
    append(&rig.spool, &["d"]).await;
    rig.deliver().await;
    assert_eq!(rig.double.got(), [names(&["a", "b", "c"]), names(&["e"]), names(&["d"])]);
    assert_eq!((rig.count(|counts| &counts.samples), rig.count(|counts| &counts.events)), (4, 1));
    assert_eq!(rig.dead(), "");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_sent_now_is_sent_again_until_it_can() {
    let kinds = [ErrorKind::Unavailable, ErrorKind::Config, ErrorKind::Other];
    let mut rig = rig(kinds.map(Answer::Fail).into_iter().chain([Answer::Hang]));
    append(&rig.spool, &["a"]).await;
    rig.deliver().await;
    assert_eq!(rig.double.got(), vec![names(&["a"]); 5]);
    assert_eq!((rig.count(|counts| &counts.failures), rig.count(|counts| &counts.samples)), (4, 1));
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_is_kept_with_the_reason_and_holds_up_nothing() {
    let mut rig = rig([Answer::Refuse(vec![1])]);
    append(&rig.spool, &["a", "b", "c"]).await;
    rig.deliver().await;
    assert_eq!(rig.double.got().len(), 1);
    assert_eq!((rig.count(|counts| &counts.refused), rig.count(|counts| &counts.samples)), (1, 2));
    let dead = rig.dead();
    assert_eq!(dead.lines().count(), 1);
    assert!(dead.contains("\"counter_name\": \"b\"") && dead.contains("told to refuse"), "{dead}");
    assert!(dead.contains("\"by\": \"test://\""), "{dead}");
}

#[tokio::test(start_paused = true)]
async fn of_a_batch_that_is_invalid_only_the_one_to_blame_is_refused() {
    let mut rig = rig([]);
    append(&rig.spool, &["a", "b", "poison", "c", "d"]).await;
    rig.deliver().await;
    let taken: Vec<_> = rig.double.got().into_iter().filter(|got| !got.contains(&"poison".into())).collect();
    assert_eq!(taken.concat(), names(&["a", "b", "c", "d"]));
    assert_eq!(rig.dead().lines().count(), 1);
    assert_eq!(rig.count(|counts| &counts.samples), 4);
}

/// As much as is sent at a time, all with this name, and how many they are.
async fn append_much(spool: &Spool, name: &str) -> Vec<String> {
    let much = CHUNK_BYTES / sample(name).len() + 1;
    append(spool, &vec![name; much]).await;
    names(&vec![name; much])
}

#[tokio::test(start_paused = true)]
async fn what_is_read_ahead_has_its_turn() {
    let mut rig = rig([Answer::Fail(ErrorKind::Unavailable)]);
    let mut expected = Vec::new();
    for name in ["a", "b", "c", "d"] {
        expected.push(append_much(&rig.spool, name).await);
    }
    rig.deliver().await;
    expected.insert(0, expected[0].clone());
    assert!(rig.double.got() == expected);
}

#[tokio::test(start_paused = true)]
async fn what_is_read_ahead_is_not_taken_for_what_could_not_be_sent() {
    let mut rig = rig([Answer::Fail(ErrorKind::Unavailable)]);
    let first = append_much(&rig.spool, "a").await;
    let second = append_much(&rig.spool, "b").await;
    // It ends while it waits before it sends the first batch again.
    let double = rig.double.clone();
    let was_tried = async move {
        while double.got().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    rig.delivery.take().unwrap().run(was_tried).await;
    assert!(rig.double.got() == [first.clone(), first, second]);
}

#[tokio::test(start_paused = true)]
async fn the_end_leaves_in_the_spool_what_cannot_be_sent() {
    let mut rig = rig((0..1000).map(|_| Answer::Fail(ErrorKind::Unavailable)));
    append(&rig.spool, &["a"]).await;
    let began = Instant::now();
    rig.delivery.take().unwrap().run(ready(())).await;
    assert!(began.elapsed() <= DRAIN + Duration::from_secs(1), "{:?}", began.elapsed());
    assert!(rig.count(|counts| &counts.failures) > 3);
    drop(rig.spool);
    let spool = rig.directory.path().join("spool");
    let (_spool, readers) = Spool::open(&spool, 1 << 30, &["test://"]).unwrap();
    assert!(readers[0].has_more());
}

#[tokio::test(start_paused = true)]
async fn the_end_sends_what_is_left() {
    let mut rig = rig([]);
    append(&rig.spool, &["a"]).await;
    rig.delivery.take().unwrap().run(ready(())).await;
    assert_eq!(rig.double.got(), [names(&["a"])]);
}
