//! A full disk. A limit on the size of files stands for it: it needs no rights, and the engine sees a failing write
//! either way.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use nephoscope_telemetry::TracePoint;

use crate::children::{child, store};
use crate::points::{Chance, START, request};
use crate::{assert_list_and_points_agree, list, open};

/// How large a file may get, in the units of `ulimit`: some batches fit, not all.
const LIMIT_KIB: u64 = 512;

fn batch(count: u64) -> Vec<TracePoint> {
    request(&mut Chance(count), START + count.cast_signed() * 1_000, 250)
}

/// Tells of each batch what became of it. After the first that found no room it reads all, and waits for a line
/// before it goes on.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "the child of a test, run with a limit on the size of files"]
async fn writes_until_there_is_no_room_and_on_when_there_is() {
    let driver = open(&store()).await.unwrap();
    let mut count = 0;
    let refused = loop {
        match driver.notify(&batch(count)).await {
            Ok(()) => println!("\nstored {count}"),
            Err(error) => break error,
        }
        count += 1;
    };
    println!("\nrefused {:?} {refused}", refused.kind());
    let _full_still = driver.notify(&batch(count)).await;
    println!("\nreadable {}", list(&*driver).await.len());
    std::io::stdin().lines().next().unwrap().unwrap();
    // The store is left alone for a moment after a failure, and says so.
    while let Err(error) = driver.notify(&batch(count)).await {
        println!("\nstill {error}");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    println!("\nstored {count}");
}

/// The rest of the next line that begins so.
fn said(lines: &mut impl Iterator<Item = String>, beginning: &str) -> String {
    let rest = lines.find_map(|line| line.strip_prefix(beginning).map(str::to_owned));
    rest.unwrap_or_else(|| panic!("the child ends without `{beginning}`"))
}

fn limited(directory: &Path) -> Command {
    let direct = child("room::writes_until_there_is_no_room_and_on_when_there_is", directory);
    let mut command = Command::new("bash");
    // Without the trap the signal that comes with the limit would end the process.
    let script = format!("trap '' XFSZ; ulimit -S -f {LIMIT_KIB}; exec \"$0\" \"$@\"");
    command.arg("-c").arg(script).arg(direct.get_program()).args(direct.get_args());
    command.envs(direct.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn without_room_writes_are_unavailable_and_go_on_when_there_is_room() {
    let directory = tempfile::tempdir().unwrap();
    // A new journal is made as large as it may get, which the limit would forbid: an empty disk is never that full.
    open(directory.path()).await.unwrap().close().await.unwrap();
    let mut child = limited(directory.path()).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stored = Vec::new();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let refused = loop {
        let line = lines.next().expect("the child comes to its limit");
        if let Some(count) = line.strip_prefix("stored ") {
            stored.push(count.parse::<u64>().unwrap());
        } else if let Some(refused) = line.strip_prefix("refused ") {
            break refused.to_owned();
        }
    };
    assert!(refused.starts_with("Unavailable") && refused.contains("no room is left"), "{refused}");
    assert!(!stored.is_empty(), "nothing fitted");
    let readable: usize = said(&mut lines, "readable ").parse().unwrap();
    assert!(readable >= stored.len(), "{readable} traces are readable of {}", stored.len());
    let lifted = Command::new("prlimit")
        .args(["--fsize=unlimited:unlimited", "--pid", &child.id().to_string()])
        .status();
    assert!(lifted.expect("prlimit is there, as util-linux is").success());
    writeln!(child.stdin.take().unwrap(), "there is room").unwrap();
    stored.push(said(&mut lines, "stored ").parse().unwrap());
    lines.for_each(drop);
    assert!(child.wait().unwrap().success());
    let driver = open(directory.path()).await.unwrap();
    for count in stored {
        let points = batch(count);
        assert_eq!(driver.points(&points[0].base_id).await.unwrap().good, points, "{count}");
    }
    assert_list_and_points_agree(&*driver).await;
}
