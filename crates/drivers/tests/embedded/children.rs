//! Tests of this binary as processes of their own.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

const STORE: &str = "NEPHOSCOPE_TEST_CHILD_STORE";

/// An ignored test of this binary as a process that works on a store.
pub(crate) fn child(test: &str, store: &Path) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args([test, "--exact", "--ignored", "--nocapture"]).env(STORE, store);
    command
}

/// The store that this process was started for.
pub(crate) fn store() -> PathBuf {
    env::var_os(STORE).expect("this is started as a child by another test").into()
}
