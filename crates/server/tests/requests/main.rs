//! Any request gets an answer of Gnocchi's API. The target `request` of the fuzzer asks the same.

mod api;
mod asked;
mod bodies;
mod choices;

use std::cell::RefCell;
use std::collections::BTreeMap;

use proptest::prelude::*;

use api::Api;

/// A minute on a busy machine; more with `PROPTEST_CASES`.
const CASES: u32 = 192;

#[test]
fn any_request_gets_an_answer_and_none_of_a_failure() {
    let api = Api::new();
    let cases = std::env::var("PROPTEST_CASES").map_or(CASES, |cases| cases.parse().expect("it is a number"));
    let statuses = RefCell::new(BTreeMap::new());
    proptest!(ProptestConfig::with_cases(cases), |(bytes in prop::collection::vec(any::<u8>(), 0..400))| {
        for status in api.ask_all(&bytes) {
            *statuses.borrow_mut().entry(status).or_insert(0) += 1;
        }
    });
    let statuses = statuses.into_inner();
    for wanted in [200, 201, 400, 404, 405] {
        assert!(statuses.get(&wanted).is_some_and(|count| *count >= cases / 16), "{statuses:?}");
    }
}
