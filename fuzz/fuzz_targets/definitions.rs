//! Any text is a definition file with mistakes or without, and its types take any sample.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nephoscope_resource_types::{Attributes, Definitions, ResourceType};
use nephoscope_telemetry::{Json, Sample};

const SAMPLE: &str = r#"{"name": "cpu", "volume": 1, "resource_id": "r", "timestamp": "2026-01-02T03:04:05",
    "resource_metadata": {"host": "h", "flavor": {"id": "f", "name": null}, "list": [{"k": "x", "v": 1}, 2.5]}}"#;

fuzz_target!(|text: &str| {
    let (definitions, _mistakes) = Definitions::read(text, "fuzz.yaml", None);
    let sample = Sample::from_json(SAMPLE).expect("it is a sample");
    for declared in &definitions.types {
        let mut attributes = Attributes::new();
        declared.attributes(&sample, &mut attributes);
        for (_, value) in attributes.iter() {
            assert!(Json::parse(value).is_ok(), "{value}");
        }
    }
});
