use proptest::prelude::*;

use super::*;

#[test]
fn python_dialect_is_kept_as_text() {
    for text in [
        r#"{"a": [NaN, Infinity, -Infinity, -0.0, 1180591620717411303424]}"#,
        r#""\ud800""#,
        r#"[{}, [], "", 0, -1.5e+10, true, false, null]"#,
    ] {
        assert_eq!(Json::parse(text).unwrap().as_str(), text);
    }
}

#[test]
fn what_is_not_json_says_where() {
    for (text, at) in [
        ("", 0),
        ("{", 1),
        ("{\"a\" 1}", 5),
        ("{a: 1}", 1),
        ("[1,]", 3),
        ("[1 2]", 3),
        ("\"ab", 3),
        ("\"a\u{1}\"", 2),
        ("\"\\x\"", 1),
        ("\"\\u12g4\"", 1),
        ("01", 1),
        ("1.", 2),
        ("nul", 0),
        ("-", 1),
        ("{} {}", 3),
        ("[}", 1),
    ] {
        assert_eq!(Json::parse(text).unwrap_err().at, at, "{text}");
    }
}

#[test]
fn a_million_levels_do_not_overflow_the_stack() {
    let deep = "[".repeat(1_000_000) + &"]".repeat(1_000_000);
    assert_eq!(Json::parse(&deep).unwrap().as_str(), deep);
    assert!(Json::parse(&deep[..1_500_000]).is_err());
}

#[test]
fn a_value_is_put_on_one_line() {
    assert_eq!(Json::parse("{\n\t\"a\":\r\n 1\n}").unwrap().as_str(), "{\"a\": 1}");
}

#[test]
fn of_a_key_given_twice_the_last_counts() {
    let json = Json::parse(r#"{"a": 1, "b": {"a": 2}, "\u0061": 3}"#).unwrap();
    assert_eq!(json.get("a"), Some("3"));
    assert_eq!(json.get("c"), None);
    assert_eq!(Json::parse("[1]").unwrap().get("a"), None);
}

#[test]
fn a_key_is_found_however_it_is_spelled_and_no_text_passes_for_one() {
    let json = Json::parse(r#"{"\u0065type": 1, "etyp": "etype", "x": {"y": 2}}"#).unwrap();
    assert_eq!(json.get("etype"), Some("1"));
    assert_eq!(json.get("y"), None);
    assert_eq!(Json::parse(r#"{"a": "etype"}"#).unwrap().get("etype"), None);
    assert_eq!(Json::parse(r#"{"é\n": 3}"#).unwrap().get("é\n"), Some("3"));
}

#[test]
fn escapes_are_decoded_and_half_a_pair_is_replaced() {
    assert_eq!(decode(r#""\u65e5\ud83d\ude00\n\/\"""#).unwrap(), "日😀\n/\"");
    assert_eq!(decode(r#""\ud83dx\ude00\ud83d\u0041""#).unwrap(), "\u{fffd}x\u{fffd}\u{fffd}A");
    assert_eq!(decode("12"), None);
}

#[test]
fn what_only_python_takes_is_made_standard() {
    for (python, json) in [
        (
            r#"[NaN, -Infinity, {"NaN\\\"Infinity": Infinity}]"#,
            r#"[null, -1e999, {"NaN\\\"Infinity": 1e999}]"#,
        ),
        (r#"{"a": "Infinity"}"#, r#"{"a": "Infinity"}"#),
        ("NaN", "null"),
        ("\"N", "\"N"),
    ] {
        assert_eq!(standard(python), json);
    }
}

/// Any JSON value, as serde_json knows it.
fn any_value() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        ".*".prop_map(serde_json::Value::from),
    ];
    leaf.prop_recursive(5, 50, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(serde_json::Value::from),
            prop::collection::btree_map(".{0,5}", inner, 0..6)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

#[test]
fn an_array_gives_its_items_up_to_where_it_is_broken() {
    let good = |text| items(text).collect::<Result<Vec<_>, _>>();
    assert_eq!(good(" [1, {\"a\": [2]} ,\n\"]\"] ").unwrap(), ["1", "{\"a\": [2]}", "\"]\""]);
    assert_eq!(good("[]").unwrap(), [""; 0]);
    assert_eq!(good("{}").unwrap(), [""; 0]);
    for (text, before, rest, told) in [
        ("[1, {x}, 2]", 1, ", {x}, 2]", "expected a key in quotes at byte 5"),
        ("[1 2]", 1, " 2]", "expected a comma or the end of the array at byte 3"),
        ("[1,]", 1, ",]", "expected a value at byte 3"),
        ("[1", 1, "", "expected a comma or the end of the array at byte 2"),
        ("[1] 2", 1, "] 2", "expected the end at byte 4"),
    ] {
        let mut found = items(text).skip(before);
        let broken = found.next().unwrap().unwrap_err();
        assert_eq!(broken.rest, rest, "{text}");
        assert!(broken.to_string().ends_with(told), "{broken}");
        assert_eq!(found.next(), None, "{text}");
    }
}

proptest! {
    #[test]
    fn a_string_survives(text in prop_oneof![".*", "([a-z]{0,40}[\"\\\\/\n\u{1}é😀]){0,30}"]) {
        let json = Json::string(&text);
        prop_assert!(json.as_str().is_ascii());
        prop_assert_eq!(decode(json.as_str()).unwrap(), text.as_str());
        prop_assert_eq!(&serde_json::from_str::<String>(json.as_str()).unwrap(), &text);
        let raw = serde_json::to_string(&text).unwrap();
        prop_assert_eq!(decode(&raw).unwrap(), text);
    }

    #[test]
    fn a_string_that_is_cut_is_judged_as_an_ordinary_parser_does(
        text in "([a-z]{0,20}[\"\\\\/\n\u{1}é😀]){0,12}", before in 0usize..130, cut in any::<prop::sample::Index>()
    ) {
        for whole in [Json::string(&text).as_str().to_owned(), serde_json::to_string(&text).unwrap()] {
            let cut = (0..=whole.len()).rev().find(|&at| at <= cut.index(whole.len() + 1) && whole.is_char_boundary(at));
            let text = " ".repeat(before) + &whole[..cut.unwrap()];
            let ours = Scanner::new(&text).string().ok();
            prop_assert_eq!(ours.as_deref().map(str::to_owned), serde_json::from_str::<String>(&text).ok());
        }
    }

    #[test]
    fn what_an_ordinary_parser_takes_is_taken(value in any_value()) {
        let text = value.to_string();
        let json = Json::parse(&text).unwrap();
        prop_assert_eq!(json.as_str(), text.as_str());
        let pretty = Json::parse(&serde_json::to_string_pretty(&value).unwrap()).unwrap();
        let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        prop_assert_eq!(read(pretty.as_str()), read(&text));
    }

    #[test]
    fn damage_is_judged_as_an_ordinary_parser_does(
        value in any_value(), at in any::<prop::sample::Index>(), byte in "[\\[\\]{},:\"\\\\0-9a-z. -]"
    ) {
        let mut text: Vec<char> = value.to_string().chars().collect();
        let at = at.index(text.len());
        text[at] = byte.chars().next().unwrap();
        let text: String = text.into_iter().collect();
        let ours = Json::parse(&text).is_ok();
        match serde_json::from_str::<serde::de::IgnoredAny>(&text) {
            Ok(_) => prop_assert!(ours, "{}", text),
            Err(error) => prop_assert!(!ours, "{}: {}", text, error),
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in "[\\[\\]{},:\"\\\\ \na-fu0-9.eE+-]*") {
        if let Ok(json) = Json::parse(&text) {
            entries(json.as_str()).for_each(drop);
        }
        entries(&text).for_each(drop);
        items(&text).for_each(drop);
        let _outcome = standard(&text);
    }
}
