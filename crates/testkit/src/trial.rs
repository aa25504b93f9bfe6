//! Tests that show as ignored, with the reason, where a program they need is not installed.

use std::process::ExitCode;

use libtest_mimic::{Arguments, Completion, Failed, Trial};

use crate::server::{self, Missing};

/// A test that fails by a panic, and is ignored when something is [`Missing`] and not [`required`](server::required).
pub fn trial(name: impl Into<String>, test: impl FnOnce() -> Result<(), Missing> + Send + 'static) -> Trial {
    Trial::ignorable_test(name, move || match test() {
        Ok(()) => Ok(Completion::Completed),
        Err(missing) if server::required() => Err(Failed::from(missing)),
        Err(missing) => Ok(Completion::ignored_with(missing)),
    })
}

/// The body of `main` of a test binary without a harness: runs the tests that the command line asks for.
pub fn conclude(trials: Vec<Trial>) -> ExitCode {
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
