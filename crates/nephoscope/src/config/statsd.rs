//! The door for statsd: the keys of `[statsd]`, named as those of Gnocchi's.

use std::fmt;
use std::time::Duration;

use nephoscope_gnocchi::{Creator, parse_uuid};
use nephoscope_server::StatsdSettings;

use super::file::{Reader, Value};
use super::{Origin, Setting, check_address, take, unset};
use crate::time;

/// The port of statsd, on the loopback interface unless told otherwise.
const DEFAULT_LISTEN: &str = "127.0.0.1:8125";
/// As with Gnocchi.
const DEFAULT_FLUSH_DELAY: Duration = Duration::from_secs(10);
const KEYS: [&str; 5] = ["archive_policy_name", "creator", "flush_delay", "listen", "resource_id"];

/// The door for statsd, which is there where it has a resource.
#[derive(Clone, Debug)]
pub struct Statsd {
    /// Where datagrams are taken.
    pub listen: Setting<String>,
    /// The resource that the metrics are of.
    pub resource_id: Setting<Option<String>>,
    /// Who makes the resource and the metrics: `user:project`, or the user alone.
    pub creator: Setting<Option<String>>,
    /// How metrics are kept that are made; as the rules say, where nothing is said.
    pub archive_policy_name: Setting<Option<String>>,
    /// How often what came is stored.
    pub flush_delay: Setting<Option<Duration>>,
}

impl Default for Statsd {
    fn default() -> Self {
        Self {
            listen: unset(DEFAULT_LISTEN.into()),
            resource_id: unset(None),
            creator: unset(None),
            archive_policy_name: unset(None),
            flush_delay: unset(None),
        }
    }
}

impl Statsd {
    /// Takes a key of `[statsd]`.
    pub(super) fn take(&mut self, reader: &mut Reader<'_>, key: &str, value: &Value<'_>) {
        let place = match key {
            "listen" => return take(&mut self.listen, reader.string(value, key)),
            "flush_delay" => return take(&mut self.flush_delay, reader.duration(value, key)),
            "resource_id" => &mut self.resource_id,
            "creator" => &mut self.creator,
            "archive_policy_name" => &mut self.archive_policy_name,
            _ => return reader.unknown("statsd", key, &KEYS, value),
        };
        take(place, reader.string(value, key).map(Setting::map_some));
    }

    pub(super) fn check(&self, mistakes: &mut Vec<String>) {
        check_address("listen", DEFAULT_LISTEN, &self.listen.value, &self.listen.origin, mistakes);
        let others = [
            &self.listen.origin,
            &self.creator.origin,
            &self.archive_policy_name.origin,
            &self.flush_delay.origin,
        ];
        match (&self.resource_id.value, others.into_iter().find(|origin| **origin != Origin::Default)) {
            (Some(id), _) if parse_uuid(id).is_none() => {
                mistakes.push(format!("{}: `resource_id` is a UUID", self.resource_id.origin));
            }
            (None, Some(origin)) => {
                mistakes.push(format!(
                    "{origin}: [statsd] needs `resource_id`: which resource the metrics are of"
                ));
            }
            _ => {}
        }
        if self.flush_delay.value == Some(Duration::ZERO) {
            mistakes.push(format!("{}: `flush_delay` is longer than nothing", self.flush_delay.origin));
        }
    }

    /// For the server, with who makes things; nothing where there is no such door.
    pub(crate) fn settings(&self) -> Option<(Creator, StatsdSettings)> {
        let resource_id = self.resource_id.value.clone()?;
        let creator = self.creator.value.as_deref().unwrap_or_default();
        let creator = match creator.split_once(':') {
            Some((user, project)) => Creator { user_id: user.into(), project_id: Some(project.into()) },
            None => Creator { user_id: creator.into(), project_id: None },
        };
        let settings = StatsdSettings {
            resource_id,
            archive_policy_name: self.archive_policy_name.value.clone(),
            flush_delay: self.flush_delay.value.unwrap_or(DEFAULT_FLUSH_DELAY),
        };
        Some((creator, settings))
    }
}

impl fmt::Display for Statsd {
    /// The keys of `[statsd]`, a line each.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quoted = |text: &str| toml::Value::from(text).to_string();
        writeln!(f, "listen = {}  # {}", quoted(&self.listen.value), self.listen.origin)?;
        for (key, setting) in [
            ("resource_id", &self.resource_id),
            ("creator", &self.creator),
            ("archive_policy_name", &self.archive_policy_name),
        ] {
            if let Some(value) = &setting.value {
                writeln!(f, "{key} = {}  # {}", quoted(value), setting.origin)?;
            }
        }
        let delay = self.flush_delay.value.unwrap_or(DEFAULT_FLUSH_DELAY);
        writeln!(f, "flush_delay = \"{}\"  # {}", time::show_duration(delay), self.flush_delay.origin)
    }
}
