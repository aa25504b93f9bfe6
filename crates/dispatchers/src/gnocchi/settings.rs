//! From the connection string to what a dispatcher does.

use std::collections::BTreeSet;
use std::fs;

use nephoscope_gnocchi::{AggregationMethod, ArchivePolicy, Definition, Timespan};
use nephoscope_resource_types::{Definitions, Mistake, openstack};
use nephoscope_telemetry::{ConnectionString, Result};

use super::expected::Expected;
use super::filter::Filter;

/// The options that are not of the connection.
pub(super) const OPTIONS: [&str; 8] = [
    "archive_policy",
    "enable_filter_project",
    "filter_domain",
    "filter_project",
    "granularity",
    "resources_definition_file",
    "ttl",
    "unowned",
];

/// The granularity of archive policies of which only `ttl` is told, in seconds.
const GRANULARITY: i64 = 1;

/// How samples are treated.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    archive_policy: Option<String>,
    pub(super) filter: Filter,
    definition_file: Option<String>,
    /// How metrics are kept whose archive policy the definitions do not define, where options say it.
    keeping: Option<Definition>,
    /// Whether samples whose meter nobody has are of generic resources, rather than of none.
    unowned_are_generic: bool,
}

impl Settings {
    pub(super) fn read(to: &ConnectionString) -> Result<Self> {
        let option = |name: &str| to.option(name).filter(|value| !value.is_empty()).map(str::to_owned);
        Ok(Self {
            archive_policy: option("archive_policy"),
            filter: Filter::read(to)?,
            definition_file: option("resources_definition_file"),
            keeping: keeping(to)?,
            unowned_are_generic: match to.option("unowned") {
                None | Some("generic") => true,
                Some("drop") => false,
                Some(_) => return Err(to.wrong("option `unowned` is `generic` or `drop`")),
            },
        })
    }

    /// What the definition file says, or what is built in. What is wrong in the file is logged, and left out.
    pub(super) fn definitions(&self, to: &ConnectionString) -> Result<Definitions> {
        let (definitions, mistakes) = self.read_definitions(to)?;
        for mistake in mistakes {
            tracing::warn!("{mistake}; this entry is left out");
        }
        Ok(definitions)
    }

    /// The same, with what is wrong.
    pub(super) fn read_definitions(&self, to: &ConnectionString) -> Result<(Definitions, Vec<Mistake>)> {
        let policy = self.archive_policy.as_deref();
        let (mut definitions, mistakes) = match &self.definition_file {
            Some(path) => {
                let text = fs::read_to_string(path).map_err(|error| to.wrong(format!("{path}: {error}")))?;
                Definitions::read(&text, path, policy)
            }
            None => Definitions::read(openstack::DEFINITIONS, "the built-in definitions", policy),
        };
        let made: Vec<_> = self.undefined(&definitions).iter().filter_map(|name| self.made(name)).collect();
        definitions.archive_policies.extend(made);
        Ok((definitions, mistakes))
    }

    /// The archive policy of metrics whose meter nobody has, unless those are left out. Without one a single such sample
    /// would hold up all others wherever Gnocchi has no rule for it.
    pub(super) fn unowned<'s>(&'s self, definitions: &'s Definitions) -> Option<&'s str> {
        let policy = self.archive_policy.as_deref().unwrap_or(&definitions.default_policy);
        self.unowned_are_generic.then_some(policy)
    }

    /// The archive policies that Gnocchi has to have: metrics have them, the definitions do not define them, and nothing says
    /// how they would be made, so that each is misspelt unless it is there.
    pub(super) fn expected(&self, definitions: &Definitions) -> Vec<Expected> {
        let expected = |name: String| {
            let in_file = self.definition_file.as_ref().zip(definitions.place_of_policy(&name));
            let named_at = match in_file.filter(|_| self.archive_policy.as_ref() != Some(&name)) {
                Some((file, place)) => format!("{file}:{place}"),
                None => "option `archive_policy`".into(),
            };
            Expected { name, named_at }
        };
        self.undefined(definitions).into_iter().map(expected).collect()
    }

    /// The archive policies that metrics have and the definitions do not define.
    fn undefined(&self, definitions: &Definitions) -> BTreeSet<String> {
        let types = definitions.clone().into_types();
        let of_meters = types.owners().filter_map(|owner| owner.meter.archive_policy.as_deref());
        let names = of_meters.chain(self.unowned(definitions));
        let is_defined = |name: &str| definitions.archive_policies.iter().any(|policy| policy.name == name);
        names.filter(|name| !is_defined(name)).map(str::to_owned).collect()
    }

    /// What such a policy is like where Gnocchi does not have it: what the options say, or what is built in under its name.
    fn made(&self, name: &str) -> Option<ArchivePolicy> {
        let Some(keeping) = self.keeping else {
            return openstack::definitions().archive_policies.into_iter().find(|policy| policy.name == name);
        };
        Some(ArchivePolicy {
            name: name.into(),
            back_window: 0,
            definition: vec![keeping],
            // What the policies of Ceilometer keep.
            aggregation_methods: vec![AggregationMethod::MEAN],
        })
    }
}

/// The options `granularity` and `ttl`; with one of them by the second, or for ever.
fn keeping(to: &ConnectionString) -> Result<Option<Definition>> {
    let span = |name: &str| {
        let text = to.option(name);
        let read = text.map(|text| {
            Timespan::parse(text)
                .map_err(|error| to.wrong(format!("option `{name}` is no length of time: {error}")))
        });
        read.transpose()
    };
    let (granularity, ttl) = match (span("granularity")?, span("ttl")?) {
        (None, None) => return Ok(None),
        (granularity, ttl) => (granularity.unwrap_or_else(self::granularity), ttl),
    };
    let points = match ttl {
        Some(ttl) => match u64::try_from(ttl.as_nanos() / granularity.as_nanos()) {
            Ok(points) if points > 0 => Some(points),
            _ => return Err(to.wrong("option `ttl` is no shorter than `granularity`")),
        },
        None => None,
    };
    Ok(Some(Definition { granularity, points }))
}

fn granularity() -> Timespan {
    Timespan::from_seconds(GRANULARITY).expect("a second is a length")
}

#[cfg(test)]
mod tests;
