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
use std::time::Duration;

use libtest_mimic::{Completion, Trial};
use nephoscope_telemetry::{Registry, TracePoint};

use crate::server::{Missing, Server};
use crate::trial;
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

/// Why a case is not asked of a subject.
#[derive(Clone, Copy, Debug)]
pub struct Excuse {
    /// The name of the case.
    pub case: &'static str,
    /// The reason, as it is shown.
    pub reason: &'static str,
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

/// A case that takes longer hangs; the slowest takes a tenth of it on a slow machine.
const TIME_LIMIT: Duration = Duration::from_secs(120);

/// One test of every subject and every case.
///
/// # Panics
/// When an excuse is for a case that does not exist: it excuses nothing, and hides that the case was renamed.
pub fn trials(registry: &Registry, subjects: &[Arc<dyn Subject>]) -> Vec<Trial> {
    let cases = all_cases();
    for subject in subjects {
        for excuse in subject.excuses() {
            let known = cases.iter().any(|case| case.name == excuse.case);
            assert!(known, "{} has an excuse for {}, which is no case", subject.name(), excuse.case);
        }
    }
    let of_subject = |subject: &Arc<dyn Subject>| {
        let subject = subject.clone();
        cases.iter().map(move |case| make_trial(registry.clone(), subject.clone(), case)).collect::<Vec<_>>()
    };
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

fn make_trial(registry: Registry, subject: Arc<dyn Subject>, case: &Case) -> Trial {
    let name = format!("{}::{}", subject.name(), case.name);
    if let Some(excuse) = subject.excuses().iter().find(|excuse| excuse.case == case.name) {
        return Trial::ignorable_test(name, || Ok(Completion::ignored_with(excuse.reason)));
    }
    let (own_server, run) = (case.own_server, case.run);
    trial(name, move || {
        let place = if own_server { subject.place_of_its_own() } else { subject.place() }?;
        block_on(run(Bench::new(registry, subject, place)));
        Ok(())
    })
}

/// Runs a case to its end, which has to come in time.
pub(crate) fn block_on(case: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("threads can be started");
    let ended = runtime.block_on(async { tokio::time::timeout(TIME_LIMIT, case).await });
    assert!(ended.is_ok(), "it hangs: no end within {TIME_LIMIT:?}");
}
