//! What the conformance suites have in common: every case is a test of every subject that is not excused from it.

use std::time::Duration;

use libtest_mimic::{Completion, Trial};

use crate::server::Missing;
use crate::trial;

/// A case that takes longer hangs; the slowest takes a tenth of it on a slow machine.
const TIME_LIMIT: Duration = Duration::from_secs(120);

/// Why a case is not asked of a subject.
#[derive(Clone, Copy, Debug)]
pub struct Excuse {
    /// The name of the case.
    pub case: &'static str,
    /// The reason, as it is shown.
    pub reason: &'static str,
}

/// Finds excuses for cases that do not exist.
///
/// # Panics
/// When there is one: it excuses nothing, and hides that the case was renamed.
pub(crate) fn check_excuses<'c>(subject: &str, excuses: &[Excuse], cases: impl Iterator<Item = &'c str>) {
    let known: Vec<_> = cases.collect();
    for Excuse { case, .. } in excuses {
        assert!(known.contains(case), "{subject} has an excuse for {case}, which is no case");
    }
}

/// A case as a test of a subject. With an excuse it shows as ignored, with the reason.
pub(crate) fn test_of(
    subject: &str,
    excuses: &[Excuse],
    case: &str,
    test: impl FnOnce() -> Result<(), Missing> + Send + 'static,
) -> Trial {
    let name = format!("{subject}::{case}");
    match excuses.iter().find(|excuse| excuse.case == case) {
        Some(&Excuse { reason, .. }) => {
            Trial::ignorable_test(name, move || Ok(Completion::ignored_with(reason)))
        }
        None => trial(name, test),
    }
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
