//! One line of a tree, put together from left to right.

use std::borrow::Cow;
use std::io::{self, Write};

use anstyle::Style as Ansi;

use super::Style;
use crate::show::text;

/// A line that knows how much room is left in it. It is used for one line after another.
pub(super) struct Line {
    style: Style,
    text: String,
    /// Columns that are still free.
    room: usize,
    /// Blanks that are written once something follows them.
    gap: usize,
}

impl Line {
    pub(super) fn new(style: Style) -> Self {
        Self { style, text: String::new(), room: style.width.unwrap_or(usize::MAX), gap: 0 }
    }

    pub(super) fn style(&self) -> Style {
        self.style
    }

    /// Leaves columns free.
    pub(super) fn skip(&mut self, columns: usize) {
        self.gap += columns;
    }

    /// Adds a text that holds nothing hidden, cut if there is not enough room for it.
    pub(super) fn put(&mut self, ansi: Ansi, content: &str) {
        if content.is_empty() {
            return;
        }
        let gap = std::mem::take(&mut self.gap);
        self.room = self.room.saturating_sub(gap);
        if self.room == 0 {
            return;
        }
        self.text.extend(std::iter::repeat_n(' ', gap));
        let shown = self.cut(content, self.room);
        self.room = self.room.saturating_sub(text::width(&shown));
        if self.style.colour && ansi != Ansi::new() {
            self.text.push_str(&format!("{ansi}{shown}{ansi:#}"));
        } else {
            self.text.push_str(&shown);
        }
    }

    /// Adds a text at the left end of its columns, and leaves free what it does not need of them.
    pub(super) fn put_left(&mut self, ansi: Ansi, content: &str, columns: usize) {
        let shown = self.cut(content, columns);
        self.put(ansi, &shown);
        self.skip(columns.saturating_sub(text::width(&shown)));
    }

    /// Adds a text at the right end of its columns.
    pub(super) fn put_right(&mut self, ansi: Ansi, content: &str, columns: usize) {
        self.skip(columns.saturating_sub(text::width(content)));
        self.put(ansi, content);
    }

    /// Only lines of limited width are cut.
    fn cut<'a>(&self, content: &'a str, columns: usize) -> Cow<'a, str> {
        if self.style.width.is_some() { text::cut(content, columns) } else { Cow::Borrowed(content) }
    }

    /// Writes the line, and begins the next.
    pub(super) fn end(&mut self, out: &mut impl Write) -> io::Result<()> {
        self.text.push('\n');
        out.write_all(self.text.as_bytes())?;
        self.text.clear();
        self.room = self.style.width.unwrap_or(usize::MAX);
        self.gap = 0;
        Ok(())
    }
}
