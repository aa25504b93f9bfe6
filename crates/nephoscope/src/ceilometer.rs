//! `nephoscope config import`: from Ceilometer's configuration to ours.
//!
//! Every file is read on its own, and what it says is taken once; what nobody took is told with its place and with what to
//! do about it.

mod advice;
mod bus;
mod credentials;
mod definitions;
mod ini;
mod notes;
mod options;
mod pipeline;
mod publisher;
mod url;

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::cli::CeilometerArgs;
use crate::exit::Failure;
use crate::output;
use definitions::Keeping;
use notes::{Finding, Notes, Place};
use options::Options;
use pipeline::Publisher;
use publisher::Dispatchers;

/// Where packages keep what services remember.
const DATA_DIR: &str = "/var/lib/nephoscope";
/// The file is the owner's alone, for it holds passwords.
const OWNER_ONLY: u32 = 0o600;
/// What the sources of the pipeline of samples choose.
const METERS: &str = "meters";
/// The option that names the file of a pipeline, what it is otherwise, and what its sources choose.
const PIPELINES: [(&str, &str, &str); 2] = [
    ("pipeline_cfg_file", "pipeline.yaml", METERS),
    ("event_pipeline_cfg_file", "event_pipeline.yaml", "events"),
];
/// What the pipeline of samples publishes to where nobody says anything.
const DEFAULT_PUBLISHER: &str = "gnocchi://";

/// A connection string, and where it comes from.
#[derive(Clone)]
struct Entry {
    comment: String,
    value: String,
}

/// Our configuration.
struct Draft {
    directory: PathBuf,
    dispatchers: Vec<Entry>,
    telemetry_secret: Option<Entry>,
    sources: Vec<Entry>,
    findings: Vec<Finding>,
}

/// Imports a directory into a file, or prints what would be in it.
pub(crate) fn import(args: &CeilometerArgs) -> anyhow::Result<()> {
    let draft = Draft::of(&args.directory)?;
    let text = draft.to_toml();
    match &args.output {
        Some(path) => write(path, &text).with_context(|| format!("cannot write {}", path.display()))?,
        None => output::print(&text)?,
    }
    for finding in &draft.findings {
        tracing::warn!("{finding}");
    }
    Ok(())
}

/// A new file that only its owner may read.
fn write(path: &Path, text: &str) -> io::Result<()> {
    let file = fs::OpenOptions::new().write(true).create_new(true).mode(OWNER_ONLY).open(path);
    let mut file = file.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => {
            io::Error::new(error.kind(), "it is there already; choose another name")
        }
        _ => error,
    })?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// The text of a file; nothing, where there is none.
fn read(file: &Path, notes: &mut Notes) -> Option<String> {
    match fs::read_to_string(file) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => {
            notes.mistakes.push(format!("{}: {error}", file.display()));
            None
        }
    }
}

impl Draft {
    fn of(directory: &Path) -> Result<Self, Failure> {
        let mut notes = Notes::default();
        let mut files = Vec::new();
        let mut options = Options::read(directory, &mut files, &mut notes);
        let sources = bus::sources(&mut options, &mut notes);
        let telemetry_secret = options.take("publisher", &["telemetry_secret"], &mut notes);
        let gnocchi = credentials::gnocchi(&mut options, &mut notes);
        let ttl = options.take("database", &["metering_time_to_live", "time_to_live"], &mut notes);

        let mut publishers = Vec::new();
        let mut intervals = Vec::new();
        for (option, name, what) in PIPELINES {
            let named = options.take("DEFAULT", &[option], &mut notes);
            let file = directory.join(named.as_ref().map_or(name, |named| named.value.as_str()));
            if let Some(text) = read(&file, &mut notes) {
                let pipeline = pipeline::read(&file, &text, what, &mut notes);
                publishers.extend(pipeline.publishers);
                intervals.extend(pipeline.interval);
                files.push(file);
            } else if what == METERS {
                publishers.push(Publisher { place: Place::missing(&file), url: DEFAULT_PUBLISHER.into() });
            }
        }
        let named = options.take("polling", &["cfg_file"], &mut notes);
        let file = directory.join(named.as_ref().map_or("polling.yaml", |named| named.value.as_str()));
        if let Some(text) = read(&file, &mut notes) {
            intervals.extend(pipeline::polling_interval(&file, &text, &mut notes));
            files.push(file);
        }
        if files.is_empty() && notes.mistakes.is_empty() {
            return Err(Failure::NotFound(format!(
                "{} has neither ceilometer.conf nor pipeline.yaml; where is Ceilometer's configuration?",
                directory.display()
            )));
        }
        let seconds = ttl.as_ref().and_then(|ttl| ttl.value.parse().ok()).filter(|seconds| *seconds > 0);
        let keeping = Keeping { interval: intervals.into_iter().min(), ttl: seconds };
        let mut dispatchers = Dispatchers::new(directory, gnocchi, keeping);
        for publisher in &publishers {
            dispatchers.take(publisher, &mut notes);
        }
        if let Some(ttl) = ttl.filter(|_| seconds.is_some() && !dispatchers.used_ttl()) {
            notes.find(&ttl.place, &ttl.name, advice::about("database", "metering_time_to_live"));
        }
        for (section, name, place) in options.rest() {
            notes.find(place, format!("[{section}] {name}"), advice::about(section, name));
        }
        if !notes.mistakes.is_empty() {
            return Err(Failure::BadConfiguration(notes.mistakes.join("\n")));
        }
        Ok(Self {
            directory: directory.into(),
            dispatchers: dispatchers.made,
            telemetry_secret: telemetry_secret.map(|given| Entry {
                comment: format!("{}: {}", given.place, given.name),
                value: given.value,
            }),
            sources,
            findings: notes.findings,
        })
    }

    fn to_toml(&self) -> String {
        let mut toml = String::new();
        let out = &mut toml;
        let secret = self.telemetry_secret.as_ref();
        comment(out, &format!("Made of {} by `nephoscope config import`.", self.directory.display()));
        comment(out, "It may hold passwords: let nobody but the user of the daemon read it.");
        comment(out, "`nephoscope config check --config FILE` tells mistakes, docs/daemon.md all settings.");
        out.push_str(&format!("\ndata_dir = {}\n\n[samples]\n", quoted(DATA_DIR)));
        if self.dispatchers.is_empty() {
            comment(out, "No publisher has an equivalent: samples are kept in this daemon's own store.");
            out.push_str("dispatchers = [\"embedded://\"]\n");
        } else {
            comment(out, "Every sample and every event goes to all of them.");
            out.push_str("dispatchers = [\n");
            for dispatcher in &self.dispatchers {
                out.push_str("    ");
                comment(out, &dispatcher.comment);
                out.push_str(&format!("    {},\n", quoted(&dispatcher.value)));
            }
            out.push_str("]\n");
        }
        if let Some(secret) = secret {
            comment(out, &secret.comment);
            comment(
                out,
                "What is not signed with it is refused, which Ceilometer's agent never does: give it to all senders.",
            );
            out.push_str(&format!("telemetry_secret = {}\n", quoted(&secret.value)));
        }
        out.push('\n');
        if self.sources.is_empty() {
            comment(
                out,
                "No transport_url can be taken over: nothing comes off a bus. docs/samples.md has what a [[source]] can be.",
            );
        }
        for source in &self.sources {
            comment(out, &source.comment);
            out.push_str(&format!("[[source]]\nurl = {}\n\n", quoted(&source.value)));
        }
        if !self.findings.is_empty() {
            comment(out, "What is not taken over, and what to do:");
        }
        for finding in &self.findings {
            comment(out, &format!("- {finding}"));
        }
        toml
    }
}

/// A line of comment. Names of files may hold anything, and a comment ends with its line.
fn comment(out: &mut String, text: &str) {
    out.push_str("# ");
    out.extend(text.chars().map(|char| if char.is_control() { char::REPLACEMENT_CHARACTER } else { char }));
    out.push('\n');
}

/// A text as TOML has it.
fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

#[cfg(test)]
mod tests;
