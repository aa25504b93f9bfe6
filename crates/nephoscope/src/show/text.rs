//! Texts of unknown origin, made fit to be shown on one line.

use std::borrow::Cow;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// What stands for what was cut.
pub(super) const ELLIPSIS: char = '…';
/// Characters without width, such as accents, that one column may carry before the rest is cut.
const CHARACTERS_PER_COLUMN: usize = 8;

/// The text with what would steer a terminal, break a line or turn the direction of writing shown as its escape, such
/// as `\u{1b}` or `\n`.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if is_hidden(character) {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    Cow::Owned(shown)
}

fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// How many columns of a terminal it takes.
pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// The text, or as much of it as fits into so many columns with an ellipsis behind it.
pub(super) fn cut(text: &str, columns: usize) -> Cow<'_, str> {
    let fits = text.len() <= columns
        || (text.len() <= columns * 4 * CHARACTERS_PER_COLUMN && width(text) <= columns);
    if fits {
        return Cow::Borrowed(text);
    }
    let Some(room) = columns.checked_sub(1) else { return Cow::Borrowed("") };
    let mut taken = 0;
    let mut end = 0;
    for (at, character) in text.char_indices().take(columns * CHARACTERS_PER_COLUMN) {
        taken += columns_of(character);
        if taken > room {
            break;
        }
        end = at + character.len_utf8();
    }
    Cow::Owned(format!("{}{ELLIPSIS}", &text[..end]))
}

/// At most what the character adds to the width of a text.
fn columns_of(character: char) -> usize {
    /// Makes a picture, two columns wide, of the character before it.
    const PICTURE: char = '\u{fe0f}';
    if character == PICTURE { 1 } else { character.width().unwrap_or(0) }
}

/// The words of a text with one blank between them, cut at so many characters. Reads no more of it than it needs.
pub(super) fn words(text: &str, characters: usize) -> String {
    let blank = |at| if at == 0 { "" } else { " " };
    let spaced =
        text.split_whitespace().enumerate().flat_map(|(at, word)| blank(at).chars().chain(word.chars()));
    let mut spaced = spaced.peekable();
    let mut shown: String = spaced.by_ref().take(characters).collect();
    if spaced.peek().is_some() {
        shown.truncate(shown.trim_end().len());
        shown.push(ELLIPSIS);
    }
    shown
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_steers_a_terminal_is_shown_as_its_escape() {
        assert_eq!(visible("a\u{1b}[31m\r\n\u{9b}\u{202e}b"), "a\\u{1b}[31m\\r\\n\\u{9b}\\u{202e}b");
        assert_eq!(visible("日本語 é 😀 שלום"), "日本語 é 😀 שלום");
    }

    #[test]
    fn a_text_is_cut_by_the_columns_it_takes() {
        assert_eq!(cut("short", 5), "short");
        assert_eq!(cut("longer", 5), "long…");
        assert_eq!(cut("日本語", 6), "日本語");
        assert_eq!(cut("日本語", 5), "日本…");
        assert_eq!(cut("日本語", 4), "日…");
        assert_eq!(cut("x", 0), "");
        assert!(cut(&"\u{301}".repeat(100_000), 10).len() < 1_000);
    }

    #[test]
    fn words_are_set_apart_by_one_blank_and_cut() {
        assert_eq!(words("  SELECT\n  1\t", 20), "SELECT 1");
        assert_eq!(words("SELECT a FROM b", 8), "SELECT a…");
        assert_eq!(words("SELECT a FROM b", 9), "SELECT a…");
        assert_eq!(words("SELECT a FROM b", 10), "SELECT a F…");
        assert_eq!(words("", 10), "");
    }

    proptest! {
        #[test]
        fn no_text_is_wider_than_the_columns_it_was_cut_to(text in any::<String>(), columns in 0_usize..40) {
            prop_assert!(width(&cut(&visible(&text), columns)) <= columns);
        }

        #[test]
        fn nothing_hidden_is_left_in_a_visible_text(text in any::<String>()) {
            prop_assert!(!visible(&text).contains(is_hidden));
        }
    }
}
