//! JSON lines of a file or of standard input, one after the other.

use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use anyhow::Context;

/// How long a line may be: several times the largest trace point that was ever seen, and small beside the memory.
const MAX_LINE_BYTES: u64 = 64 << 20;
/// How many bad lines are described; all are counted.
const BAD_SHOWN: u64 = 20;

/// Reads lines, and counts what is wrong in them.
pub(crate) struct Lines {
    input: BufReader<Box<dyn Read + Send>>,
    /// What is read, for people.
    name: String,
    length: Option<u64>,
    number: u64,
    bad: u64,
}

impl Lines {
    /// Of a file; `-` is standard input.
    pub(crate) fn open(file: &Path) -> anyhow::Result<Self> {
        let (input, length) = open(file).with_context(|| format!("cannot read {}", file.display()))?;
        Ok(Self {
            input: BufReader::with_capacity(1 << 20, input),
            name: if is_standard_input(file) { "standard input".into() } else { file.display().to_string() },
            length,
            number: 0,
            bad: 0,
        })
    }

    /// How many bytes there are, where that is known.
    pub(crate) fn length(&self) -> Option<u64> {
        self.length
    }

    /// Reads the next line that is not too long. How many bytes it has; nothing at the end.
    pub(crate) fn read(&mut self, line: &mut Vec<u8>) -> anyhow::Result<Option<usize>> {
        self.read_on(line).with_context(|| format!("cannot read on in {}", self.name))
    }

    fn read_on(&mut self, line: &mut Vec<u8>) -> io::Result<Option<usize>> {
        loop {
            line.clear();
            self.number += 1;
            let read = (&mut self.input).take(MAX_LINE_BYTES).read_until(b'\n', line)?;
            if read == 0 {
                return Ok(None);
            }
            if (read as u64) < MAX_LINE_BYTES || line.ends_with(b"\n") {
                return Ok(Some(read));
            }
            self.tell(None, format_args!("is longer than {MAX_LINE_BYTES} bytes"));
            *line = Vec::new();
            self.input.skip_until(b'\n')?;
        }
    }

    /// Tells why the line that was read last is left out, or one item of the array that it is.
    pub(crate) fn tell(&mut self, item: Option<usize>, reason: impl fmt::Display) {
        self.bad += 1;
        if self.bad <= BAD_SHOWN {
            let item = item.map(|number| format!(", item {number},")).unwrap_or_default();
            tracing::warn!("line {} of {}{item} is left out: {reason}", self.number, self.name);
        }
    }

    /// How much was left out.
    pub(crate) fn bad(&self) -> u64 {
        self.bad
    }
}

fn open(file: &Path) -> io::Result<(Box<dyn Read + Send>, Option<u64>)> {
    if is_standard_input(file) {
        return Ok((Box::new(io::stdin()), None));
    }
    let file = File::open(file)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Ok((Box::new(file), None));
    }
    // What is added while it is read is left: of the dead letters of a daemon that may be what was just read.
    let length = metadata.len();
    Ok((Box::new(file.take(length)), Some(length)))
}

fn is_standard_input(file: &Path) -> bool {
    file == Path::new("-")
}

#[cfg(test)]
mod tests {
    use std::fs::{self, OpenOptions};
    use std::io::Write;

    use super::*;

    #[test]
    fn what_is_added_while_it_is_read_is_left() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lines");
        fs::write(&path, "one\ntwo\n").unwrap();
        let mut lines = Lines::open(&path).unwrap();
        OpenOptions::new().append(true).open(&path).unwrap().write_all(b"three\n").unwrap();
        let (mut line, mut read) = (Vec::new(), Vec::new());
        while lines.read(&mut line).unwrap().is_some() {
            read.extend_from_slice(&line);
        }
        assert_eq!((read.as_slice(), lines.length()), (&b"one\ntwo\n"[..], Some(8)));
    }
}
