use proptest::prelude::*;

use super::*;

/// Captured from Ceilometer 27.
const MESSAGES: &str = include_str!("../../tests/golden/samples/messages.jsonl");
const DICTIONARIES: &str = include_str!("../../tests/golden/samples/dictionaries.jsonl");

fn least(change: &str) -> String {
    format!(
        r#"{{"counter_name": "cpu", "counter_volume": 1, "resource_id": "vm", "timestamp": "2026-01-02T03:04:05"{change}}}"#
    )
}

fn problem(text: &str) -> String {
    Sample::from_json(text).unwrap_err().to_string()
}

#[test]
fn what_ceilometer_sends_comes_out_to_the_byte() {
    for (text, form) in [(MESSAGES, SampleForm::Message), (DICTIONARIES, SampleForm::Dictionary)] {
        assert!(text.lines().count() >= 3);
        for line in text.lines() {
            assert_eq!(Sample::from_json(line).unwrap().to_json(form), line);
        }
    }
}

#[test]
fn the_fields_are_found_in_both_forms() {
    let message = Sample::from_json(MESSAGES.lines().next().unwrap()).unwrap();
    let dictionary = Sample::from_json(&message.to_json(SampleForm::Dictionary)).unwrap();
    assert_eq!(message, dictionary);
    assert_eq!(
        (message.name.as_str(), message.kind.as_str(), message.unit.as_str()),
        ("cpu", "cumulative", "ns")
    );
    assert_eq!(message.source.as_deref(), Some("openstack"));
    assert_eq!(message.metadata.get_str("display_name").as_deref(), Some("web-1"));
    assert_eq!(message.extra.last().unwrap().0, "message_signature");
}

#[test]
fn what_is_missing_or_wrong_is_told() {
    for field in ["counter_name", "counter_volume", "resource_id", "timestamp"] {
        let text = least("").replace(field, "other");
        assert_eq!(problem(&text), format!("field `{field}` is missing"));
    }
    assert!(problem(&least(r#", "resource_id": null"#)).contains("expected a string"));
    assert!(problem(&least(r#", "counter_volume": []"#)).contains("expected a number"));
    assert!(problem(&least(r#", "resource_metadata": 5"#)).contains("expected an object"));
    assert!(problem(&least(r#", "user_id": 5"#)).contains("field `user_id` holds `5`"));
    assert!(problem("5").contains("no object"));
    assert!(problem("{").contains("is not JSON"));
    assert!(problem(&format!("{} x", least(""))).contains("is not JSON"));
}

#[test]
fn little_is_enough() {
    let sample = Sample::from_json(&least(r#", "resource_metadata": null, "user_id": null"#)).unwrap();
    assert_eq!((sample.metadata.as_str(), sample.user_id), ("{}", None));
    assert_eq!(sample.kind, "");
}

#[test]
fn a_volume_is_what_python_makes_of_it() {
    // Each given to `float` of Python 3.11.
    for (volume, value) in [
        ("1", Some(1.0)),
        ("-0.5e3", Some(-500.0)),
        ("true", Some(1.0)),
        ("false", Some(0.0)),
        ("null", None),
        (r#""12.5""#, Some(12.5)),
        (r#"" 1_000.5\n""#, Some(1000.5)),
        (r#""1__0""#, None),
        (r#""_1""#, None),
        (r#""1_e5""#, None),
        (r#""+.5""#, Some(0.5)),
        (r#""inFinity""#, Some(f64::INFINITY)),
        ("-Infinity", Some(f64::NEG_INFINITY)),
        (r#""many""#, None),
        (r#""""#, None),
        ("18446744073709551616", Some(18_446_744_073_709_551_616.0)),
    ] {
        let text = least("").replace("\"counter_volume\": 1", &format!("\"counter_volume\": {volume}"));
        assert_eq!(Sample::from_json(&text).unwrap().value(), value, "{volume}");
    }
    let nan = least("").replace("\"counter_volume\": 1", "\"counter_volume\": NaN");
    assert!(Sample::from_json(&nan).unwrap().value().unwrap().is_nan());
}

#[test]
fn what_was_measured_has_a_time_and_a_number() {
    let with =
        |volume: &str| least("").replace("\"counter_volume\": 1", &format!("\"counter_volume\": {volume}"));
    let measured = |text: &str| Sample::from_json(text).unwrap().measured();
    let time = Timestamp::parse("2026-01-02T03:04:05").unwrap();
    assert_eq!(measured(&with("\"2.5\"")), Ok(Some((time, 2.5))));
    assert_eq!(measured(&with("null")), Ok(None));
    assert!(measured(&with("\"many\"")).unwrap_err().to_string().contains("field `volume` holds"));
    let late = least("").replace("2026-01-02", "late");
    assert!(measured(&late).unwrap_err().to_string().contains("field `timestamp` holds `lateT03:04:05`"));
}

#[test]
fn what_is_packed_is_the_sample_on_one_line() {
    let mut packed = Vec::new();
    let lines: Vec<_> = MESSAGES.lines().chain(DICTIONARIES.lines()).collect();
    for line in &lines {
        let text = line.replace(": ", ":\r\n\t ");
        let text = SampleText::of(&text).unwrap();
        assert_eq!(text.as_str(), *line);
        text.pack(&mut packed);
    }
    let mut packed = packed.as_slice();
    for line in lines {
        assert_eq!(SampleText::unpack(&mut packed).unwrap().to_sample(), Sample::from_json(line).unwrap());
    }
    assert_eq!((packed, SampleText::unpack(&mut packed)), (&[][..], None));
}

proptest! {
    #[test]
    fn what_is_packed_is_unpacked(key in ".*", value in ".*", user: Option<String>, behind: Vec<u8>) {
        let mut sample = Sample::from_json(&least("")).unwrap();
        sample.user_id = user.map(SmolStr::from);
        sample.extra.push((format!("x{key}").into(), Json::string(&value)));
        let json = sample.to_json(SampleForm::Message);
        let text = SampleText::of(&json).unwrap();
        let mut packed = Vec::new();
        text.pack(&mut packed);
        let length = packed.len();
        packed.extend(&behind);
        let mut rest = packed.as_slice();
        let unpacked = SampleText::unpack(&mut rest).unwrap();
        prop_assert_eq!(&unpacked, &text);
        prop_assert_eq!(unpacked.to_sample(), sample);
        prop_assert_eq!(rest, &packed[length..]);
        for cut in 0..length {
            prop_assert_eq!(SampleText::unpack(&mut &packed[..cut]), None);
        }
    }

    #[test]
    fn nothing_that_is_unpacked_makes_it_panic(junk: Vec<u8>, at: prop::sample::Index, byte: u8) {
        let mut packed = Vec::new();
        SampleText::of(&least("")).unwrap().pack(&mut packed);
        let at = at.index(packed.len());
        packed[at] = byte;
        for bytes in [junk, packed] {
            if let Some(text) = SampleText::unpack(&mut bytes.as_slice()) {
                text.to_sample();
            }
        }
    }

    #[test]
    fn it_survives_in_both_forms(
        name in ".*", id in ".*", unit in ".*", user: Option<String>, volume: f64, key in ".*", value in ".*",
    ) {
        let mut sample = Sample::from_json(&least("")).unwrap();
        sample.name = name.into();
        sample.resource_id = id.into();
        sample.unit = unit.into();
        sample.user_id = user.map(SmolStr::from);
        sample.volume = Json::parse(&format!("{volume:?}")).unwrap_or(sample.volume);
        sample.extra.push((format!("x{key}").into(), Json::string(&value)));
        for form in [SampleForm::Message, SampleForm::Dictionary] {
            let text = sample.to_json(form);
            prop_assert!(text.is_ascii());
            prop_assert_eq!(&Sample::from_json(&text).unwrap(), &sample);
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in r#"[{}\[\]":,\\a-z_0-9.]*"#) {
        let _outcome = Sample::from_json(&text);
        let _outcome = Sample::from_json(&least(&text));
    }
}
