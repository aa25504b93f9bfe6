//! The report as a tree of text.

mod line;

use std::io::{self, BufWriter, Write};

use anstyle::{AnsiColor, Style as Ansi};
use nephoscope_telemetry::Report;
use nephoscope_telemetry::report::Node;

use super::figures::{Count, Micros, share};
use super::summary::{Summary, duration_us, unreachable};
use super::{subject, text};
use line::Line;

/// How a tree is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// With the colours of a terminal.
    pub colour: bool,
    /// No line is wider than this; what does not fit is cut. Without it nothing is.
    pub width: Option<usize>,
}

/// Operations deeper than this are shown with their depth instead of further guides, so that a line does not grow with
/// the depth. OpenStack's own traces rarely are as deep.
const GUIDED_DEPTH: usize = 12;
/// Columns of the bar that shows when an operation ran.
const BAR_COLUMNS: usize = 20;
/// Lines narrower than this have no room for the bar.
const WIDTH_WITH_BAR: usize = 100;
/// Names and services are padded to the widest of them, but no further: one long name must not widen all lines.
const NAME_COLUMNS: usize = 44;
const SERVICE_COLUMNS: usize = 24;

const PLAIN: Ansi = Ansi::new();
const BOLD: Ansi = Ansi::new().bold();
const FAINT: Ansi = Ansi::new().dimmed();
const SERVICE: Ansi = AnsiColor::Cyan.on_default();
const BAR: Ansi = AnsiColor::Blue.on_default();
const WARNING: Ansi = AnsiColor::Yellow.on_default();
const ERROR: Ansi = AnsiColor::Red.on_default().bold();

/// Writes the report as a tree of text, an operation a line: how long it ran and when, in figures and as a bar, its
/// name below that of the operation around it, its service, and what it is about. Ahead of the tree stands what the
/// trace is, behind it a table of its operations by name.
pub fn write_tree(report: &Report, style: Style, out: &mut impl Write) -> io::Result<()> {
    write_first(report, style, usize::MAX, out)
}

/// As [`write_tree`], with no more than the first operations.
pub(super) fn write_first(
    report: &Report,
    style: Style,
    first: usize,
    out: &mut impl Write,
) -> io::Result<()> {
    let mut out = BufWriter::new(out);
    let summary = Summary::of(report);
    let mut line = Line::new(style);
    write_head(report, &summary, &mut line, &mut out)?;
    let operations: Vec<_> = report.walk().take(first).collect();
    if !operations.is_empty() {
        write_operations(report, &operations, &summary, &mut line, &mut out)?;
        if let Some(more @ 1..) = summary.operations.checked_sub(operations.len() as u64) {
            line.put(FAINT, &format!("{} more", Count(more)));
            line.end(&mut out)?;
        }
        write_totals(&summary, &mut line, &mut out)?;
    }
    if let Some(note) = unreachable(report) {
        line.end(&mut out)?;
        line.put(WARNING, &note);
        line.end(&mut out)?;
    }
    out.flush()
}

fn write_head(report: &Report, summary: &Summary, line: &mut Line, out: &mut impl Write) -> io::Result<()> {
    line.put(BOLD, "Trace");
    if let Some(id) = report.base_id() {
        line.put(BOLD, &id.with_str(|id| format!(" {}", text::visible(id))));
    }
    line.end(out)?;
    line.put(PLAIN, &summary.facts(report));
    line.end(out)?;
    if let Some(services) = summary.services() {
        line.put(SERVICE, &services);
        line.end(out)?;
    }
    Ok(())
}

/// Widths of the columns.
struct Columns {
    duration: usize,
    offset: usize,
    bar: usize,
    name: usize,
    service: usize,
}

impl Columns {
    fn of(report: &Report, operations: &[(usize, &Node)], style: Style) -> Self {
        let mut columns = Self { duration: 8, offset: 6, bar: BAR_COLUMNS, name: 9, service: 7 };
        let columns_of = |us| Micros(us).to_string().chars().count();
        for &(depth, node) in operations {
            columns.duration = columns.duration.max(columns_of(duration_us(node)));
            columns.offset = columns.offset.max(columns_of(node.started_us));
            columns.name =
                columns.name.max(guides_width(depth) + text::width(&text::visible(report.full_name(node))));
            columns.service = columns.service.max(text::width(&text::visible(&subject::service(node))));
        }
        columns.name = columns.name.min(NAME_COLUMNS);
        columns.service = columns.service.min(SERVICE_COLUMNS);
        if style.width.is_some_and(|width| width < WIDTH_WITH_BAR) {
            columns.bar = 0;
        }
        columns
    }
}

fn write_operations(
    report: &Report,
    operations: &[(usize, &Node)],
    summary: &Summary,
    line: &mut Line,
    out: &mut impl Write,
) -> io::Result<()> {
    let columns = Columns::of(report, operations, line.style());
    line.end(out)?;
    line.put_right(FAINT, "DURATION", columns.duration);
    line.put_right(FAINT, "OFFSET", columns.offset + 2);
    line.skip(if columns.bar > 0 { columns.bar + 4 } else { 2 });
    line.put_left(FAINT, "OPERATION", columns.name);
    line.skip(2);
    line.put_left(FAINT, "SERVICE", columns.service);
    line.skip(2);
    line.put(FAINT, "ABOUT");
    line.end(out)?;
    let last = last_siblings(operations);
    // For each level around the operation, whether what is open there is the last of its siblings.
    let mut path: Vec<bool> = Vec::new();
    for (&(depth, node), last) in operations.iter().zip(last) {
        path.truncate(depth);
        path.push(last);
        write_operation(report, node, &path, summary, &columns, line);
        line.end(out)?;
    }
    Ok(())
}

/// For each operation whether no sibling comes after it.
fn last_siblings(operations: &[(usize, &Node)]) -> Vec<bool> {
    // Walking back: for each level whether a sibling was met there.
    let mut met: Vec<bool> = Vec::new();
    let mut last = vec![false; operations.len()];
    for (at, &(depth, _)) in operations.iter().enumerate().rev() {
        met.resize(depth + 1, false);
        last[at] = !std::mem::replace(&mut met[depth], true);
    }
    last
}

fn write_operation(
    report: &Report,
    node: &Node,
    path: &[bool],
    summary: &Summary,
    columns: &Columns,
    line: &mut Line,
) {
    let alarm = |usual| if node.error().is_some() { ERROR } else { usual };
    let duration = duration_us(node);
    if node.has_start && node.has_stop() {
        line.put_right(PLAIN, &Micros(duration).to_string(), columns.duration);
    } else {
        line.put_right(FAINT, "-", columns.duration);
    }
    line.put_right(FAINT, &Micros(node.started_us).to_string(), columns.offset + 2);
    line.skip(2);
    if columns.bar > 0 {
        let (before, length) = bar(node, summary.total_us);
        line.skip(before);
        line.put(alarm(BAR), &"━".repeat(length));
        line.skip(columns.bar - before - length + 2);
    }
    let guides = guides(path);
    line.put(FAINT, &guides);
    let room = columns.name.saturating_sub(text::width(&guides));
    line.put_left(alarm(BOLD), &text::visible(report.full_name(node)), room);
    line.skip(2);
    line.put_left(SERVICE, &text::visible(&subject::service(node)), columns.service);
    line.skip(2);
    if let Some(error) = subject::error(report, node) {
        line.put(ERROR, &format!("✗ {}", text::visible(&error)));
        line.skip(2);
    }
    for warning in warnings(node, duration) {
        line.put(WARNING, warning);
        line.skip(2);
    }
    if let Some(subject) = subject::subject(report, node) {
        line.put(PLAIN, &text::visible(&subject));
    }
}

/// What is odd about the points of an operation.
fn warnings(node: &Node, duration: i64) -> impl Iterator<Item = &'static str> {
    let odd = [
        (!node.has_stop(), "unfinished"),
        (!node.has_start, "start is missing"),
        (duration < 0, "stops before it starts"),
    ];
    odd.into_iter().filter_map(|(is_so, warning)| is_so.then_some(warning))
}

/// How many columns of the bar are before the operation, and how many it has: at least one.
fn bar(node: &Node, total_us: i64) -> (usize, usize) {
    let column = |us: i64| {
        let us = i128::from(us.clamp(0, total_us.max(0)));
        let column = us * BAR_COLUMNS as i128 / i128::from(total_us.max(1));
        usize::try_from(column).expect("a part of the columns of a bar")
    };
    let start = column(node.started_us.min(node.finished_us)).min(BAR_COLUMNS - 1);
    let end = column(node.started_us.max(node.finished_us));
    (start, end.saturating_sub(start).max(1))
}

/// The lines that lead to an operation from those around it.
fn guides(path: &[bool]) -> String {
    let depth = path.len() - 1;
    let mut guides = String::new();
    for &last in path.iter().take(depth.min(GUIDED_DEPTH)).skip(1) {
        guides.push_str(if last { "  " } else { "│ " });
    }
    match path.last() {
        _ if depth > GUIDED_DEPTH => guides.push_str(&format!("⋯ {depth} ")),
        Some(_) if depth == 0 => {}
        Some(true) => guides.push_str("└╴"),
        _ => guides.push_str("├╴"),
    }
    guides
}

/// How wide [`guides`] are at a depth.
fn guides_width(depth: usize) -> usize {
    if depth > GUIDED_DEPTH { GUIDED_DEPTH * 2 + 1 + depth.to_string().len() } else { depth * 2 }
}

fn write_totals(summary: &Summary, line: &mut Line, out: &mut impl Write) -> io::Result<()> {
    let widths = summary.by_name.iter().map(|(name, _)| text::width(&text::visible(name)));
    let name = widths.max().unwrap_or(0).clamp(9, NAME_COLUMNS);
    line.end(out)?;
    line.put_left(FAINT, "OPERATION", name);
    for (title, columns) in [("COUNT", 9), ("TOTAL", 13), ("OWN", 13), ("SHARE", 9)] {
        line.put_right(FAINT, title, columns);
    }
    line.end(out)?;
    let own = summary.own_us();
    for (operation, totals) in &summary.by_name {
        line.put_left(BOLD, &text::visible(operation), name);
        line.put_right(PLAIN, &Count(totals.count).to_string(), 9);
        line.put_right(PLAIN, &Micros(totals.duration_us).to_string(), 13);
        line.put_right(PLAIN, &Micros(totals.own_us).to_string(), 13);
        line.put_right(PLAIN, &share(totals.own_us, own), 9);
        line.end(out)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
