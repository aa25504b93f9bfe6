//! The configuration file: TOML, in which every mistake is found and told with its line.

use std::path::{Path, PathBuf};
use std::time::Duration;

use nephoscope_telemetry::ConnectionString;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::api::{Api, HTTP_KEYS};
use super::keystone::Keystone;
use super::samples::Samples;
use super::statsd::Statsd;
use super::store::Store;
use super::{Origin, Setting, read_file};
use crate::{size, time};

/// What the file sets.
#[derive(Debug, Default)]
pub(super) struct File {
    pub(super) data_dir: Option<Setting<PathBuf>>,
    pub(super) listen: Option<Setting<String>>,
    pub(super) otlp_grpc_listen: Option<Setting<Option<String>>>,
    pub(super) api: Api,
    pub(super) keystone: Keystone,
    pub(super) statsd: Statsd,
    pub(super) store: Store,
    pub(super) samples: Samples,
    pub(super) trace_drivers: Option<Setting<Vec<ConnectionString>>>,
    pub(super) sources: Vec<Setting<ConnectionString>>,
}

impl File {
    pub(super) fn read(path: &Path, mistakes: &mut Vec<String>) -> Self {
        match read_file(path) {
            Ok(text) => Self::parse(path, &text, mistakes),
            Err(mistake) => {
                mistakes.push(mistake);
                Self::default()
            }
        }
    }

    fn parse(path: &Path, text: &str, mistakes: &mut Vec<String>) -> Self {
        let mut reader = Reader { path, text, mistakes };
        let mut file = Self::default();
        match DeTable::parse(text) {
            Ok(table) => file.take(table.get_ref(), &mut reader),
            Err(error) => {
                let at = error.span().map_or(0, |span| span.start);
                reader.mistake(at, error.message());
            }
        }
        file
    }

    fn take(&mut self, table: &DeTable<'_>, reader: &mut Reader<'_>) {
        for (key, value) in table {
            match &**key.get_ref() {
                "data_dir" => self.data_dir = reader.string(value, "data_dir").map(Setting::map_path),
                "http" => reader.section(value, "http", |reader, key, value| match key {
                    "listen" => self.listen = reader.string(value, "listen"),
                    _ if self.api.take_http(reader, key, value) => {}
                    _ => {
                        let mut known = vec!["listen"];
                        known.extend(HTTP_KEYS);
                        reader.unknown("http", key, &known, value);
                    }
                }),
                "otlp" => reader.section(value, "otlp", |reader, key, value| match key {
                    "grpc_listen" => {
                        self.otlp_grpc_listen = reader.string(value, "grpc_listen").map(Setting::map_some);
                    }
                    _ => reader.unknown("otlp", key, &["grpc_listen"], value),
                }),
                "traces" => reader.section(value, "traces", |reader, key, value| match key {
                    "drivers" => self.trace_drivers = reader.connection_strings(value, key),
                    _ => reader.unknown("traces", key, &["drivers"], value),
                }),
                "store" => reader.section(value, "store", |reader, key, value| {
                    self.store.take(reader, key, value);
                }),
                "samples" => reader.section(value, "samples", |reader, key, value| {
                    self.samples.take(reader, key, value);
                }),
                "spool" => reader.section(value, "spool", |reader, key, value| {
                    self.samples.take_spool(reader, key, value);
                }),
                "keystone" => reader.section(value, "keystone", |reader, key, value| {
                    self.keystone.take(reader, key, value);
                }),
                "statsd" => reader.section(value, "statsd", |reader, key, value| {
                    self.statsd.take(reader, key, value);
                }),
                "source" => self.sources = reader.sources(value),
                unknown => {
                    let known = [
                        "data_dir", "http", "keystone", "otlp", "samples", "source", "spool", "statsd",
                        "store", "traces",
                    ];
                    reader.unknown("", unknown, &known, value);
                }
            }
        }
    }
}

impl Setting<String> {
    fn map_path(self) -> Setting<PathBuf> {
        Setting { value: self.value.into(), origin: self.origin }
    }

    pub(super) fn map_some(self) -> Setting<Option<String>> {
        Setting { value: Some(self.value), origin: self.origin }
    }
}

/// Takes values out of the file and collects what is wrong with them.
pub(super) struct Reader<'a> {
    path: &'a Path,
    text: &'a str,
    mistakes: &'a mut Vec<String>,
}

pub(super) type Value<'a> = Spanned<DeValue<'a>>;

impl Reader<'_> {
    fn line(&self, at: usize) -> usize {
        self.text.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count() + 1
    }

    pub(super) fn mistake(&mut self, at: usize, problem: &str) {
        let line = self.line(at);
        self.mistakes.push(format!("{}:{line}: {problem}", self.path.display()));
    }

    pub(super) fn unknown(&mut self, section: &str, key: &str, known: &[&str], value: &Value<'_>) {
        let place = if section.is_empty() { String::new() } else { format!(" in [{section}]") };
        let known = known.join(", ");
        self.mistake(value.span().start, &format!("`{key}` is not known{place}; known: {known}"));
    }

    fn section(&mut self, value: &Value<'_>, name: &str, mut take: impl FnMut(&mut Self, &str, &Value<'_>)) {
        match value.get_ref() {
            DeValue::Table(table) => {
                for (key, value) in table {
                    take(self, key.get_ref(), value);
                }
            }
            _ => self.mistake(value.span().start, &format!("`{name}` is a section: [{name}]")),
        }
    }

    pub(super) fn set<T>(&self, value: &Value<'_>, read: T) -> Setting<T> {
        Setting { value: read, origin: Origin::File(self.path.into(), self.line(value.span().start)) }
    }

    pub(super) fn string(&mut self, value: &Value<'_>, name: &str) -> Option<Setting<String>> {
        match value.get_ref() {
            DeValue::String(text) => Some(self.set(value, text.to_string())),
            _ => {
                self.mistake(value.span().start, &format!("`{name}` is a string in quotes"));
                None
            }
        }
    }

    pub(super) fn bool(&mut self, value: &Value<'_>, name: &str) -> Option<Setting<bool>> {
        match value.get_ref() {
            DeValue::Boolean(is) => Some(self.set(value, *is)),
            _ => {
                self.mistake(value.span().start, &format!("`{name}` is true or false"));
                None
            }
        }
    }

    /// A number from 1.
    pub(super) fn count(&mut self, value: &Value<'_>, name: &str) -> Option<Setting<usize>> {
        let count = match value.get_ref() {
            DeValue::Integer(number) => usize::from_str_radix(number.as_str(), number.radix()).ok(),
            _ => None,
        };
        match count.filter(|count| *count > 0) {
            Some(count) => Some(self.set(value, count)),
            None => {
                self.mistake(value.span().start, &format!("`{name}` is a number from 1"));
                None
            }
        }
    }

    /// A duration with its unit.
    pub(super) fn duration(&mut self, value: &Value<'_>, name: &str) -> Option<Setting<Option<Duration>>> {
        let text = match value.get_ref() {
            DeValue::String(text) => &**text,
            _ => "",
        };
        match time::parse_duration(text) {
            Ok(duration) => Some(self.set(value, Some(duration))),
            Err(_) => {
                self.mistake(
                    value.span().start,
                    &format!("`{name}` is a duration in quotes, such as \"30d\""),
                );
                None
            }
        }
    }

    /// A size with its unit.
    pub(super) fn size(&mut self, value: &Value<'_>, name: &str) -> Option<Setting<u64>> {
        let size = match value.get_ref() {
            DeValue::String(text) => size::parse(text),
            _ => None,
        };
        match size {
            Some(size) => Some(self.set(value, size)),
            None => {
                let problem = format!("`{name}` is a size in quotes, such as \"10GiB\"");
                self.mistake(value.span().start, &problem);
                None
            }
        }
    }

    pub(super) fn strings(&mut self, value: &Value<'_>, name: &str) -> Option<Setting<Vec<String>>> {
        let DeValue::Array(items) = value.get_ref() else {
            self.mistake(value.span().start, &format!("`{name}` is a list of strings"));
            return None;
        };
        let read: Vec<_> =
            items.iter().filter_map(|item| self.string(item, name)).map(|read| read.value).collect();
        (read.len() == items.len()).then(|| self.set(value, read))
    }

    fn sources(&mut self, value: &Value<'_>) -> Vec<Setting<ConnectionString>> {
        let DeValue::Array(items) = value.get_ref() else {
            self.mistake(value.span().start, "`source` is a list of sections: [[source]]");
            return Vec::new();
        };
        items.iter().filter_map(|item| self.source(item)).collect()
    }

    fn source(&mut self, item: &Value<'_>) -> Option<Setting<ConnectionString>> {
        let (mut url, mut named) = (None, false);
        self.section(item, "[source]", |reader, key, value| match key {
            "url" => {
                named = true;
                url = reader.connection_string(value, "url").map(|read| reader.set(value, read));
            }
            _ => reader.unknown("[source]", key, &["url"], value),
        });
        if !named && matches!(item.get_ref(), DeValue::Table(_)) {
            self.mistake(item.span().start, "[[source]] has no `url`");
        }
        url
    }

    pub(super) fn connection_string(&mut self, value: &Value<'_>, name: &str) -> Option<ConnectionString> {
        let text = self.string(value, name)?.value;
        ConnectionString::parse(&text)
            .map_err(|error| self.mistake(value.span().start, &error.to_string()))
            .ok()
    }

    pub(super) fn connection_strings(
        &mut self,
        value: &Value<'_>,
        name: &str,
    ) -> Option<Setting<Vec<ConnectionString>>> {
        let DeValue::Array(items) = value.get_ref() else {
            let problem = format!("`{name}` is a list of connection strings: [\"embedded://\"]");
            self.mistake(value.span().start, &problem);
            return None;
        };
        let read: Vec<_> = items.iter().filter_map(|item| self.connection_string(item, name)).collect();
        (read.len() == items.len()).then(|| self.set(value, read))
    }
}
