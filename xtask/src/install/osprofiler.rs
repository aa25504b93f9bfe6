//! The real OSProfiler, from PyPI.

use std::fs;
use std::process::Command;

use crate::run::{Outcome, root, say, step};

/// Two environments: OSProfiler with current clients, and SQLAlchemy 1.4 apart, which alone makes OSProfiler's SQL
/// driver store anything.
pub(super) fn environments() -> Outcome {
    let peers = root().join("target/peers");
    let requirements = root().join("crates/testkit/python");
    let wanted = ["requirements.txt", "requirements-sqlalchemy14.txt"].map(|name| requirements.join(name));
    let [current, old] = wanted.each_ref().map(|file| fs::read_to_string(file).unwrap_or_default());
    let stamp = peers.join("installed");
    let wanted_stamp = format!("{current}{old}");
    if fs::read_to_string(&stamp).is_ok_and(|found| found == wanted_stamp) {
        return Ok(());
    }
    say("installing OSProfiler from PyPI");
    let venv = peers.join("osprofiler");
    step("make a Python environment", Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv))?;
    let pip = || {
        let mut pip = Command::new(venv.join("bin/python"));
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]);
        pip
    };
    step("install OSProfiler", pip().arg(&wanted[0]))?;
    step("install SQLAlchemy 1.4", pip().arg(&wanted[1]).arg("--target").arg(peers.join("sqlalchemy14")))?;
    fs::write(stamp, wanted_stamp)
        .map_err(|error| format!("cannot write the stamp of the environment: {error}"))
}
