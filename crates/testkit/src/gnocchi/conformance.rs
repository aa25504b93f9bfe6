//! What every implementation of the trait [`Gnocchi`] promises, asked of all of them.
//!
//! A [`Subject`] says how to reach one; [`trials`] makes one test of every subject and every case. A real Gnocchi is a
//! subject, too: what it does is right. Others' things may be there, so each case gives its own names of its own.

/// These functions of a module as cases, by their names.
macro_rules! cases {
    ($($name:ident),+ $(,)?) => {
        [$($crate::gnocchi::conformance::Case { name: stringify!($name), run: |bench| Box::pin($name(bench)) }),+]
    };
}

mod aggregates;
mod batches;
mod bench;
mod measures;
mod metrics;
mod names;
mod policies;
mod resource_types;
mod resources;
mod revisions;
mod rules;
mod search;

use std::any::Any;
use std::pin::Pin;
use std::sync::Arc;

use libtest_mimic::Trial;
use nephoscope_gnocchi::Gnocchi;

use crate::server::Missing;
use crate::suite::{Excuse, block_on, check_excuses, test_of};
use bench::Bench;

/// A list has at most so many items at a time where a [`Subject`] has parts of lists at all: its server is set up so.
pub const MAX_LIMIT: usize = 7;

/// One implementation of the trait, and one way to use it.
pub trait Subject: Send + Sync {
    /// What its tests begin with.
    fn name(&self) -> &'static str;

    /// What it takes to open it, which is done by the future: it may use what is around it.
    fn place(&self) -> Result<Opening, Missing>;

    /// What is not expected of it.
    fn excuses(&self) -> &'static [Excuse] {
        &[]
    }
}

/// A [`Place`] being opened.
pub type Opening = Pin<Box<dyn Future<Output = Place> + Send>>;

/// A Gnocchi for one case.
pub struct Place {
    /// As the administrator `admin` sees it.
    pub gnocchi: Arc<dyn Gnocchi>,
    /// As the user `other` sees it.
    pub other: Arc<dyn Gnocchi>,
    /// What has to live as long as the place, such as a directory.
    pub keep: Box<dyn Any + Send>,
}

/// One promise.
struct Case {
    name: &'static str,
    run: fn(Bench) -> Pin<Box<dyn Future<Output = ()>>>,
}

/// One test of every subject and every case.
///
/// # Panics
/// When an excuse is for a case that does not exist: it excuses nothing, and hides that the case was renamed.
pub fn trials(subjects: &[Arc<dyn Subject>]) -> Vec<Trial> {
    let cases = all_cases();
    for subject in subjects {
        check_excuses(subject.name(), subject.excuses(), cases.iter().map(|case| case.name));
    }
    let of_subject = |subject| cases.iter().map(move |case| make_trial(subject, case));
    subjects.iter().flat_map(of_subject).collect()
}

fn all_cases() -> Vec<Case> {
    let mut cases = Vec::new();
    cases.extend(policies::cases());
    cases.extend(rules::cases());
    cases.extend(resource_types::cases());
    cases.extend(resources::cases());
    cases.extend(names::cases());
    cases.extend(revisions::cases());
    cases.extend(search::cases());
    cases.extend(metrics::cases());
    cases.extend(measures::cases());
    cases.extend(batches::cases());
    cases.extend(aggregates::cases());
    cases
}

fn make_trial(subject: &Arc<dyn Subject>, case: &Case) -> Trial {
    let (tested, run) = (subject.clone(), case.run);
    test_of(subject.name(), subject.excuses(), case.name, move || {
        let opening = tested.place()?;
        block_on(async move { run(Bench::new(opening.await)).await });
        Ok(())
    })
}
