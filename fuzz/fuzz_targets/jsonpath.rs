//! Any text is a path or an error; a path survives being printed, and finds JSON or nothing in any text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nephoscope_resource_types::jsonpath::Path;
use nephoscope_telemetry::Json;

fuzz_target!(|text: &str| {
    let (path, document) = text.split_once('\n').unwrap_or((text, "{}"));
    let Ok(path) = path.parse::<Path>() else { return };
    assert_eq!(path.to_string().parse::<Path>().as_ref(), Ok(&path));
    path.first(document);
    if let Ok(document) = Json::parse(document) {
        for found in path.find(document.as_str()) {
            assert!(Json::parse(&found.value().to_json()).is_ok());
            found.place();
        }
    }
});
