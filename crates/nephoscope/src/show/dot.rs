//! The report as a graph in the DOT language.

use std::io::{self, BufWriter, Write};

use nephoscope_telemetry::Report;
use nephoscope_telemetry::report::Node;

use super::subject::{field, last_part};
use super::text;

/// Characters of a path that a label holds, as `osprofiler trace show --dot` has it.
const PATH_CHARACTERS: usize = 30;

/// Writes the report as `osprofiler trace show --dot` does: nodes numbered as they are met, the whole trace first, and
/// an edge behind all that is below it.
///
/// Labels are the same wherever OSProfiler makes one that shows what is meant: a backslash and a label in angle
/// brackets are shown as they are, and a control character as its escape.
pub fn write_dot(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let mut out = BufWriter::new(out);
    out.write_all(b"digraph {\n")?;
    write_node(&mut out, 0, &format!("total - {} ms", report.finished_ms().unwrap_or(0)), None)?;
    // The numbers of the node that was met last and of all those around it.
    let mut open: Vec<usize> = vec![0];
    for (number, (depth, node)) in (1..).zip(report.walk()) {
        while open.len() > depth + 1 {
            close(&mut out, &mut open)?;
        }
        write_node(&mut out, number, &label(node), call(report, node).as_deref())?;
        open.push(number);
    }
    while open.len() > 1 {
        close(&mut out, &mut open)?;
    }
    out.write_all(b"}\n")?;
    out.flush()
}

/// Writes the edge to the innermost open node, below which nothing more comes.
fn close(out: &mut impl Write, open: &mut Vec<usize>) -> io::Result<()> {
    if let (Some(child), Some(parent)) = (open.pop(), open.last()) {
        writeln!(out, "\t{parent} -> {child}")?;
    }
    Ok(())
}

fn write_node(out: &mut impl Write, number: usize, label: &str, call: Option<&str>) -> io::Result<()> {
    write!(out, "\t{number} [label=\"{}", quoted(label))?;
    if let Some(call) = call {
        write!(out, "\\n{}", quoted(call))?;
    }
    out.write_all(b"\"]\n")
}

fn label(node: &Node) -> String {
    let duration = node.finished_ms.saturating_sub(node.started_ms);
    match &node.service {
        Some(service) => format!("{service}:{} - {duration} ms", node.name),
        None => format!("{} - {duration} ms", node.name),
    }
}

/// The second line of a label: what was requested or called, where the start tells it.
fn call(report: &Report, node: &Node) -> Option<String> {
    let about = match &*node.name {
        "wsgi" => "request",
        "rpc" | "driver" => "function",
        _ => return None,
    };
    let is_start = |name: &str| name.strip_suffix("-start") == Some(&node.name);
    let (_, info) = report.infos(node).find(|(name, _)| is_start(name))?;
    let about = nephoscope_telemetry::json::entries(info).filter(|(key, _)| key == about).last()?.1;
    if node.name == "wsgi" {
        let path: String = field(about, "path")?.chars().take(PATH_CHARACTERS).collect();
        Some(format!("{} {path}..", field(about, "method")?))
    } else {
        Some(last_part(&field(about, "name")?).to_owned())
    }
}

/// The text as it stands between the quotes of a label. A backslash begins an escape there, not only before a quote.
fn quoted(label: &str) -> String {
    text::visible(label).replace('\\', "\\\\").replace('"', "\\\"")
}

#[cfg(test)]
mod tests;
