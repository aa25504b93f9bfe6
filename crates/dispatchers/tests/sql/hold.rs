//! What a kind of database can never hold.

use nephoscope_telemetry::Json;

use crate::cases::{event, sample};
use crate::database::{Kind, Place};

pub(super) fn refused(place: &Place) {
    let dispatcher = place.dispatcher();
    let postgres = place.kind == Kind::Postgres;
    let narrow = place.kind != Kind::Sqlite;
    let deep = format!("{{\"a\": {}{}}}", "[".repeat(20_000), "]".repeat(20_000));
    // What is wrong with the last of a batch, and whether this kind refuses it.
    let metadata = |text: &str| Json::parse(text).unwrap();
    let cases = [
        ("many", true, Json::string("many"), metadata("{}"), "r"),
        ("null", false, metadata("null"), metadata("{}"), "r"),
        ("NaN", !postgres, metadata("NaN"), metadata("{}"), "r"),
        ("infinite", place.kind == Kind::Mysql, metadata("Infinity"), metadata("{}"), "r"),
        ("NaN inside", false, metadata("1"), metadata("{\"a\": NaN}"), "r"),
        ("U+0000", postgres, metadata("1"), metadata("{}"), "a\0b"),
        ("U+0000 inside", postgres, metadata("1"), metadata("{\"a\": \"\\u0000\"}"), "r"),
        ("too deep", true, metadata("1"), metadata(&deep), "r"),
        ("too long", narrow, metadata("1"), metadata("{}"), &"x".repeat(256)),
        ("long enough", false, metadata("1"), metadata("{}"), &"ä".repeat(255)),
    ];
    let mut expected = Vec::new();
    for (name, is_refused, volume, metadata, resource) in cases {
        let mut samples: Vec<_> = (0..9).map(|at| sample(&format!("{name} {at}"))).collect();
        samples[6].volume = volume;
        samples[6].metadata = metadata;
        samples[6].resource_id = resource.into();
        let refused = place.runtime.block_on(dispatcher.samples(&samples)).unwrap();
        let at: Vec<_> = refused.iter().map(|refused| refused.at).collect();
        assert_eq!(at, if is_refused { vec![6] } else { vec![] }, "{name}: {refused:?}");
        assert!(refused.iter().all(|refused| !refused.reason.is_empty()));
        expected.extend((0..9).filter(|at| !(is_refused && *at == 6)).map(|at| format!("{name} {at}")));
    }
    let stored: Vec<(String,)> = place.ask("SELECT message_id FROM samples ORDER BY id");
    assert_eq!(stored.into_iter().map(|(id,)| id).collect::<Vec<_>>(), expected);

    let events = [
        event("1", r#"["t", 1, "v"]"#),
        event("2", r#"["t", 1, "v"], ["big", 2, 9223372036854775808]"#),
        event("3", r#"["t", 1, "v"], ["t", 9, "v"]"#),
        event("4", &format!(r#"["t", 1, "{}"]"#, "x".repeat(1 << 20))),
    ];
    let refused = place.runtime.block_on(dispatcher.events(&events)).unwrap();
    assert_eq!(refused.iter().map(|refused| refused.at).collect::<Vec<_>>(), [1, 2]);
    assert!(refused[0].reason.contains("`big` holds `9223372036854775808`"), "{refused:?}");
    assert_eq!(place.count("SELECT count(*) FROM events"), 2);
    let long = place.count("SELECT count(*) FROM traits WHERE length(long_text_value) = 1048576");
    assert_eq!(long, 1);
}
