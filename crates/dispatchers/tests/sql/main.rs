//! The dispatcher of SQL databases on real ones. A case runs on each; what is not installed shows as ignored.

#![expect(clippy::unwrap_used, reason = "what goes wrong in a test is a failed test")]

mod cases;
mod database;
mod documented;
mod hold;
mod outage;
mod roundtrip;

use std::process::ExitCode;
use std::sync::Arc;

use database::{Kind, Servers};
use nephoscope_testkit::{Trial, conclude, trial};

/// A case, for every kind of database.
type Case = fn(&database::Place);

fn main() -> ExitCode {
    let servers = Arc::new(Servers::default());
    let cases: [(&str, Case); 12] = [
        ("samples_come_out_as_they_went_in", roundtrip::samples),
        ("events_come_out_as_they_went_in", roundtrip::events),
        ("the_queries_of_the_document_answer", documented::queries),
        ("what_comes_twice_is_there_once", cases::twice),
        ("an_event_keeps_the_traits_that_it_came_with", cases::other_traits),
        ("an_event_is_there_with_its_traits_or_not_at_all", cases::whole),
        ("a_batch_of_thousands_keeps_its_order", cases::order),
        ("traits_go_with_their_event", cases::retention),
        ("collectors_that_start_together_make_the_tables_once", cases::together),
        ("tables_of_others_are_left_alone", cases::foreign),
        ("what_can_never_be_held_is_refused_alone", hold::refused),
        ("a_wrong_connection_string_is_told_without_its_password", cases::wrong),
    ];
    let mut trials: Vec<Trial> = Vec::new();
    for kind in Kind::ALL {
        for (name, case) in cases {
            let servers = servers.clone();
            trials.push(trial(format!("{}::{name}", kind.name()), move || {
                case(&servers.place(kind)?);
                Ok(())
            }));
        }
    }
    trials.extend(outage::trials());
    conclude(trials)
}
