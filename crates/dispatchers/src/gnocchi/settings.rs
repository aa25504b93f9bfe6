//! From the connection string to what a dispatcher does.

use std::fs;

use nephoscope_resource_types::{Definitions, openstack};
use nephoscope_telemetry::{ConnectionString, Result, Sample};

/// The options that are not of the connection.
pub(super) const OPTIONS: [&str; 4] =
    ["archive_policy", "filter_project", "resources_definition_file", "unowned"];

/// How samples are treated.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) archive_policy: Option<String>,
    filter_project: Option<String>,
    definition_file: Option<String>,
    /// Whether samples whose meter nobody has are of generic resources, rather than of none.
    pub(super) unowned_are_generic: bool,
}

impl Settings {
    pub(super) fn read(to: &ConnectionString) -> Result<Self> {
        let option = |name: &str| to.option(name).filter(|value| !value.is_empty()).map(str::to_owned);
        Ok(Self {
            archive_policy: option("archive_policy"),
            filter_project: option("filter_project"),
            definition_file: option("resources_definition_file"),
            unowned_are_generic: match to.option("unowned") {
                None | Some("generic") => true,
                Some("drop") => false,
                Some(_) => return Err(to.wrong("option `unowned` is `generic` or `drop`")),
            },
        })
    }

    /// What the definition file says, or what is built in. What is wrong in the file is logged, and left out.
    pub(super) fn definitions(&self, to: &ConnectionString) -> Result<Definitions> {
        let policy = self.archive_policy.as_deref();
        let (definitions, mistakes) = match &self.definition_file {
            Some(path) => {
                let text = fs::read_to_string(path).map_err(|error| to.wrong(format!("{path}: {error}")))?;
                Definitions::read(&text, path, policy)
            }
            None => Definitions::read(openstack::DEFINITIONS, "the built-in definitions", policy),
        };
        for mistake in mistakes {
            tracing::warn!("{mistake}; this entry is left out");
        }
        Ok(definitions)
    }

    /// Whether a sample is of the project that is left out, or measures its use of Swift, where the resource is the
    /// project.
    pub(super) fn leaves_out(&self, sample: &Sample, resource_type: &str) -> bool {
        let Some(filtered) = self.filter_project.as_deref() else { return false };
        let is_of = |project: Option<&str>| project == Some(filtered);
        is_of(sample.project_id.as_deref())
            || is_of(sample.project_name.as_deref())
            || resource_type == "swift_account" && sample.resource_id == filtered
    }
}
