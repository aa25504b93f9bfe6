//! `file://`: samples and events as JSON lines.
//!
//! ```text
//! file:///path/to/samples.jsonl[?max_bytes=10000000&backup_count=5]
//! ```
//!
//! A sample is written as Ceilometer's file publisher writes it with its option `json`, an event as on the bus. With both
//! options a file that would get longer is renamed, `samples.jsonl.1` and on, and so many of those are kept.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use nephoscope_telemetry::{
    BoxFuture, ConnectionString, Dispatcher, Error, ErrorKind, Event, Refused, Result, Sample, SampleForm,
};
use tokio::task::spawn_blocking;

/// The options that are understood.
const OPTIONS: [&str; 3] = ["max_bytes", "backup_count", "json"];

/// Appends to a file.
#[derive(Debug)]
struct Lines {
    path: PathBuf,
    rotation: Option<Rotation>,
    /// The file once there was something to write, and how long it is. Held while it is written.
    file: Mutex<Option<(File, u64)>>,
}

#[derive(Clone, Copy, Debug)]
struct Rotation {
    max_bytes: u64,
    backup_count: u32,
}

#[derive(Debug)]
struct FileDispatcher(Arc<Lines>);

/// The file that the connection string names. It is made when something comes.
pub(crate) fn connect(to: &ConnectionString) -> Result<Arc<dyn Dispatcher>> {
    to.expect_options(&OPTIONS)?;
    let path = PathBuf::from(to.location().as_ref());
    if !path.is_absolute() {
        return Err(to.wrong("it names no file, as file:///var/log/samples.jsonl does"));
    }
    let number = |option: &str| {
        let text = to.option(option);
        text.map(|text| {
            text.parse().map_err(|_| to.wrong(format!("option `{option}` is a number, not `{text}`")))
        })
        .transpose()
    };
    let rotation = match (number("max_bytes")?, number("backup_count")?) {
        (Some(max_bytes), Some(count)) if max_bytes > 0 && count > 0 => {
            Some(Rotation { max_bytes, backup_count: u32::try_from(count).unwrap_or(u32::MAX) })
        }
        _ => None,
    };
    Ok(Arc::new(FileDispatcher(Arc::new(Lines { path, rotation, file: Mutex::default() }))))
}

impl FileDispatcher {
    async fn append(&self, lines: Vec<String>) -> Result<Vec<Refused>> {
        let shared = self.0.clone();
        let written = spawn_blocking(move || shared.append(&lines)).await;
        let written = written.unwrap_or_else(|panic| Err(io::Error::other(panic)));
        written.map(|()| Vec::new()).map_err(|error| {
            let problem = format!("{}: {error}", self.0.path.display());
            Error::new(ErrorKind::Unavailable, "write samples", problem).with_source(error)
        })
    }
}

impl Dispatcher for FileDispatcher {
    fn samples<'a>(&'a self, samples: &'a [Sample]) -> BoxFuture<'a, Result<Vec<Refused>>> {
        let lines = samples.iter().map(|sample| sample.to_json(SampleForm::Dictionary));
        Box::pin(self.append(lines.collect()))
    }

    fn events<'a>(&'a self, events: &'a [Event]) -> BoxFuture<'a, Result<Vec<Refused>>> {
        Box::pin(self.append(events.iter().map(Event::to_json).collect()))
    }
}

impl Lines {
    /// Appends lines, and has them on disk.
    fn append(&self, lines: &[String]) -> io::Result<()> {
        let mut slot = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut file, mut length) = match slot.take() {
            // Somebody may have moved it away, as logrotate does.
            Some((file, length)) if self.path.exists() => (file, length),
            _ => open(&self.path)?,
        };
        let mut text = String::new();
        for line in lines {
            let longer = length + (text.len() + line.len() + 1) as u64;
            if let Some(rotation) = self.rotation
                && longer > rotation.max_bytes
                && length + text.len() as u64 > 0
            {
                file.write_all(text.as_bytes())?;
                file.sync_data()?;
                text.clear();
                rotate(&self.path, rotation.backup_count)?;
                (file, length) = open(&self.path)?;
            }
            text.push_str(line);
            text.push('\n');
        }
        file.write_all(text.as_bytes())?;
        file.sync_data()?;
        *slot = Some((file, length + text.len() as u64));
        Ok(())
    }
}

fn open(path: &Path) -> io::Result<(File, u64)> {
    let file = OpenOptions::new().create(true).append(true).open(path)?;
    let length = file.metadata()?.len();
    Ok((file, length))
}

/// Gives every earlier file the next number. The oldest goes.
fn rotate(path: &Path, backup_count: u32) -> io::Result<()> {
    let numbered = |number: u32| {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{number}"));
        PathBuf::from(name)
    };
    for number in (1..backup_count).rev() {
        if numbered(number).exists() {
            fs::rename(numbered(number), numbered(number + 1))?;
        }
    }
    fs::rename(path, numbered(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = r#"{"name": "cpu", "type": "gauge", "unit": "ns", "volume": 1, "user_id": null, "user_name": null, "project_id": null, "project_name": null, "resource_id": "vm", "timestamp": "2026-01-02T03:04:05", "resource_metadata": {}, "source": "openstack", "id": "1"}"#;
    const EVENT: &str = r#"{"message_id": "m", "event_type": "e", "generated": "2026-01-02T03:04:05", "traits": [["t", 1, "v"]], "raw": {}}"#;

    fn dispatcher(path: &Path, options: &str) -> Result<Arc<dyn Dispatcher>> {
        connect(&ConnectionString::parse(&format!("file://{}{options}", path.display())).unwrap())
    }

    fn samples(count: usize) -> Vec<Sample> {
        vec![Sample::from_json(SAMPLE).unwrap(); count]
    }

    #[tokio::test]
    async fn lines_are_those_of_ceilometer_and_are_appended() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("samples.jsonl");
        for _ in 0..2 {
            let dispatcher = dispatcher(&path, "?json").unwrap();
            assert_eq!(dispatcher.samples(&samples(1)).await.unwrap(), []);
            assert_eq!(dispatcher.events(&[Event::from_json(EVENT).unwrap()]).await.unwrap(), []);
        }
        assert_eq!(fs::read_to_string(path).unwrap(), format!("{SAMPLE}\n{EVENT}\n").repeat(2));
    }

    #[tokio::test]
    async fn a_file_that_would_get_too_long_is_renamed_and_the_oldest_goes() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("samples.jsonl");
        let line = SAMPLE.len() + 1;
        let dispatcher = dispatcher(&path, &format!("?max_bytes={}&backup_count=2", 2 * line)).unwrap();
        dispatcher.samples(&samples(3)).await.unwrap();
        dispatcher.samples(&samples(6)).await.unwrap();
        let count = |suffix: &str| {
            let path = format!("{}{suffix}", path.display());
            fs::read_to_string(path).map(|text| text.lines().count()).unwrap_or_default()
        };
        assert_eq!((count(""), count(".1"), count(".2"), count(".3")), (1, 2, 2, 0));
    }

    #[tokio::test]
    async fn a_file_that_was_moved_away_is_made_anew() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("samples.jsonl");
        let dispatcher = dispatcher(&path, "").unwrap();
        dispatcher.samples(&samples(1)).await.unwrap();
        fs::rename(&path, directory.path().join("away")).unwrap();
        dispatcher.samples(&samples(2)).await.unwrap();
        assert_eq!(fs::read_to_string(path).unwrap().lines().count(), 2);
    }

    #[tokio::test]
    async fn a_disk_that_is_away_is_an_outage_and_no_file_a_mistake() {
        let directory = tempfile::tempdir().unwrap();
        let dispatcher_of = |path: &str, options: &str| dispatcher(&directory.path().join(path), options);
        let away = dispatcher_of("missing/samples.jsonl", "").unwrap();
        let error = away.samples(&samples(1)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(error.to_string().contains("missing/samples.jsonl"), "{error}");
        for (path, options) in [("", "?max_bytes=many&backup_count=1"), ("", "?other=1")] {
            assert_eq!(dispatcher_of(path, options).unwrap_err().kind(), ErrorKind::Config);
        }
        let nowhere = connect(&ConnectionString::parse("file://").unwrap()).unwrap_err();
        assert_eq!(nowhere.kind(), ErrorKind::Config);
    }
}
