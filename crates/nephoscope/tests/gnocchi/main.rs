//! The daemon as a Gnocchi: its functional suite, its clients, and the real one beside.

mod clients;
mod commands;
mod conversation;
mod differential;
mod functional;
mod keystone;

use std::path::Path;
use std::process::ExitCode;

use nephoscope_testkit::conclude;
use nephoscope_testkit::server::NephoscopeServer;

/// Settings that the functional suite counts on; see
/// [`GnocchiOptions::functional`](nephoscope_testkit::server::GnocchiOptions::functional).
const FUNCTIONAL: &str = r#"
    [http]
    auth = "basic"
    max_limit = 7
    proxy_headers = true
    cors_allowed_origins = ["http://foobar.com"]
    [store]
    default_archive_policies = false
"#;

fn main() -> ExitCode {
    let trials = [
        functional::trials(),
        clients::trials(),
        commands::trials(),
        differential::trials(),
        keystone::trials(),
    ];
    conclude(trials.into_iter().flatten().collect())
}

/// A daemon with an empty store.
fn serve(configuration: &str) -> NephoscopeServer {
    NephoscopeServer::start(Path::new(env!("CARGO_BIN_EXE_nephoscope")), configuration)
}
