//! How the embedded Gnocchi keeps things: the keys of `[store]`.

use std::fmt;
use std::time::Duration;

use nephoscope_store::Options;

use super::file::{Reader, Value};
use super::{Setting, take, unset};
use crate::time;

/// How the embedded Gnocchi keeps things.
#[derive(Clone, Debug)]
pub struct Store {
    /// Whether an empty store gets Gnocchi's default archive policies.
    pub default_archive_policies: Setting<bool>,
    /// How long resources are kept that ended, with their metrics; for ever, where nothing is said.
    pub keep_ended_resources: Setting<Option<Duration>>,
    /// How long revisions of resources are kept that ended; for ever, where nothing is said.
    pub keep_revisions: Setting<Option<Duration>>,
}

impl Default for Store {
    fn default() -> Self {
        Self {
            default_archive_policies: unset(true),
            keep_ended_resources: unset(None),
            keep_revisions: unset(None),
        }
    }
}

impl Store {
    /// Takes a key of `[store]`.
    pub(super) fn take(&mut self, reader: &mut Reader<'_>, key: &str, value: &Value<'_>) {
        match key {
            "default_archive_policies" => {
                take(&mut self.default_archive_policies, reader.bool(value, key));
            }
            "keep_ended_resources" => take(&mut self.keep_ended_resources, reader.duration(value, key)),
            "keep_revisions" => take(&mut self.keep_revisions, reader.duration(value, key)),
            _ => {
                let known = ["default_archive_policies", "keep_ended_resources", "keep_revisions"];
                reader.unknown("store", key, &known, value);
            }
        }
    }

    /// For the store.
    pub(crate) fn options(&self) -> Options {
        let mut options = Options::default();
        options.purge_ended_resources = self.keep_ended_resources.value;
        options.purge_revisions = self.keep_revisions.value;
        options
    }
}

impl fmt::Display for Store {
    /// The keys of `[store]`, a line each.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let default = &self.default_archive_policies;
        writeln!(f, "default_archive_policies = {}  # {}", default.value, default.origin)?;
        for (key, keep) in
            [("keep_ended_resources", &self.keep_ended_resources), ("keep_revisions", &self.keep_revisions)]
        {
            if let Some(duration) = keep.value {
                writeln!(f, "{key} = \"{}\"  # {}", time::show_duration(duration), keep.origin)?;
            }
        }
        Ok(())
    }
}
