//! What a kind of resources is to a dispatcher.

use std::fmt;

use nephoscope_telemetry::{BadRecord, Event, Sample};
use smol_str::SmolStr;

use crate::{Attributes, Lifecycle, TypeDefinition};

/// One kind of resources, such as `instance`: which meters measure them, and what samples and events say of them.
///
/// The types of today's OpenStack are [`openstack`](crate::openstack); those of a definition file are
/// [`Definitions`](crate::Definitions). One that needs more than a file can say is written in Rust, in any crate, and put
/// into a [`ResourceTypes`](crate::ResourceTypes) with the others. The crate's documentation shows one.
pub trait ResourceType: fmt::Debug + Send + Sync {
    /// Its name in Gnocchi. Constant.
    fn name(&self) -> &str;

    /// The meters of its resources. Constant.
    ///
    /// A sample of one of these is never shown to another type, unless that has the meter, too, and was added later.
    fn meters(&self) -> &[Meter];

    /// What Gnocchi has to know of the type, so that it can be made there. Nothing, when that is left to others: by
    /// default.
    fn definition(&self) -> Option<&TypeDefinition> {
        None
    }

    /// Sets what a sample says of its resource. Nothing by default.
    ///
    /// The sample is one of [`meters`](Self::meters). Its project and user are no attributes: all resources have them.
    /// This is called for every sample, so what can be borrowed from the sample should be.
    fn attributes<'a>(&'a self, sample: &'a Sample, attributes: &mut Attributes<'a>) {
        let _ = (sample, attributes);
    }

    /// What an event means for a resource of this type; nothing, when it is about something else. Nothing by default.
    ///
    /// An event that should mean something, and does not say what it has to, is a bad record.
    fn lifecycle<'a>(&'a self, event: &'a Event) -> Result<Option<Lifecycle<'a>>, BadRecord> {
        let _ = event;
        Ok(None)
    }
}

/// A meter of a [`ResourceType`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meter {
    /// Its name, which the metric gets.
    pub name: SmolStr,
    /// The archive policy of metrics that are made for it. Without one, Gnocchi's rules choose.
    pub archive_policy: Option<SmolStr>,
    /// The unit of its metrics, where samples do not say it.
    pub unit: Option<SmolStr>,
}

impl Meter {
    /// A meter of this name, about which nothing else is said.
    pub fn new(name: impl Into<SmolStr>) -> Self {
        Self { name: name.into(), archive_policy: None, unit: None }
    }

    /// With this archive policy.
    #[must_use]
    pub fn archived(mut self, policy: impl Into<SmolStr>) -> Self {
        self.archive_policy = Some(policy.into());
        self
    }

    /// In this unit.
    #[must_use]
    pub fn measured_in(mut self, unit: impl Into<SmolStr>) -> Self {
        self.unit = Some(unit.into());
        self
    }
}
