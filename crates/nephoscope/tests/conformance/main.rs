//! Drivers and dispatchers whose place is this binary, held to the promises of all of them: `testkit`'s suites over
//! `nephoscope serve`. And a driver that is tried by this binary, as what it asks has to be put in place around a process.

mod ceilometer;
mod dispatchers;
mod mongodb_srv;
mod nephoscope;
mod otlp;

use std::path::Path;
use std::process::ExitCode;

use nephoscope_testkit::Excuse;
use nephoscope_testkit::conclude;
use nephoscope_testkit::conformance::trials;
use nephoscope_testkit::server::NephoscopeServer;

fn main() -> ExitCode {
    let mut all =
        trials(&nephoscope_drivers::registry(), &[nephoscope::subjects(), otlp::subjects()].concat());
    all.extend(trials(&ceilometer::registry(), &ceilometer::subjects()));
    all.extend(ceilometer::trials());
    all.extend(mongodb_srv::trials());
    all.extend(nephoscope_testkit::dispatchers::trials(&dispatchers::subjects()));
    conclude(all)
}

/// A daemon with an empty store, and this in its configuration.
fn serve(configuration: &str) -> NephoscopeServer {
    NephoscopeServer::start(Path::new(env!("CARGO_BIN_EXE_nephoscope")), configuration)
}

const fn excuse(case: &'static str, reason: &'static str) -> Excuse {
    Excuse { case, reason }
}
