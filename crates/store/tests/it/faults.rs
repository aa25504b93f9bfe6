//! What was acknowledged of the index is there after its disk failed in the middle of anything, and nothing is there by half.
//!
//! The index stands on an engine that writes its files itself, so the fault is put below the process: `faults/disk.c`.

use std::collections::BTreeMap;
use std::env;
use std::error::Error as _;
use std::path::Path;
use std::process::{Command, Stdio};

use nephoscope_gnocchi::{Error, Gnocchi, NamedMetric, NewResource, Page, ResourceChange};
use nephoscope_store::{Options, Session, Store};

use crate::crash::copy;
use crate::{creator, low};

const STORE: &str = "NEPHOSCOPE_TEST_FAULTY_STORE";
/// Every which operation is tried, where it is not as usual; `1` tries all.
const STEP: &str = "NEPHOSCOPE_TEST_FAULT_STEP";
/// As usual: each takes a process and two openings, and there are some hundreds.
const USUAL_STEP: usize = 7;
/// Resources that the child makes.
const RESOURCES: usize = 4;
/// The one before which it rewrites all tables.
const COMPACTED: usize = 2;

fn id(number: usize) -> String {
    format!("vm-{number}")
}

/// What is done to a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Made,
    Changed,
    Deleted,
}

/// What the child does, in order: of every two resources the first is deleted again.
fn steps() -> Vec<(Step, usize)> {
    let mut steps = Vec::new();
    for number in 0..RESOURCES {
        steps.extend([(Step::Made, number), (Step::Changed, number)]);
        if number % 2 == 1 {
            steps.push((Step::Deleted, number - 1));
        }
    }
    steps
}

async fn take(user: &Session, step: Step, number: usize) -> Result<(), Error> {
    let id = id(number);
    match step {
        Step::Made => {
            let metric = NamedMetric::New { archive_policy_name: Some("low".into()), unit: None };
            let metrics = ["a", "b"].map(|name| (name.to_owned(), metric.clone())).into_iter().collect();
            let new = NewResource { id, metrics, ..NewResource::default() };
            user.create_resource("generic", new).await.map(drop)
        }
        Step::Changed => {
            let change = ResourceChange { user_id: Some(Some("u".into())), ..ResourceChange::default() };
            user.update_resource("generic", &id, change).await.map(drop)
        }
        Step::Deleted => user.delete_resource("generic", &id).await,
    }
}

/// A line with the error and all that it is because of.
fn chain(error: &Error) -> String {
    let (mut text, mut source) = (error.to_string(), error.source());
    while let Some(error) = source {
        text.push_str(&format!(": {error}"));
        source = error.source();
    }
    text.replace('\n', " ")
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "the child of a test, with a disk that fails"]
async fn changes_things_on_a_disk_that_fails() {
    let directory = env::var_os(STORE).expect("this is started as a child by another test");
    let tell = |what: &str, outcome: Result<(), Error>| {
        let outcome = outcome.map_or_else(|error| chain(&error), |()| "done".into());
        println!("\ntold {what}: {outcome}");
    };
    let store = match Store::open(Path::new(&directory), Options::default()) {
        Ok(store) => store,
        Err(error) => return tell("open", Err(error)),
    };
    let user = store.as_user(creator("jd"));
    for (step, number) in steps() {
        if (step, number) == (Step::Made, COMPACTED) {
            tell("compact", store.compact().await);
        }
        tell(&format!("{step:?} {number}"), take(&user, step, number).await);
    }
}

/// What the child told of each thing that it did; nothing, when it had done all before the fault was met.
fn run(directory: &Path, library: &Path, kind: &str, at: usize) -> Option<BTreeMap<String, String>> {
    let met = directory.join("met");
    let mut command = Command::new(env::current_exe().expect("a test has a program"));
    command.args(["faults::changes_things_on_a_disk_that_fails", "--exact", "--ignored", "--nocapture"]);
    command.env(STORE, directory.join("store")).env("LD_PRELOAD", library);
    command.env("FAULTY_DIRECTORY", directory.join("store/index")).env("FAULTY_TOLD", &met);
    command.env("FAULTY_KIND", kind).env("FAULTY_AT", at.to_string());
    let output = command.stderr(Stdio::piped()).output().expect("the child starts");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{kind} {at}: {}\n{out}\n{err}", output.status);
    let told = out.lines().filter_map(|line| line.strip_prefix("told ")?.split_once(": "));
    met.exists().then(|| told.map(|(what, outcome)| (what.to_owned(), outcome.to_owned())).collect())
}

/// Holds what is there to what the child was told.
async fn check(directory: &Path, told: &BTreeMap<String, String>) {
    let store = Store::open(&directory.join("store"), Options::default()).expect("the disk is well again");
    let user = store.as_user(creator("jd"));
    assert_eq!(store.check().await.expect("it can be read"), Vec::<String>::new());
    assert_eq!(user.archive_policies().await.expect("it can be read").len(), 1);
    for number in 0..RESOURCES {
        let outcome = |step: Step| told.get(&format!("{step:?} {number}")).map(String::as_str);
        let is_done = |step| outcome(step) == Some("done");
        let was_tried = |step| outcome(step).is_some();
        let found = user.resource("generic", &id(number)).await;
        let Ok(resource) = found else {
            let may_be_gone = !is_done(Step::Made) || was_tried(Step::Deleted);
            assert!(may_be_gone, "{} is gone: {told:#?}", id(number));
            continue;
        };
        assert!(!is_done(Step::Deleted) && was_tried(Step::Made), "{} is there: {told:#?}", id(number));
        let names: Vec<_> = resource.metrics.keys().collect();
        assert_eq!(names, ["a", "b"], "{} is there by half", id(number));
        for metric in resource.metrics.values() {
            user.metric(*metric).await.expect("the metric of a resource is there");
        }
        let revisions = user.history("generic", &id(number), &Page::default()).await.expect("it has one");
        let is_changed = resource.user_id.is_some();
        assert_eq!(revisions.len(), 1 + usize::from(is_changed), "{} is changed by half", id(number));
        assert!(is_changed || !is_done(Step::Changed), "a change of {} is lost: {told:#?}", id(number));
    }
}

/// Who reads these knows what failed, where, and why.
fn check_words(directory: &Path, kind: &str, told: &BTreeMap<String, String>) {
    let cause = if kind == "fails" { "Input/output error" } else { "No space left on device" };
    let is_clear = |text: &String| {
        text.contains(cause)
            || text.contains("does not exist")
            || text.contains(&*directory.to_string_lossy())
    };
    for (what, outcome) in told.iter().filter(|(_, outcome)| *outcome != "done") {
        assert!(is_clear(outcome), "{kind}: {what}: {outcome}");
    }
}

fn library(directory: &Path) -> std::path::PathBuf {
    let library = directory.join("disk.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/faults/disk.c");
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(source).arg("-ldl");
    let compiled = compiler.status().expect("there is a C compiler, as for the build");
    assert!(compiled.success());
    library
}

async fn every_fault(kind: &str) {
    let step = env::var(STEP).map_or(USUAL_STEP, |step| step.parse().expect("it is a number"));
    let built = tempfile::tempdir().expect("there is room");
    let library = library(built.path());
    let begun = built.path().join("begun");
    let store = Store::open(&begun, Options::default()).expect("it is a new store");
    store.as_user(creator("jd")).create_archive_policy(low()).await.expect("it is the first");
    drop(store);
    let (mut at, mut failures) = (0, 0);
    loop {
        let directory = tempfile::tempdir().expect("there is room");
        let directory = directory.path();
        copy(&begun, &directory.join("store"));
        let Some(told) = run(directory, &library, kind, at) else { break };
        failures += told.values().filter(|outcome| *outcome != "done").count();
        check_words(directory, kind, &told);
        check(directory, &told).await;
        at += step;
    }
    assert!(failures > at / step / 4, "only {failures} failures by {} faults", at / step);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operation_that_fails_costs_no_change_that_was_acknowledged() {
    every_fault("fails").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_is_cut_short_costs_no_change_that_was_acknowledged() {
    every_fault("short").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_is_full_costs_no_change_that_was_acknowledged() {
    every_fault("full").await;
}
