//! Packages of Debian.

use std::path::Path;
use std::process::Command;

use crate::run::{Outcome, step, succeeds};

/// Debian packages: the real servers, what OSProfiler's environment is made with, and who verifies the unit of systemd.
const PACKAGES: [&str; 14] = [
    "redis-server",
    "redis-sentinel",
    "postgresql",
    "mariadb-server",
    "rabbitmq-server",
    "influxdb",
    "clickhouse-server",
    "prometheus",
    "maven",
    "openjdk-17-jre-headless",
    "python3-venv",
    "systemd",
    "openssl",
    "unzip",
];
/// While this exists and says 101, Debian installs a server without starting it.
const POLICY: &str = "/usr/sbin/policy-rc.d";

/// Installs the packages that are missing.
pub(super) fn packages() -> Outcome {
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
