//! Reading the points of a trace while they come.

use nephoscope_http::Incoming;
use nephoscope_telemetry::{BadRecord, Points, Result, TracePoint};
use serde::Deserialize;

/// The points of an answer of JSON lines, without ever holding all of its text.
pub(super) async fn read(mut answer: Incoming<'_>) -> Result<Points> {
    let mut lines = Lines::default();
    while let Some(chunk) = answer.chunk().await? {
        lines.feed(&chunk);
    }
    Ok(lines.end())
}

/// Points, and the beginning of a line whose end has not come yet.
#[derive(Debug, Default)]
struct Lines {
    begun: Vec<u8>,
    points: Points,
}

/// What stands for a record that is no trace point.
#[derive(Deserialize)]
struct Problem {
    problem: String,
}

impl Lines {
    fn feed(&mut self, mut chunk: &[u8]) {
        while let Some(end) = chunk.iter().position(|&byte| byte == b'\n') {
            if self.begun.is_empty() {
                self.take(&chunk[..end]);
            } else {
                self.begun.extend_from_slice(&chunk[..end]);
                let line = std::mem::take(&mut self.begun);
                self.take(&line);
            }
            chunk = &chunk[end + 1..];
        }
        self.begun.extend_from_slice(chunk);
    }

    fn end(mut self) -> Points {
        let line = std::mem::take(&mut self.begun);
        self.take(&line);
        self.points
    }

    fn take(&mut self, line: &[u8]) {
        if line.is_empty() {
            return;
        }
        match TracePoint::from_json_bytes(line) {
            Ok(point) => self.points.good.push(point),
            Err(reason) => {
                let told = serde_json::from_slice(line).ok();
                let told = told.map(|Problem { problem }| BadRecord::whole(problem));
                self.points.bad.push(told.unwrap_or(reason));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use nephoscope_telemetry::Timestamp;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_does_not_matter_where_the_pieces_end(
            texts in prop::collection::vec("[a-z\\\\\"é]{0,20}", 0..6), cuts in prop::collection::vec(1_usize..50, 1..200)
        ) {
            let points: Vec<_> = texts.iter().map(|text| {
                TracePoint::new(text, text.as_str().into(), "t".into(), "p".into(), Timestamp::from_micros(7))
            }).collect();
            let text: String = points.iter().map(|point| point.to_json() + "\n").collect();
            let text = text + "{\"problem\": \"it was eaten\"}\n5";
            let (mut lines, mut rest) = (Lines::default(), text.as_bytes());
            for cut in cuts.into_iter().cycle() {
                let (piece, after) = rest.split_at(cut.min(rest.len()));
                lines.feed(piece);
                rest = after;
                if rest.is_empty() {
                    break;
                }
            }
            let read = lines.end();
            prop_assert_eq!(read.good, points);
            let problems: Vec<_> = read.bad.first().iter().map(ToString::to_string).collect();
            prop_assert_eq!(problems, ["it was eaten", "is JSON, but no object"]);
        }
    }
}
