//! Any text is a connection string or an error, and what is shown of it can be read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nephoscope_telemetry::ConnectionString;

fuzz_target!(|text: &str| {
    if let Ok(connection_string) = ConnectionString::parse(text) {
        ConnectionString::parse(&connection_string.to_string()).expect("what is shown is one too");
    }
});
