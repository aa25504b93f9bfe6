//! The report as JSON.

use std::io::{self, Write};

use super::{Node, Payload, Report};
use crate::Json;
use crate::json::{self, write_string};

/// Which JSON a report is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// As Python writes and reads it: `NaN` and `Infinity` stand as services sent them.
    Python,
    /// As everybody reads it; see [`json::standard`].
    Standard,
}

/// Nodes deeper than this are not indented further, so that the output grows with the points and not with their
/// depth: OSProfiler's own, 10,000 deep, is larger than a gigabyte.
const INDENTED_DEPTH: usize = 24;
/// Output is handed on in pieces of about this size.
const PIECE_BYTES: usize = 64 * 1024;

impl Report {
    /// Writes the report as JSON in ASCII, indented, a notification a line, with a line break at the end.
    ///
    /// Values are those of `osprofiler trace show --json`.
    pub fn write_json(&self, dialect: Dialect, out: &mut impl Write) -> io::Result<()> {
        let mut text = String::with_capacity(PIECE_BYTES * 2);
        text.push_str("{\n  \"info\": {\"name\": \"total\", \"started\": 0, \"finished\": ");
        push_optional(&mut text, self.finished_ms);
        text.push_str(", \"last_trace_started\": ");
        push_optional(&mut text, self.last_trace_started_ms);
        text.push_str("},\n  \"children\": [");
        self.write_children(&mut text, dialect, out)?;
        text.push_str("],\n  \"stats\": {");
        for (at, (name, stat)) in self.stats().enumerate() {
            text.push_str(if at == 0 { "\n    " } else { ",\n    " });
            write_string(&mut text, name);
            text.push_str(": {\"count\": ");
            text.push_str(&stat.count.to_string());
            text.push_str(", \"duration\": ");
            push_number(&mut text, stat.duration_ms);
            text.push('}');
        }
        text.push_str(if self.stats.is_empty() { "}\n}\n" } else { "\n  }\n}\n" });
        hand_on(&text, dialect, out)
    }

    /// The report as JSON text of the Python dialect; see [`write_json`](Self::write_json).
    pub fn to_json(&self) -> String {
        let mut bytes = Vec::new();
        self.write_json(Dialect::Python, &mut bytes).expect("a Vec takes all");
        String::from_utf8(bytes).expect("the report is written from text")
    }

    fn write_children(&self, text: &mut String, dialect: Dialect, out: &mut impl Write) -> io::Result<()> {
        /// What is left to write; the last comes first.
        enum Step<'a> {
            Open { node: &'a Node, depth: usize, first: bool },
            Close { depth: usize },
        }
        fn push<'a>(steps: &mut Vec<Step<'a>>, report: &'a Report, children: &[u32], depth: usize) {
            steps.extend(children.iter().enumerate().rev().map(|(number, &at)| Step::Open {
                node: report.at(at),
                depth,
                first: number == 0,
            }));
        }
        let mut steps = Vec::new();
        push(&mut steps, self, &self.roots, 0);
        while let Some(step) = steps.pop() {
            match step {
                Step::Open { node, depth, first } => {
                    text.push_str(if first { "" } else { "," });
                    push_line(text, depth, "{");
                    self.write_node(text, node, depth);
                    if node.children.is_empty() {
                        text.push_str("]}");
                    } else {
                        steps.push(Step::Close { depth });
                        push(&mut steps, self, &node.children, depth + 1);
                    }
                }
                Step::Close { depth } => push_line(text, depth, "]}"),
            }
            if text.len() >= PIECE_BYTES {
                hand_on(text, dialect, out)?;
                text.clear();
            }
        }
        if !self.roots.is_empty() {
            text.push_str("\n  ");
        }
        Ok(())
    }

    /// Everything from the brace of a node to the bracket of its children.
    pub(super) fn write_node(&self, text: &mut String, node: &Node, depth: usize) {
        text.push_str("\"info\": {\"name\": ");
        write_string(text, &node.name);
        for (key, value) in [("project", &node.project), ("service", &node.service), ("host", &node.host)] {
            push_key(text, key);
            match value {
                Some(value) => write_string(text, value),
                None => text.push_str("null"),
            }
        }
        for payload in &node.payloads {
            text.push(',');
            push_line(text, depth + 1, "");
            text.push_str("\"meta.raw_payload.");
            json::write_escaped(text, self.payload_name(payload));
            text.push_str("\": ");
            match payload {
                Payload::Point(at) => self.point(*at).write_json(text),
                Payload::Saved(saved) => text.push_str(saved.1.as_str()),
            }
        }
        text.push(',');
        push_line(text, depth + 1, "\"started\": ");
        push_number(text, node.started_ms);
        push_key(text, "finished");
        push_number(text, node.finished_ms);
        if let Some(exception) = &node.exception {
            push_key(text, "exception");
            text.push_str(Json::as_str(exception));
        }
        text.push_str("},");
        push_line(text, depth, " \"trace_id\": ");
        node.trace_id.write_json(text);
        push_key(text, "parent_id");
        node.parent_id.write_json(text);
        push_key(text, "children");
        text.push('[');
    }
}

/// Writes text that begins and ends between tokens.
fn hand_on(text: &str, dialect: Dialect, out: &mut impl Write) -> io::Result<()> {
    match dialect {
        Dialect::Python => out.write_all(text.as_bytes()),
        Dialect::Standard => out.write_all(json::standard(text).as_bytes()),
    }
}

fn push_line(text: &mut String, depth: usize, content: &str) {
    text.push('\n');
    for _ in 0..=depth.min(INDENTED_DEPTH) {
        text.push_str("  ");
    }
    text.push_str(content);
}

fn push_key(text: &mut String, key: &str) {
    text.push_str(", \"");
    text.push_str(key);
    text.push_str("\": ");
}

fn push_number(text: &mut String, number: i64) {
    text.push_str(&number.to_string());
}

fn push_optional(text: &mut String, number: Option<i64>) {
    match number {
        Some(number) => push_number(text, number),
        None => text.push_str("null"),
    }
}
