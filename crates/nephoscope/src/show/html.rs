//! The report as a page.
//!
//! What a page shows at once (figures, totals) is written into it; the operations are data that the script reads. Nothing
//! in it is fetched from anywhere, and its policy forbids that: only the very style and script that are written here are
//! applied, by their hashes.

mod data;

use std::io::{self, BufWriter, Write};

use nephoscope_telemetry::Report;

use super::figures::{Count, Micros, share};
use super::summary::{Summary, unreachable};
use super::{text, tree};

const PAGE: &str = include_str!("html/report.html");
const STYLE: &str = include_str!("html/report.css");
const SCRIPT: &str = include_str!("html/report.js");
/// Hashes of the two, for the policy of the page; a test says what they have to be.
const STYLE_HASH: &str = "sha256-x9hz53PuXXMvP2JUD1RixGD8yjK/sk5baDBkSX1gLuM=";
const SCRIPT_HASH: &str = "sha256-nW/TLos+nrOivuWQrtt6sBevAZtj8lX45jW/QOZe87A=";

/// How many colours of services the style has.
const COLOURS: usize = 8;
/// Services in the legend, and names in the table of totals; a longer list would push the operations off the page.
const SERVICES_SHOWN: usize = 24;
const NAMES_SHOWN: usize = 200;
/// Operations that a reader without JavaScript sees, and how wide their lines are.
const OPERATIONS_WITHOUT_SCRIPT: usize = 1_000;
const WIDTH_WITHOUT_SCRIPT: usize = 160;

/// Writes the report as one page of HTML that needs nothing else: a waterfall of all operations to search, fold and
/// look into. Without JavaScript it shows the beginning of the tree as [`write_tree`](super::write_tree) writes it.
pub fn write_html(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let mut out = BufWriter::new(out);
    let summary = Summary::of(report);
    let mut rest = PAGE;
    while let Some((before, (field, after))) =
        rest.split_once("{{").and_then(|(before, after)| Some((before, after.split_once("}}")?)))
    {
        out.write_all(before.as_bytes())?;
        write_field(report, &summary, field, &mut out)?;
        rest = after;
    }
    out.write_all(rest.as_bytes())?;
    out.flush()
}

/// Writes what stands in the page for a field of its template.
fn write_field(report: &Report, summary: &Summary, field: &str, out: &mut impl Write) -> io::Result<()> {
    match field {
        "style hash" => out.write_all(STYLE_HASH.as_bytes()),
        "script hash" => out.write_all(SCRIPT_HASH.as_bytes()),
        "style" => out.write_all(STYLE.as_bytes()),
        "script" => out.write_all(SCRIPT.as_bytes()),
        "id" => match report.base_id() {
            Some(id) => out.write_all(id.with_str(escaped).as_bytes()),
            None => Ok(()),
        },
        "facts" => out.write_all(escaped(&summary.facts(report)).as_bytes()),
        "services" => write_services(summary, out),
        "note" => match unreachable(report) {
            Some(note) => write!(out, "<p class=\"note\">{}</p>", escaped(&note)),
            None => Ok(()),
        },
        "totals" => write_totals(summary, out),
        "tree" => write_tree(report, out),
        "data" => data::write(report, summary, out),
        _ => unreachable!("the template has the fields above and no others"),
    }
}

fn write_services(summary: &Summary, out: &mut impl Write) -> io::Result<()> {
    for (at, (service, count)) in summary.services.iter().enumerate().take(SERVICES_SHOWN) {
        let (colour, service, count) = (at % COLOURS, escaped(service), Count(*count));
        write!(out, "<li><i class=\"s{colour}\"></i>{service} <b>{count}</b></li>")?;
    }
    write_more("li", summary.services.len(), SERVICES_SHOWN, out)
}

fn write_totals(summary: &Summary, out: &mut impl Write) -> io::Result<()> {
    let own = summary.own_us();
    for (name, totals) in summary.by_name.iter().take(NAMES_SHOWN) {
        writeln!(
            out,
            "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            escaped(name),
            Count(totals.count),
            Micros(totals.duration_us),
            Micros(totals.own_us),
            share(totals.own_us, own)
        )?;
    }
    if summary.by_name.len() > NAMES_SHOWN {
        out.write_all(b"<tr>")?;
        write_more("td", summary.by_name.len(), NAMES_SHOWN, out)?;
        out.write_all(b"</tr>")?;
    }
    Ok(())
}

fn write_more(element: &str, count: usize, shown: usize, out: &mut impl Write) -> io::Result<()> {
    match count.checked_sub(shown) {
        Some(more @ 1..) => write!(out, "<{element}>{} more</{element}>", Count(more as u64)),
        _ => Ok(()),
    }
}

fn write_tree(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let style = tree::Style { colour: false, width: Some(WIDTH_WITHOUT_SCRIPT) };
    let mut text = Vec::new();
    tree::write_first(report, style, OPERATIONS_WITHOUT_SCRIPT, &mut text)?;
    let text = String::from_utf8(text).expect("a tree is text");
    let lines: Vec<_> = text.lines().map(escaped).collect();
    out.write_all(lines.join("\n").as_bytes())
}

/// The text as it stands in HTML, in an element or a quoted attribute.
fn escaped(content: &str) -> String {
    let visible = text::visible(content);
    let mut html = String::with_capacity(visible.len());
    for character in visible.chars() {
        match character {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            other => html.push(other),
        }
    }
    html
}

#[cfg(test)]
pub(super) mod tests;
