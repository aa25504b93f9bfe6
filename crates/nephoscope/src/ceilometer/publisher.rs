//! From the publishers of a pipeline to dispatchers.
//!
//! Source: `ceilometer/publisher` of Ceilometer 27.

use std::path::Path;

use nephoscope_telemetry::ConnectionString;

use super::Entry;
use super::definitions::{self, Keeping};
use super::notes::{Notes, Place};
use super::pipeline::Publisher;
use super::url::{Url, word};

/// The project whose samples Ceilometer leaves out unless it is told otherwise: that of Gnocchi.
const FILTERED_PROJECT: &str = "service";
/// The options of `gnocchi://` that are looked at.
const OPTIONS: [&str; 6] = [
    "archive_policy",
    "enable_filter_project",
    "filter_domain",
    "filter_project",
    "resources_definition_file",
    "timeout",
];
/// Where receivers of OpenTelemetry's protocol take metrics.
const METRICS: &str = "/v1/metrics";
/// The options of `file://` that are of use together.
const ROTATION: [&str; 2] = ["max_bytes", "backup_count"];

/// What publishers are turned into.
pub(super) struct Dispatchers<'a> {
    directory: &'a Path,
    /// The Gnocchi of Ceilometer.
    gnocchi: Option<Url>,
    keeping: Keeping,
    pub(super) made: Vec<Entry>,
    has_gnocchi: bool,
}

impl<'a> Dispatchers<'a> {
    pub(super) fn new(directory: &'a Path, gnocchi: Option<Url>, keeping: Keeping) -> Self {
        Self { directory, gnocchi, keeping, made: Vec::new(), has_gnocchi: false }
    }

    /// Whether what was made keeps things as long as `ttl` and as finely as `interval` say.
    pub(super) fn used_ttl(&self) -> bool {
        self.made.iter().any(|made| made.value.contains("ttl="))
    }

    /// Takes a publisher over, or tells why not.
    pub(super) fn take(&mut self, publisher: &Publisher, notes: &mut Notes) {
        let Publisher { place, url } = publisher;
        let read = match ConnectionString::parse(url) {
            Ok(read) => read,
            Err(error) => {
                return notes.find(place, "a publisher", format!("write a dispatcher by hand: {error}"));
            }
        };
        let what = format!("publisher {read}");
        match read.scheme() {
            "gnocchi" => self.take_gnocchi(publisher, &read, notes),
            "file" => self.take_file(publisher, &read, notes),
            "notifier" => notes.find(
                place,
                what,
                "nothing is put on the bus. Whoever reads the topics `metering` and `event` there needs an agent that \
                 goes on sending them; if that is an old collector, it is not needed any more",
            ),
            "udp" | "tcp" => notes.find(
                place,
                what,
                "nothing is sent on in this way. If this is the daemon's own address, agents that publish there need \
                 [[source]] url = \"udp://0.0.0.0:4952\" here, or tcp://",
            ),
            // The dispatcher has the options of the publisher.
            scheme @ ("http" | "https") => self.push(publisher, read.expose(scheme, |_| true)),
            "opentelemetryhttp" => self.take_otlp(publisher, &read, notes),
            "prometheus" => notes.find(
                place,
                what,
                "nothing goes to a Pushgateway: the dispatcher prometheus+remote-write:// writes to Prometheus itself",
            ),
            _ => notes.find(place, what, "no dispatcher is like it; docs/samples.md has all there are"),
        }
    }

    fn take_gnocchi(&mut self, publisher: &Publisher, read: &ConnectionString, notes: &mut Notes) {
        // Events go to the Gnocchi that the samples go to.
        if self.has_gnocchi && read.options().is_empty() {
            return;
        }
        self.has_gnocchi = true;
        let place = &publisher.place;
        let mut url = self.gnocchi.clone().unwrap_or_else(|| Url::new("embedded://"));
        let option = |name: &str| read.option(name).filter(|value| !value.is_empty());
        let is_number = |value: &str| value.parse().is_ok_and(|seconds: f64| seconds > 0.0);
        match (&self.gnocchi, option("timeout")) {
            (None, _) => notes.find(
                place,
                format!("publisher {read}"),
                "ceilometer.conf does not say where Gnocchi is and how to log in: samples are kept in this daemon's own \
                 store, until a gnocchi:// dispatcher is written here",
            ),
            (Some(_), Some(seconds)) if is_number(seconds) => url.option("timeout", seconds),
            _ => {}
        }
        let policy = option("archive_policy");
        if let Some(policy) = policy {
            url.option("archive_policy", policy);
        }
        let is_filtered =
            option("enable_filter_project").is_none() || read.flag("enable_filter_project").unwrap_or(false);
        let project = option("filter_project");
        let has_keystone =
            ConnectionString::parse(url.text()).is_ok_and(|made| made.option("auth_url").is_some());
        match (is_filtered, has_keystone) {
            // The same is left out as by Ceilometer, also where neither says what.
            (true, true) => {
                for name in ["filter_project", "filter_domain"] {
                    if let Some(value) = option(name) {
                        url.option(name, value);
                    }
                }
            }
            (true, false) => filter(&mut url, project.unwrap_or(FILTERED_PROJECT), place, notes),
            (false, true) => url.option("enable_filter_project", "false"),
            (false, false) => {}
        }
        definitions::add(
            &mut url,
            self.directory,
            option("resources_definition_file"),
            policy,
            self.keeping,
            place,
            notes,
        );
        // Ceilometer leaves out samples whose meter has no resource type.
        url.option("unowned", "drop");
        for (name, _) in read.options().iter().filter(|(name, _)| !OPTIONS.contains(&name.as_str())) {
            notes.find(place, format!("option `{name}` of publisher gnocchi://"), "no dispatcher has it");
        }
        self.push(publisher, url.text().into());
    }

    fn take_file(&mut self, publisher: &Publisher, read: &ConnectionString, notes: &mut Notes) {
        let what = format!("publisher {read}");
        if !read.location().starts_with('/') {
            return notes.find(
                &publisher.place,
                what,
                "it names no file, as file:///var/log/samples.jsonl does",
            );
        }
        if read.option("json").is_none() {
            let advice = "what is written is JSON lines, as with its option `json`, and not Python";
            notes.find(&publisher.place, what, advice);
        }
        let is_number = |name: &str| read.option(name).is_some_and(|value| value.parse::<u64>().is_ok());
        let rotates = ROTATION.into_iter().all(is_number);
        self.push(publisher, read.expose("file", |name| rotates && ROTATION.contains(&name)));
    }

    /// To the same receiver, with its path but for the end that the dispatcher adds.
    fn take_otlp(&mut self, publisher: &Publisher, read: &ConnectionString, notes: &mut Notes) {
        let encrypted = read.flag("ssl").unwrap_or(false);
        let (scheme, port) = if encrypted { ("otlp+metrics+https", 443) } else { ("otlp+metrics", 80) };
        let path = read.database().unwrap_or_default();
        let (Some(prefix), [host]) = (format!("/{path}").strip_suffix(METRICS).map(word_path), read.hosts())
        else {
            let advice = "write an otlp+metrics:// dispatcher by hand: docs/samples.md tells how";
            return notes.find(&publisher.place, format!("publisher {read}"), advice);
        };
        let user =
            read.user().map(|user| format!("{}:{}@", word(user), word(read.password().unwrap_or_default())));
        let host = nephoscope_telemetry::Host { port: Some(host.port_or(port)), ..host.clone() };
        self.push(publisher, format!("{scheme}://{}{host}{prefix}", user.unwrap_or_default()));
    }

    fn push(&mut self, publisher: &Publisher, value: String) {
        if !self.made.iter().any(|made| made.value == value) {
            self.made.push(Entry { comment: publisher.place.to_string(), value });
        }
    }
}

/// A path as it is encoded in an address.
fn word_path(path: &str) -> String {
    path.split('/').map(word).collect::<Vec<_>>().join("/")
}

/// Leaves the samples of a project out.
fn filter(url: &mut Url, project: &str, place: &Place, notes: &mut Notes) {
    url.option("filter_project", project);
    if !is_id(project) {
        notes.find(
            place,
            format!("the project `{project}` that is left out"),
            "there is no Keystone to ask for its id: where samples name projects by their ids only, put that into \
             `filter_project`, as `openstack project show -f value -c id` tells it",
        );
    }
}

/// Whether a project is named by its id, as Keystone makes them.
fn is_id(project: &str) -> bool {
    project.len() == 32 && project.bytes().all(|byte| byte.is_ascii_hexdigit())
}
