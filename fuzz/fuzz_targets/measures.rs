//! Any bytes are measures or an error, in each of the three forms of bodies; what is read is from 1970 or later.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nephoscope_gnocchi::{Measure, Timestamp, read_measures, read_metric_measures, read_resource_measures};

fn check(measures: &[Measure]) {
    assert!(measures.iter().all(|measure| measure.timestamp >= Timestamp::EPOCH));
}

fuzz_target!(|body: &[u8]| {
    let now = Timestamp::from_nanos(1_577_836_800_000_000_000);
    if let Ok(measures) = read_measures(body, now) {
        check(&measures);
        // What is read is JSON to everybody, but for the three words that only Python takes.
        let text = String::from_utf8_lossy(body);
        if !text.contains("NaN") && !text.contains("Infinity") {
            assert!(serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok(), "{text}");
        }
    }
    for (_, measures) in read_metric_measures(body, now).unwrap_or_default() {
        check(&measures);
    }
    for resource in read_resource_measures(body, now).unwrap_or_default() {
        resource.metrics.values().for_each(|(_, measures)| check(measures));
    }
});
