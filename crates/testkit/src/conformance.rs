//! What every driver promises, asked of all of them.
//!
//! A [`Subject`] says how to reach one driver's backend; [`trials`] makes one test of every subject and every case.
//! The suite expects everything: what a backend cannot do is an [`Excuse`] of its subject, with the reason, and shows
//! as ignored. Every error that a case meets is searched for the secrets of the connection string as well.

/// These functions of a module as cases, by their names.
macro_rules! cases {
    ($own_server:literal, $($name:ident),+ $(,)?) => {
        [$($crate::conformance::Case {
            name: stringify!($name),
            own_server: $own_server,
            run: |bench| Box::pin($name(bench)),
        }),+]
    };
}

mod bench;
mod concurrency;
mod connecting;
mod copying;
mod errors;
mod listing;
mod outage;
mod purging;
mod round_trip;
mod traces;

use std::any::Any;
use std::pin::Pin;
use std::sync::Arc;

use libtest_mimic::Trial;
use nephoscope_telemetry::{Registry, TracePoint};

use crate::server::{Missing, Server};
use crate::suite::{Excuse, block_on, check_excuses, test_of};
use bench::Bench;
pub use copying::copies;

/// One driver and one way to use it.
pub trait Subject: Send + Sync {
    /// What its tests begin with.
    fn name(&self) -> &'static str;

    /// A new and empty place for traces. Its server may be shared with other places.
    fn place(&self) -> Result<Place, Missing>;

    /// The same on a [server](Place::server) that can be taken away. A subject without one has excuses for the cases
    /// that ask.
    fn place_of_its_own(&self) -> Result<Place, Missing> {
        self.place()
    }

    /// A point that its backend cannot hold, of the given trace. A subject without one has an excuse.
    fn unholdable(&self, _base_id: &str) -> Option<TracePoint> {
        None
    }

    /// What is not expected of it.
    fn excuses(&self) -> &'static [Excuse];
}

/// Where the traces of one case are kept.
#[derive(Default)]
pub struct Place {
    /// The connection string.
    pub url: String,
    /// The same with a wrong password.
    pub wrong_password: Option<String>,
    /// The same with a database that cannot be used.
    pub wrong_database: Option<String>,
    /// The server, when it is of this place alone.
    pub server: Option<Box<dyn Server>>,
    /// What has to live as long as the place, such as a directory.
    pub keep: Option<Box<dyn Any + Send>>,
}

/// One promise.
struct Case {
    name: &'static str,
    own_server: bool,
    run: fn(Bench) -> Pin<Box<dyn Future<Output = ()>>>,
}

/// One test of every subject and every case.
///
/// # Panics
/// When an excuse is for a case that does not exist: it excuses nothing, and hides that the case was renamed.
pub fn trials(registry: &Registry, subjects: &[Arc<dyn Subject>]) -> Vec<Trial> {
    let cases = all_cases();
    for subject in subjects {
        check_excuses(subject.name(), subject.excuses(), cases.iter().map(|case| case.name));
    }
    let of_subject = |subject| cases.iter().map(move |case| make_trial(registry, subject, case));
    subjects.iter().flat_map(of_subject).collect()
}

fn all_cases() -> Vec<Case> {
    let mut cases = Vec::new();
    cases.extend(round_trip::cases());
    cases.extend(listing::cases());
    cases.extend(errors::cases());
    cases.extend(concurrency::cases());
    cases.extend(connecting::cases());
    cases.extend(purging::cases());
    cases.extend(outage::cases());
    cases
}

fn make_trial(registry: &Registry, subject: &Arc<dyn Subject>, case: &Case) -> Trial {
    let (own_server, run) = (case.own_server, case.run);
    let (registry, tested) = (registry.clone(), subject.clone());
    test_of(subject.name(), subject.excuses(), case.name, move || {
        let place = if own_server { tested.place_of_its_own() } else { tested.place() }?;
        block_on(run(Bench::new(registry, tested, place)));
        Ok(())
    })
}
