//! JSON as Python writes it.

use serde_json::Value;

/// Reads an answer. What is no number to JSON, but to Python, becomes a text.
pub(crate) fn parse(text: &str) -> Option<Value> {
    serde_json::from_str(text).or_else(|_| serde_json::from_str(&without_nan(text))).ok()
}

fn without_nan(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    let (mut in_string, mut rest) = (false, text);
    while let Some(next) = rest.chars().next() {
        let word = ["NaN", "Infinity", "-Infinity"].into_iter().find(|word| rest.starts_with(word));
        let taken = match word {
            Some(word) if !in_string => {
                written.push_str(&format!("\"{word}\""));
                word.len()
            }
            _ => {
                let length = if in_string && next == '\\' { 2 } else { next.len_utf8() };
                in_string ^= next == '"';
                written.push_str(&rest[..length]);
                length
            }
        };
        rest = &rest[taken..];
    }
    written
}
