use proptest::prelude::*;
use serde_json::Value;

use super::*;

/// 150 random messages, each signed by Ceilometer 27 itself.
const SIGNED: &str = include_str!("../../tests/golden/signed_messages.jsonl");
/// Messages, the text that is signed, and the signature.
const VECTORS: &str = include_str!("../../tests/golden/signature_vectors.json");

fn verify(secret: &str, message: &str) -> Result<(), BadSignature> {
    Verifier::new(secret).unwrap().verify(message)
}

#[test]
fn what_ceilometer_signed_is_taken_and_nothing_else() {
    assert_eq!(SIGNED.lines().count(), 150);
    for line in SIGNED.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let (secret, message) = (line["secret"].as_str().unwrap(), line["message"].as_str().unwrap());
        assert_eq!(verify(secret, message), Ok(()), "{message}");
        assert_eq!(verify("another", message), Err(BadSignature::Wrong), "{message}");
        let changed = message.replacen('{', "{\"added\": 1, ", 1);
        assert_eq!(verify(secret, &changed), Err(BadSignature::Wrong), "{changed}");
    }
}

/// The vectors were written by Python, whose numbers an ordinary parser would spell otherwise.
#[test]
fn the_text_that_is_signed_is_that_of_ceilometer() {
    let mut vectors = 0;
    let mut scanner = json::Scanner::new(VECTORS);
    scanner.expect(b'[', "").unwrap();
    while scanner.peek() != Some(b']') {
        let vector = scanner.value().unwrap();
        scanner.eat(b',');
        let field = |name: &str| json::entries(vector).find(|(key, _)| key == name).unwrap().1;
        let mut text = String::new();
        python::signed(field("message"), MOST_DEPTH, |name, value| {
            if name != SIGNATURE {
                text.push_str(name);
                value.write(&mut text);
            }
        })
        .unwrap();
        assert_eq!(text, json::decode(field("hmac_input_utf8")).unwrap());
        vectors += 1;
    }
    assert_eq!(vectors, 14);
}

#[test]
fn without_a_secret_nothing_is_verified() {
    assert!(Verifier::new("").is_none());
}

#[test]
fn what_has_no_signature_or_half_of_one_is_refused() {
    assert_eq!(verify("s", r#"{"a": 1}"#), Err(BadSignature::Missing));
    assert_eq!(verify("s", r#"{"a": 1, "message_signature": ""}"#), Err(BadSignature::Missing));
    assert_eq!(verify("s", r#"{"a": 1, "message_signature": 5}"#), Err(BadSignature::Missing));
    // The first vector, cut, in capitals, and whole.
    let signed =
        |signature: &str| verify("s3cret", &format!(r#"{{"a": 1, "message_signature": "{signature}"}}"#));
    let signature = "1d5562609737f3c4cd7120c316f4d23bb7eddcb26c4253170285d8d60c60fc96";
    assert_eq!(signed(&signature[..63]), Err(BadSignature::Wrong));
    assert_eq!(signed(&signature.to_uppercase()), Err(BadSignature::Wrong));
    assert_eq!(signed(signature), Ok(()));
}

#[test]
fn no_depth_makes_it_panic() {
    let nested = |open: &str, close: &str, levels: usize| {
        format!(r#"{{"message_signature": "00", "a": {}1{}}}"#, open.repeat(levels), close.repeat(levels))
    };
    for (open, close) in [("[", "]"), ("{\"k\": ", "}"), ("[{\"k\": ", "}]")] {
        assert_eq!(verify("s", &nested(open, close, 100_000)), Err(BadSignature::TooDeep));
        assert_eq!(verify("s", &nested(open, close, 100)), Err(BadSignature::Wrong));
    }
}

#[test]
fn the_secret_is_not_shown() {
    assert!(!format!("{:?}", Verifier::new("s3cret")).contains("s3cret"));
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in r#"[{}\[\]":,\\a-z_0-9.]*"#) {
        let _outcome = verify("s", &text);
        let _outcome = verify("s", &format!("{{\"message_signature\": \"00\", \"a\": [{text}]}}"));
    }
}
