//! `gnocchi_resources.yaml`: the resource types, and how their metrics are kept.

use std::collections::BTreeSet;
use std::path::{Path, absolute};

use nephoscope_resource_types::yaml::Yaml;
use nephoscope_resource_types::{Definitions, openstack};

use super::notes::{Notes, Place};
use super::read;
use super::url::Url;

/// The file that Ceilometer reads unless it is told another one.
const FILE: &str = "gnocchi_resources.yaml";

/// How metrics are kept whose archive policy nobody defines.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Keeping {
    /// How often something is measured, in seconds.
    pub(super) interval: Option<u64>,
    /// For how long it is kept, in seconds.
    pub(super) ttl: Option<u64>,
}

/// Adds what the file says to a dispatcher: where it is, and how metrics are kept whose archive policy is not in it.
pub(super) fn add(
    url: &mut Url,
    directory: &Path,
    named: Option<&str>,
    policy: Option<&str>,
    keeping: Keeping,
    at: &Place,
    notes: &mut Notes,
) {
    let file = directory.join(named.unwrap_or(FILE));
    let text = read(&file, notes);
    if let (None, Some(named)) = (&text, named) {
        notes.find(at, format!("`{named}`"), "there is no such file, and the built-in definitions are taken");
    }
    if let Some(text) = &text {
        if let Err(wrong) = Yaml::parse(text) {
            return notes.mistake(&Place::new(&file, wrong.place.line), wrong.problem);
        }
        let path = absolute(&file).unwrap_or(file.clone());
        url.option("resources_definition_file", &path.to_string_lossy());
    }
    let text = text.as_deref().unwrap_or(openstack::DEFINITIONS);
    let (definitions, mistakes) = Definitions::read(text, FILE, policy);
    for mistake in mistakes {
        let place = Place::new(&file, mistake.place.line);
        notes.find(&place, "a definition", format!("mend it: {}", mistake.problem));
    }
    if is_undefined(definitions) {
        for (name, seconds) in [("granularity", keeping.interval), ("ttl", keeping.ttl)] {
            if let Some(seconds) = seconds {
                url.option(name, &seconds.to_string());
            }
        }
    }
}

/// Whether some meter has an archive policy that is not among the definitions.
fn is_undefined(definitions: Definitions) -> bool {
    let defined: BTreeSet<_> =
        definitions.archive_policies.iter().map(|policy| policy.name.clone()).collect();
    let types = definitions.into_types();
    let mut policies = types.owners().filter_map(|owner| owner.meter.archive_policy.as_deref());
    policies.any(|policy| !defined.contains(policy))
}
