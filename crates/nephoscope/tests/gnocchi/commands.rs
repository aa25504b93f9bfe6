//! `nephoscope policy`, which is to find no difference between the daemon and the real Gnocchi.

use std::process::Command;

use nephoscope_testkit::server::{GnocchiOptions, GnocchiServer, Missing};
use nephoscope_testkit::{Trial, trial};

/// What is done one after the other.
const COMMANDS: [&str; 16] = [
    "list",
    "create day -d granularity:1m,points:1440 -d timespan:30d,granularity:1h -b 2 -m mean -m rate:mean",
    "create usual -d points:10,timespan:10m -m +95pct -m -std",
    "create usual -d granularity:1s,points:1",
    "create twice -d granularity:60,points:1 -d granularity:1m,points:2",
    "list",
    "list --json",
    "show day",
    "show day --json",
    "show nobody",
    "update day -d granularity:1m,points:10 -d granularity:1h,points:20",
    "update day -d granularity:2m,points:10 -d granularity:1h,points:20",
    "update day -d granularity:1m,points:10",
    "update nobody -d granularity:1m,points:10",
    "delete day",
    "delete day",
];

pub(crate) fn trials() -> Vec<Trial> {
    vec![trial("commands::policy", policies_are_the_same)]
}

fn policies_are_the_same() -> Result<(), Missing> {
    let real = GnocchiServer::start(&GnocchiOptions::default())?;
    let ours = super::serve(super::clients::PLAIN);
    for command in COMMANDS {
        assert_eq!(run(command, ours.port()), run(command, real.port()), "{command}");
    }
    Ok(())
}

/// How a command ends, and what it says.
fn run(command: &str, port: u16) -> (Option<i32>, String, String) {
    let place = format!("gnocchi://admin@127.0.0.1:{port}");
    let output = Command::new(env!("CARGO_BIN_EXE_nephoscope"))
        .arg("policy")
        .args(command.split(' '))
        .args(["--connection-string", &place])
        .output()
        .expect("it can be started");
    let text = |bytes| String::from_utf8(bytes).expect("it is text").replace(&place, "PLACE");
    (output.status.code(), text(output.stdout), text(output.stderr))
}
