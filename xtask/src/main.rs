//! The habits of this repository as commands.
//!
//! - `cargo xtask test`: installs what the tests need where it may, then runs all tests
//! - `cargo xtask check`: format, lints, docs, features, licences, then `test`; what CI runs
//! - `cargo xtask servers`: only installs: real servers from Debian and from source, the real OSProfiler and Gnocchi from PyPI
//! - `cargo xtask bench [ARGS]`: measures beside the real OSProfiler and Gnocchi; see `bench/README.md`

mod install;
mod run;

use std::process::ExitCode;

use run::{Outcome, cargo, step};

/// Features that have to build alone: one for each driver.
const FEATURES: [&str; 13] = [
    "ceilometer",
    "clickhouse",
    "elasticsearch",
    "embedded",
    "influxdb",
    "jaeger",
    "loginsight",
    "messaging",
    "mongodb",
    "nephoscope",
    "otlp",
    "redis",
    "sql",
];

/// The same for each dispatcher.
const DISPATCHERS: [&str; 6] = ["file", "gnocchi", "http", "otlp", "prometheus", "sql"];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (command, rest) =
        arguments.split_first().map_or(("", &[][..]), |(first, rest)| (first.as_str(), rest));
    let outcome = match command {
        "test" => test(rest),
        "check" => check(),
        "servers" => install::all(),
        "bench" => bench(rest),
        _ => Err("usage: cargo xtask test | check | servers | bench".into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            run::say(&format!("xtask: {problem}"));
            ExitCode::FAILURE
        }
    }
}

/// In CI a missing server fails the tests; elsewhere those that need it show as ignored, with the reason.
fn test(arguments: &[String]) -> Outcome {
    let in_ci = std::env::var_os("CI").is_some();
    match install::all() {
        Err(problem) if in_ci => return Err(problem),
        Err(problem) => run::say(&format!("xtask: going on without what could not be installed: {problem}")),
        Ok(()) => {}
    }
    let mut tests = cargo(&["test", "--workspace", "--no-fail-fast"]);
    tests.args(arguments);
    if in_ci {
        tests.env("NEPHOSCOPE_TEST_REQUIRE_SERVERS", "1");
    }
    step("tests", &mut tests)
}

fn check() -> Outcome {
    step("format", &mut cargo(&["fmt", "--all", "--check"]))?;
    let lints = ["clippy", "--workspace", "--all-targets", "--locked", "--", "--deny", "warnings"];
    step("lints", &mut cargo(&lints))?;
    let docs = ["doc", "--workspace", "--no-deps", "--document-private-items", "--locked"];
    step("docs", cargo(&docs).env("RUSTDOCFLAGS", "--deny warnings"))?;
    for feature in FEATURES {
        let alone = ["check", "--package", "nephoscope", "--no-default-features", "--features", feature];
        step(&format!("feature {feature} alone"), &mut cargo(&alone))?;
    }
    for dispatcher in DISPATCHERS {
        let alone =
            ["check", "-p", "nephoscope-dispatchers", "--no-default-features", "--features", dispatcher];
        step(&format!("dispatcher {dispatcher} alone"), &mut cargo(&alone))?;
    }
    install::cargo_deny()?;
    step("licences, bans and sources", &mut cargo(&["deny", "check", "bans", "licenses", "sources"]))?;
    test(&[])
}

fn bench(arguments: &[String]) -> Outcome {
    install::all()?;
    step("release build", &mut cargo(&["build", "--release", "--package", "nephoscope"]))?;
    let example = ["build", "--package", "nephoscope-testkit", "--example", "server"];
    step("servers of the tests", &mut cargo(&example))?;
    step("bench", run::python().arg("bench/compare.py").args(arguments))
}
