//! The embedded store and this client, held to one suite: `testkit`'s conformance suite of the trait `Gnocchi`.
//!
//! The client is held to it before the real Gnocchi, which is always right, and before our own server, with everything it can
//! do and with as little as earlier Gnocchis could.

mod embedded;
mod ours;
mod real;

use std::process::ExitCode;
use std::sync::Arc;

use nephoscope_gnocchi::{Creator, Gnocchi};
use nephoscope_gnocchi_client::connect;
use nephoscope_store::{Options, Store};
use nephoscope_telemetry::ConnectionString;
use nephoscope_testkit::gnocchi::conformance::{Subject, trials};
use nephoscope_testkit::{Trial, conclude};

use embedded::Embedded;
use ours::Ours;
use real::Real;

/// What differs before early Gnocchis: how measures get in.
const OF_MEASURES: [&str; 10] = [
    "::a_batch_is_stored_whole_or_not_at_all",
    "::a_deleted_metric_is_gone",
    "::a_metric_for_which_there_is_no_policy_is_refused",
    "::a_resource_has_any_name",
    "::an_empty_batch_is_stored",
    "::measures_go_to_the_metrics_of_resources",
    "::metrics_are_made_where_it_is_said_so",
    "::metrics_that_are_not_there_are_told",
    "::resources_that_are_not_there_are_told_and_made_metrics_stay",
    "::what_is_stored_is_read",
];

fn main() -> ExitCode {
    let mut all = trials(&[Arc::new(Embedded), Arc::new(Real), Arc::new(Ours::AsItIs)]);
    let early = [Ours::WithoutCreating, Ours::WithoutBatches, Ours::WithoutNames];
    let early = trials(&early.map(|early| Arc::new(early) as Arc<dyn Subject>));
    let is_about_measures = |trial: &Trial| OF_MEASURES.iter().any(|case| trial.name().ends_with(case));
    all.extend(early.into_iter().filter(is_about_measures));
    conclude(all)
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
