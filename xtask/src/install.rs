//! Installing what the tests and benchmarks run beside us.

mod debian;
mod go;
mod java;
mod osprofiler;
mod python;

use std::path::PathBuf;

use crate::run::{Outcome, cargo, step, succeeds};

/// The version that the lock of its own pins; it reads `deny.toml` as it is.
const CARGO_DENY: &str = "0.20.2";

/// Installs servers and OSProfiler, unless they are there.
pub(crate) fn all() -> Outcome {
    debian::packages()?;
    go::servers()?;
    java::servers()?;
    osprofiler::environments()?;
    python::environments()
}

/// Where servers are kept that are no packages of Debian: shared by all working copies of a user, since building them
/// takes minutes. `testkit` looks for them at the same place.
fn cache() -> PathBuf {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = variable("XDG_CACHE_HOME").or_else(|| variable("HOME").map(|home| home.join(".cache")));
    cache.unwrap_or_else(std::env::temp_dir).join("nephoscope-test")
}

/// Installs cargo-deny, unless it is there.
pub(crate) fn cargo_deny() -> Outcome {
    if succeeds("cargo", &["deny", "--version"]) {
        return Ok(());
    }
    step("install cargo-deny", &mut cargo(&["install", "cargo-deny", "--locked", "--version", CARGO_DENY]))
}
