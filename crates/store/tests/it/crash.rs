//! What was acknowledged of the index is there after a kill, and after damage to its journal.

use std::env;
use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use nephoscope_gnocchi::{Gnocchi, NewResource, Page, ResourceChange, ResourceSelection};
use nephoscope_store::{Options, Store};

use crate::{creator, low, new_metric};

const STORE: &str = "NEPHOSCOPE_TEST_CHILD_STORE";
/// How many rounds there are, where more are wanted than usual.
const ROUNDS: &str = "NEPHOSCOPE_TEST_CRASH_ROUNDS";
const WRITERS: usize = 3;

fn open(directory: &Path) -> Store {
    Store::open(directory, Options::default()).unwrap()
}

fn id(writer: usize, number: usize) -> String {
    format!("vm-{writer}-{number}")
}

/// Makes a resource with a metric, and gives it a second revision.
async fn make(store: &Store, id: &str) {
    let user = store.as_user(creator("jd"));
    let policy = nephoscope_gnocchi::NamedMetric::New { archive_policy_name: Some("low".into()), unit: None };
    let metrics = [("cpu".to_owned(), policy)].into_iter().collect();
    let new = NewResource { id: id.into(), metrics, ..NewResource::default() };
    user.create_resource("generic", new).await.unwrap();
    let change = ResourceChange { user_id: Some(Some("u".into())), ..ResourceChange::default() };
    user.update_resource("generic", id, change).await.unwrap();
}

/// How many resources there are of a writer, none of them in part but perhaps the last.
async fn made(store: &Store, writer: usize) -> usize {
    let user = store.as_user(creator("jd"));
    for number in 0.. {
        let id = id(writer, number);
        let Ok(resource) = user.resource("generic", &id).await else { return number };
        let revisions = user.history("generic", &id, &Page::default()).await.unwrap();
        if resource.user_id.is_none() {
            assert_eq!(revisions.len(), 1, "{id}");
            user.delete_resource("generic", &id).await.unwrap();
            return number;
        }
        assert_eq!(revisions.len(), 2, "{id}");
        user.metric(resource.metrics["cpu"]).await.unwrap();
    }
    unreachable!("there are enough numbers")
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "the child of a test, killed by it"]
async fn makes_resources_until_it_is_killed() {
    let directory = env::var_os(STORE).expect("this is started as a child by another test");
    let store = open(Path::new(&directory));
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..WRITERS {
        let store = store.clone();
        writers.spawn(async move {
            let first = made(&store, writer).await;
            for number in first.. {
                make(&store, &id(writer, number)).await;
                let line = format!("\nmade {writer} {number}\n");
                std::io::stdout().write_all(line.as_bytes()).unwrap();
                if number % 61 == 17 {
                    store.compact().await.unwrap();
                }
            }
        });
    }
    writers.join_all().await;
}

/// Lets a child write for a while, kills it, and notes what it said was made.
fn kill(directory: &Path, lifetime: Duration, made: &mut [usize]) {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["crash::makes_resources_until_it_is_killed", "--exact", "--ignored", "--nocapture"]);
    let mut child = command.env(STORE, directory).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let told = |line: String| -> Option<(usize, usize)> {
        let (writer, number) = line.strip_prefix("made ")?.split_once(' ')?;
        Some((writer.parse().ok()?, number.parse().ok()?))
    };
    let first = lines.by_ref().find_map(told).expect("it makes something");
    let killer = std::thread::spawn(move || {
        std::thread::sleep(lifetime);
        child.kill().unwrap();
        child.wait().unwrap();
    });
    for (writer, number) in [first].into_iter().chain(lines.filter_map(told)) {
        made[writer] = made[writer].max(number + 1);
    }
    killer.join().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_made_is_there_after_the_process_is_killed() {
    let rounds: u64 = env::var(ROUNDS).map_or(8, |rounds| rounds.parse().unwrap());
    let directory = tempfile::tempdir().unwrap();
    open(directory.path()).as_user(creator("jd")).create_archive_policy(low()).await.unwrap();
    let mut told = [0; WRITERS];
    for round in 0..rounds {
        kill(directory.path(), Duration::from_millis(round * 37 % 150), &mut told);
        let store = open(directory.path());
        for (writer, told) in told.iter().enumerate() {
            let made = made(&store, writer).await;
            assert!(made >= *told, "round {round}: {made} of {told} resources of {writer} are there");
        }
        assert_eq!(store.check().await.unwrap(), Vec::<String>::new(), "round {round}");
    }
    assert!(told.iter().sum::<usize>() as u64 > rounds, "only {told:?} were made");
}

pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &to),
            false => drop(fs::copy(entry.path(), to).unwrap()),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_within_the_journal_of_the_index_costs_its_change_and_no_later_one() {
    const RESOURCES: usize = 40;
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory.path().join("open"));
    let user = store.as_user(creator("jd"));
    for number in 0..RESOURCES {
        let new = NewResource { id: id(0, number), ..NewResource::default() };
        user.create_resource("generic", new).await.unwrap();
    }
    let journal = Path::new("index/0.jnl");
    let killed = directory.path().join("killed");
    copy(&directory.path().join("open"), &killed);
    let end = fs::read(killed.join(journal)).unwrap().iter().rposition(|byte| *byte != 0).unwrap() + 1;
    let mut damages = 0;
    for thousandths in (20..1_000).step_by(97) {
        let damaged = directory.path().join(format!("damaged {thousandths}"));
        copy(&killed, &damaged);
        let mut content = fs::read(killed.join(journal)).unwrap();
        content.truncate(end);
        content[end * thousandths / 1_000] ^= 1;
        let mut file = OpenOptions::new().write(true).truncate(true).open(damaged.join(journal)).unwrap();
        file.write_all(&content).unwrap();
        let store = open(&damaged);
        let user = store.as_user(creator("jd"));
        let left = user.resources("generic", &ResourceSelection::default()).await.unwrap().len();
        assert!(left >= RESOURCES - 2, "{left} are left by damage at {thousandths}");
        // Not every byte says something.
        assert!(left == RESOURCES || damaged.join("index/0.jnl.damaged").exists());
        damages += RESOURCES - left;
        user.add_metrics("generic", &id(0, RESOURCES - 1), vec![("cpu".into(), new_metric())])
            .await
            .expect_err("there is no rule");
        user.create_archive_policy(low()).await.unwrap();
    }
    assert!(damages > 0, "no damage did any");
}

#[tokio::test]
async fn after_a_close_the_journal_of_the_index_is_empty() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let journal = directory.path().join("index/0.jnl");
    store.as_user(creator("jd")).create_archive_policy(low()).await.unwrap();
    assert_ne!(fs::metadata(&journal).unwrap().len(), 0);
    drop(store);
    assert_eq!(fs::metadata(&journal).unwrap().len(), 0);
    assert_eq!(open(directory.path()).stats().await.unwrap().archive_policies, 1);
}
