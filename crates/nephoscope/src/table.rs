//! Tables as OpenStack's clients draw them.

use std::io::{self, Write};

use crate::show;

/// Draws rows, each of which has a cell for every column.
pub(crate) fn write(columns: &[&str], rows: &[Vec<String>], out: &mut impl Write) -> io::Result<()> {
    let rows: Vec<Vec<_>> =
        rows.iter().map(|row| row.iter().map(|cell| show::visible(cell)).collect()).collect();
    let width = |column: usize, name: &str| {
        let cells = rows.iter().map(|row| show::width(&row[column]));
        cells.chain([name.len()]).max().unwrap_or_default()
    };
    let widths: Vec<_> = columns.iter().enumerate().map(|(column, name)| width(column, name)).collect();
    let rule: String = widths.iter().map(|width| format!("+{}", "-".repeat(width + 2))).collect();
    let line = |cells: &mut dyn Iterator<Item = &str>| -> String {
        let padded = |(cell, width): (&str, &usize)| {
            let padding = " ".repeat(width.saturating_sub(show::width(cell)));
            format!("| {cell}{padding} ")
        };
        cells.zip(&widths).map(padded).collect()
    };
    writeln!(out, "{rule}+\n{}|\n{rule}+", line(&mut columns.iter().copied()))?;
    for row in &rows {
        writeln!(out, "{}|", line(&mut row.iter().map(AsRef::as_ref)))?;
    }
    writeln!(out, "{rule}+")
}
