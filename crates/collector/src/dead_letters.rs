//! What was refused for good, kept for whoever looks after it.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use nephoscope_telemetry::json::{self, Json};
use nephoscope_telemetry::{Error, ErrorKind, Result};
use tokio::task::spawn_blocking;

/// How large the file may grow. A sender that is wrong all the time would fill the disk otherwise; by then somebody has
/// more than enough to see what is wrong.
const MAX_BYTES: u64 = 1 << 30;
/// The key under which a line tells why it is here. Whoever reads the line as a sample or an event finds it among the
/// fields it does not know.
pub const REFUSED: &str = "nephoscope_refused";
/// The key of a text that is no JSON object.
const TEXT: &str = "text";

/// A file of JSON lines: each is what was refused, as it came, with the reason under one more key.
#[derive(Clone, Debug)]
pub struct DeadLetters(Arc<Letters>);

#[derive(Debug)]
struct Letters {
    path: PathBuf,
    /// The file once there was something to write, and how long it is. Held while it is written.
    file: Mutex<Option<(File, u64)>>,
}

/// One that was refused.
#[derive(Clone, Copy, Debug)]
pub struct Letter<'a> {
    /// What it was: a JSON object, unless it is damaged.
    pub text: &'a str,
    /// Who refused it: a source or a dispatcher, without secrets.
    pub by: &'a str,
    /// Why.
    pub reason: &'a str,
}

impl DeadLetters {
    /// In this file, which is made when it is needed.
    pub fn new(path: &Path) -> Self {
        Self(Arc::new(Letters { path: path.to_owned(), file: Mutex::default() }))
    }

    /// Where they are.
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// Keeps letters. `Ok` means that they are on disk, or that the file is full and they were logged instead.
    pub async fn keep(&self, letters: &[Letter<'_>]) -> Result<()> {
        let mut lines = String::new();
        letters.iter().for_each(|letter| letter.write(&mut lines));
        if lines.is_empty() {
            return Ok(());
        }
        let shared = self.0.clone();
        let kept = spawn_blocking(move || shared.append(&lines)).await;
        let kept = kept.unwrap_or_else(|panic| Err(io::Error::other(panic)));
        kept.map_err(|error| {
            let problem = format!("{}: {error}", self.0.path.display());
            Error::new(ErrorKind::Unavailable, "keep what was refused", problem).with_source(error)
        })
    }
}

impl Letters {
    fn append(&self, lines: &str) -> io::Result<()> {
        let mut slot = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut file, length) = match slot.take() {
            // Somebody may have moved it away, to look into it.
            Some(open) if self.path.exists() => open,
            _ => {
                let file = OpenOptions::new().create(true).append(true).open(&self.path)?;
                let length = file.metadata()?.len();
                (file, length)
            }
        };
        if length + lines.len() as u64 > MAX_BYTES {
            tracing::error!(
                "{} has grown to {length} bytes; look into it and move it away: what is refused now is not kept",
                self.path.display()
            );
            *slot = Some((file, length));
            return Ok(());
        }
        file.write_all(lines.as_bytes())?;
        file.sync_data()?;
        *slot = Some((file, length + lines.len() as u64));
        Ok(())
    }
}

impl Letter<'_> {
    /// Appends its line: the object that it was with one more key, [`REFUSED`]; of what was none, an object with it as its
    /// `text`.
    pub fn write(&self, out: &mut String) {
        match Json::parse(self.text).ok().filter(Json::is_object) {
            Some(object) => {
                let object = object.as_str().trim_end();
                let inner = &object[1..object.len() - 1];
                out.push_str(&object[..object.len() - 1]);
                out.push_str(if inner.trim().is_empty() { "" } else { ", " });
            }
            None => {
                out.push('{');
                json::write_string(out, TEXT);
                out.push_str(": ");
                json::write_string(out, self.text);
                out.push_str(", ");
            }
        }
        json::write_string(out, REFUSED);
        out.push_str(": {\"by\": ");
        json::write_string(out, self.by);
        out.push_str(", \"reason\": ");
        json::write_string(out, self.reason);
        out.push_str("}}\n");
    }
}

#[cfg(test)]
mod tests {
    use nephoscope_telemetry::{Sample, SampleForm};
    use proptest::prelude::*;

    use super::*;

    const SAMPLE: &str = r#"{"counter_name": "cpu", "counter_volume": 1, "resource_id": "vm", "timestamp": "2026-01-02T03:04:05"}"#;

    fn line(text: &str) -> String {
        let mut out = String::new();
        Letter { text, by: "gnocchi://host", reason: "no such \"metric\"" }.write(&mut out);
        out
    }

    #[tokio::test]
    async fn letters_are_appended_and_can_be_read_as_samples() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("dead.jsonl");
        let letter = Letter { text: SAMPLE, by: "b", reason: "r" };
        for _ in 0..2 {
            let dead = DeadLetters::new(&path);
            dead.keep(&[]).await.unwrap();
            dead.keep(&[letter, letter]).await.unwrap();
        }
        let text = std::fs::read_to_string(path).unwrap();
        assert_eq!(text.lines().count(), 4);
        for line in text.lines() {
            let mut sample = Sample::from_json(line).unwrap();
            let (key, reason) = sample.extra.pop().unwrap();
            assert_eq!((key.as_str(), reason.as_str()), (REFUSED, r#"{"by": "b", "reason": "r"}"#));
            let original = Sample::from_json(SAMPLE).unwrap();
            assert_eq!(sample.to_json(SampleForm::Message), original.to_json(SampleForm::Message));
        }
    }

    #[tokio::test]
    async fn a_file_that_was_moved_away_is_made_anew() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("dead.jsonl");
        let dead = DeadLetters::new(&path);
        let letter = Letter { text: SAMPLE, by: "b", reason: "r" };
        for letters in 1..3 {
            dead.keep(&[letter].repeat(letters)).await.unwrap();
            let lines = std::fs::read_to_string(&path).unwrap().lines().count();
            assert_eq!(lines, letters);
            std::fs::rename(&path, directory.path().join("away.jsonl")).unwrap();
        }
    }

    #[tokio::test]
    async fn a_file_that_cannot_be_written_is_told() {
        let directory = tempfile::tempdir().unwrap();
        let dead = DeadLetters::new(&directory.path().join("missing/dead.jsonl"));
        let error = dead.keep(&[Letter { text: "{}", by: "b", reason: "r" }]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(error.to_string().contains("missing/dead.jsonl"), "{error}");
    }

    proptest! {
        #[test]
        fn every_line_is_an_object(text in ".*", key in ".*") {
            for text in [text.clone(), format!("{{{}: 1}}", Json::string(&key)), "{ }".into(), SAMPLE.into()] {
                let line = line(&text);
                prop_assert!(line.ends_with('\n') && !line.trim_end().contains('\n'));
                let object = Json::parse(&line).unwrap();
                prop_assert!(object.is_object() && object.get(REFUSED).is_some());
            }
        }
    }
}
