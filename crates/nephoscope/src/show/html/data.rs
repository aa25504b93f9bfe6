//! The operations as the script of the page reads them.
//!
//! Columns instead of objects: one flat array for each thing that is known of an operation, in the order of the tree,
//! so that the size is linear in the points and reading does not recurse however deep they lie. What services sent in
//! `info` is a string with their JSON in it. It stays as they wrote it, also where JavaScript could not hold it.

use std::collections::HashMap;
use std::io::{self, Write};

use nephoscope_telemetry::report::Node;
use nephoscope_telemetry::{Report, Timestamp, json};

use crate::show::summary::{Summary, duration_us};
use crate::show::{subject, text};

/// Characters of a subject or an exception in a line; the details show them whole.
const LINE_CHARACTERS: usize = 200;

/// Bits of the column `flags`, as in `report.js`.
pub(super) const FAILED: u8 = 1;
pub(super) const WITHOUT_STOP: u8 = 2;
pub(super) const WITHOUT_START: u8 = 4;

/// Writes the JSON object that holds all operations of a report.
pub(super) fn write(report: &Report, summary: &Summary, out: &mut impl Write) -> io::Result<()> {
    let services: HashMap<&str, usize> =
        summary.services.iter().enumerate().map(|(at, (service, _))| (&**service, at)).collect();
    let names: HashMap<&str, usize> =
        summary.by_name.iter().enumerate().map(|(at, (name, _))| (*name, at)).collect();
    let service_of = |node| services.get(&*subject::service(node)).map_or("-1".into(), usize::to_string);
    let nodes = || report.walk().map(|(_, node)| node);
    let mut columns = Columns { out, text: String::new(), first: true };

    columns.out.write_all(b"{")?;
    columns.number("total", Some(summary.total_us))?;
    columns.number("earliest", report.earliest().map(Timestamp::as_micros))?;
    columns.strings("services", summary.services.iter().map(|(service, _)| &**service))?;
    columns.strings("names", summary.by_name.iter().map(|(name, _)| *name))?;
    columns.numbers("parent", parents(report))?;
    columns.numbers("name", nodes().map(|node| names[report.full_name(node)]))?;
    columns.numbers("service", nodes().map(service_of))?;
    columns.numbers("start", nodes().map(|node| node.started_us))?;
    columns.numbers("duration", nodes().map(duration_us))?;
    columns.numbers("flags", nodes().map(flags))?;
    columns.strings("subject", nodes().map(|node| line(subject::subject(report, node))))?;
    columns.strings("error", nodes().map(|node| line(subject::error(report, node))))?;
    columns.strings("host", nodes().map(|node| node.host.as_deref().unwrap_or_default()))?;
    columns.strings("id", nodes().map(|node| node.trace_id.to_string()))?;
    columns.strings("above", report.roots().map(|root| root.parent_id.to_string()))?;
    columns.numbers("points", nodes().map(|node| report.infos(node).count()))?;
    columns.strings("point", nodes().flat_map(|node| report.infos(node)).map(|(name, _)| name))?;
    columns.strings("info", nodes().flat_map(|node| report.infos(node)).map(|(_, info)| info))?;
    columns.out.write_all(b"}")
}

/// For each operation the place of the one around it; of a root -1.
fn parents(report: &Report) -> impl Iterator<Item = i64> {
    let mut open: Vec<i64> = Vec::new();
    (0..).zip(report.walk()).map(move |(at, (depth, _))| {
        open.truncate(depth);
        let parent = open.last().copied().unwrap_or(-1);
        open.push(at);
        parent
    })
}

fn flags(node: &Node) -> u8 {
    let set = |bit: u8, is_so: bool| if is_so { bit } else { 0 };
    set(FAILED, node.error().is_some())
        | set(WITHOUT_STOP, !node.has_stop())
        | set(WITHOUT_START, !node.has_start)
}

fn line(text: Option<String>) -> String {
    text.map_or_else(String::new, |text| text::words(&text, LINE_CHARACTERS))
}

/// An object whose values are numbers, or arrays of numbers or strings.
struct Columns<'a, W> {
    out: &'a mut W,
    text: String,
    first: bool,
}

impl<W: Write> Columns<'_, W> {
    fn number(&mut self, key: &str, number: Option<i64>) -> io::Result<()> {
        self.key(key)?;
        match number {
            Some(number) => write!(self.out, "{number}"),
            None => self.out.write_all(b"null"),
        }
    }

    fn numbers(&mut self, key: &str, numbers: impl Iterator<Item: ToString>) -> io::Result<()> {
        self.array(key, numbers, |text, number| text.push_str(&number.to_string()))
    }

    fn strings(&mut self, key: &str, strings: impl Iterator<Item: AsRef<str>>) -> io::Result<()> {
        self.array(key, strings, |text, string| json::write_string(text, string.as_ref()))
    }

    fn array<T>(
        &mut self,
        key: &str,
        items: impl Iterator<Item = T>,
        append: impl Fn(&mut String, T),
    ) -> io::Result<()> {
        self.key(key)?;
        self.out.write_all(b"[")?;
        for (at, item) in items.enumerate() {
            self.text.clear();
            if at > 0 {
                self.text.push(',');
            }
            append(&mut self.text, item);
            // Inside a script element, `</script` and `<!--` have a meaning even in a string.
            if self.text.contains('<') {
                self.text = self.text.replace('<', "\\u003c");
            }
            self.out.write_all(self.text.as_bytes())?;
        }
        self.out.write_all(b"]")
    }

    fn key(&mut self, key: &str) -> io::Result<()> {
        let comma = if std::mem::take(&mut self.first) { "" } else { ",\n" };
        write!(self.out, "{comma}\"{key}\":")
    }
}
