//! From the connection string to what a dispatcher does.

use std::collections::BTreeSet;
use std::fs;

use nephoscope_gnocchi::{AggregationMethod, ArchivePolicy, Definition, Timespan};
use nephoscope_resource_types::{Definitions, Mistake, openstack};
use nephoscope_telemetry::{ConnectionString, Result};

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

/// The granularity of archive policies that nobody defines, in seconds.
const GRANULARITY: i64 = 1;

/// How samples are treated.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    archive_policy: Option<String>,
    pub(super) filter: Filter,
    definition_file: Option<String>,
    /// How metrics are kept whose archive policy nobody defines, where options say it.
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
        let undefined = self.undefined(&definitions);
        definitions.archive_policies.extend(undefined);
        Ok((definitions, mistakes))
    }

    /// The archive policy of metrics whose meter nobody has, unless those are left out. Without one a single such sample
    /// would hold up all others wherever Gnocchi has no rule for it.
    pub(super) fn unowned<'s>(&'s self, definitions: &'s Definitions) -> Option<&'s str> {
        let policy = self.archive_policy.as_deref().unwrap_or(&definitions.default_policy);
        self.unowned_are_generic.then_some(policy)
    }

    /// The archive policy that Gnocchi has to have: an option names it, the definitions do not define it, and no option says
    /// how it would be made, so that it is misspelt unless it is there.
    pub(super) fn expected(&self, definitions: &Definitions) -> Option<&str> {
        let is_defined =
            |name: &&str| definitions.archive_policies.iter().any(|policy| policy.name == **name);
        self.archive_policy.as_deref().filter(|name| self.keeping.is_none() && !is_defined(name))
    }

    /// The archive policies that meters have and the definitions do not define. Gnocchi may have them.
    fn undefined(&self, definitions: &Definitions) -> Vec<ArchivePolicy> {
        let types = definitions.clone().into_types();
        let of_meters = types.owners().filter_map(|owner| owner.meter.archive_policy.as_deref());
        let mut names: BTreeSet<_> = of_meters.chain(self.unowned(definitions)).collect();
        let defined = definitions.archive_policies.iter().map(|policy| policy.name.as_str());
        for name in defined.chain(self.expected(definitions)) {
            names.remove(name);
        }
        let keeping = self.keeping.unwrap_or(Definition { granularity: granularity(), points: None });
        let policy = |name: &str| ArchivePolicy {
            name: name.into(),
            back_window: 0,
            definition: vec![keeping],
            // What the policies of Ceilometer keep.
            aggregation_methods: vec![AggregationMethod::MEAN],
        };
        names.into_iter().map(policy).collect()
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
