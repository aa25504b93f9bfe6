//! The project whose samples are left out: that of the Gnocchi service, which would go on measuring itself.
//!
//! Source: `ceilometer/publisher/gnocchi.py` of Ceilometer 27.

use nephoscope_keystone::Keystone;
use nephoscope_telemetry::{ConnectionString, ErrorKind, Result, Sample};

/// What is left out where nobody says otherwise and a Keystone can be asked, as with Ceilometer.
const PROJECT: &str = "service";
/// The domain of that project.
const DOMAIN: &str = "Default";

/// What the options say.
#[derive(Clone, Debug)]
pub(super) struct Filter {
    is_on: bool,
    project: Option<String>,
    domain: String,
}

/// What that comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum LeftOut {
    Nothing,
    /// Nothing either, though it should be something, and why.
    Unknown(String),
    /// The samples of the project with this id.
    Id(String),
    /// The samples of the project that they themselves say has this id or name: there is no Keystone to ask.
    IdOrName(String),
}

impl Filter {
    pub(super) fn read(to: &ConnectionString) -> Result<Self> {
        let option = |name: &str| to.option(name).filter(|value| !value.is_empty()).map(str::to_owned);
        Ok(Self {
            is_on: to.option("enable_filter_project").is_none() || to.flag("enable_filter_project")?,
            project: option("filter_project"),
            domain: option("filter_domain").unwrap_or_else(|| DOMAIN.into()),
        })
    }

    /// Asks the Keystone behind which Gnocchi is, if there is one. Where that has no such project nothing is left out, and
    /// so it is where we may not ask, unless somebody named the project and waits for it to be left out.
    pub(super) async fn find(&self, keystone: Option<&Keystone>) -> Result<LeftOut> {
        let named = self.project.as_deref();
        let Some(keystone) = keystone.filter(|_| self.is_on) else {
            let text = named.filter(|_| self.is_on).map(str::to_owned);
            return Ok(text.map_or(LeftOut::Nothing, LeftOut::IdOrName));
        };
        let project = named.unwrap_or(PROJECT);
        let why = match keystone.project_id(project, &self.domain).await {
            Ok(Some(id)) => return Ok(LeftOut::Id(id)),
            Ok(None) => format!("Keystone has no such project in the domain `{}`", self.domain),
            Err(error) if error.kind() == ErrorKind::Config && named.is_none() => error.to_string(),
            Err(error) => return Err(error),
        };
        Ok(LeftOut::Unknown(format!(
            "no samples of the project `{project}` (option `filter_project`) are left out: {why}"
        )))
    }
}

impl LeftOut {
    /// Whether a sample is of the project, or measures its use of Swift, where the resource is the project.
    pub(super) fn has(&self, sample: &Sample, resource_type: &str) -> bool {
        let (id, by_name) = match self {
            Self::Nothing | Self::Unknown(_) => return false,
            Self::Id(id) => (id.as_str(), false),
            Self::IdOrName(text) => (text.as_str(), true),
        };
        sample.project_id.as_deref() == Some(id)
            || by_name && sample.project_name.as_deref() == Some(id)
            || resource_type == "swift_account" && sample.resource_id == id
    }
}
