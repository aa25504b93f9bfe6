//! Any bytes are a trace point or an error, and a trace point survives its own text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nephoscope_telemetry::TracePoint;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(point) = TracePoint::from_json_bytes(bytes) {
        assert_eq!(TracePoint::from_json(&point.to_json()), Ok(point));
    }
});
