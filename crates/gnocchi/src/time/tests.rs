//! Held to tables of what Gnocchi 4.7.1 made of the same inputs.

use proptest::prelude::*;

use super::*;

/// The moment that the tables were made at.
fn now() -> Timestamp {
    Timestamp::parse("2026-01-02T03:04:05.678901Z", Timestamp::EPOCH).unwrap()
}

fn table(text: &str) -> impl Iterator<Item = (serde_json::Value, &str)> {
    text.lines().map(|line| {
        let (input, expected) = line.split_once('\t').unwrap();
        (serde_json::from_str(input).unwrap(), expected)
    })
}

#[test]
fn timestamps_are_what_gnocchi_makes_of_them() {
    let mut cases = 0;
    for (input, expected) in table(include_str!("../../tests/golden/timestamps.txt")) {
        let mut list = Timestamps::new(now());
        let read = match &input {
            serde_json::Value::String(text) => list.text(text),
            number => list.number(number.as_f64().unwrap()),
        };
        match expected.strip_prefix('!') {
            None => {
                let nanos: i64 = expected.parse().unwrap();
                // A year that numpy has no room for wraps around in it, and is refused here.
                if read.is_ok() || !wraps(&input) {
                    assert_eq!(read.map(Timestamp::as_nanos), Ok(nanos), "{input}");
                }
            }
            Some("Timestamp must be after Epoch") if !wraps(&input) => {
                assert_eq!(read, Err(TimestampError::BeforeEpoch), "{input}");
            }
            // "Not a time" is refused here, and not stored.
            Some(_) => assert!(read.is_err(), "{input} gives {read:?}, not {expected}"),
        }
        cases += 1;
    }
    assert!(cases > 500);
}

/// Whether a text is of a year that numpy has no room for.
fn wraps(input: &serde_json::Value) -> bool {
    let text = input.as_str().unwrap_or("");
    let (year, _) = text.trim_start().trim_start_matches('+').split_once('-').unwrap_or((text, ""));
    year.is_empty() || year.parse().is_ok_and(|year: u64| !(1678..2262).contains(&year))
}

#[test]
fn timespans_are_what_gnocchi_makes_of_them() {
    let mut cases = 0;
    for (input, expected) in table(include_str!("../../tests/golden/timespans.txt")) {
        let read = match &input {
            serde_json::Value::String(text) => Timespan::parse(text),
            number => Timespan::from_seconds_f64(number.as_f64().unwrap()),
        };
        match expected.strip_prefix('!') {
            None => assert_eq!(read.map(Timespan::as_nanos), Ok(expected.parse().unwrap()), "{input}"),
            Some("Unable to parse timespan") => assert_eq!(read, Err(TimespanError::Unreadable), "{input}"),
            Some("Timespan must be positive") => assert_eq!(read, Err(TimespanError::NotPositive), "{input}"),
            // Python cannot make an integer of it.
            Some(_) => assert_eq!(read, Err(TimespanError::TooLong), "{input}"),
        }
        cases += 1;
    }
    assert!(cases > 500);
}

#[test]
fn the_first_timestamp_of_a_list_decides_how_all_are_read() {
    let read = |first: &str, second: &str| {
        let mut list = Timestamps::new(now());
        list.text(first).unwrap();
        list.text(second)
    };
    let seconds = |seconds| Ok(Timestamp::from_nanos(seconds * SECOND));
    assert_eq!(read("12", "13"), seconds(13));
    assert_eq!(read("12", "2025-01-01"), Err(TimestampError::Unreadable));
    assert_eq!(read("2025-01-01", "2017"), seconds(1_483_228_800), "a year, then");
    assert_eq!(read("2025-01-01", "-5 minutes"), Err(TimestampError::Unreadable));
    assert_eq!(read("5 minutes", "60"), Ok(Timestamp::from_nanos(now().as_nanos() + 60 * SECOND)));
    assert_eq!(read("5 minutes", "2025-01-01"), Err(TimestampError::Unreadable));
    assert_eq!(read("2025-01-01", "now"), seconds(now().seconds()));
    assert_eq!(read("2025-01-01", "Today"), seconds(1_767_312_000));
}

proptest! {
    #[test]
    fn no_text_is_too_much(text in "\\PC{0,30}|[0-9.:wdhms, +TZe_-]{0,30}") {
        if let Ok(timestamp) = Timestamp::parse(&text, now()) {
            prop_assert!(timestamp >= Timestamp::EPOCH);
        }
        if let Ok(timespan) = Timespan::parse(&text) {
            prop_assert!(timespan.as_nanos() > 0);
        }
    }

    #[test]
    fn a_timestamp_is_read_as_it_is_written(micros in 0..i64::MAX / 1000) {
        let timestamp = Timestamp::from_nanos(micros * 1000);
        prop_assert_eq!(Timestamp::parse(&timestamp.to_string(), now()), Ok(timestamp));
    }

    // From timespans that are no multiple of their points.
    #[test]
    fn a_timespan_is_shown_to_the_nearest_microsecond(nanos in 1_000..10_000_000_000_000_i64) {
        let shown = Timespan::from_nanos(nanos).unwrap().to_string();
        let read = Timespan::parse(&shown).unwrap().as_nanos();
        prop_assert!((read - nanos).abs() <= 501, "{nanos} as {shown}");
    }

    // Whole seconds of a hundred years are exact as doubles of nanoseconds.
    #[test]
    fn a_timespan_is_read_as_it_is_written(seconds in 1..4_000_000_000_i64) {
        let timespan = Timespan::from_seconds(seconds).unwrap();
        prop_assert_eq!(Timespan::parse(&timespan.to_string()), Ok(timespan));
    }
}

#[test]
fn a_datetime_is_to_the_nearest_microsecond() {
    for (nanos, rounded) in [
        (1_577_836_800_123_456_789, 1_577_836_800_123_457_000),
        (1_388_658_600_123_456_000, 1_388_658_600_123_456_000),
        (1_577_836_800_999_999_900, 1_577_836_801_000_000_000),
        (500, 0),
        (1_500, 2_000),
    ] {
        assert_eq!(Timestamp::from_nanos(nanos).rounded_to_micros().as_nanos(), rounded, "{nanos}");
    }
}
