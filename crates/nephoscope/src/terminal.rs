//! What the terminal can show.

use std::io::{self, IsTerminal};

use crate::show::Style;

/// The width of a terminal that does not tell.
const DEFAULT_WIDTH: usize = 100;

/// Colours and the width of the terminal on standard output; plain and uncut when that is something else.
/// `NO_COLOR`, when it is set and not empty, takes the colours away.
pub fn style() -> Style {
    if !io::stdout().is_terminal() {
        return Style::default();
    }
    let width = terminal_size::terminal_size().map_or(DEFAULT_WIDTH, |(width, _)| width.0.into());
    Style { colour: colour(), width: Some(width) }
}

/// Whether a terminal is to be given colours.
pub fn colour() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
