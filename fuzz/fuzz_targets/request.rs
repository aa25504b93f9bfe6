//! Any request gets an answer of Gnocchi's API: no panic, no failure, in time and not without end.
#![no_main]

#[path = "../../crates/server/tests/requests/api.rs"]
mod api;
#[path = "../../crates/server/tests/requests/asked.rs"]
mod asked;
#[path = "../../crates/server/tests/requests/bodies.rs"]
mod bodies;
#[path = "../../crates/server/tests/requests/choices.rs"]
mod choices;

use std::cell::RefCell;

use api::Api;
use libfuzzer_sys::fuzz_target;

/// Inputs that one store takes: so many that opening it costs little, and so few that what they leave there does not add up.
const INPUTS_OF_A_STORE: usize = 2_000;

thread_local! {
    static SERVED: RefCell<(Option<Api>, usize)> = const { RefCell::new((None, 0)) };
}

fuzz_target!(|bytes: &[u8]| SERVED.with_borrow_mut(|(api, inputs)| {
    if *inputs % INPUTS_OF_A_STORE == 0 {
        *api = None;
    }
    *inputs += 1;
    let _statuses = api.get_or_insert_with(Api::new).ask_all(bytes);
}));
