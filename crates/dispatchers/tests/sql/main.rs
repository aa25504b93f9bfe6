//! The dispatcher of SQL databases on real ones. A case runs on each; what is not installed shows as ignored.

#![expect(clippy::unwrap_used, reason = "what goes wrong in a test is a failed test")]

mod cases;
mod database;
mod documented;
mod faults;
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
    let cases: [(&str, Case); 15] = [
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
        ("what_a_constraint_or_a_trigger_refuses_is_refused_alone", faults::of_data),
        ("what_is_wrong_with_the_server_holds_all_samples_up", faults::of_the_server),
        ("an_unknown_error_is_about_a_sample_where_others_are_taken", faults::unknown),
        ("a_wrong_connection_string_is_told_without_its_password", cases::wrong),
    ];
    let of_kind = |kind: Kind, name: &str, case: Case| {
        let servers = servers.clone();
        trial(format!("{}::{name}", kind.name()), move || {
            case(&servers.place(kind)?);
            Ok(())
        })
    };
    let mut trials: Vec<Trial> = Vec::new();
    for kind in Kind::ALL {
        trials.extend(cases.map(|(name, case)| of_kind(kind, name, case)));
    }
    // A file has no sequences, and one writer at a time.
    let of_servers: [(&str, Case); 2] = [
        ("an_unknown_error_that_passes_costs_nothing", faults::hiccup),
        ("who_loses_a_deadlock_tries_again", faults::deadlock),
    ];
    for kind in [Kind::Postgres, Kind::Mysql] {
        trials.extend(of_servers.map(|(name, case)| of_kind(kind, name, case)));
    }
    trials.extend(outage::trials());
    conclude(trials)
}
