//! Installing what the tests and benchmarks run beside us.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::run::{Outcome, cargo, root, say, step, succeeds};

/// Debian packages: the real servers, and what OSProfiler's environment is made with.
const PACKAGES: [&str; 6] =
    ["redis-server", "redis-sentinel", "postgresql", "mariadb-server", "python3-venv", "openssl"];
/// While this exists and says 101, Debian installs a server without starting it.
const POLICY: &str = "/usr/sbin/policy-rc.d";
/// The version that the lock of its own pins; it reads `deny.toml` as it is.
const CARGO_DENY: &str = "0.20.2";

/// Installs servers and OSProfiler, unless they are there.
pub(crate) fn all() -> Outcome {
    debian_packages()?;
    osprofiler()
}

/// Installs cargo-deny, unless it is there.
pub(crate) fn cargo_deny() -> Outcome {
    if succeeds("cargo", &["deny", "--version"]) {
        return Ok(());
    }
    step("install cargo-deny", &mut cargo(&["install", "cargo-deny", "--locked", "--version", CARGO_DENY]))
}

fn debian_packages() -> Outcome {
    let installed = |package: &&str| succeeds("dpkg", &["--status", package]);
    let missing: Vec<&str> = PACKAGES.into_iter().filter(|package| !installed(package)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let root_command = || -> Outcome<Command> {
        if succeeds("test", &["-w", "/usr/sbin"]) {
            Ok(Command::new("env"))
        } else if succeeds("sudo", &["--non-interactive", "true"]) {
            let mut sudo = Command::new("sudo");
            sudo.args(["--non-interactive", "env"]);
            Ok(sudo)
        } else {
            Err(format!("needs root to install {}; run: apt-get install {0}", missing.join(" ")))
        }
    };
    let policy = !Path::new(POLICY).exists();
    if policy {
        let write = format!("printf '#!/bin/sh\\nexit 101\\n' > {POLICY} && chmod 755 {POLICY}");
        step("keep new servers from starting", root_command()?.args(["sh", "-c", &write]))?;
    }
    let apt = |arguments: &[&str]| -> Outcome<Command> {
        let mut apt = root_command()?;
        apt.args(["DEBIAN_FRONTEND=noninteractive", "apt-get", "-o", "DPkg::Lock::Timeout=600", "--quiet=2"]);
        apt.args(arguments);
        Ok(apt)
    };
    let mut install = vec!["install", "--yes", "--no-install-recommends"];
    install.extend(&missing);
    let outcome = step("update the package lists", &mut apt(&["update"])?)
        .and_then(|()| step(&format!("install {}", missing.join(" ")), &mut apt(&install)?));
    if policy {
        step("let servers start again", root_command()?.args(["rm", POLICY]))?;
    }
    outcome
}

/// Two environments: OSProfiler with current clients, and SQLAlchemy 1.4 apart, which alone makes OSProfiler's SQL
/// driver store anything.
fn osprofiler() -> Outcome {
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
