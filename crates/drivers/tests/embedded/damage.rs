//! Files that are damaged: what can be read is read, the rest is told, nothing panics or hangs.

use std::collections::HashSet;
use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nephoscope_telemetry::{Driver, ErrorKind, Id, TraceFilter, TracePoint};

use crate::points::{Chance, START, request};
use crate::{chain, list, open};

/// Longer than any opening or reading here takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// The files below a directory, by their paths in it.
fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut left = vec![directory.to_owned()];
    while let Some(path) = left.pop() {
        if path.is_dir() {
            left.extend(fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        } else {
            found.push(path.strip_prefix(directory).unwrap().to_owned());
        }
    }
    found.sort();
    found
}

/// Copies a store.
pub(crate) fn copy(from: &Path, to: &Path) {
    for file in files(from) {
        fs::create_dir_all(to.join(&file).parent().unwrap()).unwrap();
        fs::copy(from.join(&file), to.join(&file)).unwrap();
    }
}

/// The largest file below a directory of the engine.
fn largest(store: &Path, below: &str) -> PathBuf {
    let folder = store.join("engine").join(below);
    let size = |file: &PathBuf| fs::metadata(folder.join(file)).unwrap().len();
    folder.join(files(&folder).into_iter().max_by_key(size).unwrap())
}

/// Turns the bits of some bytes at a part of a file, given in thousandths of its length.
fn flip(file: &Path, thousandths: u64) {
    let file = OpenOptions::new().read(true).write(true).open(file).unwrap();
    let at = file.metadata().unwrap().len() * thousandths / 1_000;
    let mut bytes = [0; 8];
    let count = file.read_at(&mut bytes, at).unwrap();
    bytes.iter_mut().for_each(|byte| *byte = !*byte);
    file.write_all_at(&bytes[..count], at).unwrap();
}

async fn stored(directory: &Path, points: &[TracePoint]) {
    let driver = open(directory).await.unwrap();
    for batch in points.chunks(500) {
        driver.notify(batch).await.unwrap();
    }
    driver.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_damaged_table_of_points_only_the_damaged_blocks_are_lost() {
    let directory = tempfile::tempdir().unwrap();
    let points = request(&mut Chance(1), START, 10_000);
    stored(directory.path(), &points).await;
    let table = largest(directory.path(), "keyspaces/1/tables");
    flip(&table, 200);
    flip(&table, 500);
    let driver = open(directory.path()).await.unwrap();
    let read = driver.points(&points[0].base_id).await.unwrap();
    let all: HashSet<_> = points.iter().map(TracePoint::to_json).collect();
    assert!(read.good.iter().all(|point| all.contains(&point.to_json())));
    assert_eq!(read.good.len() as u64 + read.bad.count(), 20_000);
    assert!((1..2_000).contains(&read.bad.count()), "{} are lost", read.bad.count());
    assert!(read.good.contains(&points[0]) && read.good.contains(&points[19_999]));
    assert_eq!(list(&*driver).await[0].points, Some(20_000));
    // A point that the store has and cannot read is not taken again as if it could; all others are.
    let error = driver.notify(&points).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{}", chain(&error));
    driver.notify(&points[..10]).await.unwrap();
    driver.notify(&request(&mut Chance(2), START, 10)).await.unwrap();
    assert_eq!(list(&*driver).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn damaged_summaries_are_made_anew_of_the_points() {
    let directory = tempfile::tempdir().unwrap();
    let mut chance = Chance(2);
    let points: Vec<_> = (0..500).flat_map(|at| request(&mut chance, START + at, 3)).collect();
    stored(directory.path(), &points).await;
    let before = list(&*open(directory.path()).await.unwrap()).await;
    flip(&largest(directory.path(), "keyspaces/2/tables"), 300);
    let driver = open(directory.path()).await.unwrap();
    assert_eq!(list(&*driver).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_damaged_index_the_rest_is_listed() {
    let directory = tempfile::tempdir().unwrap();
    let mut chance = Chance(3);
    let points: Vec<_> = (0..2_000).flat_map(|at| request(&mut chance, START + at * 1_000, 1)).collect();
    stored(directory.path(), &points).await;
    flip(&largest(directory.path(), "keyspaces/3/tables"), 400);
    let driver = open(directory.path()).await.unwrap();
    let listed = list(&*driver).await;
    assert!((1_000..2_000).contains(&listed.len()), "{} are listed", listed.len());
    assert!(listed.is_sorted_by(|one, next| one.timestamp >= next.timestamp));
}

/// A store as a kill leaves it, with all points in the journal: forty traces, a batch each.
async fn killed(directory: &Path) -> Vec<Vec<TracePoint>> {
    let open_store = tempfile::tempdir().unwrap();
    let driver = open(open_store.path()).await.unwrap();
    let mut chance = Chance(4);
    let traces: Vec<_> = (0..40).map(|at| request(&mut chance, START + at, 20)).collect();
    for points in &traces {
        driver.notify(points).await.unwrap();
    }
    copy(open_store.path(), directory);
    traces
}

async fn lost(driver: &dyn Driver, traces: &[Vec<TracePoint>]) -> usize {
    let mut lost = 0;
    for points in traces {
        let read = driver.points(&points[0].base_id).await.unwrap().good;
        assert!(read.is_empty() || read == *points, "a batch is there as a whole or not at all");
        lost += usize::from(read.is_empty());
    }
    lost
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_within_the_journal_costs_its_batch_and_no_later_one() {
    let directory = tempfile::tempdir().unwrap();
    let traces = killed(directory.path()).await;
    let journal = directory.path().join("engine/0.jnl");
    let end = fs::read(&journal).unwrap().iter().rposition(|byte| *byte != 0).unwrap() as u64;
    for thousandths in (20..1_000).step_by(49) {
        let copied = tempfile::tempdir().unwrap();
        copy(directory.path(), copied.path());
        let journal = copied.path().join("engine/0.jnl");
        OpenOptions::new().write(true).open(&journal).unwrap().set_len(end + 1).unwrap();
        flip(&journal, thousandths);
        let driver = open(copied.path()).await.unwrap();
        let lost = lost(&*driver, &traces).await;
        assert!((1..=2).contains(&lost), "{lost} batches are lost by damage at {thousandths}");
        assert_eq!(list(&*driver).await.len(), traces.len() - lost);
        assert!(copied.path().join("engine/0.jnl.damaged").exists());
        driver.notify(&traces[0]).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_cut_short_or_gone_costs_what_was_in_it() {
    let directory = tempfile::tempdir().unwrap();
    let traces = killed(directory.path()).await;
    let journal = directory.path().join("engine/0.jnl");
    let content = fs::read(&journal).unwrap();
    let end = content.iter().rposition(|byte| *byte != 0).unwrap();
    fs::write(&journal, &content[..end / 2]).unwrap();
    let driver = open(directory.path()).await.unwrap();
    assert!((15..25).contains(&lost(&*driver, &traces).await));
    driver.notify(&traces.concat()).await.unwrap();
    driver.close().await.unwrap();
    drop(driver);
    fs::remove_file(&journal).unwrap();
    let driver = open(directory.path()).await.unwrap();
    assert_eq!(lost(&*driver, &traces).await, 0, "all was in tables");
    let later = request(&mut Chance(9), START, 5);
    driver.notify(&later).await.unwrap();
    drop(driver);
    let driver = open(directory.path()).await.unwrap();
    assert_eq!(driver.points(&later[0].base_id).await.unwrap().good, later);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_marker_of_the_engine_nothing_is_deleted() {
    let directory = tempfile::tempdir().unwrap();
    stored(directory.path(), &request(&mut Chance(1), START, 10)).await;
    let markers = ["keyspaces/0/current", "keyspaces/1/current", "keyspaces/4/current", "version"];
    for marker in markers.map(|marker| directory.path().join("engine").join(marker)) {
        let content = fs::read(&marker).unwrap();
        let before = files(directory.path());
        fs::remove_file(&marker).unwrap();
        let error = open(directory.path()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{}", chain(&error));
        fs::write(&marker, content).unwrap();
        assert_eq!(files(directory.path()), before);
    }
    assert_eq!(list(&*open(directory.path()).await.unwrap()).await[0].points, Some(20));
}

#[derive(Clone, Copy, Debug)]
enum Damage {
    Flip(u64),
    Cut,
    Empty,
    Delete,
}

fn damage(file: &Path, damage: Damage) {
    let cut = |length| OpenOptions::new().write(true).open(file).unwrap().set_len(length).unwrap();
    match damage {
        Damage::Flip(thousandths) => flip(file, thousandths),
        Damage::Cut => cut(fs::metadata(file).unwrap().len() / 2),
        Damage::Empty => cut(0),
        Damage::Delete => fs::remove_file(file).unwrap(),
    }
}

/// Opens a store that may be damaged, and reads all of it. What is read has to be true.
async fn read_what_can_be_read(directory: &Path, ids: &[Id], all: &HashSet<String>) -> Result<usize, String> {
    let driver = match open(directory).await {
        Ok(driver) => driver,
        Err(error) => {
            assert!(matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::Config), "{}", chain(&error));
            return Err(chain(&error));
        }
    };
    let mut read = 0;
    for id in ids {
        match driver.points(id).await {
            Ok(points) => {
                assert!(points.good.iter().all(|point| all.contains(&point.to_json())));
                read += points.good.len();
            }
            Err(error) => assert_eq!(error.kind(), ErrorKind::Corrupt, "{}", chain(&error)),
        }
    }
    driver.list(&TraceFilter::default()).await.map_err(|error| chain(&error))?;
    let _may_be_refused = driver.notify(&request(&mut Chance(99), START, 1)).await;
    let _may_fail = driver.close().await;
    Ok(read)
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_to_any_file_neither_panics_nor_hangs_nor_invents_points() {
    let directory = tempfile::tempdir().unwrap();
    let mut chance = Chance(6);
    let points: Vec<_> = (0..20).flat_map(|at| request(&mut chance, START + at, 100)).collect();
    stored(directory.path(), &points[..2_000]).await;
    let driver = open(directory.path()).await.unwrap();
    driver.notify(&points[2_000..]).await.unwrap();
    let ids: Vec<_> = list(&*driver).await.into_iter().map(|line| line.base_id).collect();
    let all: HashSet<_> = points.iter().map(TracePoint::to_json).collect();
    let damages = [
        Damage::Flip(0),
        Damage::Flip(300),
        Damage::Flip(700),
        Damage::Flip(995),
        Damage::Cut,
        Damage::Empty,
        Damage::Delete,
    ];
    for file in files(directory.path()) {
        for kind in damages {
            let copied = tempfile::tempdir().unwrap();
            copy(directory.path(), copied.path());
            damage(&copied.path().join(&file), kind);
            let reading = read_what_can_be_read(copied.path(), &ids, &all);
            match tokio::time::timeout(PATIENCE, reading).await {
                Err(_) => panic!("{} {kind:?} hangs", file.display()),
                Ok(Err(error)) if leaves_it_readable(&file, kind) => {
                    panic!("{} {kind:?}: {error}", file.display())
                }
                Ok(_) => {}
            }
        }
    }
}

/// Damage that costs a part at most: in the journal, a lock, or the blocks of a table, which fill most of it.
fn leaves_it_readable(file: &Path, kind: Damage) -> bool {
    let in_blocks = matches!(kind, Damage::Flip(..=300)) && !file.starts_with("engine/keyspaces/0");
    file.ends_with("lock")
        || file.extension().is_some_and(|extension| extension == "jnl")
        || in_blocks && file.parent().unwrap().ends_with("tables")
}
