//! What every dispatcher promises, asked of all of them.
//!
//! A [`Subject`] says how to reach one dispatcher's place and how to read there what arrived; [`trials`] makes one test of
//! every subject and every case. The suite expects everything: what a place cannot do is an [`Excuse`] of its subject,
//! with the reason, and shows as ignored.

/// These functions of a module as cases, by their names.
macro_rules! cases {
    ($($name:ident),+ $(,)?) => {
        [$($crate::dispatchers::Case { name: stringify!($name), run: |bench| Box::pin($name(bench)) }),+]
    };
}

mod bench;
mod events;
mod in_gnocchi;
mod made;
mod outage;
mod secrets;
mod values;
mod volumes;

use std::pin::Pin;
use std::sync::Arc;

use libtest_mimic::Trial;
use nephoscope_telemetry::{BoxFuture, ConnectionString, Dispatcher, Event, Result, Sample};

use crate::server::{Missing, Server};
use crate::suite::{Excuse, block_on, check_excuses, test_of};
use bench::Bench;
pub use in_gnocchi::in_gnocchi;

/// One dispatcher and one way to use it.
pub trait Subject: Send + Sync {
    /// What its tests begin with.
    fn name(&self) -> &'static str;

    /// A new and empty place for samples and events.
    fn place(&self) -> Result<Box<dyn Place>, Missing>;

    /// A sample that its place never takes. A subject without one has an excuse.
    fn unholdable(&self) -> Option<Sample> {
        let mut sample = made::sample("vm", "meter", 0, "1");
        sample.timestamp = "when it rained".into();
        Some(sample)
    }

    /// What is not expected of it.
    fn excuses(&self) -> &'static [Excuse];
}

/// Where the samples and events of one case are sent to.
pub trait Place: Send + Sync {
    /// The connection string. It should hold the [user](crate::server::USER) and the
    /// [password](crate::server::PASSWORD_ENCODED), where there can be any.
    fn url(&self) -> String;

    /// A dispatcher of this connection string.
    fn connect<'a>(&'a self, to: &'a ConnectionString) -> BoxFuture<'a, Result<Arc<dyn Dispatcher>>>;

    /// All that arrived, those of one meter and resource in the order in which the place has them.
    fn samples(&self) -> BoxFuture<'_, Vec<Arrived>>;

    /// All events that arrived. A place that has no use for events has an excuse.
    fn events(&self) -> BoxFuture<'_, Vec<Event>> {
        Box::pin(async { panic!("it has no use for events, and no excuse") })
    }

    /// Its server, when it can be taken away. A place without one has an excuse.
    fn server(&mut self) -> Option<&mut dyn Server> {
        None
    }
}

/// One value, as it is found where it was sent to.
#[derive(Clone, Debug, PartialEq)]
pub struct Arrived {
    /// The meter.
    pub meter: String,
    /// What was measured.
    pub resource_id: String,
    /// The project that it belongs to.
    pub project_id: Option<String>,
    /// The user that it belongs to.
    pub user_id: Option<String>,
    /// When, in milliseconds after 1970: finer than any place is asked for.
    pub millis: i64,
    /// The value.
    pub value: f64,
}

impl Arrived {
    /// What a place that keeps samples as they are has of one; nothing of one without a value.
    ///
    /// # Panics
    /// When its time cannot be read.
    pub fn of(sample: &Sample) -> Option<Self> {
        let time = nephoscope_telemetry::Timestamp::parse(&sample.timestamp).expect("it is a time");
        Some(Self {
            meter: sample.name.to_string(),
            resource_id: sample.resource_id.to_string(),
            project_id: sample.project_id.as_deref().map(str::to_owned),
            user_id: sample.user_id.as_deref().map(str::to_owned),
            millis: time.as_micros().div_euclid(1000),
            value: sample.value()?,
        })
    }
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
    cases.extend(values::cases());
    cases.extend(volumes::cases());
    cases.extend(events::cases());
    cases.extend(outage::cases());
    cases.extend(secrets::cases());
    cases
}

fn make_trial(subject: &Arc<dyn Subject>, case: &Case) -> Trial {
    let (tested, run) = (subject.clone(), case.run);
    test_of(subject.name(), subject.excuses(), case.name, move || {
        let place = tested.place()?;
        block_on(run(Bench::new(tested, place)));
        Ok(())
    })
}
