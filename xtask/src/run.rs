//! Running programs.

use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

/// What a step comes to: nothing, or what went wrong.
pub(crate) type Outcome<T = ()> = Result<T, String>;

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    let xtask = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().expect("xtask is a folder of the repository").into()
}

/// Tells the person who waits.
#[expect(clippy::print_stderr, reason = "this is a tool for a terminal")]
pub(crate) fn say(text: &str) {
    eprintln!("{text}");
}

/// The cargo that runs this.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(root()).args(arguments);
    command
}

/// The Python that has OSProfiler.
pub(crate) fn python() -> Command {
    let mut command = Command::new(root().join("target/peers/osprofiler/bin/python"));
    command.current_dir(root());
    command
}

/// Runs a program to its end, which has to be a good one, and tells how long it took.
pub(crate) fn step(name: &str, command: &mut Command) -> Outcome {
    say(&format!("==> {name}"));
    let began = Instant::now();
    let status = command
        .status()
        .map_err(|error| format!("{name}: cannot run {:?}: {error}", command.get_program()))?;
    say(&format!("<== {name}: {:.0} s", began.elapsed().as_secs_f64()));
    if status.success() { Ok(()) } else { Err(format!("{name}: {status}")) }
}

/// Whether a program runs and ends well, without its output.
pub(crate) fn succeeds(program: &str, arguments: &[&str]) -> bool {
    Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success())
}
