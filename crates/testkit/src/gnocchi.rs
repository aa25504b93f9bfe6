//! Gnocchi's own functional suite, and what talks to a Gnocchi.
//!
//! `cargo xtask servers` makes the Python environments of both below `target/peers`. [`conformance`] holds whatever
//! implements the trait [`Gnocchi`](nephoscope_gnocchi::Gnocchi) to one behaviour.

pub mod conformance;

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::server::{Missing, run};

/// The Python of an environment below `target/peers`.
pub(crate) fn python(environment: &'static str) -> Result<PathBuf, Missing> {
    let peers = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/peers");
    let python = peers.join(environment).join("bin/python");
    if python.is_file() { Ok(python) } else { Err(Missing::Server { name: environment }) }
}

/// A program of `crates/testkit/python` in an environment.
pub(crate) fn script(environment: &'static str, name: &str) -> Result<Command, Missing> {
    let mut command = Command::new(python(environment)?);
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("python").join(name));
    command.env("PYTHONDONTWRITEBYTECODE", "1").current_dir("/");
    Ok(command)
}

/// The names of the files of the functional suite, as a JSON list.
pub fn functional_files() -> Result<String, Missing> {
    let mut command = script("gnocchi", "gabbits.py")?;
    command.arg("list");
    Ok(run(command))
}

/// What a file of the functional suite came to, as one JSON object: how many tests `passed`, and those that `failed`, each
/// with its `name` and the `reason`.
///
/// The server is as the file expects it: empty, with the settings of
/// [`GnocchiOptions::functional`](crate::server::GnocchiOptions::functional).
pub fn functional_suite(file: &str, url: &str) -> Result<String, Missing> {
    let mut command = script("gnocchi", "gabbits.py")?;
    command.args([file, url]);
    Ok(run(command))
}

/// What `aodh`, `cloudkitty` or `watcher` read by their own code, or `grafana` by the requests of its plugin. As [`client`]; see
/// `python/gnocchi_consumers.py`.
pub fn consumer(service: &str, url: &str) -> Result<String, Missing> {
    let mut command = script("gnocchiconsumers", "gnocchi_consumers.py")?;
    command.args([service, url]);
    Ok(run(command))
}

/// What came of the work that a client did, as a JSON list of steps, each what was asked and what came of it, without what
/// differs from run to run. The client is `openstack`, `library` or `ceilometer`; see `python/gnocchi_clients.py`.
pub fn client(client: &str, url: &str) -> Result<String, Missing> {
    let mut command = script("gnocchiclient", "gnocchi_clients.py")?;
    command.args([client, url]);
    Ok(run(command))
}
