//! Where samples and events go, and how much may wait: the keys of `[samples]` and `[spool]`.

use std::fmt;

use nephoscope_telemetry::ConnectionString;

use super::file::{Reader, Value};
use super::{Setting, quoted, take, unset};
use crate::size;

/// Where samples and events go unless told otherwise.
const DEFAULT_DISPATCHER: &str = "embedded://";
/// How large the spool gets unless told otherwise: a day of a thousand samples a second, more or less.
const DEFAULT_MAX_SIZE: u64 = 10 << 30;

/// Where samples and events go, and how much may wait.
#[derive(Clone, Debug)]
pub struct Samples {
    /// The dispatchers, each of which gets everything.
    pub dispatchers: Setting<Vec<ConnectionString>>,
    /// What senders sign with, where they have to.
    pub telemetry_secret: Setting<Secret>,
    /// How many bytes the spool may hold.
    pub max_size: Setting<u64>,
}

/// What is not shown. Empty when there is none.
#[derive(Clone, Default)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Default for Samples {
    fn default() -> Self {
        let dispatcher = ConnectionString::parse(DEFAULT_DISPATCHER).expect("it is one");
        Self {
            dispatchers: unset(vec![dispatcher]),
            telemetry_secret: unset(Secret::default()),
            max_size: unset(DEFAULT_MAX_SIZE),
        }
    }
}

impl Samples {
    /// Takes a key of `[samples]`.
    pub(super) fn take(&mut self, reader: &mut Reader<'_>, key: &str, value: &Value<'_>) {
        match key {
            "dispatchers" => take(&mut self.dispatchers, reader.connection_strings(value, key)),
            "telemetry_secret" => {
                let read = reader.string(value, key);
                let read = read.map(|read| Setting { value: Secret(read.value), origin: read.origin });
                take(&mut self.telemetry_secret, read);
            }
            _ => reader.unknown("samples", key, &["dispatchers", "telemetry_secret"], value),
        }
    }

    /// Takes a key of `[spool]`.
    pub(super) fn take_spool(&mut self, reader: &mut Reader<'_>, key: &str, value: &Value<'_>) {
        match key {
            "max_size" => take(&mut self.max_size, reader.size(value, key)),
            _ => reader.unknown("spool", key, &["max_size"], value),
        }
    }

    pub(super) fn check(&self, mistakes: &mut Vec<String>) {
        if self.dispatchers.value.is_empty() {
            mistakes.push(format!("{}: `dispatchers` names no dispatcher", self.dispatchers.origin));
        }
        for dispatcher in &self.dispatchers.value {
            if let Err(error) = nephoscope_dispatchers::check(dispatcher) {
                mistakes.push(format!("{}: {}", self.dispatchers.origin, error.message()));
            }
        }
    }
}

impl fmt::Display for Samples {
    /// Both sections, without secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dispatchers: Vec<_> =
            self.dispatchers.value.iter().map(|dispatcher| quoted(&dispatcher.to_string())).collect();
        writeln!(f, "\n[samples]")?;
        writeln!(f, "dispatchers = [{}]  # {}", dispatchers.join(", "), self.dispatchers.origin)?;
        if !self.telemetry_secret.value.0.is_empty() {
            writeln!(f, "telemetry_secret = \"***\"  # {}", self.telemetry_secret.origin)?;
        }
        writeln!(f, "\n[spool]")?;
        writeln!(f, "max_size = \"{}\"  # {}", size::show(self.max_size.value), self.max_size.origin)
    }
}
