//! Any text is an operation or an error, as Lisp and as JSON, and an operation that is written is read again; any JSON is a
//! query for values or an error.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nephoscope_gnocchi::{Operation, ValueQuery};
use serde_json::Value;

fn check(value: &Value) {
    if let Ok(operation) = Operation::from_json(value) {
        let written = operation.to_json();
        let again = Operation::from_json(&written).expect("it is what we wrote");
        assert_eq!(again.to_json(), written);
    }
    if let Ok(query) = ValueQuery::from_json(value) {
        query.takes(1.0);
    }
}

fuzz_target!(|text: &str| {
    check(&Value::String(text.into()));
    if let Ok(value) = serde_json::from_str(text) {
        check(&value);
    }
});
