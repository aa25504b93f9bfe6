//! Names and ids as fields hold them.
//!
//! Mostly as they are. InfluxDB 2 changes line breaks when it answers in CSV, and now and then shows another row's text
//! for an empty one; InfluxDB 3 wants every column to be there. So no field is empty or left out, and none has a line
//! break:
//!
//! | word | field |
//! |---|---|
//! | none | `-` |
//! | `-`, the empty one | `\-`, `\e` |
//! | `\`, line feed, carriage return in one | `\\`, `\n`, `\r` |

use std::borrow::Cow;

/// The field of a word.
pub(super) fn encode(word: Option<&str>) -> Cow<'_, str> {
    match word {
        None => "-".into(),
        Some("-") => "\\-".into(),
        Some("") => "\\e".into(),
        Some(word) if !word.contains(['\\', '\n', '\r']) => word.into(),
        Some(word) => word.replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "\\r").into(),
    }
}

/// The word of a field.
pub(super) fn decode(field: String) -> Option<String> {
    if field == "-" {
        return None;
    }
    if !field.contains('\\') {
        return Some(field);
    }
    let mut word = String::with_capacity(field.len());
    let mut characters = field.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            word.push(character);
            continue;
        }
        match characters.next() {
            Some('n') => word.push('\n'),
            Some('r') => word.push('\r'),
            Some('e') | None => {}
            Some(other) => word.push(other),
        }
    }
    Some(word)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_word_comes_back_and_its_field_is_one_line(word in prop::option::of(".*|[-e\\\\\n\r]{0,4}")) {
            let field = encode(word.as_deref()).into_owned();
            prop_assert!(!field.is_empty() && !field.contains(['\n', '\r']));
            prop_assert_eq!(decode(field), word);
        }
    }
}
