//! The embedded store and this client, held to one suite: `testkit`'s conformance suite of the trait `Gnocchi`.
//!
//! The client is held to it twice, before our own server and before the real Gnocchi, which is always right.

mod embedded;
mod ours;
mod real;

use std::process::ExitCode;
use std::sync::Arc;

use nephoscope_gnocchi::{Creator, Gnocchi};
use nephoscope_gnocchi_client::connect;
use nephoscope_store::{Options, Store};
use nephoscope_telemetry::ConnectionString;
use nephoscope_testkit::conclude;
use nephoscope_testkit::gnocchi::conformance::{Subject, trials};

fn main() -> ExitCode {
    let subjects: [Arc<dyn Subject>; 3] =
        [Arc::new(embedded::Embedded), Arc::new(ours::Ours), Arc::new(real::Real)];
    conclude(trials(&subjects))
}

/// A new store, and the directory that it is in.
fn store() -> (Store, tempfile::TempDir) {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let store = Store::open(&directory.path().join("store"), Options::default()).expect("it can be made");
    (store, directory)
}

fn creator(user: &str) -> Creator {
    Creator { user_id: user.into(), project_id: None }
}

/// The Gnocchi at a port of this machine, as that user sees it.
async fn remote(user: &str, port: u16, options: &str) -> Arc<dyn Gnocchi> {
    let text = format!("gnocchi://{user}@127.0.0.1:{port}{options}");
    let to = ConnectionString::parse(&text).expect("it is one");
    Arc::new(connect(&to).await.expect("nothing is asked yet"))
}
