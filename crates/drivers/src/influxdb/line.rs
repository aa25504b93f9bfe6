//! Line protocol: how every InfluxDB takes rows.
//!
//! ```text
//! measurement,tag=value text="…",whole=5i,flag=true 1763700000000000000
//! ```
//!
//! Source: InfluxData's reference of the line protocol. In a text `"` and `\` stand behind a backslash, and all else,
//! line breaks included, for itself. Names and tags are ours: letters, digits and `_`, so that nothing in them has to
//! be escaped.

use std::fmt::Write;

/// One row that is being written.
#[derive(Debug)]
pub(super) struct Line {
    text: String,
    separator: char,
}

impl Line {
    /// A row of a measurement with one tag.
    pub(super) fn new(measurement: &str, (tag, value): (&str, &str), room: usize) -> Self {
        debug_assert!([measurement, tag, value].into_iter().all(is_plain), "{measurement} {tag} {value}");
        let mut text = String::with_capacity(room);
        write!(text, "{measurement},{tag}={value}").expect("a String takes all");
        Self { text, separator: ' ' }
    }

    fn begin(&mut self, field: &str) {
        debug_assert!(is_plain(field), "{field}");
        self.text.push(self.separator);
        self.text.push_str(field);
        self.text.push('=');
        self.separator = ',';
    }

    /// A field that is text.
    pub(super) fn text(&mut self, field: &str, value: &str) {
        self.begin(field);
        self.text.push('"');
        let mut rest = value;
        while let Some(at) = memchr::memchr2(b'"', b'\\', rest.as_bytes()) {
            self.text.push_str(&rest[..at]);
            self.text.push('\\');
            self.text.push_str(&rest[at..=at]);
            rest = &rest[at + 1..];
        }
        self.text.push_str(rest);
        self.text.push('"');
    }

    /// A field that is a whole number.
    pub(super) fn integer(&mut self, field: &str, value: i64) {
        self.begin(field);
        write!(self.text, "{value}i").expect("a String takes all");
    }

    /// A field that is on or off.
    pub(super) fn boolean(&mut self, field: &str, value: bool) {
        self.begin(field);
        self.text.push_str(if value { "true" } else { "false" });
    }

    /// The row at this time, in nanoseconds.
    pub(super) fn at(mut self, time: i64) -> String {
        write!(self.text, " {time}").expect("a String takes all");
        self.text
    }
}

fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::super::row::Value;
    use super::*;

    /// A row as a server reads it.
    #[derive(Clone, Debug, PartialEq)]
    pub(in super::super) struct Parsed {
        pub(in super::super) measurement: String,
        pub(in super::super) tags: Vec<(String, String)>,
        pub(in super::super) fields: Vec<(String, Value)>,
        pub(in super::super) time: i64,
    }

    /// Takes characters up to one of these that no backslash stands before; the escaped ones are freed.
    fn until<'a>(text: &'a str, ends: &str, escapable: &str) -> (String, &'a str) {
        let mut taken = String::new();
        let mut rest = text.char_indices().peekable();
        while let Some((at, character)) = rest.next() {
            if character == '\\'
                && let Some((_, next)) = rest.next_if(|(_, next)| escapable.contains(*next))
            {
                taken.push(next);
            } else if ends.contains(character) {
                return (taken, &text[at..]);
            } else {
                taken.push(character);
            }
        }
        (taken, "")
    }

    /// Reads all rows of a body, by the reference of the line protocol.
    pub(in super::super) fn parse(body: &str) -> Vec<Parsed> {
        let (mut rows, mut rest) = (Vec::new(), body);
        while !rest.is_empty() {
            let (row, after) = parse_row(rest);
            rows.push(row);
            rest = after.trim_start_matches('\n');
        }
        rows
    }

    fn parse_row(text: &str) -> (Parsed, &str) {
        let (measurement, mut rest) = until(text, ", ", ", ");
        let mut tags = Vec::new();
        while let Some(tag) = rest.strip_prefix(',') {
            let (key, after) = until(tag, "=", ",= ");
            let (value, after) = until(&after[1..], ", ", ",= ");
            tags.push((key, value));
            rest = after;
        }
        let mut fields = Vec::new();
        loop {
            let (key, after) = until(&rest[1..], "=", ",= ");
            let (value, after) = match after[1..].strip_prefix('"') {
                Some(text) => {
                    let (text, after) = until(text, "\"", "\"\\");
                    (Value::Text(text), &after[1..])
                }
                None => {
                    let (word, after) = until(&after[1..], ", ", "");
                    let value = match word.strip_suffix('i') {
                        Some(number) => Value::Integer(number.parse().unwrap()),
                        None => Value::Boolean(word.parse().unwrap()),
                    };
                    (value, after)
                }
            };
            fields.push((key, value));
            rest = after;
            if rest.starts_with(' ') {
                break;
            }
        }
        let (time, rest) = until(&rest[1..], "\n", "");
        (Parsed { measurement, tags, fields, time: time.parse().unwrap() }, rest)
    }

    #[test]
    fn a_row_is_written_as_the_reference_has_it() {
        let mut line = Line::new("traces", ("bucket", "0ff"), 100);
        line.text("text", "a \"b\"\\n,=\n'日'");
        line.integer("number", -5);
        line.boolean("flag", true);
        let expected = "traces,bucket=0ff text=\"a \\\"b\\\"\\\\n,=\n'日'\",number=-5i,flag=true 17";
        assert_eq!(line.at(17), expected);
    }

    proptest! {
        #[test]
        fn a_row_is_read_back_as_it_was(
            rows in prop::collection::vec((".*|[\"\\\\ ,=\n]*", any::<i64>(), any::<bool>(), any::<i64>()), 1..4)
        ) {
            let lines: Vec<_> = rows.iter().map(|(text, number, flag, time)| {
                let mut line = Line::new("m", ("t", "v"), 0);
                line.text("text", text);
                line.integer("number", *number);
                line.boolean("flag", *flag);
                line.at(*time)
            }).collect();
            let read = parse(&lines.join("\n"));
            prop_assert_eq!(read.len(), rows.len());
            for (row, (text, number, flag, time)) in read.into_iter().zip(rows) {
                prop_assert_eq!(row, Parsed {
                    measurement: "m".into(),
                    tags: vec![("t".into(), "v".into())],
                    fields: vec![
                        ("text".into(), Value::Text(text)),
                        ("number".into(), Value::Integer(number)),
                        ("flag".into(), Value::Boolean(flag)),
                    ],
                    time,
                });
            }
        }
    }
}
