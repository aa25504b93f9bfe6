//! Numbers as text, the way Python's `float()` takes them.

/// The number that a text is; nothing where it is none. With white space around it, digits parted by single
/// underscores, `nan` and `inf`. Digits are ASCII: Python also takes those of other scripts.
pub(crate) fn parse_number(text: &str) -> Option<f64> {
    let text = text.trim();
    // Rust's grammar is Python's but for the underscores.
    match text.parse() {
        Ok(number) => Some(number),
        Err(_) if text.contains('_') => without_underscores(text)?.parse().ok(),
        Err(_) => None,
    }
}

fn without_underscores(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let between_digits = |at: usize| {
        at > 0 && bytes[at - 1].is_ascii_digit() && bytes.get(at + 1).is_some_and(u8::is_ascii_digit)
    };
    let all_between = text.match_indices('_').all(|(at, _)| between_digits(at));
    all_between.then(|| text.replace('_', ""))
}

/// White space as Python's regular expressions have it: what Unicode says, and four control characters more.
pub(super) fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\x1c'..='\x1f').contains(&c)
}
