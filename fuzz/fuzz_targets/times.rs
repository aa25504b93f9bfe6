//! Any text is a moment, a length of time, a resolution or an error; what is shown of one is read as the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nephoscope_gnocchi::{Resolution, Timespan, Timestamp, Timestamps};

/// What is shown of a length of time is to the microsecond, and read as a double.
fn is_near(one: i64, other: i64) -> bool {
    one.abs_diff(other) <= 1_000 + one.unsigned_abs() / (1 << 50)
}

fuzz_target!(|text: &str| {
    let now = Timestamp::from_nanos(1_577_836_800_000_000_000);
    if let Ok(timestamp) = Timestamp::parse(text, now) {
        assert!(timestamp >= Timestamp::EPOCH);
        let shown = timestamp.to_string();
        let read = Timestamp::parse(&shown, now).expect("it is what we wrote");
        assert_eq!(read.as_nanos(), timestamp.as_nanos() / 1_000 * 1_000, "{shown}");
    }
    if let Ok(timespan) = Timespan::parse(text) {
        let shown = timespan.to_string();
        if timespan.as_nanos() > 1_000 {
            let read = Timespan::parse(&shown).expect("it is what we wrote");
            assert!(is_near(read.as_nanos(), timespan.as_nanos()), "{shown} of {timespan:?}");
        }
    }
    let _resolution = Resolution::parse(text);
    // The first of a list says what form the others have.
    let mut timestamps = Timestamps::new(now);
    for line in text.lines() {
        let _error = timestamps.text(line);
    }
});
