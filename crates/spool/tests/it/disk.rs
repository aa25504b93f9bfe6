//! When the disk fails, and when what is on it is not what was written.

use std::fs;
use std::path::{Path, PathBuf};

use nephoscope_telemetry::ErrorKind;

use crate::{ROOM, SOME, open, payloads, record};

fn segments(directory: &Path) -> Vec<PathBuf> {
    let names = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let mut names: Vec<_> = names.filter(|path| path.extension().is_some_and(|is| is == "spool")).collect();
    names.sort();
    names
}

/// A spool that holds these, closed again, and the path of its segment.
async fn closed_with(directory: &Path, texts: &[&str]) -> PathBuf {
    let (spool, reader) = open(directory, ROOM);
    for text in texts {
        spool.append(&[record(text)]).await.unwrap();
    }
    drop((spool, reader));
    segments(directory).pop().unwrap()
}

#[tokio::test]
async fn a_directory_that_is_away_is_an_outage_and_the_spool_works_when_it_is_back() {
    let parent = tempfile::tempdir().unwrap();
    let (directory, away) = (parent.path().join("spool"), parent.path().join("away"));
    let (spool, mut reader) = open(&directory, ROOM);
    fs::rename(&directory, &away).unwrap();
    let error = spool.append(&[record("lost")]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().contains(".spool"), "{error}");
    fs::rename(&away, &directory).unwrap();
    spool.append(&[record("a")]).await.unwrap();
    let chunk = reader.next(SOME).await.unwrap();
    assert_eq!(payloads(&chunk), ["a"]);
    fs::rename(&directory, &away).unwrap();
    assert_eq!(reader.advance(chunk.end).unwrap_err().kind(), ErrorKind::Unavailable);
    assert_eq!(reader.next(SOME).await.unwrap_err().kind(), ErrorKind::Unavailable);
    fs::rename(&away, &directory).unwrap();
    assert_eq!(payloads(&reader.next(SOME).await.unwrap()), ["a"]);
}

#[tokio::test]
async fn what_was_cut_off_at_the_end_costs_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let segment = closed_with(directory.path(), &["a", "b"]).await;
    let whole = fs::read(&segment).unwrap();
    for cut in 1..=whole.len() {
        fs::write(&segment, &whole[..whole.len() - cut]).unwrap();
        let (spool, mut reader) = open(directory.path(), ROOM);
        spool.append(&[record("c")]).await.unwrap();
        let (mut read, mut damaged) = (Vec::new(), 0);
        while read.last().is_none_or(|last| last != "c") {
            let chunk = reader.next(SOME).await.unwrap();
            read.extend(payloads(&chunk).into_iter().map(str::to_owned));
            damaged += chunk.damaged;
            reader.advance(chunk.end).unwrap();
        }
        let frame = (whole.len() - 8) / 2;
        let expected: &[&str] = match cut {
            cut if cut <= frame => &["a", "c"],
            _ => &["c"],
        };
        assert_eq!(read, expected, "cut by {cut}");
        assert!(damaged <= 1);
        // As it was before.
        drop((spool, reader));
        for path in segments(directory.path()) {
            fs::remove_file(path).unwrap();
        }
        for entry in fs::read_dir(directory.path()).unwrap() {
            let path = entry.unwrap().path();
            if path.file_name().unwrap().to_string_lossy().starts_with("reader-") {
                fs::write(path, "damaged: from the beginning").unwrap();
            }
        }
    }
}

#[tokio::test]
async fn a_flipped_bit_costs_its_record_and_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let segment = closed_with(directory.path(), &["one", "two", "three"]).await;
    let whole = fs::read(&segment).unwrap();
    let second = 8 + 36 + 3;
    for at in [second, second + 5, second + 20, second + 34, second + 37] {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x10;
        fs::write(&segment, damaged).unwrap();
        let (_spool, mut reader) = open(directory.path(), ROOM);
        let chunk = reader.next(SOME).await.unwrap();
        assert_eq!(payloads(&chunk), ["one", "three"], "byte {at}");
        assert!(chunk.damaged >= 1);
    }
}

#[tokio::test]
async fn a_segment_that_is_none_of_ours_is_told_and_passed() {
    let directory = tempfile::tempdir().unwrap();
    let segment = closed_with(directory.path(), &["a"]).await;
    fs::write(&segment, "something else, and long enough").unwrap();
    let (spool, mut reader) = open(directory.path(), ROOM);
    let chunk = reader.next(SOME).await.unwrap();
    assert_eq!((chunk.records.len(), chunk.damaged), (0, 1));
    reader.advance(chunk.end).unwrap();
    spool.append(&[record("b")]).await.unwrap();
    assert_eq!(payloads(&reader.next(SOME).await.unwrap()), ["b"]);
}

#[tokio::test]
async fn what_all_have_passed_is_given_back() {
    let directory = tempfile::tempdir().unwrap();
    let large = "x".repeat(40 << 20);
    let (spool, mut reader) = open(directory.path(), ROOM);
    for _ in 0..4 {
        spool.append(&[record(&large)]).await.unwrap();
    }
    assert_eq!(segments(directory.path()).len(), 2);
    for _ in 0..3 {
        let chunk = reader.next(1).await.unwrap();
        assert_eq!(chunk.records.len(), 1);
        reader.advance(chunk.end).unwrap();
    }
    assert_eq!(segments(directory.path()).len(), 1);
    assert!(spool.stats().bytes < 100 << 20);
    drop((spool, reader));
    let (_spool, mut reader) = open(directory.path(), ROOM);
    assert_eq!(reader.next(1).await.unwrap().records[0].payload.len(), large.len());
}
