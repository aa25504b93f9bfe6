//! Any text is a saved report or an error, and a saved report survives its own text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nephoscope_telemetry::Report;

fuzz_target!(|text: &str| {
    if let Ok(report) = Report::from_json(text) {
        let text = report.to_json();
        assert_eq!(Report::from_json(&text).expect("it is what we wrote").to_json(), text);
    }
});
