//! Who may open what.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use nephoscope_telemetry::ErrorKind;

use crate::children::{child, store};
use crate::points::{Chance, START, request};
use crate::{chain, list, open};

#[tokio::test]
async fn a_store_opened_twice_is_a_conflict_until_it_is_closed_or_dropped() {
    let directory = tempfile::tempdir().unwrap();
    let first = open(directory.path()).await.unwrap();
    let error = open(directory.path()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    let text = error.to_string();
    assert!(text.contains("this process has it open already"), "{text}");
    assert!(text.contains(directory.path().to_str().unwrap()), "{text}");
    first.close().await.unwrap();
    let second = open(directory.path()).await.unwrap();
    let closed = first.notify(&request(&mut Chance(1), START, 1)).await.unwrap_err();
    assert!(closed.to_string().contains("closed"), "{closed}");
    drop(second);
    open(directory.path()).await.unwrap();
}

#[tokio::test]
#[ignore = "the child of a test"]
async fn says_why_it_cannot_open() {
    let error = open(&store()).await.unwrap_err();
    println!("\n{:?} {}", error.kind(), chain(&error));
}

#[tokio::test]
async fn another_process_is_told_which_one_has_the_store() {
    let directory = tempfile::tempdir().unwrap();
    let _open = open(directory.path()).await.unwrap();
    let output = child("opening::says_why_it_cannot_open", directory.path())
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let expected = format!("process {} has it open: stop it or use its HTTP API", std::process::id());
    assert!(said.contains("Conflict") && said.contains(&expected), "{said}");
}

fn names(path: &Path) -> Vec<String> {
    let names = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.collect()
}

#[tokio::test]
async fn a_directory_of_someone_else_is_refused_and_not_littered() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("letter.txt"), "dear").unwrap();
    let error = open(directory.path()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("letter.txt"), "{error}");
    assert_eq!(names(directory.path()), ["letter.txt"]);
}

#[tokio::test]
async fn a_file_is_no_store() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let error = open(file.path()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config, "{}", chain(&error));
}

#[tokio::test]
async fn a_format_of_the_future_is_refused_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    open(directory.path()).await.unwrap();
    fs::write(directory.path().join("format"), "nephoscope trace store 3\n").unwrap();
    let error = open(directory.path()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("format 3"), "{error}");
    fs::write(directory.path().join("format"), "rubbish").unwrap();
    let error = open(directory.path()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.to_string().contains("nephoscope trace store 2"), "{error}");
}

#[tokio::test]
async fn a_first_opening_cut_short_is_begun_again() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("deep/traces");
    open(&path).await.unwrap();
    for step in ["format", "lock", "format.unfinished"] {
        fs::rename(path.join("engine"), path.join("engine.unfinished")).ok();
        if step != "format" {
            fs::remove_dir_all(path.join("engine.unfinished")).unwrap();
            fs::remove_file(path.join("format")).unwrap();
            fs::write(path.join(step), "").unwrap();
        }
        let driver = open(&path).await.unwrap();
        driver.notify(&request(&mut Chance(1), START, 1)).await.unwrap();
        assert_eq!(list(&*driver).await.len(), 1, "{step}");
    }
}
