//! What is appended comes out, whatever happens in between.

use std::time::Duration;

use nephoscope_spool::Spool;
use nephoscope_telemetry::ErrorKind;
use proptest::prelude::*;
use tokio::time::timeout;

use crate::{ROOM, SOME, open, payloads, record};

#[derive(Clone, Debug)]
enum Step {
    Append(Vec<String>),
    /// This reader reads so much, and is done with it or not.
    Read(usize, usize, bool),
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => prop::collection::vec(".{0,200}", 0..4).prop_map(Step::Append),
        4 => (0usize..2, 1usize..2000, prop::bool::weighted(0.7)).prop_map(|(who, much, done)| Step::Read(who, much, done)),
        1 => Just(Step::Reopen),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn every_reader_gets_everything_in_order_and_once(steps in prop::collection::vec(step(), 1..30)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let directory = tempfile::tempdir().unwrap();
            let names = ["one", "two"];
            let (mut spool, mut readers) = Spool::open(directory.path(), ROOM, &names).unwrap();
            let (mut all, mut done) = (Vec::<String>::new(), [0, 0]);
            for step in steps {
                match step {
                    Step::Append(texts) => {
                        let records: Vec<_> = texts.iter().map(|text| record(text)).collect();
                        spool.append(&records).await.unwrap();
                        all.extend(texts);
                    }
                    Step::Read(who, much, is_done) if done[who] < all.len() => {
                        let chunk = readers[who].next(much).await.unwrap();
                        let read = payloads(&chunk);
                        prop_assert!(!read.is_empty());
                        prop_assert_eq!(chunk.damaged, 0);
                        let expected: Vec<_> = all[done[who]..].iter().take(read.len()).collect();
                        prop_assert_eq!(&read, &expected);
                        if is_done {
                            done[who] += read.len();
                            readers[who].advance(chunk.end).unwrap();
                        }
                    }
                    Step::Read(who, ..) => {
                        let nothing = timeout(Duration::ZERO, readers[who].next(SOME)).await;
                        prop_assert!(nothing.is_err(), "{:?}", nothing);
                    }
                    Step::Reopen => {
                        drop((spool, readers));
                        (spool, readers) = Spool::open(directory.path(), ROOM, &names).unwrap();
                    }
                }
            }
            for (reader, done) in readers.iter_mut().zip(done) {
                let mut left = Vec::new();
                while done + left.len() < all.len() {
                    let chunk = reader.next(SOME).await.unwrap();
                    left.extend(payloads(&chunk).into_iter().map(str::to_owned));
                    reader.advance(chunk.end).unwrap();
                }
                prop_assert_eq!(&left, &all[done..]);
            }
            prop_assert!(spool.stats().behind.iter().all(|(_, bytes)| *bytes == 0));
            Ok(())
        })?;
    }
}

#[tokio::test]
async fn a_reader_waits_for_what_is_appended() {
    let directory = tempfile::tempdir().unwrap();
    let (spool, mut reader) = open(directory.path(), ROOM);
    let waiting = tokio::spawn(async move { reader.next(SOME).await.unwrap() });
    spool.append(&[record("a"), record("b")]).await.unwrap();
    let chunk = waiting.await.unwrap();
    assert_eq!(payloads(&chunk), ["a", "b"]);
    assert!(chunk.appended_at > 1_700_000_000_000_000);
}

#[tokio::test]
async fn a_full_spool_lets_the_next_wait_until_someone_has_read() {
    let directory = tempfile::tempdir().unwrap();
    let large = "x".repeat(10_000);
    let (spool, mut reader) = open(directory.path(), 25_000);
    for _ in 0..2 {
        spool.append(&[record(&large)]).await.unwrap();
    }
    let more = [record(&large)];
    let mut third = std::pin::pin!(spool.append(&more));
    while !spool.stats().is_full {
        assert!(timeout(Duration::from_millis(1), &mut third).await.is_err());
    }
    for _ in 0..2 {
        let chunk = reader.next(1).await.unwrap();
        reader.advance(chunk.end).unwrap();
    }
    third.await.unwrap();
    assert!(!spool.stats().is_full);
    assert_eq!(payloads(&reader.next(1).await.unwrap()), [large.as_str()]);
}

#[tokio::test]
async fn a_full_spool_can_be_closed_and_what_waited_is_not_acknowledged() {
    let directory = tempfile::tempdir().unwrap();
    let (spool, reader) = open(directory.path(), 100);
    spool.append(&[record("a")]).await.unwrap();
    let spool = std::sync::Arc::new(spool);
    let second = tokio::spawn({
        let spool = spool.clone();
        async move { spool.append(&[record(&"x".repeat(100))]).await }
    });
    while !spool.stats().is_full {
        tokio::task::yield_now().await;
    }
    second.abort();
    drop(second.await.unwrap_err());
    drop((reader, spool));
    let (_spool, mut reader) = open(directory.path(), ROOM);
    assert_eq!(payloads(&reader.next(SOME).await.unwrap()), ["a"]);
}

#[tokio::test]
async fn a_new_reader_is_at_the_end_and_one_that_left_is_forgotten() {
    let directory = tempfile::tempdir().unwrap();
    let (spool, readers) = Spool::open(directory.path(), ROOM, &["one"]).unwrap();
    spool.append(&[record("a")]).await.unwrap();
    drop((spool, readers));
    let (spool, mut readers) = Spool::open(directory.path(), ROOM, &["one", "two"]).unwrap();
    spool.append(&[record("b")]).await.unwrap();
    assert_eq!(payloads(&readers[0].next(1).await.unwrap()), ["a"]);
    assert_eq!(payloads(&readers[1].next(1).await.unwrap()), ["b"]);
    drop((spool, readers));
    let (spool, readers) = Spool::open(directory.path(), ROOM, &["two"]).unwrap();
    assert_eq!(spool.stats().behind.len(), 1);
    drop((spool, readers));
    let (spool, _readers) = Spool::open(directory.path(), ROOM, &["one", "two"]).unwrap();
    assert_eq!(spool.stats().behind[0], ("one".to_owned(), 0));
    assert!(spool.stats().behind[1].1 > 0);
}

#[test]
fn a_spool_that_is_open_or_that_nobody_reads_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let _open = open(directory.path(), ROOM);
    let error = Spool::open(directory.path(), ROOM, &["one"]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    let error = Spool::open(directory.path(), ROOM, &[]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
}
