//! Many trace points in one text: a JSON array, or JSON lines.

use std::fmt;

use crate::{BadRecord, TracePoint, json};

/// The points of a text, and what in it is no point.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch {
    /// The points in order.
    pub points: Vec<TracePoint>,
    /// What is no point, and where.
    pub bad: Vec<(Place, BadRecord)>,
}

/// Where something stands in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In this line; the first is 1.
    Line(u64),
    /// At this item of the array; the first is 1.
    Item(u64),
}

impl Batch {
    /// Reads a JSON array of notifications, or one notification a line with empty lines passed over.
    ///
    /// What is broken costs itself and nothing else, except that behind broken JSON in an array nothing can be found.
    pub fn read(bytes: &[u8]) -> Self {
        let mut batch = Self::default();
        match bytes.iter().find(|byte| !byte.is_ascii_whitespace()) {
            Some(b'[') => match std::str::from_utf8(bytes) {
                Ok(text) => batch.read_array(text),
                Err(error) => {
                    let problem = format!("the array is not UTF-8 at byte {}", error.valid_up_to());
                    batch.bad.push((Place::Item(1), BadRecord::whole(problem)));
                }
            },
            _ => batch.read_lines(bytes),
        }
        batch
    }

    fn take(&mut self, place: Place, point: Result<TracePoint, BadRecord>) {
        match point {
            Ok(point) => self.points.push(point),
            Err(reason) => self.bad.push((place, reason)),
        }
    }

    fn read_lines(&mut self, bytes: &[u8]) {
        for (number, line) in (1..).zip(bytes.split(|&byte| byte == b'\n')) {
            let line = line.trim_ascii();
            if !line.is_empty() {
                self.take(Place::Line(number), TracePoint::from_json_bytes(line));
            }
        }
    }

    fn read_array(&mut self, text: &str) {
        for (number, item) in (1..).zip(json::items(text)) {
            let point = match item {
                Ok(item) => TracePoint::from_json(item),
                Err(broken) => Err(BadRecord::whole(broken.to_string())),
            };
            self.take(Place::Item(number), point);
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(number) => write!(f, "line {number}"),
            Self::Item(number) => write!(f, "item {number}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const POINT: &str = r#"{"name": "a-start", "base_id": "b", "trace_id": "t", "parent_id": "p", "timestamp": "2026-01-01T00:00:00.000001"}"#;

    fn read(text: &str) -> (usize, Vec<String>) {
        let batch = Batch::read(text.as_bytes());
        (batch.points.len(), batch.bad.iter().map(|(place, reason)| format!("{place}: {reason}")).collect())
    }

    #[test]
    fn a_broken_line_is_told_by_its_number_and_the_rest_is_read() {
        let (good, bad) = read(&format!("{POINT}\n\n{{\"na\r\n  {POINT} \r\n5\n{POINT}"));
        assert_eq!(good, 3);
        assert_eq!(bad.len(), 2);
        assert!(bad[0].starts_with("line 3: is not JSON"), "{bad:?}");
        assert!(bad[1].starts_with("line 5: is JSON, but no object"), "{bad:?}");
    }

    #[test]
    fn a_broken_item_is_told_by_its_number_and_the_rest_is_read() {
        let (good, bad) = read(&format!(" [{POINT}, 5,\n{POINT}]\n"));
        assert_eq!((good, bad), (2, vec!["item 2: is JSON, but no object".to_owned()]));
    }

    #[test]
    fn behind_broken_json_in_an_array_nothing_is_read() {
        for (text, told) in [
            (format!("[{POINT}, {{x}}, {POINT}]"), "item 2"),
            (format!("[{POINT} {POINT}]"), "item 2"),
            (format!("[{POINT}"), "item 2"),
            (format!("[{POINT}] {POINT}"), "item 2: the array is not JSON from here on: expected the end"),
        ] {
            let (good, bad) = read(&text);
            assert_eq!((good, bad.len()), (1, 1), "{text}");
            assert!(bad[0].starts_with(told), "{bad:?}");
        }
    }

    #[test]
    fn nothing_holds_nothing() {
        for text in ["", " \n", "[]", "[ ]\n"] {
            assert_eq!(read(text), (0, vec![]));
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>, text in "[\\[\\]{},:\"a-z0-9\n ]*") {
            Batch::read(&bytes);
            Batch::read(text.as_bytes());
            Batch::read(format!("[{text}").as_bytes());
        }
    }
}
