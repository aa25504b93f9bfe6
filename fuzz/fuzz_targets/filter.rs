//! Any text and any JSON is a condition on resources or an error, and one that is written is read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nephoscope_gnocchi::Filter;
use serde_json::Value;

fuzz_target!(|text: &str| {
    let read = Filter::from_text(text).ok();
    let json = serde_json::from_str::<Value>(text).ok().and_then(|json| Filter::from_json(&json).ok());
    for filter in [read, json].into_iter().flatten() {
        let written = filter.to_json();
        let again = Filter::from_json(&written).unwrap_or_else(|error| panic!("{error}: {written}"));
        assert_eq!(again.to_json(), written);
    }
});
