//! Any bytes are a batch, and any batch is a report that can be written and read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nephoscope_telemetry::{Batch, Points, Report};

fuzz_target!(|bytes: &[u8]| {
    let report = Points::from(Batch::read(bytes).points).into_report();
    let text = report.to_json();
    assert_eq!(Report::from_json(&text).expect("it is what we wrote").to_json(), text);
});
