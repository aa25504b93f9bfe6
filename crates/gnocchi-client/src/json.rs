//! JSON as Python writes it, whose numbers may be `NaN`, `Infinity` and `-Infinity`.

use std::borrow::Cow;

/// What is no number to JSON, and the text that stands for it then.
const WORDS: [(&[u8], &[u8]); 3] =
    [(b"NaN", b"\"NaN\""), (b"-Infinity", b"\"-Infinity\""), (b"Infinity", b"\"Infinity\"")];

/// The same with these numbers as text; what is none stays as it is, for the parser to refuse.
pub(crate) fn strict(body: &[u8]) -> Cow<'_, [u8]> {
    let mut written: Option<Vec<u8>> = None;
    let (mut at, mut in_text) = (0, false);
    while let Some(byte) = body.get(at) {
        let mut length = 1;
        match byte {
            b'"' => in_text = !in_text,
            // What it quotes ends no text.
            b'\\' if in_text => length = 2,
            b'N' | b'I' | b'-' if !in_text => {
                if let Some((word, text)) = WORDS.iter().find(|(word, _)| body[at..].starts_with(word)) {
                    let written = written.get_or_insert_with(|| body[..at].to_vec());
                    written.extend_from_slice(text);
                    at += word.len();
                    continue;
                }
            }
            _ => {}
        }
        let end = (at + length).min(body.len());
        if let Some(written) = &mut written {
            written.extend_from_slice(&body[at..end]);
        }
        at = end;
    }
    written.map_or(Cow::Borrowed(body), Cow::Owned)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn read(text: &str) -> Value {
        serde_json::from_slice(&strict(text.as_bytes())).unwrap()
    }

    #[test]
    fn what_is_no_number_becomes_text() {
        assert_eq!(read("[NaN, -Infinity,Infinity, -1.5]"), json!(["NaN", "-Infinity", "Infinity", -1.5]));
        assert_eq!(
            read(r#"{"NaN \" NaN \\": [NaN, "Infinity"]}"#),
            json!({ "NaN \" NaN \\": ["NaN", "Infinity"] })
        );
        assert!(matches!(strict(b"[1.0, \"NaN\"]"), Cow::Borrowed(_)));
        assert_eq!(&*strict(b"[\"\\"), b"[\"\\");
    }

    proptest! {
        /// What serde_json can read means the same afterwards.
        #[test]
        fn strict_json_stays(text in proptest::collection::vec("[\\PCNI\\-\"\\\\]*", 0..5), number: f64) {
            let value = json!({ "texts": text, "number": number });
            let written = value.to_string();
            prop_assert_eq!(&*strict(written.as_bytes()), written.as_bytes());
        }

        #[test]
        fn any_bytes_are_taken(bytes: Vec<u8>) {
            prop_assert!(strict(&bytes).len() >= bytes.len());
        }
    }
}
